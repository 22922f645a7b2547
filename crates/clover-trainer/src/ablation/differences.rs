//! What rows are claimed to add to others, held against what they do add, seed by seed.
//!
//! Two rows of one seed learn from the same clips in the same order, so their difference is free of what the seed
//! does to both; its 95 % interval over seeds (Student's) decides.

use std::fmt;

use serde::Serialize;

use super::AblationRow;
use super::cell::CellResult;
use crate::metric::{Interval, seeds_interval};

/// Whether a row is better than another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies above zero.
    Supported,
    /// It lies below zero.
    Contradicted,
    /// It holds zero, or there are too few seeds for one.
    Undecided,
}

/// A figure of a row less that of another one, in percentage points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The row that is claimed to be better.
    pub row: AblationRow,
    /// The row it is compared with.
    pub than: AblationRow,
    /// The figure: `R@1`, or the skill of pair tests.
    pub figure: String,
    /// The difference of each seed that both rows have.
    pub by_seed: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// The 95 % interval of the mean; nothing of a single seed.
    pub interval: Option<Interval>,
    /// What follows.
    pub verdict: Verdict,
}

impl Difference {
    /// Of at least one seed.
    fn new([row, than]: [AblationRow; 2], figure: String, by_seed: Vec<f64>) -> Self {
        let interval = seeds_interval(&by_seed);
        let verdict = match interval {
            Some([low, _]) if low > 0.0 => Verdict::Supported,
            Some([_, high]) if high < 0.0 => Verdict::Contradicted,
            _ => Verdict::Undecided,
        };
        Self {
            row,
            than,
            figure,
            mean: by_seed.iter().sum::<f64>() / by_seed.len() as f64,
            by_seed,
            interval,
            verdict,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:+.1}", self.figure, self.mean)?;
        match self.interval {
            Some([low, high]) => write!(formatter, " ({low:+.1} to {high:+.1})"),
            None => write!(formatter, " (too few seeds to say)"),
        }
    }
}

/// The differences of every claim of which both rows are there.
pub(super) fn differences(cells: &[CellResult]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (row, than) in AblationRow::CLAIMS {
        let pairs: Vec<[&CellResult; 2]> = cells
            .iter()
            .filter(|cell| cell.row == row)
            .filter_map(|cell| {
                let same = |other: &&CellResult| other.row == than && other.seed == cell.seed;
                Some([cell, cells.iter().find(same)?])
            })
            .collect();
        let Some([first, _]) = pairs.first() else {
            continue;
        };
        for (figure, _) in figures(first) {
            let difference = |pair: &[&CellResult; 2]| {
                let [own, other] = pair.map(|cell| {
                    let mut figures = figures(cell).into_iter();
                    figures.find(|(name, _)| *name == figure)
                });
                Some(own?.1 - other?.1)
            };
            // A figure that some runs lack is of no use.
            let by_seed: Option<Vec<f64>> = pairs.iter().map(difference).collect();
            found.extend(by_seed.map(|by_seed| Difference::new([row, than], figure, by_seed)));
        }
    }
    found
}

/// What rows are compared by, in percent.
fn figures(cell: &CellResult) -> Vec<(String, f64)> {
    let retrieval = [
        ("R@1", Some(cell.text_to_video.recall_at_1)),
        ("R@1 clip to text", Some(cell.video_to_text.recall_at_1)),
        (
            "among companions",
            cell.hard_negatives.map(|share| 100.0 * share),
        ),
    ];
    let answers = [
        ("open-ended", &cell.open_ended),
        ("multiple choice", &cell.multiple_choice),
    ];
    let answers = answers.map(|(name, found)| {
        let accuracy = found.as_ref().map(|found| 100.0 * found.accuracy);
        (name, accuracy)
    });
    let known = retrieval.into_iter().chain(answers);
    let known = known.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let skills = cell.skills.iter();
    let skills = skills.map(|one| (one.skill.clone(), 100.0 * one.accuracy));
    known.chain(skills).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{PairSimilarity, SkillAccuracy};
    use crate::metric::RetrievalMetrics;

    fn cell(row: AblationRow, seed: u64, recall: f64, color: usize) -> CellResult {
        let metrics = RetrievalMetrics::from_ranks(vec![0], 10);
        CellResult {
            row,
            seed,
            parameters: 1,
            pretraining_steps: 1,
            pretraining_loss: 1.0,
            text_to_video: RetrievalMetrics {
                recall_at_1: recall,
                ..metrics.clone()
            },
            video_to_text: metrics,
            similarity: PairSimilarity {
                positive: 0.0,
                negative: 0.0,
                gap: 0.0,
            },
            hard_negatives: None,
            skills: vec![SkillAccuracy::new("color", [color, 0, 100])],
            open_ended: None,
            multiple_choice: None,
            skipped: Vec::new(),
            seconds: Vec::new(),
        }
    }

    fn found<'d>(all: &'d [Difference], figure: &str) -> &'d Difference {
        all.iter().find(|one| one.figure == figure).unwrap()
    }

    #[test]
    fn an_interval_above_below_or_around_zero_decides() {
        let rows = [AblationRow::Baseline, AblationRow::TriModalAlignment];
        let compare = |recalls: [[f64; 3]; 2], colors: [[usize; 3]; 2]| {
            let mut cells = Vec::new();
            for (row, (recalls, colors)) in rows.into_iter().zip(recalls.into_iter().zip(colors)) {
                for (seed, (recall, color)) in (0..).zip(recalls.into_iter().zip(colors)) {
                    cells.push(cell(row, seed, recall, color));
                }
            }
            differences(&cells)
        };

        // By seed +4, +5 and +6, and -10, -8 and -12; whatever the seed does to both does not count.
        let clear = compare(
            [[10.0, 50.0, 30.0], [14.0, 55.0, 36.0]],
            [[90, 60, 75], [80, 52, 63]],
        );
        // +1, -1 and +3.
        let unclear = compare([[10.0, 10.0, 10.0], [11.0, 9.0, 13.0]], [[50; 3], [50; 3]]);

        let recall = found(&clear, "R@1");
        assert_eq!((recall.row, recall.than), (rows[1], rows[0]));
        assert_eq!(recall.verdict, Verdict::Supported);
        // 5 and 4.303 / √3 to either side.
        assert_eq!(recall.to_string(), "R@1 +5.0 (+2.5 to +7.5)");
        assert_eq!(found(&clear, "color").verdict, Verdict::Contradicted);
        assert_eq!(found(&unclear, "R@1").verdict, Verdict::Undecided);
        // There is no difference, and no doubt about it.
        assert_eq!(found(&unclear, "color").verdict, Verdict::Undecided);
        assert_eq!(clear.len(), 3, "{clear:?}");
    }

    #[test]
    fn one_seed_decides_nothing_and_a_row_without_the_other_is_not_compared() {
        let better = |row, seed| cell(row, seed, 100.0, 100);
        let cells = [
            cell(AblationRow::SemanticMasking, 0, 0.0, 0),
            better(AblationRow::Clover, 0),
            better(AblationRow::Clover, 1),
        ];

        let all = differences(&cells);

        assert!(
            all.iter()
                .all(|one| one.than == AblationRow::SemanticMasking)
        );
        let color = found(&all, "color");
        assert_eq!(
            (color.by_seed.len(), color.verdict),
            (1, Verdict::Undecided)
        );
        assert_eq!(color.to_string(), "color +100.0 (too few seeds to say)");
    }
}
