//! Gradient checkpointing changes memory and time, not the gradient.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;

use super::tests::{BATCH, clover, distance, in_parts, noise, norm, read, samples};
use super::*;
use crate::TestBackend;

type Recomputed = Autodiff<TestBackend, BalancedCheckpointing>;

#[test]
fn the_gradient_is_the_same_kept_or_computed_again() {
    let samples = samples(BATCH, |row| 1 + row % 3);
    let kept = clover();
    let recomputed = Clover::<Recomputed>::from_inner(kept.valid());
    for size in [2, BATCH] {
        let expected = in_parts(&kept, &samples, size, &noise(1));
        let found = in_parts(&recomputed, &samples, size, &noise(1));

        let [expected, found] =
            [expected.gradients, found.gradients].map(|all| read(&kept, Some(&all)));
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
