//! The shipped recipes of the eleven downstream tasks against the published settings: every figure
//! stands here once more.
//!
//! Clover (CVPR 2023), section 4.1; where the paper gives no figure, the released configuration.

use clover_data::text::QuestionForm;
use clover_data::video::{ChannelOrder, FrameSampling, PixelPipeline};
use clover_inference::Preprocessing;
use clover_model::CloverConfig;
use clover_model::tasks::OpenEndedModel;
use clover_trainer::parameter_groups::ParameterGroup;
use clover_trainer::parameter_paths;
use clover_trainer::precision::Precision;
use clover_trainer::recipe::{
    AnyRecipe, CaptionChoice, Recipe, SHIPPED_RECIPES, TaskKind, TaskRecipe,
};
use clover_trainer::schedule::Progress;

use crate::{TestAutodiffBackend, TestBackend};

/// A row of the published table.
struct Row {
    name: &'static str,
    task: TaskKind,
    learning_rate: f64,
    weight_decay: f64,
    epochs: usize,
    /// Per worker, and workers.
    batch: [usize; 2],
    warmup: (usize, f64),
    schedule: Progress,
    clip_norm: f64,
    dropout: f64,
    head_multiplier: f64,
    answers: usize,
    candidates: usize,
    /// Frames in training, and of a view in tests.
    frames: [usize; 2],
    views: usize,
    text: [usize; 2],
    form: QuestionForm,
    train: fn(usize) -> PixelPipeline,
    test: fn(usize) -> PixelPipeline,
    flip: f64,
    precision: Precision,
}

/// What most retrieval tasks have in common.
const RETRIEVAL: Row = Row {
    name: "",
    task: TaskKind::Retrieval,
    learning_rate: 1.2e-5,
    weight_decay: 0.01,
    epochs: 50,
    batch: [16, 16],
    warmup: (5, 1e-3),
    schedule: Progress::ByEpoch,
    clip_norm: 5.0,
    dropout: 0.0,
    head_multiplier: 1.0,
    answers: 0,
    candidates: 0,
    frames: [8, 32],
    views: 1,
    text: [40, 40],
    form: QuestionForm::Alone,
    train: PixelPipeline::train_video,
    test: PixelPipeline::test_center_crop,
    flip: 0.0,
    precision: Precision::Bf16,
};

/// What most question-answering tasks have in common.
const QUESTIONS: Row = Row {
    task: TaskKind::OpenEnded,
    epochs: 20,
    batch: [16, 8],
    warmup: (2, 1e-4),
    schedule: Progress::PerIteration,
    clip_norm: 50.0,
    dropout: 0.5,
    head_multiplier: 10.0,
    frames: [8, 8],
    test: PixelPipeline::test_resize,
    ..RETRIEVAL
};

/// What multiple choice by the fusion encoder has in common.
const CHOICE: Row = Row {
    task: TaskKind::MultipleChoice,
    candidates: 5,
    form: QuestionForm::AllOptions,
    ..QUESTIONS
};

const TABLE: [Row; 11] = [
    Row {
        name: "retrieval-msrvtt",
        epochs: 100,
        batch: [16, 8],
        warmup: (10, 1e-3),
        frames: [12, 32],
        text: [30, 25],
        flip: 0.5,
        ..RETRIEVAL
    },
    Row {
        name: "retrieval-didemo",
        batch: [32, 8],
        text: [50, 64],
        precision: Precision::F32,
        ..RETRIEVAL
    },
    Row {
        name: "retrieval-lsmdc",
        ..RETRIEVAL
    },
    Row {
        name: "multiple-choice-msrvtt",
        task: TaskKind::RankedChoice,
        epochs: 100,
        batch: [2, 8],
        warmup: (10, 1e-3),
        candidates: 5,
        text: [30, 30],
        ..RETRIEVAL
    },
    Row {
        name: "multiple-choice-tgif-action",
        learning_rate: 5e-6,
        epochs: 100,
        warmup: (10, 1e-4),
        schedule: Progress::ByEpoch,
        views: 4,
        text: [100, 100],
        ..CHOICE
    },
    Row {
        name: "multiple-choice-tgif-transition",
        learning_rate: 5e-6,
        epochs: 50,
        warmup: (5, 1e-4),
        schedule: Progress::ByEpoch,
        views: 4,
        text: [100, 100],
        ..CHOICE
    },
    Row {
        name: "multiple-choice-lsmdc",
        text: [256, 256],
        precision: Precision::F32,
        ..CHOICE
    },
    Row {
        name: "open-ended-msrvtt-qa",
        weight_decay: 0.001,
        batch: [32, 8],
        schedule: Progress::ByEpoch,
        dropout: 0.1,
        answers: 1_500,
        ..QUESTIONS
    },
    Row {
        name: "open-ended-msvd-qa",
        epochs: 40,
        warmup: (4, 1e-4),
        answers: 1_000,
        train: PixelPipeline::test_resize,
        ..QUESTIONS
    },
    Row {
        name: "open-ended-tgif-frame",
        dropout: 0.1,
        answers: 1_540,
        test: PixelPipeline::test_center_crop,
        ..QUESTIONS
    },
    Row {
        name: "open-ended-lsmdc-fib",
        task: TaskKind::FillInTheBlank,
        answers: 908,
        text: [200, 200],
        ..QUESTIONS
    },
];

