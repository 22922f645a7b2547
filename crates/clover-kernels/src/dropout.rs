//! Dropout as a pure function of a key and a place.
//!
//! Srivastava et al., "Dropout" (JMLR 2014). Whether a unit is kept follows from the key of its row
//! and its place in the row, by a Feistel network of six rounds over 16-bit halves. So a sample
//! meets the same noise in whatever batch it stands and however often it is computed again, and
//! every backend agrees to the bit: no product exceeds 31 bits, whatever its integers are.

use burn::prelude::*;
use burn::tensor::{ElementConversion, TensorData};

/// Multipliers of the rounds: odd, of 14 bits.
const MULTIPLIERS: [i32; 6] = [0x2f0b, 0x35a7, 0x271d, 0x3c6f, 0x2b59, 0x3e35];
const ROUNDS: usize = MULTIPLIERS.len();
/// Bits of a round's key.
const KEY_BITS: u32 = 29;
/// How far a product is shifted: its middle bits depend on most of its factor.
const SHIFT: i32 = 7;
const HALF_BITS: i32 = 16;
const HALF: i32 = (1 << HALF_BITS) - 1;
/// Bits of the number that decides.
const BITS: i32 = 31;

/// The factor of each unit: 0 where it is dropped, `1 / (1 - probability)` where it is kept.
///
/// # Shapes
///
/// - keys: one for each row, that is, each index of the first axis
/// - output: `shape`
///
/// # Panics
///
/// Panics if there is not one key a row, if the probability is not in `[0, 1)`, or if a row has
/// 2^31 units or more.
pub fn dropout_factors<B: Backend, const D: usize>(
    keys: &[u64],
    shape: [usize; D],
    probability: f64,
    device: &B::Device,
) -> Tensor<B, D> {
    assert_eq!(keys.len(), shape[0], "dropout: one key a row is needed");
    assert!(
        (0.0..1.0).contains(&probability),
        "dropout: the probability must be in [0, 1)"
    );
    let per_row: usize = shape[1..].iter().product();
    assert!(i32::try_from(per_row).is_ok(), "dropout: a row is too long");
    let rule = Rule::new(probability);

    #[cfg(feature = "flex")]
    if crate::dispatch::covers::<B>() {
        let factors = crate::flex::dropout::factors(keys, per_row, rule);
        return Tensor::from_data(TensorData::new(factors, shape), device);
    }
    portable(keys, per_row, rule, device).reshape(shape)
}

/// Drops units at random and scales the others: `x` times its [`dropout_factors`].
///
/// # Shapes
///
/// - x, output: the first axis has as many rows as there are keys
///
/// # Panics
///
/// As [`dropout_factors`].
pub fn dropout<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    keys: &[u64],
    probability: f64,
) -> Tensor<B, D> {
    #[cfg(feature = "flex")]
    if keys.len() == x.dims()[0]
        && let Some(output) = crate::dispatch::dropout(&x, keys, Rule::new(probability))
    {
        return output;
    }
    let factors = dropout_factors(keys, x.dims(), probability, &x.device());
    let factors = factors.cast(x.dtype());
    x * factors
}

/// What is done with the number of a unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    /// Smaller numbers are dropped.
    threshold: i32,
    /// The factor of a unit that is kept.
    kept: f32,
}

impl Rule {
    pub(crate) fn new(probability: f64) -> Self {
        Self {
            threshold: (probability * f64::from(2.0_f32.powi(BITS))) as i32,
            kept: (1.0 / (1.0 - probability)) as f32,
        }
    }
}

/// By tensor operations: `[rows, per_row]`.
fn portable<B: Backend>(
    keys: &[u64],
    per_row: usize,
    rule: Rule,
    device: &B::Device,
) -> Tensor<B, 2> {
    let rows = keys.len();
    let round_keys: Vec<[i32; ROUNDS]> = keys.iter().map(|&key| round_keys(key)).collect();
    // One round's keys after the other, so that all go to the device at once.
    let of_round = |round: usize| round_keys.iter().map(move |keys| keys[round]);
    let round_keys: Vec<i32> = (0..ROUNDS).flat_map(of_round).collect();
    let round_keys = TensorData::new(round_keys, [ROUNDS * rows, 1]);
    let round_keys = Tensor::<B, 2, Int>::from_data(round_keys, device);
    let scalar = |value: i32| value.elem::<B::IntElem>();
    let place = Tensor::<B, 1, Int>::arange(0..per_row as i64, device).reshape([1, per_row]);
    let mut low = place
        .clone()
        .bitwise_and_scalar(scalar(HALF))
        .expand([rows, per_row]);
    let mut high = place
        .bitwise_right_shift_scalar(scalar(HALF_BITS))
        .expand([rows, per_row]);
    for (round, multiplier) in MULTIPLIERS.into_iter().enumerate() {
        let key = round_keys.clone().narrow(0, round * rows, rows);
        let mixed = (low.clone().mul_scalar(multiplier) + key)
            .bitwise_right_shift_scalar(scalar(SHIFT))
            .bitwise_and_scalar(scalar(HALF));
        (low, high) = (high.bitwise_xor(mixed), low);
    }
    let decides =
        high.mul_scalar(1 << (BITS - HALF_BITS)) + low.bitwise_right_shift_scalar(scalar(1));
    decides
        .greater_equal_elem(rule.threshold)
        .float()
        .mul_scalar(rule.kept)
}

/// The factor of one unit.
#[cfg(any(test, feature = "flex"))]
#[inline(always)]
pub(crate) fn factor(place: i32, round_keys: [i32; ROUNDS], rule: Rule) -> f32 {
    let (mut low, mut high) = (place & HALF, place >> HALF_BITS);
    for (multiplier, key) in MULTIPLIERS.into_iter().zip(round_keys) {
        let mixed = ((low * multiplier + key) >> SHIFT) & HALF;
        (low, high) = (high ^ mixed, low);
    }
    let decides = (high << (BITS - HALF_BITS)) + (low >> 1);
    if decides >= rule.threshold {
        rule.kept
    } else {
        0.0
    }
}

/// A key for each round (SplitMix64).
pub(crate) fn round_keys(key: u64) -> [i32; ROUNDS] {
    let mut state = key;
    std::array::from_fn(|_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> (u64::BITS - KEY_BITS)) as i32
    })
}

#[cfg(test)]
mod tests;
