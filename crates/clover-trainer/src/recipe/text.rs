//! A recipe as the text of a file, read and written the same way for every kind.

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::check_keys;
use crate::TrainerError;

/// Reads a recipe whose keys pass `check`; `name` stands in errors.
pub(super) fn parse<R: DeserializeOwned>(
    text: &str,
    name: &str,
    check: impl FnOnce(&toml::Table) -> Result<(), TrainerError>,
) -> Result<R, TrainerError> {
    check(&toml::from_str(text).map_err(|source| unusable(name, source))?)?;
    toml::from_str(text).map_err(|source| unusable(name, source))
}

/// Refuses keys that the `complete` recipe has not, in all its tables.
pub(super) fn check_against(
    name: &str,
    given: &toml::Table,
    complete: &str,
) -> Result<(), TrainerError> {
    let known = toml::from_str(complete).map_err(|source| unusable(name, source))?;
    check_tables(name, given, &known)
}

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

/// The recipe as a file of its own, without comments.
pub(super) fn write(recipe: &impl Serialize) -> Result<String, TrainerError> {
    toml::to_string(recipe).map_err(|error| TrainerError::RecipeValue {
        key: "seed",
        reason: error.to_string(),
    })
}

fn unusable(name: &str, source: toml::de::Error) -> TrainerError {
    TrainerError::Recipe {
        path: PathBuf::from(name),
        source: Box::new(source),
    }
}
