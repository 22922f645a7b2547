//! The table: every row's metrics over its seeds.

use serde::Serialize;

use super::AblationRow;
use super::cell::{Cell, CellResult};
use super::differences::{Difference, differences};
use super::folder::AblationFolder;
use crate::TrainerError;
use crate::metric::{Interval, seeds_interval};
use crate::recipe::AblationRecipe;

/// A metric over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of the sample; nothing of a single one.
    pub deviation: Option<f64>,
}

/// The metrics of a row. Recalls and accuracies are in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RowSummary {
    /// The row.
    pub row: AblationRow,
    /// The seeds that are done.
    pub seeds: Vec<u64>,
    /// Recall at 1, 5 and 10 of sentences looking for their clip.
    pub text_to_video: [Spread; 3],
    /// The median rank of the same.
    pub text_to_video_median: Spread,
    /// Recall at 1, 5 and 10 of clips looking for their sentence.
    pub video_to_text: [Spread; 3],
    /// The median rank of the same.
    pub video_to_text_median: Spread,
    /// Sentences that find their clip among its companions.
    pub hard_negatives: Option<Spread>,
    /// Accuracy in open-ended questions.
    pub open_ended: Option<Spread>,
    /// Accuracy in multiple choice.
    pub multiple_choice: Option<Spread>,
    /// What is told apart, by skill.
    pub skills: Vec<SkillSummary>,
    /// Mean cosine of pairs.
    pub positive: Spread,
    /// That mean less the one of all other pairs.
    pub gap: Spread,
}

/// What a row tells apart, in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SkillSummary {
    /// The respect in which pairs differ.
    pub skill: String,
    /// The share of pairs that are told apart.
    pub accuracy: Spread,
    /// The 95 % interval of its mean over seeds; nothing of a single one.
    pub interval: Option<Interval>,
    /// Pairs of each seed.
    pub pairs: usize,
}

/// A comparison as far as it is done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AblationSummary {
    /// The command line that makes it.
    pub command: String,
    /// What computed: a device's name.
    pub device: String,
    /// Every setting.
    pub recipe: AblationRecipe,
    /// The rows that were measured.
    pub rows: Vec<RowSummary>,
    /// What rows are claimed to add, and whether they do.
    pub differences: Vec<Difference>,
    /// Rows with seeds that are not done.
    pub missing: Vec<String>,
    /// What the rows are made of.
    pub cells: Vec<CellResult>,
}

impl Spread {
    /// Of at least one value; of none it is no number.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self {
            mean,
            deviation: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
        }
    }
}

impl AblationSummary {
    /// Reads what is done.
    ///
    /// # Errors
    ///
    /// A result cannot be read.
    pub fn read(
        folder: &AblationFolder,
        recipe: &AblationRecipe,
        command: String,
        device: String,
    ) -> Result<Self, TrainerError> {
        let mut summary = Self {
            command,
            device,
            recipe: recipe.clone(),
            rows: Vec::new(),
            differences: Vec::new(),
            missing: Vec::new(),
            cells: Vec::new(),
        };
        for &row in &recipe.rows {
            let mut done = Vec::new();
            for seed in recipe.run_seeds() {
                let cell = Cell { row, seed };
                match folder.result(cell)? {
                    Some(result) => done.push(result),
                    None => summary.missing.push(cell.to_string()),
                }
            }
            summary.rows.extend(RowSummary::of(&done));
            summary.cells.extend(done);
        }
        summary.differences = differences(&summary.cells);
        Ok(summary)
    }
}

impl RowSummary {
    /// Of the seeds of one row that are done; nothing where none is.
    fn of(done: &[CellResult]) -> Option<Self> {
        let row = done.first()?.row;
        let spread = |value: &dyn Fn(&CellResult) -> f64| {
            Spread::of(&done.iter().map(value).collect::<Vec<_>>())
        };
        // In percent, where every run has it.
        let share = |value: &dyn Fn(&CellResult) -> Option<f64>| {
            let values: Option<Vec<f64>> = done.iter().map(value).collect();
            let values: Vec<f64> = values?.iter().map(|share| 100.0 * share).collect();
            Some(Spread::of(&values))
        };
        Some(Self {
            row,
            seeds: done.iter().map(|result| result.seed).collect(),
            text_to_video: [
                spread(&|cell| cell.text_to_video.recall_at_1),
                spread(&|cell| cell.text_to_video.recall_at_5),
                spread(&|cell| cell.text_to_video.recall_at_10),
            ],
            text_to_video_median: spread(&|cell| cell.text_to_video.median_rank),
            video_to_text: [
                spread(&|cell| cell.video_to_text.recall_at_1),
                spread(&|cell| cell.video_to_text.recall_at_5),
                spread(&|cell| cell.video_to_text.recall_at_10),
            ],
            video_to_text_median: spread(&|cell| cell.video_to_text.median_rank),
            hard_negatives: share(&|cell| cell.hard_negatives),
            open_ended: share(&|cell| cell.open_ended.as_ref().map(|found| found.accuracy)),
            multiple_choice: share(&|cell| {
                cell.multiple_choice.as_ref().map(|found| found.accuracy)
            }),
            skills: SkillSummary::of(done),
            positive: spread(&|cell| cell.similarity.positive),
            gap: spread(&|cell| cell.similarity.gap),
        })
    }
}

impl SkillSummary {
    /// Of the seeds of one row: the skills that all of them have.
    fn of(done: &[CellResult]) -> Vec<Self> {
        let first = done.first().map_or(&[][..], |cell| &cell.skills);
        let summaries = first.iter().filter_map(|one| {
            let values = done.iter().map(|cell| cell.skill(&one.skill));
            let values = values.collect::<Option<Vec<f64>>>()?;
            Some(Self {
                skill: one.skill.clone(),
                accuracy: Spread::of(&values),
                // No share is less than nothing or more than all.
                interval: seeds_interval(&values).map(|ends| ends.map(|end| end.clamp(0.0, 100.0))),
                pairs: one.total,
            })
        });
        summaries.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let spread = Spread::of(&[1.0, 3.0, 5.0]);

        assert_eq!((spread.mean, spread.deviation), (3.0, Some(2.0)));
        assert_eq!(Spread::of(&[7.0]).deviation, None);
    }
}
