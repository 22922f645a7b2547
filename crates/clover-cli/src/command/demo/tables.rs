//! What the demonstration measured, each beside what needs no model.

use clover_trainer::report::{Report, SkillScores};

/// What the last column tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastColumn {
    /// Which share of questions the best fixed answer is right for.
    BestFixed,
    /// The 95 % interval of what Clover has.
    Interval,
}

/// What came of it, in a line.
pub(super) fn summary(report: &Report) -> String {
    let retrieval = report.retrieval.iter().step_by(2).map(|scores| {
        let (found, chance) = (scores.metrics.recall_at_1, scores.chance_recall[0]);
        format!("{found:.1} % {} (chance {chance:.1} %)", scores.name)
    });
    let answers = report.answers.iter().map(|(name, accuracy)| {
        let [found, chance] = [accuracy.accuracy, accuracy.chance].map(|share| 100.0 * share);
        format!("{found:.1} % {name} (chance {chance:.1} %)")
    });
    let all: Vec<_> = retrieval.chain(answers).collect();
    format!(
        "First ranks and right answers on clips that were held out: {}.",
        all.join("; ")
    )
}

/// The table in at most 80 columns.
pub(super) fn score_lines(report: &Report, last: LastColumn) -> Vec<String> {
    let (title, width) = match last {
        LastColumn::BestFixed => ("best fixed", 12),
        LastColumn::Interval => ("95 % interval", 16),
    };
    let line = |name: &str, cells: [String; 3]| {
        let [found, chance, last] = cells;
        format!("{name:<46}{found:>9}{chance:>9}{last:>width$}")
    };
    let head = ["Clover", "chance", title].map(str::to_owned);
    let mut lines = vec![line("in percent", head)];
    let percent = |value: f64| format!("{value:.1}");
    for scores in &report.retrieval {
        let metrics = &scores.metrics;
        let recalls = [
            metrics.recall_at_1,
            metrics.recall_at_5,
            metrics.recall_at_10,
        ];
        for (place, found) in recalls.into_iter().enumerate() {
            let name = format!("R@{}, {}", [1, 5, 10][place], scores.name);
            let [low, high] = scores.recall_intervals[place];
            let last = match last {
                LastColumn::BestFixed => String::new(),
                LastColumn::Interval => format!("{low:.1} to {high:.1}"),
            };
            let chance = scores.chance_recall[place];
            lines.push(line(&name, [percent(found), percent(chance), last]));
        }
    }
    for (name, accuracy) in &report.answers {
        let shares = [accuracy.accuracy, accuracy.chance, accuracy.best_constant];
        let name = format!("accuracy, {name}");
        lines.push(line(&name, shares.map(|share| percent(100.0 * share))));
    }
    for row in SkillScores::table(&report.skills) {
        let [name, models @ .., pairs] = &row[..] else {
            continue;
        };
        let models: String = models.iter().map(|cell| format!("{cell:>24}")).collect();
        lines.push(format!("{name:<22}{models}{pairs:>8}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use clover_trainer::evaluate::{QuestionAccuracy, SkillAccuracy};
    use clover_trainer::metric::RetrievalMetrics;
    use clover_trainer::report::RetrievalScores;

    #[test]
    fn every_metric_stands_beside_chance() {
        let metrics = RetrievalMetrics {
            recall_at_1: 40.0,
            recall_at_5: 60.0,
            recall_at_10: 80.0,
            median_rank: 2.0,
            mean_rank: 3.0,
            queries: 200,
            candidates: 200,
        };
        let accuracy = QuestionAccuracy {
            accuracy: 0.75,
            questions: 8,
            outside_the_list: 0.0,
            chance: 0.2,
            best_constant: 0.3,
            skipped: 0,
        };
        let skills = vec![SkillAccuracy::new("direction", [100, 0, 100])];
        let models = ["zero-shot", "fine-tuned"].map(|name| SkillScores {
            name: name.to_owned(),
            skills: skills.clone(),
        });
        let report = Report {
            skills: models.into(),
            retrieval: vec![RetrievalScores::new("zero-shot, text to video", metrics)],
            answers: vec![("multiple-choice-custom".to_owned(), accuracy)],
            ..Report::default()
        };

        let lines = score_lines(&report, LastColumn::BestFixed);
        let with_intervals = score_lines(&report, LastColumn::Interval);

        for line in lines.iter().chain(&with_intervals) {
            assert!(line.len() <= 80, "{line}");
        }
        // Wilson's of 80 of 200.
        assert!(
            with_intervals[1].ends_with("33.5 to 46.9"),
            "{with_intervals:?}"
        );
        assert!(
            lines[1].contains("40.0") && lines[1].contains("0.5"),
            "{lines:?}"
        );
        assert!(
            lines[4].contains("75.0") && lines[4].ends_with("30.0"),
            "{lines:?}"
        );
        assert!(
            lines[6].starts_with("direction") && lines[6].contains("100.0 (96.3 to 100.0)"),
            "{lines:?}"
        );
        let expected = "40.0 % zero-shot, text to video (chance 0.5 %); 75.0 % multiple-choice-custom \
                        (chance 20.0 %).";
        assert!(summary(&report).ends_with(expected), "{}", summary(&report));
    }
}
