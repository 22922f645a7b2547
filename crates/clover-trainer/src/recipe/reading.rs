//! Where a recipe comes from, the same for every kind: the program, a file, and keys given one by one.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::{check_keys, replace_keys};
use super::shipped::ShippedRecipe;
use crate::TrainerError;

/// Everything that work of one kind depends on but its data, in one strict TOML file.
pub trait Recipe: Clone + Serialize + DeserializeOwned {
    /// The text of a recipe that has every key there is.
    const COMPLETE: &'static str;

    /// Checks the values.
    ///
    /// # Errors
    ///
    /// Names the first key that is out of range.
    fn validate(&self) -> Result<(), TrainerError>;

    /// The recipe with what was not given brought in line with the keys that were; `before` is the
    /// recipe without them.
    #[must_use]
    fn following(self, before: &Self, given: &[&str]) -> Self;

    /// The shipped recipe of this name.
    ///
    /// # Errors
    ///
    /// There is none, or one of another kind.
    fn shipped(name: &str) -> Result<Self, TrainerError> {
        Self::from_toml(ShippedRecipe::named(name, is_of::<Self>)?.text, name)
    }

    /// Reads the file of this path; where there is none, the shipped recipe of this name.
    ///
    /// # Errors
    ///
    /// There is neither, the file cannot be read, or as [`from_toml`](Self::from_toml).
    fn open(name: impl AsRef<Path>) -> Result<Self, TrainerError> {
        let name = name.as_ref();
        let text = ShippedRecipe::read(name, is_of::<Self>)?;
        Self::from_toml(&text, &name.to_string_lossy())
    }

    /// Reads and validates a recipe; `name` stands in errors.
    ///
    /// # Errors
    ///
    /// A key is missing, unknown or out of range.
    fn from_toml(text: &str, name: &str) -> Result<Self, TrainerError> {
        let unusable = |source| TrainerError::Recipe {
            path: PathBuf::from(name),
            source: Box::new(source),
        };
        let given = toml::from_str(text).map_err(unusable)?;
        let known = toml::from_str(Self::COMPLETE).map_err(unusable)?;
        check_tables(name, &given, &known)?;
        let recipe: Self = toml::from_str(text).map_err(unusable)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as a file of its own, without comments.
    ///
    /// # Errors
    ///
    /// A seed is larger than a number of TOML can be.
    fn to_toml(&self) -> Result<String, TrainerError> {
        toml::to_string(self).map_err(|error| TrainerError::RecipeValue {
            key: "seed",
            reason: error.to_string(),
        })
    }

    /// The recipe with keys replaced, each by `key=value` or `table.key=value`, in their order.
    ///
    /// # Errors
    ///
    /// A key is unknown, or a value has another type or is out of range.
    fn with_overrides<S: AsRef<str>>(self, overrides: &[S]) -> Result<Self, TrainerError> {
        let (recipe, given) = replace_keys(self.clone(), overrides)?;
        let recipe = recipe.following(&self, &given);
        recipe.validate()?;
        Ok(recipe)
    }
}

/// Whether a shipped recipe is of this kind.
fn is_of<R: Recipe>(shipped: &ShippedRecipe) -> bool {
    R::from_toml(shipped.text, shipped.name).is_ok()
}

/// Refuses keys that the complete recipe has not, in all its tables.
fn check_tables(name: &str, given: &toml::Table, known: &toml::Table) -> Result<(), TrainerError> {
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    check_keys(name, given.keys().map(String::as_str), &names)?;
    for (key, value) in given {
        if let (toml::Value::Table(given), Some(toml::Value::Table(known))) =
            (value, known.get(key))
        {
            check_tables(name, given, known)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
