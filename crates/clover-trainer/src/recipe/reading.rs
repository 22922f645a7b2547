//! Where a recipe comes from: the program, a file, and keys given one by one.

use super::PretrainingRecipe;
use super::overrides::replace_keys;
use super::shipped::ShippedRecipe;
use super::text;
use crate::TrainerError;

/// A shipped recipe, which has every key.
const COMPLETE: &str = include_str!("../../recipes/pretrain.toml");

impl PretrainingRecipe {
    /// The recipe for a user's own videos.
    ///
    /// # Errors
    ///
    /// Never with the recipe as shipped, which a test reads.
    pub fn pretrain() -> Result<Self, TrainerError> {
        Self::from_toml(ShippedRecipe::named("pretrain")?.text, "pretrain")
    }

    /// The recipe of the demonstration.
    ///
    /// # Errors
    ///
    /// Never with the recipe as shipped, which a test reads.
    pub fn demo() -> Result<Self, TrainerError> {
        Self::from_toml(ShippedRecipe::named("demo")?.text, "demo")
    }

    /// Reads the file of this path; where there is none, the shipped recipe of this name.
    ///
    /// # Errors
    ///
    /// There is neither, the file cannot be read, or as [`from_toml`](Self::from_toml).
    pub fn open(name: &str) -> Result<Self, TrainerError> {
        Self::from_toml(&ShippedRecipe::read(name)?, name)
    }

    /// Reads and validates a recipe; `name` stands in errors.
    ///
    /// # Errors
    ///
    /// A key is missing, unknown or out of range.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, TrainerError> {
        let recipe: Self = text::parse(text, name, |table| {
            text::check_against(name, table, COMPLETE)
        })?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as a file of its own, without comments.
    ///
    /// # Errors
    ///
    /// The seed is larger than a number of TOML can be.
    pub fn to_toml(&self) -> Result<String, TrainerError> {
        text::write(self)
    }

    /// The recipe with keys replaced, each by `key=value`, in their order.
    ///
    /// # Errors
    ///
    /// A key is unknown, or a value has another type or is out of range.
    pub fn with_overrides<S: AsRef<str>>(self, overrides: &[S]) -> Result<Self, TrainerError> {
        let recipe = replace_keys(self, overrides)?;
        recipe.validate()?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests;
