//! Fine-tuning: a pre-trained model learns a task of its own.
//!
//! Clover, section 4.2. A task is a model, made of Clover's parts, that says what a batch of its
//! samples teaches it ([`TaskModel`]); the run is the same for all. [`finetune()`] is a whole run, with
//! validation and checkpoints; [`fine_tune`] a short one without.

mod gradients;
mod learner;
mod multiple_choice;
mod open_ended;
mod plan;
mod retrieval;
mod short_run;
mod start;
mod task;
mod task_context;
mod tasks;
#[cfg(test)]
mod tests;

pub use gradients::LossGradients;
pub use plan::{
    FinetuningEvent, FinetuningMetrics, FinetuningPlan, FinetuningSummary, FinetuningValidation,
    ObserveFinetuning,
};
pub use short_run::{FineTuned, FineTuningSettings, fine_tune};
pub use task::{LearnsInMicroBatches, TaskModel};
pub use tasks::finetune;
