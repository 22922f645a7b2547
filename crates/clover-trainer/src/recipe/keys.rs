//! The keys of a recipe: which there may be, and how one is replaced by `key=value` as on a command
//! line, with `table.key=value` inside a table.

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::TrainerError;

/// Refuses the first of `keys` that is not among the `known`, and names the one most like it.
///
/// `origin` is the file or argument that has the key; it stands in the error.
pub(super) fn check_keys<'k>(
    origin: &str,
    keys: impl IntoIterator<Item = &'k str>,
    known: &[&str],
) -> Result<(), TrainerError> {
    let unknown = keys.into_iter().find(|key| !known.contains(key));
    unknown.map_or(Ok(()), |key| {
        Err(TrainerError::UnknownRecipeKey {
            origin: origin.to_owned(),
            key: key.to_owned(),
            nearest: nearest(key, known).to_owned(),
        })
    })
}

/// The known name most like the one that was written. Initials stand for their words, as in `lr`, and a
/// word for the first name that has it; exchanged neighbours count as one mistake, and whoever forgets
/// the underscore meant it.
pub(super) fn nearest<'n>(written: &str, known: &[&'n str]) -> &'n str {
    let written = written.to_lowercase().replace(['_', ' '], "-");
    let plain: Vec<String> = known.iter().map(|name| name.replace('_', "-")).collect();
    let initials = |name: &String| {
        let firsts = name.split('-').filter_map(|word| word.chars().next());
        firsts.collect::<String>() == written
    };
    let has_words =
        |name: &String| written.len() > 2 && format!("-{name}-").contains(&format!("-{written}-"));
    let closest = || {
        let distance = |&place: &usize| strsim::damerau_levenshtein(&written, &plain[place]);
        (0..plain.len()).min_by_key(distance)
    };
    let place = plain.iter().position(initials);
    let place = place
        .or_else(|| plain.iter().position(has_words))
        .or_else(closest);
    place.map_or("", |place| known[place])
}

/// Refuses the first value that does not hold what it must, and names its key.
pub(super) fn first_wrong<T: Copy>(
    values: &[(&'static str, T)],
    holds: impl Fn(T) -> bool,
    rule: &str,
) -> Result<(), TrainerError> {
    let wrong = values.iter().find(|(_, value)| !holds(*value));
    wrong.map_or(Ok(()), |&(key, _)| {
        Err(TrainerError::RecipeValue {
            key,
            reason: rule.to_owned(),
        })
    })
}

/// The recipe with keys replaced, in their order, and the names of these keys.
pub(super) fn replace_keys<R, S>(
    mut recipe: R,
    overrides: &[S],
) -> Result<(R, Vec<&str>), TrainerError>
where
    R: Serialize + DeserializeOwned,
    S: AsRef<str>,
{
    let mut given = Vec::new();
    for argument in overrides {
        let (replaced, key) = replace_key(&recipe, argument.as_ref())?;
        recipe = replaced;
        given.push(key);
    }
    Ok((recipe, given))
}

/// The recipe with one key replaced, and this key. Numbers may be written as `5e-4` or `1_000`, lists as `[a, b]`;
/// any other value stands for itself, with or without quotes.
fn replace_key<'o, R: Serialize + DeserializeOwned>(
    recipe: &R,
    argument: &'o str,
) -> Result<(R, &'o str), TrainerError> {
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
    let recipe = serde_json::from_value(keys).map_err(|error| wrong(in_words(&error)))?;
    Ok((recipe, key))
}

/// What is wrong with a value, with the program's types in words.
fn in_words(error: &serde_json::Error) -> String {
    let types = [
        ("usize", "a whole number"),
        ("u64", "a whole number"),
        ("f64", "a number"),
        ("a boolean", "true or false"),
    ];
    types.iter().fold(error.to_string(), |text, (name, words)| {
        text.replace(&format!("expected {name}"), &format!("expected {words}"))
    })
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

/// Writes a number of epochs: a whole one as such, as recipes and checkpoints always did.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(super) fn whole_epochs<S: Serializer>(epochs: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match epochs.fract() == 0.0 && (0.0..1e9).contains(epochs) {
        true => serializer.serialize_u64(*epochs as u64),
        false => serializer.serialize_f64(*epochs),
    }
}

/// The keys that were given, by name, which others follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follows<'k>(pub(super) &'k [&'k str]);

impl Follows<'_> {
    fn alone(self, key: &str, follower: &str) -> bool {
        self.0.contains(&key) && !self.0.contains(&follower)
    }

    /// Brings warm-up and frames in tests in line with epochs and with frames, which `before` were others.
    ///
    /// A shorter run than the recipe's must not be all warm-up: where it would be more than half of it,
    /// it is a quarter. Clips that have the frames trained with in tests, too, keep to them: the fusion
    /// encoder has positions for no more.
    pub(super) fn adjust(
        self,
        (epochs, warmup_epochs): (usize, &mut f64),
        ([before, frames], test_frames): ([usize; 2], &mut usize),
    ) {
        if self.alone("epochs", "warmup_epochs") && *warmup_epochs > (epochs / 2) as f64 {
            *warmup_epochs = (epochs / 4) as f64;
        }
        if self.alone("frames", "test_frames") && *test_frames == before {
            *test_frames = frames;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_known_key_is_named() {
        let known = ["learning_rate", "warmup_epochs", "epochs"];

        for (key, expected) in [
            ("lerning_rate", "learning_rate"),
            ("epohcs", "epochs"),
            ("Warmup-Epochs", "warmup_epochs"),
            ("lr", "learning_rate"),
            ("rate", "learning_rate"),
            ("epoch", "epochs"),
        ] {
            let error = check_keys("mine.toml", [key], &known).unwrap_err();

            let message =
                format!("mine.toml: unknown key `{key}`; the nearest known one is `{expected}`");
            assert_eq!(error.to_string(), message);
        }
    }
}
