use std::error::Error;
use std::path::{Path, PathBuf};

use clover_data::dataset::ClipTable;
use clover_data::text::Tokenizer;
use clover_model::CloverConfig;
use clover_synthetic::{BenchmarkConfig, vocabulary, write_benchmark};

use super::*;
use crate::TestBackend;

const LIST: [&str; 4] = ["red", "blue", "left", "big"];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A model nobody trained, with such a head.
fn answerer(answers: Option<Answers>) -> Answerer<TestBackend> {
    let device = Default::default();
    <TestBackend as Backend>::seed(&device, 3);
    let lines = vocabulary();
    let lines = lines.iter().map(String::as_str);
    let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
    let config = CloverConfig::nano(tokenizer.vocabulary().len())
        .with_image_size(28)
        .with_frames(2);
    let answers = answers.map(|answers| {
        let head = answers.head().init(config.text.width(), &device);
        (answers, head)
    });
    let bundle = Bundle {
        answers,
        ..Bundle::init(config, tokenizer, 16, &device)
    };
    Answerer::new(bundle, device)
}

fn of_list() -> Answerer<TestBackend> {
    let answers = words(&LIST);
    answerer(Some(Answers::OpenEnded { answers }))
}

fn of_blanks() -> Answerer<TestBackend> {
    let answers = words(&LIST);
    answerer(Some(Answers::FillInTheBlank { answers }))
}

fn of_choices(question_form: QuestionForm) -> Answerer<TestBackend> {
    answerer(Some(Answers::MultipleChoice { question_form }))
}

fn write_image(folder: &Path) -> PathBuf {
    let path = folder.join("clip.png");
    let colours = |x: u32, y: u32| image::Rgb([(8 * x) as u8, (8 * y) as u8, 60]);
    image::RgbImage::from_fn(30, 30, colours)
        .save(&path)
        .unwrap();
    path
}

fn clip(answerer: &Answerer<TestBackend>) -> NormalizedClip {
    let folder = tempfile::tempdir().unwrap();
    let path = write_image(folder.path());
    answerer.read(ClipSource::Path(path), None).unwrap()
}

fn ask(answerer: &Answerer<TestBackend>, question: &str, choices: &[&str]) -> ClipAnswers {
    let clip = clip(answerer);
    answerer
        .answer(&clip, question, &words(choices), 100)
        .unwrap()
}

fn refusal(answerer: &Answerer<TestBackend>, question: &str, choices: &[&str]) -> String {
    let clip = clip(answerer);
    let found = answerer.answer(&clip, question, &words(choices), 10);
    found.unwrap_err().to_string()
}

fn probability(found: &ClipAnswers, answer: &str) -> f64 {
    let mut ranked = found.ranked.iter();
    let found = ranked.find(|ranked| ranked.answer == answer);
    found.unwrap().probability
}

#[test]
fn a_list_is_ranked_as_a_whole_and_the_best_are_shown() {
    let answerer = of_list();

    let all = ask(&answerer, "which colour has the circle", &[]);
    let top = answerer
        .answer(&clip(&answerer), "which colour has the circle", &[], 2)
        .unwrap();

    assert_eq!((all.ranked.len(), all.known), (4, 4));
    assert_eq!(all.answered_by, AnsweredBy::AnswerList);
    let sum: f64 = all.ranked.iter().map(|answer| answer.probability).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    let falls = all.ranked.windows(2);
    let mut falls = falls.map(|pair| pair[0].probability >= pair[1].probability);
    assert!(falls.all(|falls| falls));
    assert_eq!((top.known, &top.ranked[..]), (4, &all.ranked[..2]));
    assert!(all.ranked.iter().all(|answer| answer.similarity.is_none()));
}

#[test]
fn known_choices_share_what_the_list_gave_them() {
    let answerer = of_list();
    let all = ask(&answerer, "which colour has the circle", &[]);

    let chosen = ask(&answerer, "which colour has the circle", &["blue", "red"]);

    assert_eq!((chosen.known, chosen.answered_by), (2, all.answered_by));
    let [red, blue] = ["red", "blue"].map(|answer| probability(&all, answer));
    assert!((probability(&chosen, "red") - red / (red + blue)).abs() < 1e-6);
}

