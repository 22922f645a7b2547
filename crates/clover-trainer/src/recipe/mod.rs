//! Recipes: one strict TOML file a run.
//!
//! A recipe is complete, so that nothing hides in a default, and an unknown key is refused by name.
//! The ones shipped here are inside the program.

mod pretraining;

pub use pretraining::{Crop, PretrainingRecipe, WordChoice};
