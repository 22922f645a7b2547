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
    let threshold = (probability * f64::from(2.0_f32.powi(BITS))) as i32;
    let kept = 1.0 / (1.0 - probability);

    #[cfg(feature = "flex")]
    if crate::dispatch::covers::<B>() {
        let factors = on_the_host(keys, per_row, threshold, kept as f32);
        return Tensor::from_data(TensorData::new(factors, shape), device);
    }
    portable(keys, per_row, threshold, kept, device).reshape(shape)
}

/// By tensor operations: `[rows, per_row]`.
fn portable<B: Backend>(
    keys: &[u64],
    per_row: usize,
    threshold: i32,
    kept: f64,
    device: &B::Device,
) -> Tensor<B, 2> {
    let rows = keys.len();
    let round_keys: Vec<[i32; ROUNDS]> = keys.iter().map(|&key| round_keys(key)).collect();
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
        let key: Vec<i32> = round_keys.iter().map(|keys| keys[round]).collect();
        let key = Tensor::<B, 2, Int>::from_data(TensorData::new(key, [rows, 1]), device);
        let mixed = (low.clone().mul_scalar(multiplier) + key)
            .bitwise_right_shift_scalar(scalar(SHIFT))
            .bitwise_and_scalar(scalar(HALF));
        (low, high) = (high.bitwise_xor(mixed), low);
    }
    let decides =
        high.mul_scalar(1 << (BITS - HALF_BITS)) + low.bitwise_right_shift_scalar(scalar(1));
    decides
        .greater_equal_elem(threshold)
        .float()
        .mul_scalar(kept)
}

/// The same, number by number.
#[cfg(any(test, feature = "flex"))]
fn on_the_host(keys: &[u64], per_row: usize, threshold: i32, kept: f32) -> Vec<f32> {
    let mut factors = Vec::with_capacity(keys.len() * per_row);
    for &key in keys {
        let round_keys = round_keys(key);
        factors.extend((0..per_row as i32).map(|place| {
            let (mut low, mut high) = (place & HALF, place >> HALF_BITS);
            for (multiplier, key) in MULTIPLIERS.into_iter().zip(round_keys) {
                let mixed = ((low * multiplier + key) >> SHIFT) & HALF;
                (low, high) = (high ^ mixed, low);
            }
            let decides = (high << (BITS - HALF_BITS)) + (low >> 1);
            if decides >= threshold { kept } else { 0.0 }
        }));
    }
    factors
}

/// A key for each round (SplitMix64).
fn round_keys(key: u64) -> [i32; ROUNDS] {
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
mod tests {
    use super::*;
    use crate::TestBackend;

    /// 1 where a unit is kept at even odds, -1 where it is dropped.
    fn signs(key: u64, units: usize) -> Vec<f64> {
        let factors = on_the_host(&[key], units, 1 << (BITS - 1), 2.0);
        factors.iter().map(|&f| f64::from(f) - 1.0).collect()
    }

    /// Standard deviations that a mean of this many signs is away from zero.
    fn deviations(products: impl Iterator<Item = f64>) -> f64 {
        let (sum, count) = products.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
        sum / f64::sqrt(count)
    }

    #[test]
    fn the_operations_agree_with_the_plain_loops_to_the_bit() {
        let keys = [0, 1, u64::MAX, 0x1234_5678_9abc_def0];
        let per_row = 70_001;
        let threshold = (0.1 * f64::from(2.0_f32.powi(BITS))) as i32;

        let found = portable::<burn_ndarray::NdArray<f32>>(
            &keys,
            per_row,
            threshold,
            1.0 / 0.9,
            &Default::default(),
        );

        let expected = on_the_host(&keys, per_row, threshold, (1.0 / 0.9) as f32);
        assert_eq!(found.into_data().to_vec::<f32>().unwrap(), expected);
    }

    #[test]
    fn the_share_of_dropped_units_is_the_probability() {
        for probability in [0.02, 0.1, 0.5, 0.9] {
            let factors = dropout_factors::<TestBackend, 3>(
                &[7, 8, 9, 10],
                [4, 100, 500],
                probability,
                &Default::default(),
            );

            let factors = factors.into_data().to_vec::<f32>().unwrap();
            let units = factors.len() as f64;
            let dropped = factors.iter().filter(|&&factor| factor == 0.0).count() as f64;
            let spread = (units * probability * (1.0 - probability)).sqrt();
            assert!(
                (dropped - units * probability).abs() < 4.0 * spread,
                "{dropped} of {units} at {probability}"
            );
            let kept = (1.0 / (1.0 - probability)) as f32;
            let bits = [0.0, kept].map(f32::to_bits);
            assert!(
                factors
                    .iter()
                    .all(|factor| bits.contains(&factor.to_bits()))
            );
        }
    }

    #[test]
    fn neighbours_rows_and_keys_are_unrelated() {
        const UNITS: usize = 200_000;
        for key in 0..4 {
            let row = signs(key, UNITS);
            for distance in [1, 2, 3, 7, 64, 768, 65_536] {
                let products = row.iter().zip(&row[distance..]).map(|(a, b)| a * b);
                let away = deviations(products);
                assert!(away.abs() < 4.5, "key {key}, distance {distance}: {away}");
            }
            for other in [key + 1, key + 2, key + 1_000, key ^ (1 << 63), !key] {
                let other_row = signs(other, UNITS);
                let away = deviations(row.iter().zip(&other_row).map(|(a, b)| a * b));
                assert!(away.abs() < 4.5, "keys {key} and {other}: {away}");
            }
        }
    }

    #[test]
    fn first_units_of_many_keys_are_unrelated() {
        let firsts: Vec<Vec<f64>> = (0..50_000).map(|key| signs(key, 4)).collect();

        for unit in 0..4 {
            let mean = deviations(firsts.iter().map(|row| row[unit]));
            let next = deviations(
                firsts
                    .iter()
                    .zip(&firsts[1..])
                    .map(|(a, b)| a[unit] * b[unit]),
            );
            let pair = deviations(firsts.iter().map(|row| row[unit] * row[(unit + 1) % 4]));
            for away in [mean, next, pair] {
                assert!(away.abs() < 4.5, "unit {unit}: {mean} {next} {pair}");
            }
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_others() {
        let all = dropout_factors::<TestBackend, 2>(&[3, 4, 5], [3, 64], 0.3, &Default::default());

        let one = dropout_factors::<TestBackend, 2>(&[4], [1, 64], 0.3, &Default::default());

        all.narrow(0, 1, 1)
            .into_data()
            .assert_eq(&one.into_data(), true);
    }
}
