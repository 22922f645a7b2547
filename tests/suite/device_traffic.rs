//! What a training step asks of a device: no long scatter, and one read.

use burn::backend::Autodiff;
use burn::prelude::*;
use burn::tensor::{Distribution, TensorData};
use clover_data::batch::{MaskedWords, PretrainingBatch};
use clover_model::{Clover, CloverConfig, Noise};
use clover_test_backend::recorded::{RecordedBackend, take_record};
use clover_trainer::optimizer::OptimizerConfig;
use clover_trainer::optimizer_step::OptimizerStep;
use clover_trainer::parameter_groups::ParameterRules;
use clover_trainer::precision::Precision;
use clover_trainer::pretrain::{PretrainingObjective, model_input, pretraining_gradients};

type Recorded = Autodiff<RecordedBackend>;

/// GPU backends of Burn walk the indices of a scatter one by one.
const LONGEST_SCATTER: usize = 4096;
const BATCH: usize = 4;
const FRAMES: usize = 8;
const SIZE: usize = 56;
const TEXT_LEN: usize = 12;
const VOCABULARY: usize = 64;

/// Clips of more tokens than a scatter may have indices.
fn batch() -> PretrainingBatch<Recorded> {
    let device = Default::default();
    let ids: Vec<i32> = (0..BATCH * TEXT_LEN)
        .map(|place| (place * 7 % VOCABULARY) as i32)
        .collect();
    let ids = Tensor::from_data(TensorData::new(ids, [BATCH, TEXT_LEN]), &device);
    PretrainingBatch {
        clips: Tensor::random(
            [BATCH, 3, FRAMES, SIZE, SIZE],
            Distribution::Normal(0.0, 1.0),
            &device,
        ),
        attention_mask: Tensor::ones([BATCH, TEXT_LEN], &device),
        masked_token_ids: ids
            .clone()
            .add_scalar(1)
            .remainder_scalar(VOCABULARY as i64),
        token_ids: ids,
        masked_words: Some(MaskedWords {
            positions: Tensor::from_ints([1, 14, 30, 40], &device),
            labels: Tensor::from_ints([7, 34, 18, 24], &device),
        }),
        region_mask: Tensor::zeros([BATCH, 7, 7], &device).slice_fill([0..BATCH, 1..3, 1..6], 1.0),
        names: (0..BATCH).map(|row| row.to_string()).collect(),
    }
}

#[test]
fn a_step_scatters_few_indices_at_once_and_waits_for_the_device_once() {
    let objective = PretrainingObjective::default();
    let mut update = OptimizerStep::<Recorded> {
        optimizer: OptimizerConfig::new(0.005, ParameterRules::Pretraining).init(),
        clip_norm: 15.0,
        loss_limit: f64::INFINITY,
        precision: Precision::F32,
    };
    let clover = CloverConfig::tiny(VOCABULARY)
        .with_frames(FRAMES)
        .with_image_size(SIZE)
        .init::<Recorded>(&Default::default());
    let batch = batch();
    let mut step = |clover: Clover<Recorded>, step| {
        let working = update.precision.working_copy(&clover);
        let (input, labels, names) = model_input(batch.clone(), &objective);
        let output = working.forward_pretraining(input, &mut Noise::of_batch(0, step, BATCH));
        let found = pretraining_gradients(&objective, &working, output, labels, names);
        drop(working);
        update.apply(clover, found, step, 1e-4).unwrap().0
    };
    // The first step draws the parameters, and makes indices and masks.
    let clover = step(clover, 1);
    let first = take_record();
    step(clover, 2);
    let second = take_record();

    println!("first step {first:?}, second step {second:?}");
    assert!(second.operations > 1000, "{} operations", second.operations);
    let longest = second.scatters.iter().max().copied().unwrap();
    assert!(longest <= LONGEST_SCATTER, "{:?}", second.scatters);
    assert_eq!(second.reads, 1);
    assert!(second.uploads < first.uploads);
}
