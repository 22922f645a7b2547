//! Which parameters learn in each task, and which do not, both by name.

use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::Distribution;
use clover_losses::InfoNceLossConfig;
use clover_model::Noise;
use clover_model::clip::{
    Activation, ClipConfig, ClipTextConfig, ClipVisionConfig, FramePooling, TemporalPoolingConfig,
};
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::tasks::{MultipleChoiceModel, OpenEndedModel, PretrainingInput, RetrievalModel};
use clover_model::text_encoder::BertConfig;
use clover_model::video_encoder::VideoSwinConfig;
use clover_model::weights::Naming;
use clover_model::{Clover, CloverConfig};
use clover_trainer::pretrain::PretrainingObjective;

use crate::TestAutodiffBackend;
use crate::parity::gradient;

type Device = burn::tensor::Device<TestAutodiffBackend>;
type Floats<const D: usize> = Tensor<TestAutodiffBackend, D>;
type Ids<const D: usize> = Tensor<TestAutodiffBackend, D, Int>;

const BATCH: usize = 3;
const FRAMES: usize = 4;
const SIZE: usize = 28;
const TEXT_LEN: usize = 6;
const CANDIDATES: usize = 5;
const ANSWERS: usize = 4;
const VOCABULARY: usize = 40;
const DIM: usize = 16;

/// A gradient below this share of the largest one is rounding, not learning.
const SILENT: f64 = 1e-6;

/// They add the same to the logits of all keys, which a softmax does not see.
const KEY_BIASES: [&str; 4] = [
    "text_encoder.layers.0.attention.key.bias",
    "text_encoder.layers.1.attention.key.bias",
    "fusion_encoder.layers.0.attention.key.bias",
    "fusion_encoder.layers.1.attention.key.bias",
];
/// Stands for masked regions, which only pre-training has.
const MASK_TOKEN: &str = "video_encoder.mask_token.token";

/// Moves every parameter away from its start, where weights are so small that a true gradient deep
/// in an encoder is no larger than rounding.
struct Unsettle;

impl ModuleMapper<TestAutodiffBackend> for Unsettle {
    fn map_float<const D: usize>(&mut self, param: Param<Floats<D>>) -> Param<Floats<D>> {
        param.map(|value| {
            let noise = value.random_like(Distribution::Normal(0.0, 0.3));
            (value + noise).detach().require_grad()
        })
    }
}

fn clover(device: &Device) -> Clover<TestAutodiffBackend> {
    clover_kernels::register_autodiff::<TestAutodiffBackend>();
    TestAutodiffBackend::seed(device, 0);
    let video = VideoSwinConfig::new(8, vec![2, 2], vec![1, 2]).with_window([2, 3, 3]);
    let text = BertConfig::new(VOCABULARY, DIM, 2, 2, 32).with_max_positions(TEXT_LEN);
    CloverConfig::new(video.into(), text.into())
        .with_frames(FRAMES)
        .with_image_size(SIZE)
        .with_fusion_layers(2)
        .without_dropout()
        .init(device)
        .map(&mut Unsettle)
}

/// The same with a CLIP's encoders, which learn over frames, too. A patch is a region.
fn with_clip(device: &Device) -> Clover<TestAutodiffBackend> {
    clover_kernels::register_autodiff::<TestAutodiffBackend>();
    TestAutodiffBackend::seed(device, 0);
    let vision = ClipVisionConfig::new(SIZE, 4, 24, 2, 2, DIM, Activation::QuickGelu);
    // The mask stands behind the vocabulary.
    let pieces = VOCABULARY - 1;
    let text = ClipTextConfig::new(pieces, TEXT_LEN, DIM, 2, 2, DIM, Activation::Gelu);
    let pooling = TemporalPoolingConfig::new()
        .with_layers(2)
        .with_heads(Some(2))
        .with_positions(FRAMES);
    let clip = ClipConfig::new(vision, text);
    CloverConfig::clip(clip, FRAMES, FramePooling::Temporal(pooling))
        .with_fusion_layers(2)
        .without_dropout()
        .init(device)
        .map(&mut Unsettle)
}

