//! Which items a page shows: those at either end.

use super::predictions::{AnsweredPrediction, Prediction};

/// Items shown at either end.
const SHOWN: usize = 6;

/// The best items and the worst ones, worst first.
pub(crate) fn ends<'a, T>(all: &'a [&'a T]) -> [(&'static str, Vec<&'a T>); 2] {
    let shown = SHOWN.min(all.len());
    let worst = all[all.len() - shown..].iter().rev().copied();
    [("Best", all[..shown].to_vec()), ("Worst", worst.collect())]
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
    fn the_worst_come_first_among_the_worst() {
        let numbers: Vec<usize> = (0..10).collect();
        let all: Vec<&usize> = numbers.iter().collect();

        let [(_, best), (_, worst)] = ends(&all);

        assert_eq!(best, [&0, &1, &2, &3, &4, &5]);
        assert_eq!(worst, [&9, &8, &7, &6, &5, &4]);
    }
}
