//! The recipe of a pre-training run.

use clover_data::dataset::{ClipReading, Masked, SampleReading};
use clover_data::masking::TextMasking;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline};
use clover_inference::Preprocessing;
use clover_model::{CloverConfig, Preset};
use serde::{Deserialize, Serialize};

use super::clip_keys;
use super::keys::{Follows, first_wrong, whole_epochs};
use super::reading::Recipe;
use super::task::CaptionChoice;
use crate::TrainerError;
use crate::devices::GradientScaling;
use crate::objective::{Alignment, ObjectiveConfig, WordLoss};
use crate::optimizer::OptimizerConfig;
use crate::parameter_groups::ParameterRules;
use crate::precision::Precision;
use crate::schedule::{Progress, Schedule};
use crate::starting_values::StartingWeights;
use crate::temperature::TemperatureChoice;
use crate::trained_parts::TrainedParts;

/// The grid of masked regions has 7 cells a side, and a patch 4 pixels.
const SIZE_STEP: usize = 28;

/// Turns a run's seed into that of its images.
const IMAGES: u64 = 0x1ba9_e5f0_7a5e_ed01;

/// What becomes of the borders of a training clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crop {
    /// A random part of the clip, as published.
    RandomResizedCrop,
    /// Nothing is cut off.
    Whole,
    /// The middle square, as in tests.
    Center,
}

impl Crop {
    /// What becomes of frames of `size` pixels in training.
    pub(super) fn of_videos(self, size: usize) -> PixelPipeline {
        match self {
            Self::RandomResizedCrop => PixelPipeline::train_video(size),
            Self::Whole => PixelPipeline::test_resize(size),
            Self::Center => PixelPipeline::test_center_crop(size),
        }
    }
}

/// How the words to hide are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WordChoice {
    /// Nouns and verb phrases, as published.
    Semantic,
    /// Any words.
    WholeWord,
    /// Any pieces of words.
    RandomToken,
}

impl WordChoice {
    fn with_share(self, share: f64) -> TextMasking {
        match self {
            Self::Semantic => TextMasking::Semantic { ratio: share },
            Self::WholeWord => TextMasking::WholeWord { ratio: share },
            Self::RandomToken => TextMasking::RandomToken { probability: share },
        }
    }
}

/// Everything a pre-training run depends on but its data. The keys are explained in
/// `recipes/pretrain.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the shipped recipes explain each key where users meet it"
)]
pub struct PretrainingRecipe {
    pub preset: String,
    pub frames: usize,
    pub image_frames: usize,
    pub test_frames: usize,
    pub fps: f64,
    pub image_size: usize,
    pub text_len: usize,
    pub captions: CaptionChoice,
    pub starting_weights: StartingWeights,
    pub dropout: f64,
    pub stochastic_depth: f64,
    pub crop: Crop,
    pub region_target: usize,
    pub text_masking: WordChoice,
    pub masked_share: f64,
    pub alignment: Alignment,
    pub ranking: bool,
    pub word_loss: WordLoss,
    pub batch_size: usize,
    pub group_size: usize,
    pub micro_batch: usize,
    pub micro_batches_at_once: usize,
    pub gradient_scaling: GradientScaling,
    pub precision: Precision,
    pub gradient_checkpointing: bool,
    pub epochs: usize,
    pub train: TrainedParts,
    pub temperature: TemperatureChoice,
    pub learning_rate: f64,
    pub tower_multiplier: f64,
    pub minimum_ratio: f64,
    #[serde(serialize_with = "whole_epochs")]
    pub warmup_epochs: f64,
    pub warmup_start_ratio: f64,
    pub weight_decay: f64,
    pub clip_norm: f64,
    pub loss_limit: f64,
    pub seed: u64,
    pub shuffle_buffer: usize,
    pub workers: usize,
    pub max_failed_share: f64,
    pub checkpoint_every: u64,
    pub keep_checkpoints: usize,
    pub validate_every: u64,
    pub early_stopping: usize,
    pub limits: DecodeLimits,
}

