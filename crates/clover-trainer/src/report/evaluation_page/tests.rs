use super::*;
use crate::evaluate::{AnswerFigures, QuestionAccuracy, Scored};

fn evaluation() -> Evaluation {
    Evaluation {
        task: "open-ended-custom".to_owned(),
        split: "test".to_owned(),
        data: "questions.jsonl".to_owned(),
        items: 2,
        unusable_rows: 0,
        skipped: vec![LeftOut {
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
        "data:image/png;base64,",
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

#[test]
fn the_worst_come_first_among_the_worst() {
    let numbers: Vec<usize> = (0..10).collect();
    let all: Vec<&usize> = numbers.iter().collect();

    let [(_, best), (_, worst)] = ends(&all);

    assert_eq!(best, [&0, &1, &2, &3, &4, &5]);
    assert_eq!(worst, [&9, &8, &7, &6, &5, &4]);
}
