use super::*;
use crate::TestBackend;
use crate::agreement::{assert_agree, leaf, scattered};

fn on_the_host(keys: &[u64], per_row: usize, rule: Rule) -> Vec<f32> {
    let rows = keys.iter().map(|&key| round_keys(key));
    rows.flat_map(|keys| (0..per_row as i32).map(move |place| factor(place, keys, rule)))
        .collect()
}

/// 1 where a unit is kept at even odds, -1 where it is dropped.
fn signs(key: u64, units: usize) -> Vec<f64> {
    let factors = on_the_host(&[key], units, Rule::new(0.5));
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
    let rule = Rule::new(0.1);

    let found = portable::<burn_ndarray::NdArray<f32>>(&keys, per_row, rule, &Default::default());

    let expected = on_the_host(&keys, per_row, rule);
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

#[test]
fn dropout_multiplies_with_its_factors_and_so_does_its_gradient() {
    let keys = [3, 4, 5];
    for per_row in [1, 7, 20_000] {
        let x = leaf([3, per_row], 1);
        let factors = dropout_factors(&keys, [3, per_row], 0.3, &Default::default());

        assert_agree!(
            0.0,
            [x],
            dropout(x.clone(), &keys, 0.3),
            x.clone() * factors
        );
    }
}

#[test]
#[should_panic(expected = "one key a row is needed")]
fn rows_without_a_key_are_refused() {
    let x = scattered::<2>([3, 4], 1);

    dropout(x, &[1, 2], 0.3);
}
