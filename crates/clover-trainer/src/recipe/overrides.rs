//! Keys of a recipe replaced by `key=value`, as on a command line.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keys::check_keys;
use crate::TrainerError;

/// The recipe with one key replaced. Numbers may be written as `5e-4` or `1_000`; any other value
/// stands for itself, with or without quotes.
pub(super) fn replace_key<R: Serialize + DeserializeOwned>(
    recipe: &R,
    argument: &str,
) -> Result<R, TrainerError> {
    let wrong = |reason: String| TrainerError::RecipeOverride {
        argument: argument.to_owned(),
        reason,
    };
    let (key, value) = argument
        .split_once('=')
        .map(|(key, value)| (key.trim(), value.trim()))
        .filter(|(key, _)| !key.is_empty())
        .ok_or_else(|| wrong("expected key=value".to_owned()))?;
    let mut keys = match serde_json::to_value(recipe) {
        Ok(Value::Object(keys)) => keys,
        Ok(_) => return Err(wrong("the recipe has no keys".to_owned())),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let known: Vec<&str> = keys.keys().map(String::as_str).collect();
    check_keys(argument, [key], &known)?;
    keys.insert(key.to_owned(), parse_value(value));
    serde_json::from_value(Value::Object(keys)).map_err(|error| wrong(error.to_string()))
}

/// A number, a truth value, or text.
fn parse_value(value: &str) -> Value {
    let number = value.replace('_', "");
    match serde_json::from_str(&number) {
        Ok(parsed @ (Value::Number(_) | Value::Bool(_))) => parsed,
        _ => Value::String(value.trim_matches(['"', '\'']).to_owned()),
    }
}
