//! What the full demonstration measured, as a report and as a table.

use clover_trainer::evaluate::{Evaluated, Figures, QuestionAccuracy};
use clover_trainer::report::{Report, RetrievalScores};

/// Puts what was measured into the report.
pub(super) fn add(report: &mut Report, name: &str, found: &Evaluated) {
    match &found.evaluation.figures {
        Figures::Retrieval(figures) => {
            let both = [
                ("text to video", &figures.text_to_video),
                ("video to text", &figures.video_to_text),
            ];
            report.retrieval.extend(both.map(|(direction, one)| {
                RetrievalScores::new(format!("{name}, {direction}"), one.metrics.clone())
            }));
        }
        Figures::Answers(figures) => {
            report
                .answers
                .push((name.to_owned(), figures.accuracy.clone()));
        }
    }
}

/// The table: each figure beside what needs no model.
pub(super) fn table(report: &Report) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<42}{:>10}{:>12}{:>10}",
        "in percent", "Clover", "chance", "constant"
    )];
    for scores in &report.retrieval {
        let name = format!("R@1, {}", scores.name);
        let (found, chance) = (scores.metrics.recall_at_1, scores.chance_recall[0]);
        lines.push(format!("{name:<42}{found:>10.1}{chance:>12.1}{:>10}", "-"));
    }
    for (name, accuracy) in &report.answers {
        let QuestionAccuracy {
            accuracy,
            chance,
            best_constant,
            ..
        } = accuracy;
        let [found, chance, constant] =
            [accuracy, chance, best_constant].map(|share| 100.0 * share);
        let name = format!("accuracy, {name}");
        lines.push(format!(
            "{name:<42}{found:>10.1}{chance:>12.1}{constant:>10.1}"
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use clover_trainer::metric::RetrievalMetrics;

    #[test]
    fn every_figure_stands_beside_chance() {
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
        let report = Report {
            retrieval: vec![RetrievalScores::new("zero-shot, text to video", metrics)],
            answers: vec![("open-ended-custom".to_owned(), accuracy)],
            ..Report::default()
        };

        let lines = table(&report);

        assert!(
            lines[1].contains("40.0") && lines[1].contains("0.5"),
            "{lines:?}"
        );
        assert!(
            lines[2].contains("75.0") && lines[2].ends_with("30.0"),
            "{lines:?}"
        );
    }
}
