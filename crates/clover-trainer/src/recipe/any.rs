//! A recipe of any kind, for commands that show and check them.

use std::path::Path;

use super::reading::Recipe;
use super::shipped::ShippedRecipe;
use super::{AblationRecipe, PretrainingRecipe, TaskRecipe};
use crate::TrainerError;

/// A recipe of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyRecipe {
    /// Of a pre-training run.
    Pretraining(Box<PretrainingRecipe>),
    /// Of a comparison.
    Ablation(Box<AblationRecipe>),
    /// Of a downstream task.
    Task(Box<TaskRecipe>),
}

impl AnyRecipe {
    /// Reads the file of this path; where there is none, the shipped recipe of this name.
    ///
    /// # Errors
    ///
    /// There is neither, the file cannot be read, or a key is missing, unknown or out of range.
    pub fn open(name: impl AsRef<Path>) -> Result<Self, TrainerError> {
        let text = ShippedRecipe::read(name.as_ref(), |_| true)?;
        let name = &*name.as_ref().to_string_lossy();
        let table: toml::Table = toml::from_str(&text).unwrap_or_default();
        Ok(if table.contains_key("pretraining") {
            Self::Ablation(Box::new(AblationRecipe::from_toml(&text, name)?))
        } else if table.contains_key("task") {
            Self::Task(Box::new(TaskRecipe::from_toml(&text, name)?))
        } else {
            Self::Pretraining(Box::new(PretrainingRecipe::from_toml(&text, name)?))
        })
    }

    /// The recipe with keys replaced, each by `key=value`, in their order.
    ///
    /// # Errors
    ///
    /// A key is unknown, or a value has another type or is out of range.
    pub fn with_overrides<S: AsRef<str>>(self, overrides: &[S]) -> Result<Self, TrainerError> {
        Ok(match self {
            Self::Pretraining(recipe) => {
                Self::Pretraining(Box::new(recipe.with_overrides(overrides)?))
            }
            Self::Ablation(recipe) => Self::Ablation(Box::new(recipe.with_overrides(overrides)?)),
            Self::Task(recipe) => Self::Task(Box::new(recipe.with_overrides(overrides)?)),
        })
    }

    /// The recipe as a file of its own, without comments.
    ///
    /// # Errors
    ///
    /// A seed is larger than a number of TOML can be.
    pub fn to_toml(&self) -> Result<String, TrainerError> {
        match self {
            Self::Pretraining(recipe) => recipe.to_toml(),
            Self::Ablation(recipe) => recipe.to_toml(),
            Self::Task(recipe) => recipe.to_toml(),
        }
    }
}
