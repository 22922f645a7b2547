//! Gradient checkpointing changes memory and time, not the gradient.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;

use super::tests::{BATCH, clover, distance, noise, norm, read, samples};
use super::*;
use crate::TestBackend;

type Recomputed = Autodiff<TestBackend, BalancedCheckpointing>;

#[test]
fn the_gradient_is_the_same_kept_or_computed_again() {
    let samples = samples(BATCH, |row| 1 + row % 3);
    let objective = PretrainingObjective::default();
    let kept = clover();
    let recomputed = Clover::<Recomputed>::from_inner(kept.valid());
    let device = Default::default();
    for size in [2, BATCH] {
        let expected = Parts::new(&samples, size, &noise(1), &device).gradients(&objective, &kept);
        let found =
            Parts::new(&samples, size, &noise(1), &device).gradients(&objective, &recomputed);

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