impl Recipe for PretrainingRecipe {
    const COMPLETE: &'static str = include_str!("../../recipes/pretrain.toml");

    fn following(mut self, before: &Self, given: &[&str]) -> Self {
        Follows(given).adjust(
            (self.epochs, &mut self.warmup_epochs),
            ([before.frames, self.frames], &mut self.test_frames),
        );
        self
    }

    fn validate(&self) -> Result<(), TrainerError> {
        let wrong = |key, reason: &str| {
            Err(TrainerError::RecipeValue {
                key,
                reason: reason.to_owned(),
            })
        };
        clip_keys::check(self.fps, &self.limits)?;
        if let Err(error) = self.preset.parse::<Preset>() {
            return wrong("preset", &error.to_string());
        }
        let positive = [
            ("frames", self.frames),
            ("image_frames", self.image_frames),
            ("test_frames", self.test_frames),
            ("text_len", self.text_len),
            ("batch_size", self.batch_size),
            ("group_size", self.group_size),
            ("micro_batches_at_once", self.micro_batches_at_once),
            ("epochs", self.epochs),
            ("workers", self.workers),
            ("keep_checkpoints", self.keep_checkpoints),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return wrong(key, "must be positive");
        }
        if self.image_frames > self.frames {
            return wrong("image_frames", "must not exceed frames");
        }
        if !self.image_size.is_multiple_of(SIZE_STEP) || self.image_size > 2_016 {
            return wrong(
                "image_size",
                "must be a multiple of 28 up to 2016, or 0 for the preset's",
            );
        }
        if self.checkpoint_every == 0 {
            return wrong("checkpoint_every", "must be positive");
        }
        if !(0.0..=self.epochs as f64).contains(&self.warmup_epochs) {
            return wrong("warmup_epochs", "must not exceed epochs");
        }
        self.temperature.validate()?;
        if self.alignment == Alignment::None && !self.ranking && self.word_loss == WordLoss::None {
            return wrong(
                "word_loss",
                "with no other objective there is nothing to learn",
            );
        }
        let at_least_zero = [
            ("learning_rate", self.learning_rate),
            ("tower_multiplier", self.tower_multiplier),
            ("weight_decay", self.weight_decay),
            ("clip_norm", self.clip_norm),
            ("loss_limit", self.loss_limit),
        ];
        if let Some((key, _)) = at_least_zero
            .into_iter()
            .find(|(_, value)| !(value.is_finite() && *value >= 0.0))
        {
            return wrong(key, "must be a number of at least 0");
        }
        let rates = [
            ("dropout", self.dropout),
            ("stochastic_depth", self.stochastic_depth),
        ];
        if let Some((key, _)) = rates
            .into_iter()
            .find(|(_, rate)| !(0.0..1.0).contains(rate))
        {
            return wrong(key, "must be at least 0 and below 1");
        }
        let shares = [
            ("masked_share", self.masked_share),
            ("minimum_ratio", self.minimum_ratio),
            ("warmup_start_ratio", self.warmup_start_ratio),
            ("max_failed_share", self.max_failed_share),
        ];
        match shares
            .into_iter()
            .find(|(_, share)| !(0.0..=1.0).contains(share))
        {
            Some((key, _)) => wrong(key, "must lie between 0 and 1"),
            None => Ok(()),
        }
    }
}

impl PretrainingRecipe {
    /// The sizes of the model for a vocabulary.
    ///
    /// # Errors
    ///
    /// The preset is unknown, or texts or clips are longer than its positions.
    pub fn model(&self, vocabulary: usize) -> Result<CloverConfig, TrainerError> {
        let wrong = |key, reason| TrainerError::RecipeValue { key, reason };
        let preset: Preset = self
            .preset
            .parse()
            .map_err(|error| wrong("preset", format!("{error}")))?;
        let mut config = preset.config(vocabulary).with_frames(self.frames);
        if self.image_size > 0 {
            config.set_image_size(self.image_size);
        }
        self.set_dropout(&mut config);
        self.check_lengths(&config)?;
        config
            .validate()
            .map_err(|reason| wrong("preset", reason))?;
        Ok(config)
    }

