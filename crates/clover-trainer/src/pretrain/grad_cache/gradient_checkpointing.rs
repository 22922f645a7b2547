//! Gradient checkpointing changes memory and time, not the gradient.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;

use super::tests::{BATCH, clover, distance, in_micro_batches, noise, norm, read, samples};
use super::*;
use crate::TestBackend;

type RecomputeActivations = Autodiff<TestBackend, BalancedCheckpointing>;

#[test]
fn the_gradient_is_the_same_stored_or_computed_again() {
    let samples = samples(BATCH, |row| 1 + row % 3);
    let stored = clover();
    let recomputed = Clover::<RecomputeActivations>::from_inner(stored.valid());
    for size in [2, BATCH] {
        let expected = in_micro_batches(&stored, &samples, (size, 1), &noise(1));
        let found = in_micro_batches(&recomputed, &samples, (size, 1), &noise(1));

        let [expected, found] =
            [expected.gradients, found.gradients].map(|all| read(&stored, Some(&all)));
        assert!(found.keys().eq(expected.keys()), "other parameters learn");
        let total = norm(expected.values().flatten().copied());
        for (path, expected) in &expected {
            let error = distance(&found[path], expected);
            assert!(
                error <= 1e-7 * total,
                "{path} differs by {error:e} of {total:e}"
            );
        }
    }
}
