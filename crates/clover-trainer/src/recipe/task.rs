//! The recipe of a downstream task: how it is learned, and how it is measured.

use clover_data::dataset::ClipReading;
use clover_data::text::QuestionForm;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline, SamplingMode};
use clover_inference::Preprocessing;
use clover_model::CloverConfig;
use serde::{Deserialize, Serialize};

use super::keys::first_wrong;
use super::pretraining::Crop;
use crate::TrainerError;
use crate::optimizer::OptimizerConfig;
use crate::parameter_groups::ParameterRules;
use crate::precision::Precision;
use crate::schedule::{Progress, Schedule};

/// A patch has 4 pixels, and 7 windows a side must come out whole.
const SIZE_STEP: usize = 28;

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
    pub image_size: usize,
    pub train_crop: Crop,
    pub flip_probability: f64,
    pub test_crop: TestCrop,
    pub text_len: usize,
    pub test_text_len: usize,
    pub answer_head_dropout: f64,
    pub answer_head_multiplier: f64,
    pub batch_size: usize,
    pub micro_batch: usize,
    pub precision: Precision,
    pub gradient_checkpointing: bool,
    pub epochs: usize,
    pub learning_rate: f64,
    pub minimum_ratio: f64,
    pub warmup_epochs: usize,
    pub warmup_start_ratio: f64,
    pub schedule: Progress,
    pub weight_decay: f64,
    pub clip_norm: f64,
    pub seed: u64,
    pub workers: usize,
    pub max_failed_share: f64,
    pub validate_every: usize,
    pub checkpoint_every: u64,
    pub keep_checkpoints: usize,
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
    /// Checks the figures.
    ///
    /// # Errors
    ///
    /// Names the first key that is out of range.
    pub fn validate(&self) -> Result<(), TrainerError> {
        let positive = [
            ("test_views", self.test_views),
            ("test_interval", self.test_interval),
            ("batch_size", self.batch_size),
            ("epochs", self.epochs),
            ("workers", self.workers),
            ("keep_checkpoints", self.keep_checkpoints),
        ];
        first_wrong(&positive, |value| value > 0, "must be positive")?;
        let checkpoints = [("checkpoint_every", self.checkpoint_every)];
        first_wrong(&checkpoints, |steps| steps > 0, "must be positive")?;
        let sizes = [("image_size", self.image_size)];
        first_wrong(
            &sizes,
            |size| size.is_multiple_of(SIZE_STEP) && size <= 2_016,
            "must be a multiple of 28 up to 2016, or 0 for the bundle's",
        )?;
        let warmup = [("warmup_epochs", self.warmup_epochs <= self.epochs)];
        first_wrong(&warmup, |fits| fits, "must not exceed epochs")?;
        let at_least_zero = [
            ("learning_rate", self.learning_rate),
            ("weight_decay", self.weight_decay),
            ("answer_head_multiplier", self.answer_head_multiplier),
            ("clip_norm", self.clip_norm),
        ];
        let is_size = |value: f64| value.is_finite() && value >= 0.0;
        first_wrong(&at_least_zero, is_size, "must be a number of at least 0")?;
        let shares = [
            ("flip_probability", self.flip_probability),
            ("minimum_ratio", self.minimum_ratio),
            ("warmup_start_ratio", self.warmup_start_ratio),
            ("answer_head_dropout", self.answer_head_dropout),
            ("max_failed_share", self.max_failed_share),
        ];
        let is_share = |value| (0.0..=1.0).contains(&value);
        first_wrong(&shares, is_share, "must lie between 0 and 1")?;
        self.check_task()
    }

    /// Keys that mean nothing for a task must not seem to mean something.
    fn check_task(&self) -> Result<(), TrainerError> {
        let kind = self.task;
        let wrong = |key, holds: bool, rule: &str| first_wrong(&[(key, holds)], |good| good, rule);
        let views = self.test_views == 1 || !kind.is_retrieval();
        wrong("test_views", views, "must be 1 in retrieval")?;
        let interval = self.test_interval == 1 || self.test_views > 1;
        wrong(
            "test_interval",
            interval,
            "must be 1 where a clip has one view",
        )?;
        let scores_options = matches!(kind, TaskKind::RankedChoice | TaskKind::MultipleChoice);
        let candidates = self.candidates == 0 || scores_options;
        wrong(
            "candidates",
            candidates,
            "must be 0 where questions have no options",
        )?;
        let names_answers = matches!(kind, TaskKind::OpenEnded | TaskKind::FillInTheBlank);
        let answers = self.answers == 0 || names_answers;
        wrong("answers", answers, "must be 0 where no answer is named")?;
        let asks_options = kind == TaskKind::MultipleChoice;
        let form = (self.question_form == QuestionForm::Alone) != asks_options
            && self.question_form != QuestionForm::MaskedAnswer;
        wrong(
            "question_form",
            form,
            "must be \"alone\", or \"with-candidate\" or \"all-options\" for multiple choice",
        )?;
        let all = self.captions == CaptionChoice::All || kind.is_retrieval();
        wrong(
            "captions",
            all,
            "must be \"all\" where nothing is learned from captions",
        )
    }

    /// The recipe with what it leaves to the bundle filled in.
    ///
    /// # Errors
    ///
    /// Texts are longer than the model's positions, clips have more frames than the fusion encoder
    /// has positions for, or another size than it has regions for.
    pub fn fitted(
        &self,
        config: &CloverConfig,
        bundle: &Preprocessing,
    ) -> Result<Self, TrainerError> {
        let given = |value: usize, otherwise| if value == 0 { otherwise } else { value };
        let recipe = Self {
            frames: given(self.frames, config.frames),
            test_frames: given(self.test_frames, bundle.frames),
            image_size: given(self.image_size, config.image_size),
            text_len: given(self.text_len, bundle.text_len),
            test_text_len: given(self.test_text_len, bundle.text_len),
            ..self.clone()
        };
        let longest = config.text.max_positions;
        let lengths = [
            ("text_len", recipe.text_len),
            ("test_text_len", recipe.test_text_len),
        ];
        let rule = format!("must lie between 3 and the {longest} positions of the model");
        first_wrong(&lengths, |length| (3..=longest).contains(&length), &rule)?;
        if recipe.task.is_retrieval() {
            return Ok(recipe);
        }
        let fusion = config.fusion();
        let frames = [
            ("frames", recipe.frames),
            ("test_frames", recipe.test_frames),
        ];
        let steps = fusion.time_positions;
        let rule = format!("the bundle's fusion encoder has positions for {steps} time steps only");
        first_wrong(
            &frames,
            |frames| config.video.output_frames(frames) <= steps,
            &rule,
        )?;
        let rows = config.video.output_rows(recipe.image_size);
        let size = [("image_size", rows * rows == fusion.space_positions)];
        let rule = format!(
            "gives {} regions where the bundle's fusion encoder has {}",
            rows * rows,
            fusion.space_positions
        );
        first_wrong(&size, |fits| fits, &rule)?;
        Ok(recipe)
    }

    /// How clips are read in training. The recipe is [fitted](Self::fitted).
    #[must_use]
    pub fn training_clips(&self, bundle: &Preprocessing) -> ClipReading {
        let pixels = match self.train_crop {
            Crop::RandomResizedCrop => PixelPipeline::train_video(self.image_size),
            Crop::Whole => PixelPipeline::test_resize(self.image_size),
        };
        ClipReading {
            sampling: FrameSampling::train_frames(self.frames),
            pixels: pixels
                .with_flip(self.flip_probability)
                .with_channels(bundle.pixels.channels),
            limits: DecodeLimits::default(),
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
            pixels: pixels.with_channels(bundle.pixels.channels),
            text_len: self.test_text_len,
        }
    }

    /// The optimizer.
    #[must_use]
    pub fn optimizer(&self) -> OptimizerConfig {
        OptimizerConfig::new(self.weight_decay, self.task.rules())
            .with_answer_head_multiplier(self.answer_head_multiplier)
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
