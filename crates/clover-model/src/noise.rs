//! Randomness in a forward pass of training: dropout and stochastic depth.
//!
//! Srivastava et al., "Dropout" (JMLR 2014); Huang et al., "Deep Networks with Stochastic Depth"
//! (ECCV 2016). Noise belongs to a sample, not to a batch: each sample has a key, and what is
//! dropped follows from the key, the place in the forward pass and the place in the tensor alone.
//! So a batch may be computed in parts, or a part again, and meets the same noise.

use std::ops::Range;

use burn::prelude::*;

/// What a key is mixed with where its sample stands in a batch twice; no place in a pass comes near.
const COPIES: [u64; 2] = [u64::MAX - 2, u64::MAX - 1];

/// The noise of one forward pass; quiet at inference.
///
/// ```
/// use clover_model::Noise;
///
/// let mut training = Noise::of_samples([17, 18, 19]);
/// let mut inference = Noise::quiet();
/// assert!(inference.is_quiet() && !training.is_quiet());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    keys: Vec<u64>,
    place: u64,
}

impl Noise {
    /// Nothing is dropped.
    #[must_use]
    pub fn quiet() -> Self {
        Self::default()
    }

    /// The noise of a batch whose samples have these keys.
    pub fn of_samples(keys: impl IntoIterator<Item = u64>) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            place: 0,
        }
    }

    /// The noise of a batch that is one of many: its samples' keys follow from the seed, the number
    /// of the batch and their places in it.
    #[must_use]
    pub fn of_batch(seed: u64, number: u64, samples: usize) -> Self {
        let of_batch = mix(seed, number);
        Self::of_samples((0..samples as u64).map(|place| mix(of_batch, place)))
    }

    /// Goes on where the noise of some of the same samples came to.
    pub(crate) fn go_on_after(&mut self, other: &Self) {
        self.place = self.place.max(other.place);
    }

    /// The noise of some of the samples, from the beginning of the pass.
    ///
    /// # Panics
    ///
    /// Panics if there are not so many samples, unless nothing is dropped.
    #[must_use]
    pub fn part(&self, samples: Range<usize>) -> Self {
        if self.is_quiet() {
            return Self::quiet();
        }
        Self::of_samples(self.keys[samples].iter().copied())
    }

    /// As [`part`](Self::part), of the samples at these places.
    ///
    /// # Panics
    ///
    /// As [`part`](Self::part).
    #[must_use]
    pub fn at(&self, places: &[usize]) -> Self {
        if self.is_quiet() {
            return Self::quiet();
        }
        Self::of_samples(places.iter().map(|&place| self.keys[place]))
    }

    /// The noise of a batch in which all samples stand twice, first all and then all again. Each
    /// meets another noise the second time, and neither is that of a batch in which it stands once.
    #[must_use]
    pub fn twice(&self) -> Self {
        let of_each = |copy| self.keys.iter().map(move |&key| mix(key, copy));
        Self::of_samples(COPIES.into_iter().flat_map(of_each))
    }

    /// Whether nothing is dropped.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.keys.is_empty()
    }

    /// Drops units at random and scales the others by the inverse of the keep probability.
    ///
    /// # Shapes
    ///
    /// - x: the first axis has as many rows for each sample, one sample after the other
    /// - output: as x
    ///
    /// # Panics
    ///
    /// Panics if the rows are not as many for each sample.
    pub fn dropout<B: Backend, const D: usize>(
        &mut self,
        x: Tensor<B, D>,
        probability: f64,
    ) -> Tensor<B, D> {
        match self.row_keys(x.dims()[0], probability) {
            Some(keys) => clover_kernels::dropout(x, &keys, probability),
            None => x,
        }
    }

    /// Drops the whole branch of a row at random and scales the others.
    ///
    /// # Shapes
    ///
    /// - branch: as x of [`dropout`](Self::dropout)
    /// - output: as branch
    ///
    /// # Panics
    ///
    /// As [`dropout`](Self::dropout).
    pub fn drop_path<B: Backend, const D: usize>(
        &mut self,
        branch: Tensor<B, D>,
        probability: f64,
    ) -> Tensor<B, D> {
        let mut shape = [1; D];
        shape[0] = branch.dims()[0];
        match self.factors(shape, probability, &branch.device()) {
            Some(factors) => {
                let factors = factors.cast(branch.dtype());
                branch * factors
            }
            None => branch,
        }
    }

    /// What [`dropout`](Self::dropout) multiplies with; nothing where nothing is dropped.
    ///
    /// # Panics
    ///
    /// As [`dropout`](Self::dropout).
    pub fn factors<B: Backend, const D: usize>(
        &mut self,
        shape: [usize; D],
        probability: f64,
        device: &B::Device,
    ) -> Option<Tensor<B, D>> {
        let keys = self.row_keys(shape[0], probability)?;
        Some(clover_kernels::dropout_factors(
            &keys,
            shape,
            probability,
            device,
        ))
    }

    /// The keys of the next tensor's rows; none where nothing is dropped.
    fn row_keys(&mut self, rows: usize, probability: f64) -> Option<Vec<u64>> {
        if self.is_quiet() || probability <= 0.0 {
            return None;
        }
        self.place += 1;
        let samples = self.keys.len();
        assert!(
            rows.is_multiple_of(samples),
            "noise: {rows} rows are not as many for each of {samples} samples"
        );
        let keys = self
            .keys
            .iter()
            .flat_map(|&key| (0..(rows / samples) as u64).map(move |row| (key, row)))
            .map(|(key, row)| mix(mix(key, self.place), row));
        Some(keys.collect())
    }
}

