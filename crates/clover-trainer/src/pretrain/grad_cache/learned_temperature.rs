//! A temperature that is learned, in micro-batches against the whole batch.

use super::tests::{
    BATCH, Trained, assert_same, in_micro_batches_by, noise, read, samples, whole_by,
};
use super::*;
use crate::pretrain::ObjectiveConfig;
use crate::temperature::TemperatureChoice;
use clover_model::{CloverConfig, materialize_parameters};

pub(super) fn clip() -> Clover<Trained> {
    let device = Default::default();
    <Trained as Backend>::seed(&device, 5);
    let clover: Clover<Trained> = CloverConfig::clip_nano(200).init(&device);
    materialize_parameters(&clover);
    clover
}

fn objective(temperature: TemperatureChoice) -> PretrainingObjective {
    let config = ObjectiveConfig {
        temperature,
        ..ObjectiveConfig::default()
    };
    config.init()
}

fn pairs() -> Vec<PretrainingSample> {
    samples(BATCH, |row| 1 + row % 3)
}

#[test]
fn its_gradient_in_micro_batches_is_that_of_the_whole_batch() {
    let (clover, pairs) = (clip(), pairs());
    let objective = objective(TemperatureChoice::Learned);
    let expected = whole_by(&objective, &clover, &pairs, &noise(1));

    for size in [1, 2, BATCH] {
        let found = in_micro_batches_by(&objective, &clover, &pairs, (size, 1), &noise(1));

        let of = format!("micro-batches of {size}");
        assert_same(&clover, &found, &expected, &of);
    }
    let gradient = &read(&clover, Some(&expected.gradients))["logit_scale"];
    assert!(gradient[0].abs() > 1e-6, "{gradient:?}");
}

#[test]
fn a_number_leaves_the_parameter_without_a_gradient() {
    let clover = clip();

    let objective = objective(TemperatureChoice::default());
    let found = whole_by(&objective, &clover, &pairs(), &noise(1));

    let gradients = read(&clover, Some(&found.gradients));
    assert!(!gradients.contains_key("logit_scale"));
    // What else may lack one is drawn on by no objective.
    let of_all = clover.num_params();
    assert!(of_all > 0 && gradients.len() > 20);
}
