//! An objective that reads no masked sample, so that none is encoded, against the whole forward pass.

use super::learned_temperature::clip;
use super::tests::{
    BATCH, clover, distance, in_micro_batches_by, noise, norm, read, samples, whole_by,
};
use super::*;
use crate::pretrain::{Alignment, ObjectiveConfig, WordLoss};
use crate::temperature::TemperatureChoice;

#[test]
fn masked_samples_need_not_be_encoded_where_nothing_reads_them() {
    let pairs = samples(BATCH, |_| 1);
    let models = [
        (clover(), TemperatureChoice::default()),
        (clip(), TemperatureChoice::Learned),
    ];
    for (clover, temperature) in models {
        let config = ObjectiveConfig {
            alignment: Alignment::InfoNce,
            ranking: false,
            word_loss: WordLoss::None,
            temperature,
        };
        let objective = config.init();
        let expected = whole_by(&objective, &clover, &pairs, &noise(1));
        let terms: Vec<f32> = expected.terms.iter().map(value).collect();
        let expected = read(&clover, Some(&expected.gradients));
        let total = norm(expected.values().flatten().copied());
        // The whole batch, an uneven last part, and parts at the same time.
        for cut in [(BATCH, 1), (2, 1), (3, 2)] {
            let found = in_micro_batches_by(&objective, &clover, &pairs, cut, &noise(1));

            for (found, expected) in found.terms.iter().map(value).zip(&terms) {
                assert!((found - expected).abs() <= 1e-5 * expected, "{cut:?}");
            }
            let found = read(&clover, Some(&found.gradients));
            for (path, expected) in &expected {
                let error = match found.get(path) {
                    Some(found) => distance(found, expected),
                    // The token that stands for what is masked.
                    None => norm(expected.iter().copied()),
                };
                assert!(
                    error <= 1e-5 * total,
                    "{cut:?} {path}: {error:e} of {total:e}"
                );
            }
            assert!(found.len() > 20 && found.keys().all(|path| expected.contains_key(path)));
            let unread = ["fus", "mlm"];
            let read = found
                .keys()
                .find(|path| unread.iter().any(|part| path.contains(part)));
            assert_eq!(read, None);
        }
    }
}

fn value<B: Backend>(term: &Tensor<B, 1>) -> f32 {
    term.clone().into_scalar().elem()
}
