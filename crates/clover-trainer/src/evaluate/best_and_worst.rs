//! Which items a page shows: the best of the right ones and the worst of the wrong ones.

use super::predictions::{AnsweredPrediction, Prediction};

/// Items shown of each.
const SHOWN: usize = 6;

/// Of items from the best to the worst: the first that are right, and the last that are wrong, the worst
/// of them first.
pub(crate) fn best_and_worst<'a, T>(
    ordered: &[&'a T],
    is_right: impl Fn(&T) -> bool,
) -> [Vec<&'a T>; 2] {
    let right = ordered.iter().filter(|item| is_right(item));
    let wrong = ordered.iter().rev().filter(|item| !is_right(item));
    [
        right.take(SHOWN).copied().collect(),
        wrong.take(SHOWN).copied().collect(),
    ]
}

/// Questions by the probability of their right answer, highest first.
pub(crate) fn by_probability(predictions: &[Prediction]) -> Vec<&AnsweredPrediction> {
    let answered = predictions.iter().filter_map(|one| match one {
        Prediction::Answered(one) => Some(one),
        Prediction::Ranked(_) => None,
    });
    let mut all: Vec<_> = answered.collect();
    all.sort_by(|a, b| b.truth_probability.total_cmp(&a.truth_probability));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_right_and_the_worst_are_wrong() {
        let numbers: Vec<usize> = (0..20).collect();
        let all: Vec<&usize> = numbers.iter().collect();

        let [best, worst] = best_and_worst(&all, |number| number % 2 == 0);

        assert_eq!(best, [&0, &2, &4, &6, &8, &10]);
        assert_eq!(worst, [&19, &17, &15, &13, &11, &9]);
    }

    #[test]
    fn where_all_are_right_none_is_the_worst() {
        let [best, worst] = best_and_worst(&[&1, &2], |_| true);

        assert_eq!((best.len(), worst.len()), (2, 0));
    }
}
