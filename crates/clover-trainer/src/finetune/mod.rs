//! Fine-tuning: a pre-trained model learns a task of its own.
//!
//! Clover, section 4.2. A task is a model, made of Clover's parts, that says what a batch of its
//! samples teaches it ([`TaskModel`]); the step is the same for all. [`finetune()`] is a whole run, with
//! validation and checkpoints; [`fine_tune`] a short one without.

mod gradients;
mod multiple_choice;
mod open_ended;
mod retrieval;
mod run;
mod short_run;
mod step;
mod task;
#[cfg(test)]
mod tests;

pub use gradients::LossGradients;
pub use run::{
    FinetuningEvent, FinetuningMetrics, FinetuningPlan, FinetuningSummary, FinetuningValidation,
    ObserveFinetuning, finetune,
};
pub use short_run::{FineTuned, FineTuningSettings, FineTuningStepDone, fine_tune};
pub use step::{FineTuningStep, StepFigures};
pub use task::{AnswerScores, LearnsInParts, TaskModel};
