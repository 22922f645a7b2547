//! What rows are claimed to add to others, held against what they do add, seed by seed.
//!
//! Two rows of one seed learn from the same clips in the same order, so their difference is free of what the seed
//! does to both; its 95 % interval over seeds (Student's) decides.
//!
//! Where each seed gave the same, nothing is decided. Metrics are counts of items: that three seeds gain or lose the
//! same few is a coincidence of rounding, and no sign that all seeds would. Student's distribution is that of a mean
//! over a deviation that was estimated; with none there is no interval, and least of all one of no width.

use std::fmt;

use serde::Serialize;

use super::AblationRow;
use super::cell::CellResult;
use crate::metric::{Interval, seeds_interval};

/// Percentage points, far less than one item of a million.
const ROUNDING: f64 = 1e-9;

/// Whether a row is better than another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval lies above zero.
    Supported,
    /// It lies below zero.
    Contradicted,
    /// It holds zero, or there is none: too few seeds, or each the same.
    Undecided,
}

/// A metric of a row less that of another one, in percentage points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The row that is claimed to be better.
    pub row: AblationRow,
    /// The row it is compared with.
    pub than: AblationRow,
    /// What was measured: `R@1`, say, or a skill of pair tests.
    pub metric: String,
    /// The difference of each seed that both rows have.
    pub by_seed: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// The 95 % interval of the mean; nothing of a single seed, and where each seed gave the same.
    pub interval: Option<Interval>,
    /// What follows.
    pub verdict: Verdict,
}

impl Difference {
    /// Of at least one seed.
    fn new([row, than]: [AblationRow; 2], metric: String, by_seed: Vec<f64>) -> Self {
        let interval = seeds_interval(&by_seed).filter(|_| !all_the_same(&by_seed));
        let verdict = match interval {
            Some([low, _]) if low > 0.0 => Verdict::Supported,
            Some([_, high]) if high < 0.0 => Verdict::Contradicted,
            _ => Verdict::Undecided,
        };
        Self {
            row,
            than,
            metric,
            mean: by_seed.iter().sum::<f64>() / by_seed.len() as f64,
            by_seed,
            interval,
            verdict,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:+.1}", self.metric, self.mean)?;
        match self.interval {
            Some([low, high]) => write!(formatter, " ({low:+.1} to {high:+.1})"),
            None if self.by_seed.len() > 1 => write!(formatter, " (each seed the same)"),
            None => write!(formatter, " (too few seeds to say)"),
        }
    }
}

/// Whether the values differ by rounding alone: a difference of shares has its last digits from where they lie.
fn all_the_same(values: &[f64]) -> bool {
    let close = |pair: &[f64]| (pair[0] - pair[1]).abs() < ROUNDING;
    values.windows(2).all(close)
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
        for (metric, _) in metrics(first) {
            let difference = |pair: &[&CellResult; 2]| {
                let [own, other] = pair.map(|cell| {
                    let mut metrics = metrics(cell).into_iter();
                    metrics.find(|(name, _)| *name == metric)
                });
                Some(own?.1 - other?.1)
            };
            // A metric that some runs lack is of no use.
            let by_seed: Option<Vec<f64>> = pairs.iter().map(difference).collect();
            found.extend(by_seed.map(|by_seed| Difference::new([row, than], metric, by_seed)));
        }
    }
    found
}

/// What rows are compared by: percent, and cosines times 100.
fn metrics(cell: &CellResult) -> Vec<(String, f64)> {
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
    let similarity = &cell.similarity;
    let cosines = [("cosine", similarity.positive), ("gap", similarity.gap)];
    let cosines = cosines.map(|(name, cosine)| (name.to_owned(), 100.0 * cosine));
    known.chain(skills).chain(cosines).collect()
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

    fn found<'d>(all: &'d [Difference], metric: &str) -> &'d Difference {
        all.iter().find(|one| one.metric == metric).unwrap()
    }

    const ROWS: [AblationRow; 2] = [AblationRow::Baseline, AblationRow::TriModalAlignment];

    /// The differences of two rows of three seeds.
    fn compare(recalls: [[f64; 3]; 2], colors: [[usize; 3]; 2]) -> Vec<Difference> {
        let mut cells = Vec::new();
        for (row, (recalls, colors)) in ROWS.into_iter().zip(recalls.into_iter().zip(colors)) {
            for (seed, (recall, color)) in (0..).zip(recalls.into_iter().zip(colors)) {
                cells.push(cell(row, seed, recall, color));
            }
        }
        differences(&cells)
    }

    #[test]
    fn an_interval_above_below_or_around_zero_decides() {
        // By seed +4, +5 and +6, and -10, -8 and -12; whatever the seed does to both does not count.
        let clear = compare(
            [[10.0, 50.0, 30.0], [14.0, 55.0, 36.0]],
            [[90, 60, 75], [80, 52, 63]],
        );
        // +1, -1 and +3.
        let unclear = compare([[10.0, 10.0, 10.0], [11.0, 9.0, 13.0]], [[50; 3], [50; 3]]);

        let recall = found(&clear, "R@1");
        assert_eq!((recall.row, recall.than), (ROWS[1], ROWS[0]));
        assert_eq!(recall.verdict, Verdict::Supported);
        // 5 and 4.303 / √3 to either side.
        assert_eq!(recall.to_string(), "R@1 +5.0 (+2.5 to +7.5)");
        assert_eq!(found(&clear, "color").verdict, Verdict::Contradicted);
        assert_eq!(found(&unclear, "R@1").verdict, Verdict::Undecided);
        let metrics: Vec<&str> = clear.iter().map(|one| one.metric.as_str()).collect();
        assert_eq!(
            metrics,
            ["R@1", "R@1 clip to text", "color", "cosine", "gap"]
        );
    }

    #[test]
    fn a_difference_that_is_the_same_of_each_seed_decides_nothing() {
        // One of 84 items less, each time from another share: the differences are equal but for rounding.
        let recalls = [[10.0, 50.0, 31.0], [9.0, 49.0, 30.0]].map(|found| found.map(of_84));

        let all = compare(recalls, [[50; 3], [60; 3]]);

        let recall = found(&all, "R@1");
        assert!(
            recall
                .by_seed
                .iter()
                .any(|one| one.to_bits() != recall.by_seed[0].to_bits())
        );
        assert_eq!(
            (recall.interval, recall.verdict),
            (None, Verdict::Undecided)
        );
        assert_eq!(recall.to_string(), "R@1 -1.2 (each seed the same)");
        assert_eq!(found(&all, "color").verdict, Verdict::Undecided);
    }

    fn of_84(items: f64) -> f64 {
        100.0 * items / 84.0
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
