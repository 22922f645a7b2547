//! Keys of a recipe replaced by `key=value`, as on a command line; `table.key=value` inside a table.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keys::check_keys;
use crate::TrainerError;

/// The recipe with keys replaced, in their order.
pub(super) fn replace_keys<R: Serialize + DeserializeOwned, S: AsRef<str>>(
    recipe: R,
    overrides: &[S],
) -> Result<R, TrainerError> {
    let mut overrides = overrides.iter();
    overrides.try_fold(recipe, |recipe, argument| {
        replace_key(&recipe, argument.as_ref())
    })
}

/// The recipe with one key replaced. Numbers may be written as `5e-4` or `1_000`, lists as `[a, b]`;
/// any other value stands for itself, with or without quotes.
fn replace_key<R: Serialize + DeserializeOwned>(
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
    let mut keys = serde_json::to_value(recipe).map_err(|error| wrong(error.to_string()))?;
    let mut place = &mut keys;
    for part in key.split('.') {
        let Value::Object(table) = place else {
            return Err(wrong(format!(
                "`{part}` would be inside a key, not a table"
            )));
        };
        let known: Vec<&str> = table.keys().map(String::as_str).collect();
        check_keys(argument, [part], &known)?;
        place = table.entry(part).or_insert(Value::Null);
    }
    *place = parse_value(value);
    serde_json::from_value(keys).map_err(|error| wrong(error.to_string()))
}

/// A number, a truth value, a list of these, or text.
fn parse_value(value: &str) -> Value {
    let list = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(list) = list {
        let items = list.split(',').map(str::trim);
        let items = items.filter(|item| !item.is_empty());
        return Value::Array(items.map(parse_value).collect());
    }
    let number = value.replace('_', "");
    match serde_json::from_str(&number) {
        Ok(parsed @ (Value::Number(_) | Value::Bool(_))) => parsed,
        _ => Value::String(value.trim_matches(['"', '\'']).to_owned()),
    }
}
