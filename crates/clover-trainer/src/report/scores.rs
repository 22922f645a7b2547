//! Tables of metrics, each beside what needs no model.

use serde::Serialize;

use super::Page;
use crate::evaluate::{QuestionAccuracy, SkillAccuracy};
use crate::metric::{Interval, RankIntervals, RetrievalMetrics, share_interval};

/// One direction of retrieval. Recalls are in percent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetrievalScores {
    /// The direction: `text to video`.
    pub name: String,
    /// What was measured.
    pub metrics: RetrievalMetrics,
    /// Wilson's 95 % intervals of the recall at 1, 5 and 10. They take queries for independent: several captions of
    /// a clip are not quite.
    pub recall_intervals: [Interval; 3],
    /// The recall at 1, 5 and 10 of a random order.
    pub chance_recall: [f64; 3],
    /// The median rank of a random order.
    pub chance_median_rank: f64,
}

/// What a model tells apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SkillScores {
    /// The model: `zero-shot`.
    pub name: String,
    /// Pairs that are told apart, by skill.
    pub skills: Vec<SkillAccuracy>,
}

impl SkillScores {
    /// A table of models that were measured on the same pairs: a skill a row, a model a column with its 95 %
    /// interval, all in percent, and how many pairs there are. The first row is the head, the last one chance;
    /// no row where nothing was measured.
    #[must_use]
    pub fn table(models: &[Self]) -> Vec<Vec<String>> {
        let Some(first) = models.first().filter(|first| !first.skills.is_empty()) else {
            return Vec::new();
        };
        let row = |name: &str, cells: Vec<String>, pairs: String| {
            let cells = [name.to_owned()].into_iter().chain(cells);
            cells.chain([pairs]).collect::<Vec<_>>()
        };
        let names = models.iter().map(|model| model.name.clone());
        let mut rows = vec![row(
            "pairs told apart, %",
            names.collect(),
            "pairs".to_owned(),
        )];
        for SkillAccuracy { skill, total, .. } in &first.skills {
            let cells = models.iter().map(|model| {
                let found = model.skills.iter().find(|one| one.skill == *skill);
                found.map_or_else(String::new, |one| {
                    let interval = one.interval.map(|bound| 100.0 * bound);
                    with_interval(100.0 * one.accuracy, Some(interval))
                })
            });
            rows.push(row(skill, cells.collect(), total.to_string()));
        }
        let chance = vec!["50.0".to_owned(); models.len()];
        rows.push(row("chance", chance, String::new()));
        rows
    }
}

impl RetrievalScores {
    /// Puts chance beside metrics: of `n` candidates, of which one is right, a random order has the
    /// right one among the first `k` in `k / n` of all cases, and in the middle at the median.
    #[must_use]
    pub fn new(name: impl Into<String>, metrics: RetrievalMetrics) -> Self {
        let candidates = metrics.candidates.max(1) as f64;
        let recalls = [
            metrics.recall_at_1,
            metrics.recall_at_5,
            metrics.recall_at_10,
        ];
        let interval = |recall: f64| {
            let found = (recall / 100.0 * metrics.queries as f64).round() as usize;
            share_interval(found, metrics.queries).map(|share| 100.0 * share)
        };
        Self {
            name: name.into(),
            recall_intervals: recalls.map(interval),
            chance_recall: [1.0, 5.0, 10.0].map(|k: f64| 100.0 * (k / candidates).min(1.0)),
            chance_median_rank: f64::midpoint(candidates, 1.0),
            metrics,
        }
    }
}

impl Page {
    /// Adds a table of retrieval, with the 95 % intervals that are given, or else Wilson's of recalls, and a line of
    /// chance below the rows it belongs to; nothing where there are no rows.
    pub(super) fn retrieval(&mut self, rows: &[(RetrievalScores, Option<RankIntervals>)]) {
        if rows.is_empty() {
            return;
        }
        let mut cells = Vec::new();
        for (place, (scores, intervals)) in rows.iter().enumerate() {
            cells.push(scores.cells(intervals.as_ref()));
            let next = rows.get(place + 1);
            if next.is_none_or(|(next, _)| next.metrics.candidates != scores.metrics.candidates) {
                cells.push(scores.cells_of_chance());
            }
        }
        let head = [
            "",
            "R@1, %",
            "R@5, %",
            "R@10, %",
            "median rank",
            "mean rank",
            "queries",
            "candidates",
        ];
        self.table(&head, &cells);
    }

    /// Adds a table of question answering, with 95 % intervals where they are known; nothing where there
    /// are no rows.
    pub(super) fn answers(&mut self, rows: &[(&str, &QuestionAccuracy, Option<Interval>)]) {
        if rows.is_empty() {
            return;
        }
        let cells = rows.iter().map(|(name, accuracy, interval)| {
            let percent = |share: f64| format!("{:.1}", 100.0 * share);
            let interval = interval.map(|bounds| bounds.map(|share| 100.0 * share));
            vec![
                (*name).to_owned(),
                with_interval(100.0 * accuracy.accuracy, interval),
                percent(accuracy.chance),
                percent(accuracy.best_constant),
                percent(accuracy.outside_the_list),
                accuracy.questions.to_string(),
            ]
        });
        let head = [
            "",
            "accuracy, %",
            "chance, %",
            "best constant answer, %",
            "answer not in the list, %",
            "questions",
        ];
        self.table(&head, &cells.collect::<Vec<_>>());
    }
}