fn clips(device: &Device) -> Floats<5> {
    let shape = [BATCH, 3, FRAMES, SIZE, SIZE];
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn texts(rows: usize, device: &Device) -> Ids<2> {
    let ids: Vec<i64> = (0..rows * TEXT_LEN)
        .map(|place| (place * 7 % VOCABULARY) as i64)
        .collect();
    Ids::<1>::from_ints(ids.as_slice(), device).reshape([rows, TEXT_LEN])
}

/// All words are seen.
fn mask(rows: usize, device: &Device) -> Ids<2> {
    Tensor::ones([rows, TEXT_LEN], device)
}

fn cross_entropy(scores: Floats<2>, device: &Device) -> Floats<1> {
    let labels = Tensor::arange(0..BATCH as i64, device);
    clover_kernels::softmax_cross_entropy(scores, labels).mean()
}

/// Names of the parameters that learn nothing from `loss` must be `expected`, in any order.
fn assert_silent<M: AutodiffModule<TestAutodiffBackend>>(
    module: M,
    loss: &Floats<1>,
    expected: impl IntoIterator<Item = &'static str>,
) {
    let gradients = GradientsParams::from_grads(loss.backward(), &module);
    let gradients = gradient::by_name(module, &gradients, Naming::Native);
    let norms: Vec<(&String, f64)> = gradients
        .iter()
        .map(|(name, gradient)| {
            let squares = gradient.iter().flatten().map(|v| f64::from(*v).powi(2));
            (name, squares.sum::<f64>().sqrt())
        })
        .collect();
    let largest = norms.iter().map(|(_, norm)| *norm).fold(0.0, f64::max);
    let mut silent: Vec<&str> = norms
        .iter()
        .filter(|(_, norm)| *norm <= SILENT * largest)
        .map(|(name, _)| name.as_str())
        .collect();
    let mut expected: Vec<&str> = expected.into_iter().collect();
    silent.sort_unstable();
    expected.sort_unstable();
    assert!(
        largest.is_finite() && largest > 0.0,
        "largest norm {largest}"
    );
    assert_eq!(silent, expected);
}

fn pretraining_loss(clover: &Clover<TestAutodiffBackend>, device: &Device) -> Floats<1> {
    let masked_positions = Tensor::from_ints([1, 3, 8, 14], device);
    let labels = Tensor::from_ints([5, 6, 7, 8], device);
    let output = clover.forward_pretraining(
        PretrainingInput {
            clips: clips(device),
            token_ids: texts(BATCH, device),
            masked_token_ids: texts(BATCH, device)
                .add_scalar(1)
                .remainder_scalar(VOCABULARY as i64),
            attention_mask: mask(BATCH, device),
            masked_positions: Some(masked_positions),
            region_mask: Some(
                Tensor::zeros([BATCH, 7, 7], device).slice_fill([0..BATCH, 1..4, 2..5], 1.0),
            ),
        },
        &mut Noise::quiet(),
    );
    PretrainingObjective::default()
        .forward(output, Some(labels))
        .total()
}

#[test]
fn in_pretraining_all_but_key_biases_learn() {
    let device = Default::default();
    let clover = clover(&device);

    let loss = pretraining_loss(&clover, &device);

    assert_silent(clover, &loss, KEY_BIASES);
}

#[test]
fn with_a_clip_all_but_key_biases_and_the_scale_of_another_loss_learn() {
    let device = Default::default();
    let clover = with_clip(&device);

    let loss = pretraining_loss(&clover, &device);

    let [_, _, third, fourth] = KEY_BIASES;
    assert_silent(clover, &loss, [third, fourth, "logit_scale"]);
}

#[test]
fn in_retrieval_all_but_key_biases_and_the_mask_token_learn() {
    let device = Default::default();
    let model = RetrievalModel::from(clover(&device));

    let video = model.embed_video(clips(&device), 1, &mut Noise::quiet());
    let text = model.embed_text(
        texts(BATCH, &device),
        mask(BATCH, &device),
        &mut Noise::quiet(),
    );
    let loss = InfoNceLossConfig::new().init().forward(video, text);

    let [first, second, ..] = KEY_BIASES;
    assert_silent(model, &loss, [first, second, MASK_TOKEN]);
}

#[test]
fn in_multiple_choice_the_last_bias_does_not_learn_either() {
    let device = Default::default();
    let head = MultipleChoiceHeadConfig::new(DIM).with_dropout(0.0);
    let model = MultipleChoiceModel::from_clover(clover(&device), &head, &device);
    let [rows, shape] = [BATCH * CANDIDATES, CANDIDATES];

    let scores = model.forward(
        clips(&device),
        1,
        texts(rows, &device).reshape([BATCH, shape, TEXT_LEN]),
        mask(rows, &device).reshape([BATCH, shape, TEXT_LEN]),
        &mut Noise::quiet(),
    );
    let loss = cross_entropy(scores, &device);

    // It adds the same to all candidates.
    let others = [MASK_TOKEN, "answer_head.scorer.bias"];
    assert_silent(model, &loss, KEY_BIASES.into_iter().chain(others));
}

#[test]
fn in_open_ended_answers_all_but_key_biases_and_the_mask_token_learn() {
    let device = Default::default();
    let head = OpenEndedHeadConfig::new(DIM, ANSWERS).with_dropout(0.0);
    let model = OpenEndedModel::from_clover(clover(&device), &head, &device);

    let (ids, mask) = (texts(BATCH, &device), mask(BATCH, &device));
    let loss = cross_entropy(
        model.forward(clips(&device), 1, ids, mask, None, &mut Noise::quiet()),
        &device,
    );

    assert_silent(model, &loss, KEY_BIASES.into_iter().chain([MASK_TOKEN]));
}

#[test]
fn the_separator_token_of_fill_in_the_blank_learns() {
    let device = Default::default();
    let head = OpenEndedHeadConfig::new(DIM, ANSWERS).with_dropout(0.0);
    let model = OpenEndedModel::with_blanks(clover(&device), &head, &device);
    let blanks = Some(Tensor::from_ints([2, 8, 15], &device));

    let (ids, mask) = (texts(BATCH, &device), mask(BATCH, &device));
    let scores = model.forward(clips(&device), 1, ids, mask, blanks, &mut Noise::quiet());
    let loss = cross_entropy(scores, &device);

    assert_silent(model, &loss, KEY_BIASES.into_iter().chain([MASK_TOKEN]));
}
