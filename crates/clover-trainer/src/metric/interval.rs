//! Intervals that follow from a formula: of a share that was counted, and of a mean over a few runs.

use super::Interval;

/// The normal distribution has 95 % of its weight within so many deviations.
const NORMAL: f64 = 1.959_963_985;

/// Student's distribution has 95 % of its weight within so many deviations, of 1 to 30 degrees of freedom.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
];

/// The 95 % interval of a share, of which `correct` of `total` were counted. Wilson, "Probable Inference, the
/// Law of Succession, and Statistical Inference" (1927): unlike the normal one it stays between 0 and 1, and
/// has a width where all are correct. Of none counted it is all there is.
///
/// ```text
/// (p + z² / 2n ± z √(p (1 - p) / n + z² / 4n²)) / (1 + z² / n)
/// ```
#[must_use]
pub fn share_interval(correct: usize, total: usize) -> Interval {
    if total == 0 {
        return [0.0, 1.0];
    }
    let (count, square) = (total as f64, NORMAL * NORMAL);
    let share = correct as f64 / count;
    let middle = share + square / (2.0 * count);
    let spread = share * (1.0 - share) / count + square / (4.0 * count * count);
    let half = NORMAL * spread.sqrt();
    let [low, high] = [middle - half, middle + half].map(|bound| bound / (1.0 + square / count));
    // Exactly the ends where none or all are correct, which rounding would miss.
    [
        if correct == 0 { 0.0 } else { low.max(0.0) },
        if correct == total { 1.0 } else { high.min(1.0) },
    ]
}

/// The 95 % interval of the mean of what runs gave that differ in their seed alone: Student's, of at least two
/// values. More than 31 are taken for 31, which makes it a little wider.
#[must_use]
pub fn seeds_interval(values: &[f64]) -> Option<Interval> {
    let freedom = values.len().checked_sub(1)?;
    let deviations = STUDENT.get(freedom.checked_sub(1)?.min(STUDENT.len() - 1))?;
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let half = deviations * (squares / (freedom as f64 * count)).sqrt();
    Some([mean - half, mean + half])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: Interval, expected: Interval) {
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 5e-4;
        assert!(found.iter().zip(&expected).all(close), "{found:?}");
    }

    #[test]
    fn shares_are_as_far_off_as_by_hand() {
        // z² is 3.8415. Of 8 of 10: (0.8 + 0.19207 ± 1.96 √(0.016 + 0.0096036)) / 1.38415.
        assert_close(share_interval(8, 10), [0.4902, 0.9433]);
        // Of all 96: (1 + 0.020008 ± 0.020008) / 1.040015.
        assert_close(share_interval(96, 96), [0.9615, 1.0]);
        assert_close(share_interval(0, 96), [0.0, 0.0385]);
        // Half is in the middle.
        assert_close(share_interval(50, 100), [0.4038, 0.5962]);
        assert_close(share_interval(0, 0), [0.0, 1.0]);
    }

    #[test]
    fn three_seeds_leave_a_mean_wide_open() {
        // A mean of 3, a deviation of 1: 3 ± 4.303 / √3.
        let three = seeds_interval(&[2.0, 3.0, 4.0]);
        assert_close(three.unwrap(), [0.5156, 5.4844]);
        // The same deviation of two: 3 ± 12.706 / √2.
        let two = seeds_interval(&[3.0 - 0.5_f64.sqrt(), 3.0 + 0.5_f64.sqrt()]);
        assert_close(two.unwrap(), [3.0 - 8.9845, 3.0 + 8.9845]);

        assert_eq!([&[][..], &[1.0]].map(seeds_interval), [None, None]);
        assert!(seeds_interval(&[1.0; 100]).is_some());
    }
}
