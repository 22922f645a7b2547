//! Fine-tuning: a pre-trained model learns a task of its own.
//!
//! Clover, section 4.2. What a task learns and is measured by is its own; the run is the same for all.
//! [`finetune()`] is a whole run, with validation and checkpoints; [`fine_tune`] a short one without.

mod answering;
mod comparing;
mod plan;
mod short_run;
mod task_context;
mod tasks;
#[cfg(test)]
mod tests;

pub use plan::{
    FinetuningEvent, FinetuningMetrics, FinetuningPlan, FinetuningSummary, FinetuningValidation,
    ObserveFinetuning,
};
pub use short_run::{FineTuned, FineTuningSettings, fine_tune};
pub use tasks::finetune;