#[test]
fn choices_that_the_list_lacks_are_compared_by_their_cosines() {
    for answerer in [of_list(), of_blanks(), answerer(None)] {
        let found = ask(&answerer, "the circle moves", &["left", "tiny"]);

        assert_eq!(found.answered_by, AnsweredBy::Similarity);
        assert!(!found.sure);
        let texts = words(&["the circle moves left", "the circle moves tiny"]);
        let texts = answerer.embedder().embed_texts(&texts).unwrap();
        let video = answerer.embedder().embed_clips(&[&clip(&answerer)]);
        let cosines = [0, 1].map(|row| {
            let both = texts.row(row).iter().zip(video.row(0));
            f64::from(both.map(|(a, b)| a * b).sum::<f32>())
        });
        // Of two, the softmax is the logistic function of their difference.
        let left = 1.0 / (1.0 + ((cosines[1] - cosines[0]) / 0.05).exp());
        assert!((probability(&found, "left") - left).abs() < 1e-6);
        let shown = found.ranked.iter().find(|ranked| ranked.answer == "left");
        let shown = shown.unwrap().similarity.unwrap();
        assert!((shown - cosines[0]).abs() < 1e-6);
    }
}

#[test]
fn what_a_bundle_without_a_head_cannot_do_is_said_with_what_it_can() {
    let error = refusal(&answerer(None), "which colour", &[]);

    assert!(
        error.contains("can only compare a clip with texts"),
        "{error}"
    );
    assert!(error.contains("give choices"), "{error}");
}

#[test]
fn a_blank_is_filled_and_a_sentence_without_or_with_two_is_refused() {
    let answerer = of_blanks();

    let found = ask(&answerer, "a [MASK] circle", &[]);
    let none = refusal(&answerer, "a red circle", &[]);
    let two = refusal(&answerer, "a [MASK] [MASK]", &[]);
    let cut = refusal(&answerer, &format!("{} [MASK]", "a ".repeat(14)), &[]);

    assert_eq!(
        (found.known, found.answered_by),
        (4, AnsweredBy::AnswerList)
    );
    assert!(
        none.contains("one of 4 words") && none.contains("[MASK]"),
        "{none}"
    );
    assert!(two.starts_with("the question: has 2 [MASK]"), "{two}");
    assert!(cut.contains("has 0 [MASK] among its first 16"), "{cut}");
}

#[test]
fn a_head_for_choices_scores_each_by_its_own_text() {
    let answerer = of_choices(QuestionForm::WithCandidate);
    let choices = ["red", "blue", "a big square"];

    let found = ask(&answerer, "what moves", &choices);
    let turned = ask(
        &answerer,
        "what moves",
        &[choices[2], choices[0], choices[1]],
    );

    assert_eq!(
        (found.known, found.answered_by),
        (3, AnsweredBy::MultipleChoice)
    );
    for choice in choices {
        let difference = probability(&found, choice) - probability(&turned, choice);
        assert!(difference.abs() < 1e-6, "{choice}");
    }
    let error = refusal(&answerer, "what moves", &[]);
    assert!(error.contains("give at least two choices"), "{error}");
    let error = refusal(&of_choices(QuestionForm::Alone), "what moves", &choices);
    assert!(error.contains("do not name them"), "{error}");
}

