//! Fine-tuning: a pre-trained model learns a task of its own.
//!
//! Clover, section 4.2. A task is a model, made of Clover's parts, that says what a batch of its
//! samples teaches it ([`TaskModel`]); the step and the run are the same for all.

mod multiple_choice;
mod open_ended;
mod run;
mod step;
mod task;

pub use run::{FineTuned, FineTuningSettings, FinetuningStepDone, fine_tune};
pub use step::FineTuningStep;
pub use task::{AnswerScores, TaskModel};
