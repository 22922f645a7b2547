//! An objective that compares complete samples alone, whose masked samples are not encoded, against the whole forward pass.

use super::learned_temperature::clip;
use super::tests::{BATCH, clover, distance, in_micro_batches_by, norm, read, samples, whole_by};
use super::*;
use crate::pretrain::{Alignment, ObjectiveConfig, WordLoss};
use crate::temperature::TemperatureChoice;

#[test]
fn masked_samples_need_not_be_encoded_where_nothing_reads_them() {
    let config = ObjectiveConfig {
        alignment: Alignment::InfoNce,
        ranking: false,
        word_loss: WordLoss::None,
        temperature: TemperatureChoice::default(),
    };
    let (objective, pairs, quiet) = (config.init(), samples(BATCH, |_| 1), Noise::quiet());
    for clover in [clover(), clip()] {
        let expected = whole_by(&objective, &clover, &pairs, &quiet);

        // One of all samples, and an uneven last one.
        for size in [BATCH, 2] {
            let found = in_micro_batches_by(&objective, &clover, &pairs, (size, 1), &quiet);

            for (found, expected) in found.terms.iter().zip(&expected.terms) {
                let [found, expected] = [found, expected].map(|term| term.clone().into_scalar());
                assert!((found - expected).abs() <= 1e-5 * expected.abs());
            }
            let found = read(&clover, Some(&found.gradients));
            let expected = read(&clover, Some(&expected.gradients));
            let total = norm(expected.values().flatten().copied());
            for (path, expected) in &expected {
                let error = match found.get(path) {
                    Some(found) => distance(found, expected),
                    // The token that stands for what is masked.
                    None => norm(expected.iter().copied()),
                };
                assert!(error <= 1e-5 * total, "{path}: {error:e} of {total:e}");
            }
            assert!(found.len() > 20 && found.keys().all(|path| expected.contains_key(path)));
            assert!(!found.keys().any(|path| path.starts_with("fusion")));
        }
    }
}
