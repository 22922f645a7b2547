use clover_data::dataset::ClipReading;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline};

use super::*;
use crate::evaluate::{
    AnswerMetrics, AnsweredPrediction, Direction, PairSimilarity, QuestionAccuracy,
    QuestionAttention, Scored,
};
use crate::metric::{RankIntervals, RetrievalMetrics};
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
        metrics: TaskMetrics::Answers(AnswerMetrics {
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
        correct: probability > 0.5,
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
    let image = image::RgbImage::new(8, 8);
    image.save(folder.path().join("clip.png")).unwrap();
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
        "50.0 % of 2 questions are answered rightly; 25.0 % by chance",
        "50.0 (0.0 to 100.0)",
    ] {
        assert!(html.contains(shown), "{shown}");
    }
    for outside in ["http", "url(", "<link", "<script", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(
        json["evaluation"]["metrics"]["answers"]["accuracy"]["accuracy"],
        0.5
    );
}

#[test]
fn what_an_answer_looks_at_lies_below_its_frames_and_chosen_questions_come_first() {
    let folder = tempfile::tempdir().unwrap();
    let image = image::RgbImage::new(8, 8);
    image.save(folder.path().join("clip.png")).unwrap();
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
    // Both questions are chosen, and one is right and one is wrong.
    assert_eq!(html.matches(legend).count(), 4);
    assert!(html.contains("</span> 20.00 %"));
    assert_eq!(html.matches("attention over regions and frames").count(), 4);
    let [chosen, best] = ["Chosen questions", "Right answers"].map(|part| html.find(part));
    assert!(chosen.unwrap() < best.unwrap());
    for outside in ["http", "url(", "<link", "<script", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn ranks_are_counted_in_ranges() {
    let bars = rank_bars(&[1, 1, 2, 3, 5, 6, 11, 101, 5_000]);

    let counts: Vec<_> = bars
        .iter()
        .map(|bar| (bar.name.as_str(), bar.value as usize))
        .collect();
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
fn a_page_of_retrieval_has_its_table_ranks_cosines_and_examples() {
    let metrics = RetrievalMetrics {
        recall_at_1: 50.0,
        recall_at_5: 100.0,
        recall_at_10: 100.0,
        median_rank: 1.5,
        mean_rank: 1.5,
        queries: 2,
        candidates: 2,
    };
    let direction = Direction {
        intervals: RankIntervals {
            recall_at_1: [0.0, 100.0],
            recall_at_5: [100.0, 100.0],
            recall_at_10: [100.0, 100.0],
            median_rank: [1.0, 2.0],
        },
        metrics: metrics.clone(),
    };
    let evaluation = Evaluation {
        metrics: TaskMetrics::Retrieval(Box::new(BidirectionalMetrics {
            text_to_video: direction.clone(),
            video_to_text: direction,
            dual_softmax: Some([metrics.clone(), metrics]),
            repeated_texts: 1,
            similarity: PairSimilarity {
                positive: 0.5,
                negative: 0.0,
                gap: 0.5,
            },
            curves: SimilarityCurves {
                positive: vec![0.25, 0.75],
                negative: vec![0.5, 0.5],
            },
        })),
        ..evaluation()
    };
    let ranked = |query: &str, rank, found: &str| {
        Prediction::Ranked(RankedPrediction {
            direction: Seeking::TextToVideo,
            query: query.to_owned(),
            clip: "gone/<own>.mp4".to_owned(),
            rank,
            cosine: 0.25,
            found: vec![Scored {
                name: found.to_owned(),
                score: 0.75,
            }],
        })
    };
    let predictions = [
        ranked("a <b>bold</b> text", 1, "gone/<own>.mp4"),
        ranked("a lost text", 2, "other.mp4"),
    ];
    let page = EvaluationPage {
        evaluation: &evaluation,
        predictions: &predictions,
        attention: None,
        clips: Path::new("no such folder"),
        unusable: &[],
        protocol: Vec::new(),
        reference: Vec::new(),
        recipe: String::new(),
    };

    let html = page.page().unwrap();

    for shown in [
        "50.0 % of 2 texts find their own clip first among 2, 100.0 % among the first ten",
        "text to video, dual softmax",
        ">50.0 (0.0 to 100.0)</td>",
        "a &lt;b&gt;bold&lt;/b&gt; text",
        "gone/&lt;own&gt;.mp4, its own clip, cosine 0.25",
        "other.mp4, found first, cosine 0.75",
        "clips and the texts of others",
        "1 texts are also those of another clip",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let [right, wrong] = [
        "Texts that find their clip",
        "Texts furthest from their clip",
    ]
    .map(|part| html.find(part).unwrap());
    assert!(right < wrong);
    assert!(!html.contains("<b>bold") && !html.contains("http"));
}
