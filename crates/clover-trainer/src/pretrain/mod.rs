//! Pre-training: the objectives put together, one step, and the run around it.

mod metrics_file;
mod objective;
mod parts;
mod run;
mod same_recipe;
mod step;

pub use objective::{
    Alignment, ObjectiveConfig, PretrainingLosses, PretrainingObjective, WordLoss,
};
pub(crate) use run::Draw;
pub use run::{PretrainingEvent, PretrainingPlan, PretrainingSummary, pretrain};
pub use step::{PretrainingStep, StepMetrics, StepSettings};
