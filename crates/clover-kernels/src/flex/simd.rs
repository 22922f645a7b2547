//! Vectorised elementary functions.

use pulp::{Arch, Simd, WithSimd};

/// Runs a piece of work with the best instruction set of this machine.
///
/// Every parallel task calls this itself: the choice does not cross into another thread's closure.
pub(crate) fn vectorized<W: WithSimd>(work: W) -> W::Output {
    Arch::new().dispatch(work)
}

/// `exp(x)` with a relative error below 2e-7; arguments below -87 give 0.
///
/// Numbers smaller than that have no leading bit. Many processors take a hundred times as long for
/// a product with one, so the weights of masked keys must not be such numbers.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Adding this leaves the nearest integer in the low bits of the sum.
    const ROUND: f32 = 12_582_912.0;
    // ln(2) in two parts, so that n * ln(2) is exact enough for large n.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Cephes' expf: exp(r) = 1 + r + r^2 * P(r) on [-ln(2)/2, ln(2)/2].
    const P: [f32; 6] = [
        1.987_569_1e-4,
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_6e-1,
        0.5,
    ];

    let smallest = simd.splat_f32s(-87.0);
    let vanishes = simd.less_than_f32s(x, smallest);
    let x = simd.max_f32s(x, smallest);
    let x = simd.min_f32s(x, simd.splat_f32s(88.0));
    let round = simd.splat_f32s(ROUND);
    let shifted = simd.mul_add_e_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), round);
    let n = simd.sub_f32s(shifted, round);
    let r = simd.negate_mul_add_e_f32s(n, simd.splat_f32s(LN_2_HIGH), x);
    let r = simd.negate_mul_add_e_f32s(n, simd.splat_f32s(LN_2_LOW), r);

    let p = polynomial(simd, r, &P);
    let tail = simd.mul_add_e_f32s(p, simd.mul_f32s(r, r), r);
    let mantissa = simd.add_f32s(tail, simd.splat_f32s(1.0));
    // Multiplying by 2^n is adding n to the exponent bits.
    let exponent =
        simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let power = simd.add_u32s(simd.transmute_u32s_f32s(mantissa), exponent);
    simd.select_f32s(
        vanishes,
        simd.splat_f32s(0.0),
        simd.transmute_f32s_u32s(power),
    )
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn logistic<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let others = exp(simd, simd.neg_f32s(x));
    simd.div_f32s(one, simd.add_f32s(one, others))
}

/// A polynomial by Horner's rule, highest power first.
#[inline(always)]
fn polynomial<S: Simd>(simd: S, x: S::f32s, coefficients: &[f32]) -> S::f32s {
    let mut sum = simd.splat_f32s(0.0);
    for &coefficient in coefficients {
        sum = simd.mul_add_e_f32s(sum, x, simd.splat_f32s(coefficient));
    }
    sum
}

/// `Phi(x)`, the cumulative standard normal distribution, and `exp(-x^2 / 2)`.
///
/// The absolute error of `Phi` is below 2e-7, and small tails keep their relative precision.
#[inline(always)]
pub(crate) fn normal<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    // Fitted here: Phi(-|x|) = exp(-x^2 / 2) * t * P(t - 0.75) with t = 1 / (1 + 0.344 |x|),
    // minimax in the relative error (2.2e-8) for |x| up to 14.
    const P: [f32; 9] = [
        -0.027_922_91,
        -0.023_403_34,
        0.045_313_67,
        0.010_856_011,
        -0.107_700_34,
        -0.001_243_584_7,
        0.330_790_07,
        0.500_860_6,
        0.354_530_8,
    ];
    let one = simd.splat_f32s(1.0);
    let size = simd.abs_f32s(x);
    let t = simd.div_f32s(one, simd.mul_add_e_f32s(size, simd.splat_f32s(0.344), one));
    let p = polynomial(simd, simd.sub_f32s(t, simd.splat_f32s(0.75)), &P);
    let half = simd.mul_f32s(size, simd.splat_f32s(-0.5));
    let bell = exp(simd, simd.mul_f32s(half, size));
    let tail = simd.mul_f32s(simd.mul_f32s(p, t), bell);
    let positive = simd.greater_than_f32s(x, simd.splat_f32s(0.0));
    (
        simd.select_f32s(positive, simd.sub_f32s(one, tail), tail),
        bell,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Evaluate<'a> {
        x: &'a [f32],
        out: &'a mut [(f32, f32)],
    }

    impl WithSimd for Evaluate<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for (x, out) in self.x.iter().zip(self.out) {
                let x = simd.splat_f32s(*x);
                *out = (
                    simd.reduce_max_f32s(exp(simd, x)),
                    simd.reduce_max_f32s(normal(simd, x).0),
                );
            }
        }
    }

    fn evaluate(x: &[f32]) -> Vec<(f32, f32)> {
        let mut out = vec![(0.0, 0.0); x.len()];
        vectorized(Evaluate { x, out: &mut out });
        out
    }

    #[test]
    fn exponential_is_precise_over_its_whole_range() {
        let x: Vec<f32> = (0..=16_000).map(|i| i as f32 / 100.0 - 80.0).collect();

        for (x, (value, _)) in x.iter().zip(evaluate(&x)) {
            let expected = f64::from(*x).exp();
            assert!(
                (f64::from(value) / expected - 1.0).abs() < 2e-7,
                "exp({x}) = {value}"
            );
        }
    }

    #[test]
    fn exponential_of_a_masked_score_vanishes() {
        for (value, _) in evaluate(&[-87.1, -100.0, -1e30, f32::NEG_INFINITY]) {
            assert!(value.abs() <= 0.0, "{value}");
        }
    }

    #[test]
    fn normal_distribution_has_its_known_values_and_is_symmetric() {
        let values = evaluate(&[0.0, 1.0, -1.0, 1.959_964, -4.0, 9.0]);

        let expected = [0.5, 0.841_344_7, 0.158_655_25, 0.975, 3.167_124e-5, 1.0];
        for ((_, value), expected) in values.iter().zip(expected) {
            assert!(
                (value - expected).abs() < 2e-7_f32.min(expected * 1e-5),
                "{value} {expected}"
            );
        }
    }
}