/// A key from a key and a number (the finalizer of SplitMix64).
fn mix(key: u64, number: u64) -> u64 {
    let mut mixed = key ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;

    fn ones(rows: usize) -> Tensor<TestBackend, 2> {
        Tensor::ones([rows, 50], &Default::default())
    }

    fn values<const D: usize>(tensor: Tensor<TestBackend, D>) -> Vec<f32> {
        tensor.into_data().to_vec().unwrap()
    }

    #[test]
    fn quiet_noise_and_no_probability_change_nothing() {
        let x = ones(2);

        let quiet = Noise::quiet().dropout(x.clone(), 0.5);
        let never = Noise::of_samples([1, 2]).drop_path(x.clone(), 0.0);

        assert_eq!(values(quiet), values(x.clone()));
        assert_eq!(values(never), values(x));
    }

    #[test]
    fn a_sample_meets_the_same_noise_in_any_batch() {
        let together = Noise::of_samples([1, 2, 3]).dropout(ones(6), 0.5);

        let alone = Noise::of_samples([2]).dropout(ones(2), 0.5);

        assert_eq!(values(together.narrow(0, 2, 2)), values(alone));
        let noise = Noise::of_samples([1, 2, 3]);
        assert_eq!(noise.at(&[0, 2]), Noise::of_samples([1, 3]));
    }

    #[test]
    fn a_sample_that_stands_twice_meets_two_noises_in_any_batch() {
        let together = values(Noise::of_samples([1, 2]).twice().dropout(ones(4), 0.5));

        let alone = values(Noise::of_samples([2]).twice().dropout(ones(2), 0.5));
        let plain = values(Noise::of_samples([2]).dropout(ones(1), 0.5));

        assert_eq!(together[50..100], alone[..50]);
        assert_eq!(together[150..], alone[50..]);
        assert_ne!(alone[..50], alone[50..]);
        assert!(!alone.chunks(50).any(|half| half == plain));
    }

    #[test]
    fn places_and_rows_differ() {
        let mut noise = Noise::of_samples([1]);

        let [first, second] = [0, 1].map(|_| values(noise.dropout(ones(2), 0.5)));

        assert_ne!(first, second);
        assert_ne!(first[..50], first[50..]);
    }

    #[test]
    fn whole_rows_are_dropped_and_the_others_scaled() {
        let dropped = Noise::of_samples(0..200).drop_path(ones(200), 0.5);

        let values = values(dropped);
        let kept = values
            .chunks(50)
            .filter(|row| {
                let expected = if row[0] > 0.0 { 2.0 } else { 0.0 };
                assert_eq!(row.to_vec(), vec![expected; 50]);
                row[0] > 0.0
            })
            .count();
        assert!((70..130).contains(&kept), "{kept} of 200 kept");
    }

    #[test]
    #[should_panic(expected = "3 rows are not as many for each of 2 samples")]
    fn rows_that_belong_to_no_sample_are_refused() {
        let _ = Noise::of_samples([1, 2]).dropout(ones(3), 0.5);
    }
}
