//! Resampling a grid of values along one axis: linear or cubic, by half-pixel centres, as PyTorch's
//! `interpolate` with `align_corners=False`, antialiased or not.

/// PyTorch's constant of the cubic kernel.
const A: f64 = -0.75;
/// The same of its antialiased one, and of Pillow's.
const ANTIALIASED_A: f64 = -0.5;

/// How values between two grid points are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kernel {
    /// On the straight line between its two neighbours.
    Linear,
    /// From its four neighbours; two such axes make it bicubic.
    Cubic,
    /// As `Cubic` with another constant; a shorter axis is made of all old values that it stands for. Beyond the
    /// ends there is nothing.
    CubicAntialiased,
}

/// For each value of the new axis, which old values it is made of, and their shares.
fn taps(kernel: Kernel, from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    let last = from.saturating_sub(1);
    let taps = |place: usize| {
        // Of a new value's share of the axis, on which old ones have a length of one.
        let middle = (place as f64 + 0.5) * scale;
        match kernel {
            Kernel::Linear => {
                let centre = (middle - 0.5).max(0.0);
                let below = clamped(centre.floor(), last);
                let share = centre - centre.floor();
                vec![(below, 1.0 - share), ((below + 1).min(last), share)]
            }
            Kernel::Cubic => {
                let below = (middle - 0.5).floor();
                let t = middle - 0.5 - below;
                let shares = [t + 1.0, t, 1.0 - t, 2.0 - t].map(|distance| cubic(distance, A));
                let places = [-1.0, 0.0, 1.0, 2.0].map(|step| clamped(below + step, last));
                places.into_iter().zip(shares).collect()
            }
            Kernel::CubicAntialiased => {
                let stretch = scale.max(1.0);
                let [first, end] =
                    [-2.0, 2.0].map(|reach| clamped(middle + reach * stretch + 0.5, from));
                let distance = |place: usize| (place as f64 + 0.5 - middle).abs() / stretch;
                let share = |place| cubic(distance(place), ANTIALIASED_A);
                let sum: f64 = (first..end).map(share).sum();
                (first..end)
                    .map(|place| (place, share(place) / sum))
                    .collect()
            }
        }
    };
    (0..to).map(taps).collect()
}

/// A place on the axis; beyond its ends stand the outermost values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the axis first"
)]
fn clamped(place: f64, last: usize) -> usize {
    place.clamp(0.0, last as f64) as usize
}

/// The cubic kernel with the constant `a`, at a distance of two at most.
fn cubic(x: f64, a: f64) -> f64 {
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    }
}

/// Values in the shape `[outer, from, inner]` brought to `[outer, to, inner]`.
pub(super) fn resample(
    values: &[f32],
    [outer, from, inner]: [usize; 3],
    to: usize,
    kernel: Kernel,
) -> Vec<f32> {
    if from == to {
        return values.to_vec();
    }
    // A table without a row says nothing about others.
    if from * inner == 0 {
        return Vec::new();
    }
    let taps = taps(kernel, from, to);
    let mut resampled = Vec::with_capacity(outer * to * inner);
    for block in values.chunks(from * inner) {
        for shares in &taps {
            for place in 0..inner {
                let sum: f64 = shares
                    .iter()
                    .map(|(row, share)| f64::from(block[row * inner + place]) * share)
                    .sum();
                resampled.push(narrowed(sum));
            }
        }
    }
    resampled
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "sums are formed in 64 bits and kept in 32"
)]
fn narrowed(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
        let close = |(a, b): (&f32, &f32)| (a - b).abs() < tolerance;
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(close),
            "{found:?} is not {expected:?}"
        );
    }

    #[test]
    fn a_line_of_three_becomes_one_of_five() {
        // Centres at -0.2, 0.4, 1.0, 1.6 and 2.2 of the old axis.
        let longer = resample(&[0.0, 10.0, 20.0], [1, 3, 1], 5, Kernel::Linear);

        let expected = [0.0, 4.0, 10.0, 16.0, 20.0];
        assert_close(&longer, &expected, 1e-5);
    }

    #[test]
    fn the_cubic_kernel_is_that_of_pytorch() {
        // interpolate(tensor([0., 1., 4., 9.]).view(1, 1, 4, 1), (2, 1), mode="bicubic")
        let shorter = resample(&[0.0, 1.0, 4.0, 9.0], [1, 4, 1], 2, Kernel::Cubic);

        // Centres at 0.5 and 2.5: -3/32, 19/32, 19/32, -3/32 of their four neighbours.
        let shares = |around: [f32; 4]| {
            (-3.0 * around[0] + 19.0 * around[1] + 19.0 * around[2] - 3.0 * around[3]) / 32.0
        };
        let expected = [shares([0.0, 0.0, 1.0, 4.0]), shares([1.0, 4.0, 9.0, 9.0])];
        assert_close(&shorter, &expected, 1e-6);
    }

    #[test]
    fn an_antialiased_axis_is_made_of_all_that_it_stands_for() {
        let shorter = resample(
            &[0.0, 1.0, 4.0, 9.0],
            [1, 4, 1],
            2,
            Kernel::CubicAntialiased,
        );

        // Centres at 1 and 3 of cells of length one; distances of 1/4, 1/4, 3/4 and 5/4 of the kernel's unit give
        // 111/128, 111/128, 29/128 and -9/128, made to sum to one.
        let shares = |near: f32, next: f32, third: f32, far: f32| {
            (111.0 * (near + next) + 29.0 * third - 9.0 * far) / 242.0
        };
        let expected = [shares(0.0, 1.0, 4.0, 9.0), shares(9.0, 4.0, 1.0, 0.0)];
        assert_close(&shorter, &expected, 1e-6);
        let longer = resample(&[5.0, 5.0, 5.0], [1, 3, 1], 7, Kernel::CubicAntialiased);
        assert_close(&longer, &[5.0; 7], 1e-6);
    }

    #[test]
    fn one_value_is_repeated_and_the_other_axes_stay_apart() {
        let repeated = resample(&[1.0, 2.0], [1, 1, 2], 3, Kernel::Linear);

        assert_eq!(repeated, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    }
}
