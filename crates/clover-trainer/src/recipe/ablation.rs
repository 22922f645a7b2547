//! The recipe of a comparison: equal runs, of which each row replaces some objectives.

use serde::{Deserialize, Serialize};

use super::AblationRow;
use super::keys::first_wrong;
use super::overrides::replace_keys;
use super::shipped::ShippedRecipe;
use super::{FinetuningRecipe, PretrainingRecipe, text};
use crate::TrainerError;

/// The shipped recipe, which has every key.
const COMPLETE: &str = include_str!("../../recipes/ablation/rendered.toml");

/// Everything a comparison depends on. The keys are explained in `recipes/ablation/rendered.toml`; those of
/// `benchmark` are checked by whoever draws the clips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the shipped recipes explain each key where users meet it"
)]
pub struct AblationRecipe {
    pub rows: Vec<AblationRow>,
    pub seeds: u64,
    pub benchmark: toml::Table,
    pub pretraining: PretrainingRecipe,
    pub open_ended: FinetuningRecipe,
    pub multiple_choice: FinetuningRecipe,
}

impl AblationRecipe {
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
    /// A seed is larger than a number of TOML can be.
    pub fn to_toml(&self) -> Result<String, TrainerError> {
        text::write(self)
    }

    /// The recipe with keys replaced, each by `key=value` or `table.key=value`, in their order.
    ///
    /// # Errors
    ///
    /// A key is unknown, or a value has another type or is out of range.
    pub fn with_overrides<S: AsRef<str>>(self, overrides: &[S]) -> Result<Self, TrainerError> {
        let recipe = replace_keys(self, overrides)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Checks the figures.
    ///
    /// # Errors
    ///
    /// Names the first key that is out of range.
    pub fn validate(&self) -> Result<(), TrainerError> {
        let repeated = (1..self.rows.len()).any(|at| self.rows[..at].contains(&self.rows[at]));
        let rows = [("rows", !self.rows.is_empty() && !repeated)];
        first_wrong(&rows, |good| good, "must be at least one, each once")?;
        first_wrong(
            &[("seeds", self.seeds)],
            |seeds| seeds > 0,
            "must be positive",
        )?;
        self.pretraining.validate()?;
        self.open_ended.validate()?;
        self.multiple_choice.validate()?;
        // Questions pass the fusion encoder, which has a position for each frame trained with.
        let frames = self.pretraining.test_frames <= self.pretraining.frames;
        let rule = "test_frames must not exceed frames";
        first_wrong(&[("pretraining", frames)], |fits| fits, rule)?;
        // The rows replace what they do not share; a recipe must not seem to say otherwise.
        let differs = AblationRow::Clover.apply(&self.pretraining) != self.pretraining;
        let rule = "alignment, ranking, word_loss and text_masking must be those of Clover; the rows \
                    replace them";
        first_wrong(&[("pretraining", differs)], |differs| !differs, rule)
    }

    /// The seeds of the runs: as many as asked for, from the pre-training recipe's on.
    pub fn run_seeds(&self) -> impl Iterator<Item = u64> {
        let first = self.pretraining.seed;
        (0..self.seeds).map(move |seed| first.wrapping_add(seed))
    }
}

/// Whether a recipe's text is that of a comparison.
pub(super) fn is_ablation(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok_and(|table| table.contains_key("pretraining"))
}
