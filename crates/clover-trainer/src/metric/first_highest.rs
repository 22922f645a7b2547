//! The answer among scores: the highest, and of equal ones the first.

/// The number of the first of the highest scores; none of them is not a number.
#[must_use]
pub fn first_highest(scores: &[f32]) -> usize {
    let mut best = 0;
    for (candidate, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = candidate;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_equal_scores_the_first_is_chosen() {
        assert_eq!(first_highest(&[0.1, 0.5, 0.5, -1.0]), 1);
    }
}
