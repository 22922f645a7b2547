//! A generator for each item, so that a clip follows from the seed and its number alone.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Keeps orders from sharing numbers with items.
const ORDER: u64 = 1;
const ITEM: u64 = 2;

/// The generator for one use of one item.
pub(crate) fn for_item(seed: u64, usage: u64, index: u64) -> ChaCha8Rng {
    derive([seed, usage, index, ITEM])
}

/// The generator for one use of an order.
pub(crate) fn for_order(seed: u64, usage: u64) -> ChaCha8Rng {
    derive([seed, usage, 0, ORDER])
}

fn derive(numbers: [u64; 4]) -> ChaCha8Rng {
    // The four numbers are the key itself, so different items never share a generator.
    let mut key = [0; 32];
    for (bytes, number) in key.chunks_exact_mut(8).zip(numbers) {
        bytes.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}
