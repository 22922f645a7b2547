//! Ranks of so many queries among as many candidates at width 256, with R@k and the median rank: what
//! `xtask/pytorch/rank_with_numpy.py` times in NumPy.
//!
//! `cargo bench --workspace --bench ranking -- "100000 F32" --sample-count 1`; README.md has the figures.

use std::fmt;

use burn_flex::Flex;
use clover_trainer::metric::{BlockedRanking, EmbeddingTable, Storage};
use divan::Bencher;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WIDTH: usize = 256;

/// So many rows a side, held so.
#[derive(Clone, Copy, Debug)]
struct Size(usize, Storage);

const SIZES: [Size; 4] = [
    Size(10_000, Storage::F32),
    Size(10_000, Storage::F16),
    Size(100_000, Storage::F32),
    Size(100_000, Storage::F16),
];

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}", self.0, self.1)
    }
}

fn main() {
    divan::main();
}

fn table(rows: usize, storage: Storage, seed: u64) -> EmbeddingTable {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut table = EmbeddingTable::new("benchmark", storage);
    let mut row = vec![0.0; WIDTH];
    for _ in 0..rows {
        row.fill_with(|| rng.random_range(-1.0..1.0));
        assert!(table.push(&row).is_ok(), "a row has the table's width");
    }
    table
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn recall_and_median_rank(bencher: Bencher<'_, '_>, size: Size) {
    let [queries, candidates] = [1, 2].map(|seed| table(size.0, size.1, seed));
    let own: Vec<usize> = (0..size.0).collect();
    bencher.bench_local(|| {
        let device = Default::default();
        let ranks = BlockedRanking::default().ranks::<Flex>(&queries, &candidates, &own, &device);
        let mut ranks = ranks.unwrap_or_default();
        ranks.sort_unstable();
        let recalls = [1, 5, 10].map(|k| ranks.partition_point(|&rank| rank < k));
        (recalls, ranks.get(ranks.len() / 2).copied())
    });
}