fn recipe(name: &str) -> TaskRecipe {
    TaskRecipe::open(name).unwrap()
}

fn close(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() <= 1e-9 * expected
}

/// The published base model's bundle.
fn bundle() -> (CloverConfig, Preprocessing) {
    let config = CloverConfig::base(30_522);
    let preprocessing = clover_trainer::recipe::PretrainingRecipe::open("pretrain-webvid-cc3m")
        .unwrap()
        .preprocessing(&config);
    (config, preprocessing)
}

#[test]
fn the_optimisation_of_every_task_is_that_of_the_table() {
    for row in &TABLE {
        let recipe = recipe(row.name);
        let schedule = recipe.schedule(7);

        assert_eq!(recipe.task, row.task, "{}", row.name);
        assert!(close(schedule.base, row.learning_rate), "{}", row.name);
        assert!(schedule.minimum_ratio <= 0.0, "{}", row.name);
        assert_eq!(schedule.epochs, row.epochs, "{}", row.name);
        assert!(
            close(schedule.warmup_epochs, row.warmup.0 as f64),
            "{}",
            row.name
        );
        let ratio = schedule.warmup_start_ratio;
        assert!(close(ratio, row.warmup.1), "{}: {ratio}", row.name);
        assert_eq!(schedule.progress, row.schedule, "{}", row.name);
        assert_eq!(
            recipe.batch_size,
            row.batch[0] * row.batch[1],
            "{}",
            row.name
        );
        assert!(close(recipe.clip_norm, row.clip_norm), "{}", row.name);
        assert_eq!(recipe.precision, row.precision, "{}", row.name);
        let optimizer = recipe.optimizer();
        assert!(
            close(optimizer.weight_decay, row.weight_decay),
            "{}",
            row.name
        );
        let multiplier = optimizer.answer_head_multiplier;
        assert!(close(multiplier, row.head_multiplier), "{}", row.name);
        let betas = [optimizer.beta_1, optimizer.beta_2].map(f64::from);
        assert!((betas[0] - 0.9).abs() < 1e-6 && (betas[1] - 0.98).abs() < 1e-6);
    }
}

#[test]
fn the_clips_and_texts_of_every_task_are_those_of_the_table() {
    let (config, preprocessing) = bundle();
    for row in &TABLE {
        let recipe = recipe(row.name).fitted(&config, &preprocessing).unwrap();
        let training = recipe.training_clips(&preprocessing);
        let tests = recipe.test_clips(&preprocessing);

        let name = row.name;
        assert_eq!(
            training.sampling,
            FrameSampling::train_frames(row.frames[0]),
            "{name}"
        );
        let expected = match row.views {
            1 => FrameSampling::test_frames(row.frames[1]),
            _ => FrameSampling::tgif_test(),
        };
        assert_eq!(tests.sampling, expected, "{name}");
        assert_eq!(tests.sampling.views(), row.views, "{name}");
        assert_eq!(tests.sampling.len(), row.views * row.frames[1], "{name}");
        let cut = (row.train)(224).with_flip(row.flip);
        assert_eq!(training.pixels, cut, "{name}");
        assert_eq!(tests.pixels, (row.test)(224), "{name}");
        assert_eq!(cut.channels, ChannelOrder::Bgr, "{name}");
        assert_eq!([recipe.text_len, recipe.test_text_len], row.text, "{name}");
    }
}

