//! Metrics in words, with what must be known to compare them.

use clover_trainer::evaluate::{Direction, Evaluated, TaskMetrics};
use clover_trainer::metric::RetrievalMetrics;
use clover_trainer::report::RetrievalScores;

/// The metrics in one line.
pub(crate) fn in_a_line(metrics: &TaskMetrics) -> String {
    match metrics {
        TaskMetrics::Retrieval(metrics) => {
            let [texts, clips] = [&metrics.text_to_video, &metrics.video_to_text];
            format!(
                "text to video {}; video to text {}",
                ranks(&texts.metrics),
                ranks(&clips.metrics)
            )
        }
        TaskMetrics::Answers(metrics) => {
            let accuracy = &metrics.accuracy;
            format!(
                "accuracy {:.1} % of {} questions",
                100.0 * accuracy.accuracy,
                accuracy.questions
            )
        }
    }
}

/// What was measured, on what, and over how much.
pub(super) fn protocol(found: &Evaluated) -> Vec<String> {
    let evaluation = &found.evaluation;
    let (task, split, data) = (&evaluation.task, &evaluation.split, &evaluation.data);
    let mut lines = vec![format!(
        "{task}, {split} split: {} items of {data}, {} rows of it unusable, {} items skipped",
        evaluation.items,
        evaluation.unusable_rows,
        evaluation.skipped.len()
    )];
    for item in evaluation.skipped.iter().take(10) {
        lines.push(format!("  skipped {}: {}", item.name, item.reason));
    }
    match &evaluation.metrics {
        TaskMetrics::Retrieval(metrics) => {
            let kind = if found.fine_tuned {
                "fine-tuned"
            } else {
                "zero-shot"
            };
            let both = [
                ("text to video", &metrics.text_to_video),
                ("video to text", &metrics.video_to_text),
            ];
            lines.extend(both.map(|(name, one)| format!("{kind}, {name}: {}", direction(one))));
            if let Some([texts, clips]) = &metrics.dual_softmax {
                lines.push(format!(
                    "with dual-softmax re-ranking, which sees all queries at once: text to video {}; \
                     video to text {}",
                    ranks(texts),
                    ranks(clips)
                ));
            }
            if metrics.repeated_texts > 0 {
                lines.push(format!(
                    "{} texts are also those of another clip, which no ranking can tell apart",
                    metrics.repeated_texts
                ));
            }
        }
        TaskMetrics::Answers(metrics) => {
            let accuracy = &metrics.accuracy;
            let [low, high] = metrics.interval.map(|bound| 100.0 * bound);
            let how = match (&found.attention, found.fine_tuned) {
                (Some(_), _) => "",
                (None, true) => "by similarity, ",
                (None, false) => "zero-shot, by similarity: ",
            };
            lines.push(format!(
                "{how}accuracy {:.1} % over all {} questions (95 % interval {low:.1} to {high:.1}); {:.1} % \
                 of them have no answer in the list and count as wrong; chance {:.1} %, best constant \
                 answer {:.1} %",
                100.0 * accuracy.accuracy,
                accuracy.questions,
                100.0 * accuracy.outside_the_list,
                100.0 * accuracy.chance,
                100.0 * accuracy.best_constant
            ));
        }
    }
    lines.push(format!(
        "{:.1} clips a second, {:.0} % of the time waiting for them to be read",
        evaluation.clips_per_second,
        100.0 * evaluation.waiting_share
    ));
    lines
}

fn direction(one: &Direction) -> String {
    let [first, fifth, tenth, median] = [
        one.intervals.recall_at_1,
        one.intervals.recall_at_5,
        one.intervals.recall_at_10,
        one.intervals.median_rank,
    ]
    .map(|[low, high]| format!("{low:.1}-{high:.1}"));
    let metrics = &one.metrics;
    format!(
        "R@1 {:.1} ({first}), R@5 {:.1} ({fifth}), R@10 {:.1} ({tenth}), median rank {:.1} ({median}), \
         mean rank {:.1}; {} queries among {} candidates, 95 % intervals; {}",
        metrics.recall_at_1,
        metrics.recall_at_5,
        metrics.recall_at_10,
        metrics.median_rank,
        metrics.mean_rank,
        metrics.queries,
        metrics.candidates,
        by_chance(metrics)
    )
}

/// What a random order has.
fn by_chance(metrics: &RetrievalMetrics) -> String {
    let scores = RetrievalScores::new("", metrics.clone());
    let [first, fifth, tenth] = scores.chance_recall;
    format!(
        "chance R@1 {first:.1}, R@5 {fifth:.1}, R@10 {tenth:.1}, median rank {:.1}",
        scores.chance_median_rank
    )
}

/// Recall and rank, short.
pub(super) fn ranks(metrics: &RetrievalMetrics) -> String {
    format!(
        "R@1 {:.1}, R@5 {:.1}, R@10 {:.1}, median rank {}",
        metrics.recall_at_1, metrics.recall_at_5, metrics.recall_at_10, metrics.median_rank
    )
}
