//! Recipes: one strict TOML file a run.
//!
//! A recipe is complete, so that nothing hides in a default, and an unknown key is refused by name.
//! The ones shipped here are inside the program. Single keys are replaced by `key=value`.

mod ablation;
mod ablation_row;
mod any;
mod clip_keys;
mod finetuning;
mod keys;
mod pretraining;
mod reading;
mod shipped;
mod task;
mod task_checks;

pub use ablation::AblationRecipe;
pub use ablation_row::AblationRow;
pub use any::AnyRecipe;
pub(crate) use clip_keys::as_seen_by;
pub use finetuning::FinetuningRecipe;
pub use pretraining::{Crop, PretrainingRecipe, WordChoice};
pub use reading::Recipe;
pub use shipped::{SHIPPED_RECIPES, ShippedRecipe};
pub use task::{CaptionChoice, TaskKind, TaskRecipe, TestCrop};