#[test]
fn the_answers_and_heads_of_every_task_are_those_of_the_table() {
    for row in &TABLE {
        let recipe = recipe(row.name);

        assert_eq!(recipe.question_form, row.form, "{}", row.name);
        assert_eq!(recipe.answers, row.answers, "{}", row.name);
        assert_eq!(recipe.candidates, row.candidates, "{}", row.name);
        assert!(
            (recipe.answer_head_dropout - row.dropout).abs() < 1e-12,
            "{}",
            row.name
        );
    }
    // The released loader draws one caption where the annotation has several.
    assert_eq!(
        recipe("retrieval-msrvtt").captions,
        CaptionChoice::OneAnEpoch
    );
}

#[test]
fn every_task_and_a_form_of_each_for_own_data_is_shipped() {
    let tasks = SHIPPED_RECIPES
        .iter()
        .filter(|shipped| matches!(AnyRecipe::open(shipped.name).unwrap(), AnyRecipe::Task(_)));
    let mut names: Vec<&str> = tasks.map(|shipped| shipped.name).collect();
    let mut expected = vec![
        "retrieval-custom",
        "multiple-choice-custom",
        "open-ended-custom",
        "retrieval-clip-didemo",
        "retrieval-clip-lsmdc",
        "retrieval-clip-msrvtt",
    ];
    expected.extend(TABLE.iter().map(|row| row.name));

    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn a_recipe_for_own_data_takes_its_sizes_from_the_bundle() {
    let config = CloverConfig::tiny(100).with_image_size(28).with_frames(4);
    let preprocessing = Preprocessing {
        frames: 4,
        fps: Some(3.0),
        pixels: PixelPipeline::test_resize(28),
        text_len: 12,
    };

    let fitted = recipe("open-ended-custom")
        .fitted(&config, &preprocessing)
        .unwrap();
    let published = recipe("open-ended-msvd-qa").fitted(&config, &preprocessing);

    assert_eq!(
        (fitted.frames, fitted.test_frames, fitted.image_size),
        (4, 4, 28)
    );
    assert_eq!([fitted.text_len, fitted.test_text_len], [12, 12]);
    let clips = [
        fitted.training_clips(&preprocessing),
        fitted.test_clips(&preprocessing),
    ];
    assert_eq!(clips.map(|clips| clips.fps), [Some(3.0); 2]);
    assert_eq!(fitted.preprocessing(&preprocessing).fps, Some(3.0));
    // A bundle that looks at more frames than it was trained with: embeddings need no positions.
    let more = Preprocessing {
        frames: 8,
        ..preprocessing
    };
    let test_frames = ["open-ended-custom", "retrieval-custom"]
        .map(|name| recipe(name).fitted(&config, &more).unwrap().test_frames);
    assert_eq!(test_frames, [4, 8]);
    // Eight frames do not fit a fusion encoder that has positions for four.
    let message = published.unwrap_err().to_string();
    assert!(message.contains("frames"), "{message}");
}

#[test]
fn answer_heads_learn_faster_and_decay_whole_and_relative_positions_decay_with_them() {
    let device = Default::default();
    let head = clover_model::heads::OpenEndedHeadConfig::new(128, 3);
    let config = CloverConfig::tiny(50);
    let open_ended =
        OpenEndedModel::<TestBackend>::from_clover(config.init(&device), &head, &device);
    let blank = OpenEndedModel::<TestBackend>::with_blanks(config.init(&device), &head, &device);
    let optimizer = recipe("open-ended-msrvtt-qa").optimizer();
    let optimizer = optimizer.init::<TestAutodiffBackend>();

    let mut paths = parameter_paths(&open_ended);
    paths.extend(parameter_paths(&blank));

    let (mut heads, mut tables) = (0, 0);
    for path in &paths {
        let name = path.rsplit('.').next().unwrap();
        let is_head = path.starts_with("answer_head.");
        heads += usize::from(is_head);
        tables += usize::from(name == "relative_position_bias_table");
        let spared = !is_head && ["bias", "gamma", "beta"].contains(&name);
        let expected = ParameterGroup {
            weight_decay: if spared { 0.0 } else { 0.001 },
            learning_rate_multiplier: if is_head { 10.0 } else { 1.0 },
        };
        assert_eq!(optimizer.group_of(path), expected, "{path}");
    }
    // Two linear layers and a norm each.
    assert_eq!(heads, 2 * 6);
    assert!(tables > 0 && paths.iter().any(|path| path == "separator_token"));
}
