//! The recipe of a comparison: equal runs, of which each row replaces some objectives.

use serde::{Deserialize, Serialize};

use super::AblationRow;
use super::keys::first_wrong;
use super::reading::Recipe;
use super::{FinetuningRecipe, PretrainingRecipe};
use crate::TrainerError;

/// Everything a comparison depends on. The keys are explained in `recipes/ablation/rendered.toml`, that
/// of `start` in `recipes/ablation/clip.toml`; those of `benchmark` are checked by whoever draws the clips.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PretrainingRecipe>,
    pub pretraining: PretrainingRecipe,
    pub open_ended: FinetuningRecipe,
    pub multiple_choice: FinetuningRecipe,
}

impl Recipe for AblationRecipe {
    const COMPLETE: &'static str = include_str!("../../recipes/ablation/clip.toml");

    fn following(mut self, before: &Self, given: &[&str]) -> Self {
        let of_table = given
            .iter()
            .filter_map(|key| key.strip_prefix("pretraining."));
        let given: Vec<&str> = of_table.collect();
        self.pretraining = self.pretraining.following(&before.pretraining, &given);
        self
    }

    fn validate(&self) -> Result<(), TrainerError> {
        let repeated = (1..self.rows.len()).any(|at| self.rows[..at].contains(&self.rows[at]));
        let rows = [("rows", !self.rows.is_empty() && !repeated)];
        first_wrong(&rows, |good| good, "must be at least one, each once")?;
        first_wrong(
            &[("seeds", self.seeds)],
            |seeds| seeds > 0,
            "must be positive",
        )?;
        let start = self.start.is_some();
        let same = self.rows.iter().all(|row| row.goes_on() == start);
        let rule = "must begin with \"clip\" where there is a table `start`, and nowhere else";
        first_wrong(&[("rows", same)], |same| same, rule)?;
        if let Some(start) = &self.start {
            start.validate()?;
        }
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
}

impl AblationRecipe {
    /// The seeds of the runs: as many as asked for, from the pre-training recipe's on.
    pub fn run_seeds(&self) -> impl Iterator<Item = u64> {
        let first = self.pretraining.seed;
        (0..self.seeds).map(move |seed| first.wrapping_add(seed))
    }
}
