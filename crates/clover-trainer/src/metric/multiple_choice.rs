//! Accuracy: the best-scored candidate is the answer.

use super::scores::{UnitRows, dot};
use crate::error::TrainerError;

/// The fraction, zero to one, of clips whose own text has the highest cosine of its candidates.
///
/// `video` holds one row of `dim` values a clip, `text` `candidates` rows a clip, clip by clip, and
/// `labels` the right candidate of each clip. The first of equal scores wins.
///
/// # Errors
///
/// Fails if there is no clip, the lengths do not fit together, a label is out of range, or an
/// embedding is not finite.
pub fn multiple_choice_accuracy(
    video: &[f32],
    text: &[f32],
    dim: usize,
    candidates: usize,
    labels: &[usize],
) -> Result<f64, TrainerError> {
    let video = UnitRows::new("video", video, dim)?;
    let text = UnitRows::new("text", text, dim)?;
    if text.len() != video.len() * candidates {
        return Err(TrainerError::EmbeddingsLength {
            what: "text",
            values: text.len() * dim,
            expected: video.len() * candidates * dim,
        });
    }
    let scores: Vec<f32> = (0..text.len())
        .map(|row| dot(text.row(row), video.row(row / candidates)))
        .collect();
    accuracy(&scores, candidates, labels)
}

/// The fraction, zero to one, of rows of `scores` whose highest score is at the row's label.
///
/// Each row has `classes` scores. The first of equal scores wins.
///
/// # Errors
///
/// Fails if there is no row, `scores` is not one row a label, a label is out of range, or a score is
/// not a number.
pub fn accuracy(scores: &[f32], classes: usize, labels: &[usize]) -> Result<f64, TrainerError> {
    if labels.is_empty() || classes == 0 {
        return Err(TrainerError::NothingToEvaluate);
    }
    if scores.len() != labels.len() * classes {
        return Err(TrainerError::EmbeddingsLength {
            what: "score",
            values: scores.len(),
            expected: labels.len() * classes,
        });
    }
    let mut right = 0;
    for (row, (scores, &label)) in scores.chunks_exact(classes).zip(labels).enumerate() {
        if label >= classes {
            return Err(TrainerError::CandidateOutOfRange {
                item: row,
                candidate: label,
                candidates: classes,
            });
        }
        if scores.iter().any(|score| score.is_nan()) {
            return Err(TrainerError::NotFinite { what: "score", row });
        }
        right += usize::from(first_highest(scores) == label);
    }
    Ok(right as f64 / labels.len() as f64)
}

/// The first of the highest scores; none of them is not a number.
pub(crate) fn first_highest(scores: &[f32]) -> usize {
    let mut best = 0;
    for (candidate, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = candidate;
        }
    }
    best
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_highest_cosine_is_chosen_and_length_does_not_matter() {
        let video = [1.0, 0.0, 0.0, 1.0];
        // The second clip's wrong text is ten times longer than its own.
        let text = [2.0, 0.0, 0.0, 1.0, 10.0, 9.0, 0.0, 1.0];

        let share = multiple_choice_accuracy(&video, &text, 2, 2, &[0, 1]).expect("an accuracy");

        assert_eq!(share, 1.0);
    }

    #[test]
    fn accuracy_is_the_share_of_right_rows() {
        let scores = [0.1, 0.9, 0.7, 0.3, 0.5, 0.5, 0.0, 1.0];

        assert_eq!(
            accuracy(&scores, 2, &[1, 0, 1, 0]).expect("an accuracy"),
            0.5
        );
    }

    #[test]
    fn a_label_out_of_range_is_an_error() {
        let error = accuracy(&[0.1, 0.9], 2, &[2]).expect_err("no third candidate");

        assert_eq!(error.to_string(), "item 0 names the candidate 2, of 2");
    }

    #[test]
    fn a_score_that_is_not_a_number_is_an_error() {
        assert!(accuracy(&[0.1, f32::NAN], 2, &[0]).is_err());
    }

    #[test]
    fn nothing_to_evaluate_is_an_error() {
        assert!(multiple_choice_accuracy(&[], &[], 2, 5, &[]).is_err());
    }
}
