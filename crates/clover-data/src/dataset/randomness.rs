//! Where randomness comes from: a generator for each item of each epoch, whichever worker reads it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The seed of a run and the generators derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Randomness {
    seed: u64,
}

/// Keeps the order of an epoch from sharing numbers with its first item.
const ORDER: u64 = 1;
const ITEM: u64 = 2;

impl Randomness {
    /// Randomness that depends on `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The generator for one item of one epoch.
    pub fn for_item(&self, epoch: u64, index: u64) -> ChaCha8Rng {
        self.derive([epoch, index, ITEM])
    }

    /// The generator for the order of an epoch.
    pub fn for_order(&self, epoch: u64) -> ChaCha8Rng {
        self.derive([epoch, 0, ORDER])
    }

    fn derive(self, [epoch, index, purpose]: [u64; 3]) -> ChaCha8Rng {
        // The four numbers are the key itself, so different items never share a generator.
        let mut key = [0; 32];
        let numbers = [self.seed, epoch, index, purpose];
        for (bytes, number) in key.chunks_exact_mut(8).zip(numbers) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn every_item_epoch_and_seed_draws_its_own_numbers() {
        let draw =
            |seed, epoch, index| -> u64 { Randomness::new(seed).for_item(epoch, index).random() };
        let base = draw(1, 2, 3);

        assert_eq!(base, draw(1, 2, 3));
        for other in [draw(0, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(1, 3, 2)] {
            assert_ne!(base, other);
        }
        assert_ne!(base, Randomness::new(1).for_order(2).random::<u64>());
    }
}
