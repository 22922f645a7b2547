//! Pre-training: the objectives put together, one step, and the run around it.

mod figures;
mod metrics_file;
mod objective;
mod parts;
mod run;
mod same_recipe;
mod step;
mod training_data;
mod validation;

pub use objective::{
    Alignment, ObjectiveConfig, PretrainingLosses, PretrainingObjective, WordLoss,
};
pub use run::{
    BestModel, Observe, PretrainingEvent, PretrainingPlan, PretrainingSummary, pretrain,
};
pub use step::{PretrainingStep, StepMetrics, StepSettings};
pub use training_data::StepKind;
pub use validation::ValidationMetrics;
