//! Pre-training: the objectives put together, one step, and the run around it.

mod metrics_file;
mod objective;
mod parts;
mod run;
mod same_recipe;
mod shared_batch;
mod step;

pub use objective::{
    Alignment, ObjectiveConfig, PretrainingLosses, PretrainingObjective, WordLoss,
};
pub use run::{Observe, PretrainingEvent, PretrainingPlan, PretrainingSummary, pretrain};
pub use shared_batch::SharedBatch;
pub use step::{PretrainingStep, StepMetrics, StepSettings};
