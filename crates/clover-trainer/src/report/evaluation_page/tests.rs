use clover_data::dataset::ClipReading;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline};

use super::*;
use crate::evaluate::{
    AnswerFigures, AnsweredPrediction, QuestionAccuracy, QuestionAttention, Scored,
};
use clover_inference::{AttentionMap, AttentionOverlay};

fn evaluation() -> Evaluation {
    Evaluation {
        identity: String::new(),
        task: "open-ended-custom".to_owned(),
        split: "test".to_owned(),
        data: "questions.jsonl".to_owned(),
        items: 2,
        unusable_rows: 0,
        skipped: vec![SkippedItem {
            name: "gone.mp4".to_owned(),
            reason: "cannot be read".to_owned(),
        }],
        figures: Figures::Answers(AnswerFigures {
            accuracy: QuestionAccuracy {
                accuracy: 0.5,
                questions: 2,
                outside_the_list: 0.0,
                chance: 0.25,
                best_constant: 0.5,
                skipped: 1,
            },
            interval: [0.0, 1.0],
        }),
        clips_per_second: 1.0,
        waiting_share: 0.5,
    }
}

fn answered(question: &str, probability: f32) -> Prediction {
    Prediction::Answered(AnsweredPrediction {
        index: 0,
        name: "one".to_owned(),
        clip: "clip.png".to_owned(),
        question: question.to_owned(),
        truth: vec!["red".to_owned()],
        answerable: true,
        answer: "<b>blue</b>".to_owned(),
        correct: false,
        truth_probability: probability,
        probabilities: vec![Scored {
            name: "blue".to_owned(),
            score: 0.7,
        }],
    })
}

#[test]
fn the_page_shows_frames_questions_answers_and_truth_and_loads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let picture = image::RgbImage::new(8, 8);
    picture.save(folder.path().join("clip.png")).unwrap();
    let predictions = [answered("what <script>", 0.9), answered("why", 0.1)];
    let evaluation = evaluation();
    let page = EvaluationPage {
        evaluation: &evaluation,
        predictions: &predictions,
        attention: None,
        clips: folder.path(),
        unusable: &[],
        protocol: vec!["accuracy 50 %".to_owned()],
        reference: vec!["the paper: nothing".to_owned()],
        recipe: "task = 1".to_owned(),
    };
    let (html, json) = (folder.path().join("a.html"), folder.path().join("a.json"));

    page.write_html(&html).unwrap();
    page.write_json(&json).unwrap();

    let html = std::fs::read_to_string(html).unwrap();
    for shown in [
        "what &lt;script&gt;",
        "&lt;b&gt;blue&lt;/b&gt;",
        "truth: red",
        "data:image/jpeg;base64,",
        "gone.mp4",
        "the paper: nothing",
        "task = 1",
        "<svg",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
    for outside in ["http", "url(", "<link", "<script", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(
        json["evaluation"]["figures"]["answers"]["accuracy"]["accuracy"],
        0.5
    );
}

#[test]
fn what_an_answer_looks_at_lies_below_its_frames_and_chosen_questions_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let picture = image::RgbImage::new(8, 8);
    picture.save(folder.path().join("clip.png")).unwrap();
    let predictions = [answered("what", 0.9), answered("why", 0.1)];
    let evaluation = evaluation();
    let maps = AttentionMaps {
        overlay: AttentionOverlay {
            reading: ClipReading {
                sampling: FrameSampling::test_frames(2),
                fps: None,
                pixels: PixelPipeline::test_resize(64),
                limits: DecodeLimits::default(),
            },
            region_side: 32,
            frames_a_step: 2,
        },
        chosen: vec![0],
        maps: vec![QuestionAttention {
            index: 0,
            map: AttentionMap {
                grid: [1, 2, 2],
                values: vec![0.1, 0.2, 0.04, 0.03],
            },
        }],
    };
    let page = EvaluationPage {
        evaluation: &evaluation,
        predictions: &predictions,
        attention: Some(&maps),
        clips: folder.path(),
        unusable: &[],
        protocol: Vec::new(),
        reference: Vec::new(),
        recipe: String::new(),
    };
    let html = folder.path().join("a.html");

    page.write_html(&html).unwrap();

    let html = std::fs::read_to_string(html).unwrap();
    let legend = "video 37 %, text 63 %; largest share of a region in a time step 20.00 %, each alike \
                  9.25 %";
    // Both questions are chosen, among the best and among the worst.
    assert_eq!(html.matches(legend).count(), 6);
    assert!(html.contains("</span> 20.00 %"));
    assert_eq!(html.matches("attention over regions and frames").count(), 6);
    let [chosen, best] = ["Chosen questions", "Best questions"].map(|part| html.find(part));
    assert!(chosen.unwrap() < best.unwrap());
    for outside in ["http", "url(", "<link", "<script", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn ranks_are_counted_in_ranges() {
    let bars = rank_bars(&[1, 1, 2, 3, 5, 6, 11, 101, 5_000]);

    let counts: Vec<_> = bars.iter().map(|bar| (bar.0.as_str(), bar.1)).collect();
    let expected = [
        ("1", 2),
        ("2", 1),
        ("3-5", 2),
        ("6-10", 1),
        ("11-50", 1),
        ("51-100", 0),
        ("from 101", 2),
    ];
    assert_eq!(counts, expected);
}