#[test]
fn more_choices_than_pass_together_are_all_scored() {
    let answerer = of_choices(QuestionForm::WithCandidate);
    let many: Vec<String> = (0..70).map(|number| format!("{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();

    let all = ask(&answerer, "how many", &many);

    assert_eq!(all.known, 70);
    let found = answerer
        .answer(&clip(&answerer), "how many", &words(&["3", "69"]), 2)
        .unwrap();
    let [three, last] = ["3", "69"].map(|choice| probability(&all, choice));
    assert!((probability(&found, "3") - three / (three + last)).abs() < 1e-5);
}

#[test]
fn a_list_is_compared_by_prompts_where_there_is_no_head() {
    let list = || AnswerVocabulary::from_answers(LIST, LIST.len());
    let answerer = answerer(None).with_answers(list()).unwrap();

    let found = ask(&answerer, "what colour is it", &[]);

    assert_eq!(
        (found.answered_by, found.known),
        (AnsweredBy::Similarity, LIST.len())
    );
    // A colour is written as a thing of that colour.
    let texts: Vec<String> = LIST
        .iter()
        .map(|answer| format!("a {answer} thing"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let as_captions = ask(&answerer, "", &texts);
    for (one, caption) in found.ranked.iter().zip(&as_captions.ranked) {
        assert_eq!(caption.answer, format!("a {} thing", one.answer));
        assert!((one.probability - caption.probability).abs() < 1e-6);
    }
    let prompt = AnswerPrompt::new("{answer}").unwrap();
    let answerer = answerer.with_prompt(prompt);
    let alone = ask(&answerer, "what colour is it", &[]);
    assert_eq!(
        alone.ranked[0].similarity,
        ask(&answerer, "", &LIST).ranked[0].similarity
    );
    assert!(of_list().with_answers(list()).is_err());
}

#[test]
fn a_text_whose_end_is_left_out_says_so() {
    let answerer = of_list();

    // [CLS], [SEP] and fourteen words are all that the model reads.
    assert!(!ask(&answerer, &"a ".repeat(14), &[]).cut);
    assert!(ask(&answerer, &"a ".repeat(15), &[]).cut);
    assert!(ask(&answerer, &"a ".repeat(14), &["tiny", "huge"]).cut);
}

#[test]
fn attention_is_a_map_of_the_clip_and_similarity_has_none() {
    let choices = words(&["red", "square"]);
    for (answerer, question) in [
        (of_list(), "which colour"),
        (of_blanks(), "a [MASK] circle"),
        (of_choices(QuestionForm::AllOptions), "what moves"),
    ] {
        let by_head = answerer.head.as_ref();
        let choices = match by_head {
            Some(Head::MultipleChoice(..)) => &choices[..],
            _ => &[],
        };

        let map = answerer
            .attention(&clip(&answerer), question, choices)
            .unwrap();

        // Two frames are a step, and 28 pixels a region.
        assert_eq!(map.grid, [1, 1, 1]);
        assert!((0.001..1.0).contains(&map.video_share()), "{map:?}");
    }
    let answerer = of_list();
    let error = answerer.attention(&clip(&answerer), "what moves", &choices);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("looks at no regions"), "{error}");
}

#[test]
fn scores_that_are_no_numbers_are_no_answer() {
    let scored = Scored {
        answers: words(&["red", "blue"]),
        scores: vec![0.5, f32::NAN],
        by: AnsweredBy::AnswerList,
        temperature: 1.0,
        cut: false,
    };

    assert!(matches!(scored.ranked(1), Err(InferenceError::NotFinite)));
}

#[test]
fn equal_answers_stay_in_the_order_of_the_list_and_are_not_sure() {
    let scored = Scored {
        answers: words(&["blue", "red", "big"]),
        scores: vec![1_000.0; 3],
        by: AnsweredBy::MultipleChoice,
        temperature: 1.0,
        cut: false,
    };

    let found = scored.ranked(0).unwrap();

    assert_eq!(found.ranked[0].answer, "blue");
    assert_eq!((found.ranked.len(), found.sure), (1, false));
    assert!((found.ranked[0].probability - 1.0 / 3.0).abs() < 1e-12);
}

#[test]
fn a_span_is_read_alone_and_one_beyond_the_end_or_a_clip_that_is_gone_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let set = BenchmarkConfig::one_shape(1, 0.01);
    let files = write_benchmark(&set, folder.path(), |_, _| ()).unwrap();
    let table = ClipTable::open(&files.train.pairs, None, &|_, _| ()).unwrap();
    let path = PathBuf::from(table.name(0));
    let answerer = of_list();
    let read = |path: &Path, span: Option<[u64; 2]>| {
        let span = span.map(|[start, end]| Span::new(start, end).unwrap());
        let found = answerer.read(ClipSource::Path(path.to_owned()), span);
        found.map_err(|error| format!("{error}: {:?}", error.source().map(ToString::to_string)))
    };

    let whole = read(&path, None).unwrap();
    let first = read(&path, Some([0, 200])).unwrap();
    let beyond = read(&path, Some([60_000, 70_000])).unwrap_err();
    let gone = read(&folder.path().join("gone.mp4"), None).unwrap_err();

    assert!(whole != first && whole == read(&path, None).unwrap());
    assert!(beyond.contains("60..70 reaches beyond"), "{beyond}");
    assert!(gone.contains("gone.mp4"), "{gone}");
}