    /// Whether a model has positions for texts and clips of these lengths.
    pub(crate) fn check_lengths(&self, config: &CloverConfig) -> Result<(), TrainerError> {
        let longest = config.text.longest_text();
        let rule = format!("must not exceed the {longest} positions of the model");
        let text_len = [("text_len", self.text_len)];
        first_wrong(&text_len, |length| length <= longest, &rule)?;
        let frames = [("frames", self.frames), ("test_frames", self.test_frames)];
        clip_keys::check_frames(config, &frames)
    }

    /// Gives a model the recipe's dropout and stochastic depth.
    pub(crate) fn set_dropout(&self, config: &mut CloverConfig) {
        config.set_dropout(self.dropout, self.stochastic_depth);
    }

    /// How videos are read for a model of these sizes.
    #[must_use]
    pub fn reading(&self, config: &CloverConfig) -> SampleReading {
        let pixels = self.crop.of_videos(config.image_size);
        self.samples((self.frames, clip_keys::fps(self.fps)), pixels, self.seed)
    }

    /// How still images are read: their own crop, and random numbers of their own.
    #[must_use]
    pub fn image_reading(&self, config: &CloverConfig) -> SampleReading {
        let size = config.image_size;
        let pixels = match self.crop {
            Crop::RandomResizedCrop => PixelPipeline::train_image(size),
            crop @ (Crop::Whole | Crop::Center) => crop.of_videos(size),
        };
        self.samples((self.image_frames, None), pixels, self.image_seed())
    }

    /// The seed of the images, lest their order and masks follow those of the videos.
    #[must_use]
    pub fn image_seed(&self) -> u64 {
        self.seed ^ IMAGES
    }

    /// What is hidden of a sample.
    ///
    /// # Errors
    ///
    /// A share is out of range.
    pub fn masked(&self) -> Result<Masked, TrainerError> {
        let words = self.text_masking.with_share(self.masked_share);
        Ok(Masked::new(words, self.region_target)?)
    }

    fn samples(
        &self,
        (frames, fps): (usize, Option<f64>),
        pixels: PixelPipeline,
        seed: u64,
    ) -> SampleReading {
        SampleReading {
            clip: ClipReading {
                sampling: FrameSampling::train_frames(frames),
                fps,
                pixels,
                limits: self.limits.clone(),
            },
            text_len: self.text_len,
            seed,
        }
    }

    /// How the trained model looks at files.
    #[must_use]
    pub fn preprocessing(&self, config: &CloverConfig) -> Preprocessing {
        let size = config.image_size;
        Preprocessing {
            frames: self.test_frames,
            fps: clip_keys::fps(self.fps),
            pixels: match self.crop {
                Crop::RandomResizedCrop | Crop::Center => PixelPipeline::test_center_crop(size),
                Crop::Whole => PixelPipeline::test_resize(size),
            },
            text_len: self.text_len,
        }
    }

    /// The losses.
    #[must_use]
    pub fn objective(&self) -> ObjectiveConfig {
        ObjectiveConfig {
            alignment: self.alignment,
            ranking: self.ranking,
            word_loss: self.word_loss,
            temperature: self.temperature,
        }
    }

    /// The optimizer.
    #[must_use]
    pub fn optimizer(&self) -> OptimizerConfig {
        OptimizerConfig::new(self.weight_decay, ParameterRules::Pretraining)
            .with_tower_multiplier(self.tower_multiplier)
    }

    /// The learning rate of each iteration.
    #[must_use]
    pub fn schedule(&self, iterations_per_epoch: usize) -> Schedule {
        Schedule {
            base: self.learning_rate,
            minimum_ratio: self.minimum_ratio,
            epochs: self.epochs,
            iterations_per_epoch,
            warmup_epochs: self.warmup_epochs,
            warmup_start_ratio: self.warmup_start_ratio,
            progress: Progress::PerIteration,
        }
    }
}
