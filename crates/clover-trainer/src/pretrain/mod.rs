//! Pre-training: the objectives put together, the gradient of a batch, and what a run of it is.

mod grad_cache;
mod gradients;
mod lists;
mod metrics;
mod plan;
mod rate_range;
mod shared_batch;
mod starting;
mod task;
mod validation;
mod vocabulary;

pub use grad_cache::micro_batched_gradients;
pub use gradients::{model_input, pretraining_gradients};
pub use metrics::StepMetrics;
pub use plan::{Observe, PretrainingEvent, PretrainingPlan, PretrainingSummary};
pub use rate_range::{LearningRateCurve, RatePoint, find_learning_rate};
pub use shared_batch::SharedBatch;
pub use task::pretrain;
#[cfg(feature = "collective")]
pub use task::pretrain_on;
pub use validation::ValidationMetrics;

pub use crate::objective::{
    Alignment, ObjectiveConfig, PretrainingLosses, PretrainingObjective, WordLoss,
};
pub use crate::run::StepKind;
