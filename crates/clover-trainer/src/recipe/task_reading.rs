//! Where the recipe of a task comes from: the program, a file, and keys given one by one.

use super::TaskRecipe;
use super::overrides::replace_keys;
use super::shipped::ShippedRecipe;
use super::text;
use crate::TrainerError;

/// A shipped recipe, which has every key.
const COMPLETE: &str = include_str!("../../recipes/retrieval-custom.toml");

impl TaskRecipe {
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

/// Whether a recipe's text is that of a task.
pub(super) fn is_task(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("task"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::TaskKind;

    #[test]
    fn a_recipe_written_out_reads_back() {
        let recipe = TaskRecipe::open("multiple-choice-tgif-action").unwrap();

        let again = TaskRecipe::from_toml(&recipe.to_toml().unwrap(), "again").unwrap();

        assert_eq!(again, recipe);
    }

    #[test]
    fn a_stray_key_a_missing_one_and_one_without_meaning_are_refused_by_name() {
        let text = ShippedRecipe::named("open-ended-msvd-qa").unwrap().text;
        let stray = format!("lerning_rate = 1.0\n{text}");
        let missing = text.replace("clip_norm = 50.0\n", "");
        let refused = |text: &str| {
            let error = TaskRecipe::from_toml(text, "mine.toml").unwrap_err();
            format!("{error:?} {error}")
        };

        assert!(refused(&stray).contains("learning_rate"));
        assert!(refused(&missing).contains("clip_norm"));
        for (name, key) in [
            ("retrieval-msrvtt", "test_views=4"),
            ("retrieval-msrvtt", "answers=100"),
            ("open-ended-msvd-qa", "candidates=5"),
            ("open-ended-msvd-qa", "question_form=all-options"),
            ("multiple-choice-lsmdc", "question_form=alone"),
            ("multiple-choice-lsmdc", "captions=one-an-epoch"),
            ("multiple-choice-lsmdc", "image_size=100"),
            ("multiple-choice-lsmdc", "group_size=5"),
            ("retrieval-msrvtt", "group_size=0"),
        ] {
            let recipe = TaskRecipe::open(name).unwrap();

            let error = recipe.with_overrides(&[key]).unwrap_err().to_string();

            let key = key.split_once('=').unwrap().0;
            assert!(error.contains(key), "{name}: {error}");
        }
    }

    #[test]
    fn keys_are_replaced_one_by_one() {
        let recipe = TaskRecipe::open("open-ended-custom").unwrap();

        let recipe = recipe
            .with_overrides(&["task=fill-in-the-blank", "learning_rate=5e-4"])
            .unwrap();

        assert_eq!(recipe.task, TaskKind::FillInTheBlank);
        assert!((recipe.learning_rate - 5e-4).abs() < 1e-12);
    }
}
