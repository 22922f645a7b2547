//! A temperature that is learned, in micro-batches against the whole batch.

use super::tests::{BATCH, Trained, assert_same, cut, noise, read, samples};
use super::*;
use crate::devices::{GradientScaling, Peer};
use crate::pretrain::{ObjectiveConfig, pretraining_gradients};
use crate::temperature::TemperatureChoice;
use clover_model::{CloverConfig, materialize_parameters};

fn clip() -> Clover<Trained> {
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

fn whole(clover: &Clover<Trained>, temperature: TemperatureChoice) -> BatchGradients<Trained> {
    let batch = PretrainingBatch::collate(&pairs(), &Default::default());
    let (input, labels, names) = model_input(batch);
    let output = clover.forward_pretraining(input, &mut noise(1));
    pretraining_gradients(&objective(temperature), clover, output, labels, names)
}

fn pairs() -> Vec<PretrainingSample> {
    samples(BATCH, |row| 1 + row % 3)
}

#[test]
fn its_gradient_in_micro_batches_is_that_of_the_whole_batch() {
    let (clover, pairs) = (clip(), pairs());
    let expected = whole(&clover, TemperatureChoice::Learned);
    let places: Vec<usize> = (0..BATCH).collect();
    let shared = SharedBatch {
        peer: &Peer::alone(),
        places: &places,
        slots: BATCH,
        scaling: GradientScaling::FullBatch,
    };

    for size in [1, 2, BATCH] {
        let (objective, device) = (objective(TemperatureChoice::Learned), Default::default());
        let found = micro_batched_gradients(
            &objective,
            &clover,
            &pairs,
            &cut(size),
            &noise(1),
            &shared,
            &device,
        );

        let of = format!("micro-batches of {size}");
        assert_same(&clover, &found.unwrap(), &expected, &of);
    }
    let gradient = &read(&clover, Some(&expected.gradients))["logit_scale"];
    assert!(gradient[0].abs() > 1e-6, "{gradient:?}");
}

#[test]
fn a_number_leaves_the_parameter_without_a_gradient() {
    let clover = clip();

    let found = whole(&clover, TemperatureChoice::default());

    let gradients = read(&clover, Some(&found.gradients));
    assert!(!gradients.contains_key("logit_scale"));
    // What else may lack one is drawn on by no objective.
    let of_all = clover.num_params();
    assert!(of_all > 0 && gradients.len() > 20);
}
