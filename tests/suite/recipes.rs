//! The shipped recipes against the published settings: every figure stands here once more.
//!
//! Clover (CVPR 2023), section 4.1; where the paper gives no figure, the released configuration.

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;
use clover_data::dataset::SampleReading;
use clover_data::video::{ChannelOrder, FrameSampling, PixelPipeline, SamplingMode};
use clover_model::{Clover, CloverConfig};
use clover_trainer::pretrain::{Alignment, WordLoss};
use clover_trainer::recipe::{PretrainingRecipe, Recipe, WordChoice};
use clover_trainer::schedule::Progress;

use crate::TestBackend;

/// Word pieces of BERT (uncased).
const VOCABULARY: usize = 30_522;

fn published() -> PretrainingRecipe {
    PretrainingRecipe::open("pretrain-webvid-cc3m").unwrap()
}

fn close(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() <= 1e-9 * expected
}

#[test]
fn the_published_model_has_the_published_sizes() {
    let config = published().model(VOCABULARY).unwrap();

    let video = config.video.video_swin().unwrap();
    assert_eq!(video.embed_dim, 128);
    assert_eq!(video.depths, [2, 2, 18, 2]);
    assert_eq!(video.heads, [4, 8, 16, 32]);
    assert_eq!(video.window, [8, 7, 7]);
    assert!(close(video.drop_path, 0.3));
    let text = config.text.bert().unwrap();
    assert_eq!((text.hidden, text.layers, text.heads), (768, 12, 12));
    assert_eq!((text.inner, text.vocabulary), (3_072, 30_522));
    assert!(close(text.dropout, 0.1));
    let fusion = config.fusion();
    assert_eq!((fusion.layers, fusion.hidden), (3, 768));
    assert_eq!((fusion.time_positions, fusion.space_positions), (4, 49));
    // The head behind the fusion with masked text.
    assert!(close(config.fused_dropout, 0.1));
}

#[test]
fn the_published_optimisation_is_that_of_the_table() {
    let recipe = published();

    assert!(close(recipe.learning_rate, 5e-5));
    assert!(close(recipe.weight_decay, 0.005));
    assert_eq!(recipe.epochs, 40);
    // 32 pairs on each of 32 workers, of each loader.
    assert_eq!(recipe.batch_size, 32 * 32);
    assert!(close(recipe.clip_norm, 15.0));
    let optimizer = recipe.optimizer();
    let betas = [optimizer.beta_1, optimizer.beta_2].map(f64::from);
    assert!((betas[0] - 0.9).abs() < 1e-6 && (betas[1] - 0.98).abs() < 1e-6);
    assert!((f64::from(optimizer.epsilon) - 1e-8).abs() < 1e-14);
    assert_eq!(recipe.alignment, Alignment::TriModal);
    assert_eq!(recipe.word_loss, WordLoss::Focal);
    assert!(recipe.ranking);
}

#[test]
fn the_published_learning_rate_warms_up_and_falls_as_recorded() {
    let schedule = published().schedule(10);

    assert_eq!((schedule.epochs, schedule.warmup_epochs), (40, 4.0));
    assert!(close(schedule.warmup_start_ratio, 1e-3));
    assert!(close(schedule.minimum_ratio, 1e-3));
    assert_eq!(schedule.progress, Progress::PerIteration);
    // Recorded from the published implementation with ten iterations an epoch.
    for (iteration, expected) in [
        (0, 5.0000000000000044e-08),
        (1, 1.2987299917738383e-06),
        (7, 8.78461528034204e-06),
        (39, 4.761780094277422e-05),
        (40, 4.8777636494471465e-05),
        (200, 2.5025000000000002e-05),
        (399, 5.077028782137816e-08),
    ] {
        let actual = schedule.learning_rate(iteration);
        assert!(close(actual, expected), "iteration {iteration}: {actual}");
    }
}

#[test]
fn the_published_clips_texts_and_masks_are_those_of_the_table() {
    let recipe = published();
    let config = recipe.model(VOCABULARY).unwrap();
    let datasets = [recipe.reading(&config), recipe.image_reading(&config)];

    let frames = |dataset: &SampleReading| dataset.clip.sampling;
    // Eight frames of a video, one of an image, each drawn from its own stretch.
    assert_eq!(frames(&datasets[0]), FrameSampling::train_frames(8));
    assert_eq!(frames(&datasets[1]), FrameSampling::train_frames(1));
    let expected = [
        PixelPipeline::train_video(224),
        PixelPipeline::train_image(224),
    ];
    assert_eq!(datasets.each_ref().map(|data| data.clip.pixels), expected);
    for dataset in &datasets {
        let pixels = dataset.clip.pixels;
        assert_eq!(pixels.channels, ChannelOrder::Bgr);
        // Only MSRVTT retrieval exchanges left and right.
        assert!(pixels.flip_probability <= 0.0);
        assert_eq!(dataset.text_len, 30);
    }
    assert_eq!(recipe.region_target, 10);
    assert_eq!(recipe.text_masking, WordChoice::Semantic);
    assert!(close(recipe.masked_share, 0.3));
    assert!(recipe.masked().is_ok());
    assert_ne!(datasets[0].seed, datasets[1].seed);
    let tested = recipe.preprocessing(&config);
    assert_eq!((tested.frames, tested.text_len), (32, 30));
    assert_eq!(tested.pixels, PixelPipeline::test_center_crop(224));
    let sampling = tested.clip_reading().sampling;
    assert_eq!(sampling.mode, SamplingMode::Test);
}

#[test]
fn norms_biases_and_relative_positions_do_not_decay_and_everything_else_does() {
    let mut optimizer = published().optimizer();
    optimizer.weight_decay = 0.005;
    let clover: Clover<TestBackend> = CloverConfig::tiny(50).init(&Default::default());
    let mut parameters = Parameters::default();
    clover.visit(&mut parameters);
    assert!(parameters.paths.len() > 100);

    let optimizer = optimizer.init::<crate::TestAutodiffBackend>();
    for path in &parameters.paths {
        let group = optimizer.group_of(path);
        let name = path.rsplit('.').next().unwrap();
        let spared = ["bias", "gamma", "beta", "relative_position_bias_table"].contains(&name);
        let expected = if spared { 0.0 } else { 0.005 };
        assert!(
            (group.weight_decay - expected).abs() < 1e-12,
            "{path}: {group:?}"
        );
        assert!(close(group.learning_rate_multiplier, 1.0), "{path}");
    }
    for decayed in ["mask_token", "space_position", "time_position"] {
        let known = parameters.paths.iter().any(|path| path.contains(decayed));
        assert!(known, "{decayed} is no parameter's name any more");
    }
}

/// The paths of all parameters.
#[derive(Default)]
struct Parameters {
    at: Vec<String>,
    paths: Vec<String>,
}

impl<B: Backend> ModuleVisitor<B> for Parameters {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.at.pop();
    }

    fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<B, D>>) {
        self.paths.push(self.at.join("."));
    }
}
