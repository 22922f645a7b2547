//! The recipe of a downstream task: how it is learned, and how it is measured.

use clover_data::dataset::ClipReading;
use clover_data::text::QuestionForm;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline, SamplingMode};
use clover_inference::Preprocessing;
use serde::{Deserialize, Serialize};

use super::clip_keys;
use super::keys::whole_epochs;
use super::pretraining::Crop;
use crate::optimizer::OptimizerConfig;
use crate::parameter_groups::ParameterRules;
use crate::precision::Precision;
use crate::schedule::{Progress, Schedule};
use crate::temperature::TemperatureChoice;
use crate::trained_parts::TrainedParts;

/// What a model learns. Clover, section 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// Sentences find clips, and clips sentences.
    Retrieval,
    /// Retrieval among the options of a question.
    RankedChoice,
    /// The fusion encoder scores the options of a question.
    MultipleChoice,
    /// The fusion encoder answers from a list.
    OpenEnded,
    /// As open-ended questions, at the place of `[MASK]`.
    FillInTheBlank,
}

/// Which captions of a clip are learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptionChoice {
    /// Each makes a pair with the clip.
    All,
    /// One is drawn each epoch.
    OneAnEpoch,
}

/// What is kept of a clip in tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestCrop {
    /// The middle square.
    Center,
    /// All of it, without its aspect.
    Whole,
}

/// Everything the fine-tuning and evaluation of a task depend on but the data and the model they
/// start from. The keys are explained in `recipes/retrieval-custom.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the shipped recipes explain each key where users meet it"
)]
pub struct TaskRecipe {
    pub task: TaskKind,
    pub question_form: QuestionForm,
    pub captions: CaptionChoice,
    pub answers: usize,
    pub candidates: usize,
    pub frames: usize,
    pub test_frames: usize,
    pub test_views: usize,
    pub test_interval: usize,
    pub fps: f64,
    pub image_size: usize,
    pub train_crop: Crop,
    pub flip_probability: f64,
    pub test_crop: TestCrop,
    pub text_len: usize,
    pub test_text_len: usize,
    pub answer_head_dropout: f64,
    pub answer_head_multiplier: f64,
    pub batch_size: usize,
    pub group_size: usize,
    pub micro_batch: usize,
    pub micro_batches_at_once: usize,
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
    pub schedule: Progress,
    pub weight_decay: f64,
    pub clip_norm: f64,
    pub seed: u64,
    pub workers: usize,
    pub max_failed_share: f64,
    pub validate_every: usize,
    pub early_stopping: usize,
    pub checkpoint_every: u64,
    pub keep_checkpoints: usize,
    pub limits: DecodeLimits,
}

impl TaskKind {
    /// Whether it compares embeddings, without fusion encoder and answer head.
    #[must_use]
    pub fn is_retrieval(self) -> bool {
        matches!(self, Self::Retrieval | Self::RankedChoice)
    }

    /// Its name in recipes and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Retrieval => "retrieval",
            Self::RankedChoice => "ranked-choice",
            Self::MultipleChoice => "multiple-choice",
            Self::OpenEnded => "open-ended",
            Self::FillInTheBlank => "fill-in-the-blank",
        }
    }

    /// Which parameters decay, and which learn faster.
    #[must_use]
    pub fn rules(self) -> ParameterRules {
        if self.is_retrieval() {
            ParameterRules::Pretraining
        } else {
            ParameterRules::QuestionAnswering
        }
    }
}

impl TaskRecipe {
    /// Whether a batch passes the model in parts.
    pub(crate) fn is_in_micro_batches(&self) -> bool {
        (1..self.batch_size).contains(&self.micro_batch)
    }

    /// How clips are read in training. The recipe is [fitted](Self::fitted).
    #[must_use]
    pub fn training_clips(&self, bundle: &Preprocessing) -> ClipReading {
        let pixels = self.train_crop.of_videos(self.image_size);
        ClipReading {
            sampling: FrameSampling::train_frames(self.frames),
            fps: clip_keys::fps(self.fps),
            pixels: clip_keys::as_seen_by(&bundle.pixels, pixels.with_flip(self.flip_probability)),
            limits: self.limits.clone(),
        }
    }

    /// How clips are read in tests: all views of a clip, one behind the other. The recipe is
    /// [fitted](Self::fitted).
    #[must_use]
    pub fn test_clips(&self, bundle: &Preprocessing) -> ClipReading {
        ClipReading {
            sampling: FrameSampling {
                clips: self.test_frames,
                clip_len: self.test_views,
                interval: self.test_interval,
                mode: SamplingMode::Test,
            },
            limits: self.limits.clone(),
            ..self.preprocessing(bundle).clip_reading()
        }
    }

    /// How the trained model looks at files, with one view. The recipe is [fitted](Self::fitted).
    #[must_use]
    pub fn preprocessing(&self, bundle: &Preprocessing) -> Preprocessing {
        let pixels = match self.test_crop {
            TestCrop::Center => PixelPipeline::test_center_crop(self.image_size),
            TestCrop::Whole => PixelPipeline::test_resize(self.image_size),
        };
        Preprocessing {
            frames: self.test_frames,
            fps: clip_keys::fps(self.fps),
            pixels: clip_keys::as_seen_by(&bundle.pixels, pixels),
            text_len: self.test_text_len,
        }
    }

    /// The optimizer.
    #[must_use]
    pub fn optimizer(&self) -> OptimizerConfig {
        OptimizerConfig::new(self.weight_decay, self.task.rules())
            .with_answer_head_multiplier(self.answer_head_multiplier)
            .with_tower_multiplier(self.tower_multiplier)
    }

    /// The learning rate of each step.
    #[must_use]
    pub fn schedule(&self, iterations_per_epoch: usize) -> Schedule {
        Schedule {
            base: self.learning_rate,
            minimum_ratio: self.minimum_ratio,
            epochs: self.epochs,
            iterations_per_epoch,
            warmup_epochs: self.warmup_epochs,
            warmup_start_ratio: self.warmup_start_ratio,
            progress: self.schedule,
        }
    }
}
