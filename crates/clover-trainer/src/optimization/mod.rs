//! From starting values and gradients to a trained model: AdamW with parameter groups, clipping,
//! schedule and precision.

pub mod clipping;
pub mod low_rank;
pub mod micro_batching;
pub mod model_parts;
pub mod optimizer;
pub mod optimizer_step;
pub mod parameter_groups;
mod parameter_paths;
pub mod precision;
pub mod schedule;
pub mod starting_values;
pub mod trained_parts;

pub use parameter_paths::parameter_paths;
