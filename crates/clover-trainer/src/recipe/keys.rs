//! The keys a recipe may have.

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
            nearest: nearest(key, known),
        })
    })
}

/// Exchanged neighbours count as one mistake, and whoever forgets the underscore meant it.
fn nearest(key: &str, known: &[&str]) -> String {
    let wanted = key.to_lowercase().replace('-', "_");
    known
        .iter()
        .min_by_key(|known| strsim::damerau_levenshtein(&wanted, known))
        .map_or_else(String::new, |known| (*known).to_owned())
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
        ] {
            let error = check_keys("mine.toml", [key], &known).unwrap_err();

            let message =
                format!("mine.toml: unknown key `{key}`; the nearest known one is `{expected}`");
            assert_eq!(error.to_string(), message);
        }
    }
}