impl Page {
    /// Adds the [table](SkillScores::table) of what models tell apart; nothing where nothing was measured.
    pub(super) fn skills(&mut self, models: &[SkillScores]) {
        if let [head, rows @ ..] = &SkillScores::table(models)[..] {
            let head: Vec<&str> = head.iter().map(String::as_str).collect();
            self.table(&head, rows);
        }
    }
}

impl RetrievalScores {
    fn cells(&self, intervals: Option<&RankIntervals>) -> Vec<String> {
        let metrics = &self.metrics;
        let [first, fifth, tenth] = intervals.map_or(self.recall_intervals, |all| {
            [all.recall_at_1, all.recall_at_5, all.recall_at_10]
        });
        vec![
            self.name.clone(),
            with_interval(metrics.recall_at_1, Some(first)),
            with_interval(metrics.recall_at_5, Some(fifth)),
            with_interval(metrics.recall_at_10, Some(tenth)),
            with_interval(metrics.median_rank, intervals.map(|all| all.median_rank)),
            format!("{:.1}", metrics.mean_rank),
            metrics.queries.to_string(),
            metrics.candidates.to_string(),
        ]
    }

    fn cells_of_chance(&self) -> Vec<String> {
        let middle = format!("{:.1}", self.chance_median_rank);
        let mut cells = vec!["chance".to_owned()];
        cells.extend(self.chance_recall.map(|recall| format!("{recall:.1}")));
        cells.extend([middle.clone(), middle, String::new()]);
        cells.push(self.metrics.candidates.to_string());
        cells
    }
}

fn with_interval(value: f64, interval: Option<Interval>) -> String {
    match interval {
        Some([low, high]) => format!("{value:.1} ({low:.1} to {high:.1})"),
        None => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(name: &str) -> RetrievalScores {
        let metrics = RetrievalMetrics {
            recall_at_1: 40.0,
            recall_at_5: 60.0,
            recall_at_10: 80.0,
            median_rank: 2.0,
            mean_rank: 3.0,
            queries: 20,
            candidates: 20,
        };
        RetrievalScores::new(name, metrics)
    }

    #[test]
    fn rows_of_as_many_candidates_share_a_line_of_chance() {
        let intervals = RankIntervals {
            recall_at_1: [30.0, 50.0],
            recall_at_5: [50.0, 70.0],
            recall_at_10: [70.0, 90.0],
            median_rank: [1.0, 4.0],
        };
        let mut page = Page::new("");

        page.retrieval(&[(scores("there"), Some(intervals)), (scores("back"), None)]);

        let page = page.finish();
        assert!(page.contains(">40.0 (30.0 to 50.0)</td>"), "{page}");
        // Wilson's of 8 of 20, by hand: (0.4 + 0.09604 ± 1.96 √(0.012 + 0.002401)) / 1.19207.
        assert!(page.contains(">40.0 (21.9 to 61.3)</td>"), "{page}");
        assert_eq!(page.matches("<td>chance</td>").count(), 1);
        assert!(page.contains(">10.5</td>"));
    }

    #[test]
    fn what_is_told_apart_stands_beside_what_another_model_does() {
        let model = |name: &str, counts: &[(&str, usize)]| SkillScores {
            name: name.to_owned(),
            skills: counts
                .iter()
                .map(|&(skill, correct)| SkillAccuracy::new(skill, [correct, 0, 10]))
                .collect(),
        };
        let zero_shot = model("zero-shot", &[("color", 8), ("shape", 10)]);
        let tuned = model("fine-tuned", &[("shape", 5)]);

        let rows = SkillScores::table(&[zero_shot, tuned]);

        let expected = [
            ["pairs told apart, %", "zero-shot", "fine-tuned", "pairs"],
            ["color", "80.0 (49.0 to 94.3)", "", "10"],
            [
                "shape",
                "100.0 (72.2 to 100.0)",
                "50.0 (23.7 to 76.3)",
                "10",
            ],
            ["chance", "50.0", "50.0", ""],
        ];
        assert_eq!(rows, expected.map(|row| row.map(str::to_owned).to_vec()));
        assert!(SkillScores::table(&[model("none", &[])]).is_empty());
    }

    #[test]
    fn chance_among_twenty() {
        let scores = scores("text to video");

        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let expected = [5.0, 25.0, 50.0];
        assert!(
            scores
                .chance_recall
                .iter()
                .zip(expected)
                .all(|(a, b)| close(*a, b))
        );
        assert!(close(scores.chance_median_rank, 10.5));
    }
}
