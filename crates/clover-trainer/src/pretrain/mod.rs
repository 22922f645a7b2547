//! Pre-training: the objectives put together, one step, and the run around it.

mod batch_gradients;
pub(crate) mod metrics_file;
mod objective;
mod parts;
mod run;
pub(crate) mod same_recipe;
mod scalars;
mod shared_batch;
mod step;
mod training_data;
mod validation;

pub use objective::{
    Alignment, ObjectiveConfig, PretrainingLosses, PretrainingObjective, WordLoss,
};
#[cfg(feature = "collective")]
pub use run::pretrain_on;
pub use run::{
    BestModel, Observe, PretrainingEvent, PretrainingPlan, PretrainingSummary, pretrain,
};
pub use shared_batch::SharedBatch;
pub use step::{PretrainingStep, StepMetrics, StepSettings};
pub use training_data::StepKind;
pub use validation::ValidationMetrics;
