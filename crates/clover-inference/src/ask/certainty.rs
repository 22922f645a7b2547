//! Whether an answer stands out from the others, or the model hardly prefers it.

/// How much more probable than the second the best answer must be.
const OVER_SECOND: f64 = 1.5;
/// How far the best one's probability must lie on the way from that of a blind guess to 1.
const OVER_GUESS: f64 = 0.25;

/// Tells whether the first of some probabilities, which fall and sum to 1, stands out.
///
/// ```text
/// p1 >= 1.5 p2   and   (p1 - 1/n) / (1 - 1/n) >= 0.25
/// ```
///
/// The first refuses a choice between two equals, the second one that is only the least improbable of
/// many: among 1,000 answers the best must have a quarter of all. A single answer was chosen from nothing
/// and is never sure.
pub(super) fn is_sure(mut falling: impl ExactSizeIterator<Item = f64>) -> bool {
    let answers = falling.len();
    let (Some(best), Some(second)) = (falling.next(), falling.next()) else {
        return false;
    };
    let guess = 1.0 / answers as f64;
    best >= OVER_SECOND * second && best - guess >= OVER_GUESS * (1.0 - guess)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure(probabilities: &[f64]) -> bool {
        is_sure(probabilities.iter().copied())
    }

    #[test]
    fn of_two_answers_the_best_must_have_five_eighths() {
        assert!(sure(&[0.625, 0.375]));
        assert!(!sure(&[0.6249, 0.3751]));
    }

    #[test]
    fn the_second_may_have_at_most_two_thirds_of_the_best() {
        // Both are far above a guess among five.
        assert!(sure(&[0.5625, 0.375, 0.0625, 0.0, 0.0]));
        assert!(!sure(&[0.5624, 0.375, 0.0626, 0.0, 0.0]));
    }

    #[test]
    fn the_least_improbable_of_many_is_not_sure() {
        // A guess among 1,000 has 0.001: a quarter of the rest above it is 0.25075.
        let of_thousand = |best: f64| {
            let rest = (1.0 - best) / 999.0;
            let all: Vec<f64> = std::iter::once(best).chain([rest; 999]).collect();
            sure(&all)
        };

        assert!(of_thousand(0.2508));
        assert!(!of_thousand(0.2507));
    }

    #[test]
    fn equals_a_single_answer_and_none_are_not_sure() {
        assert!(!sure(&[0.2; 5]));
        assert!(!sure(&[1.0]));
        assert!(!sure(&[]));
    }
}
