//! The part of a recipe that says how a pre-trained model is fine-tuned.

use serde::{Deserialize, Serialize};

use super::keys::first_wrong;
use crate::TrainerError;
use crate::optimizer::OptimizerConfig;
use crate::parameter_groups::ParameterRules;
use crate::schedule::{Progress, Schedule};

/// How one downstream task is learned; with 0 steps, not at all. The keys are explained in `recipes/ablation/rendered.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the shipped recipes explain each key where users meet it"
)]
pub struct FinetuningRecipe {
    pub steps: usize,
    pub batch_size: usize,
    pub text_len: usize,
    pub learning_rate: f64,
    pub minimum_ratio: f64,
    pub warmup_steps: usize,
    pub warmup_start_ratio: f64,
    pub weight_decay: f64,
    pub answer_head_multiplier: f64,
    pub answer_head_dropout: f64,
    pub clip_norm: f64,
}

impl FinetuningRecipe {
    /// Checks the numbers.
    ///
    /// # Errors
    ///
    /// Names the first key that is out of range.
    pub fn validate(&self) -> Result<(), TrainerError> {
        let positive = [("batch_size", self.batch_size), ("text_len", self.text_len)];
        first_wrong(&positive, |value| value > 0, "must be positive")?;
        if self.warmup_steps > self.steps {
            return first_wrong(&[("warmup_steps", ())], |()| false, "must not exceed steps");
        }
        let at_least_zero = [
            ("learning_rate", self.learning_rate),
            ("weight_decay", self.weight_decay),
            ("answer_head_multiplier", self.answer_head_multiplier),
            ("clip_norm", self.clip_norm),
        ];
        let is_size = |value: f64| value.is_finite() && value >= 0.0;
        first_wrong(&at_least_zero, is_size, "must be a number of at least 0")?;
        let shares = [
            ("minimum_ratio", self.minimum_ratio),
            ("warmup_start_ratio", self.warmup_start_ratio),
            ("answer_head_dropout", self.answer_head_dropout),
        ];
        let is_share = |value| (0.0..=1.0).contains(&value);
        first_wrong(&shares, is_share, "must lie between 0 and 1")
    }

    /// The optimizer, for a task whose parameters follow `rules`.
    #[must_use]
    pub fn optimizer(&self, rules: ParameterRules) -> OptimizerConfig {
        OptimizerConfig::new(self.weight_decay, rules)
            .with_answer_head_multiplier(self.answer_head_multiplier)
    }

    /// The learning rate of each step.
    #[must_use]
    pub fn schedule(&self) -> Schedule {
        Schedule {
            base: self.learning_rate,
            minimum_ratio: self.minimum_ratio,
            epochs: self.steps,
            iterations_per_epoch: 1,
            warmup_epochs: self.warmup_steps as f64,
            warmup_start_ratio: self.warmup_start_ratio,
            progress: Progress::PerIteration,
        }
    }
}
