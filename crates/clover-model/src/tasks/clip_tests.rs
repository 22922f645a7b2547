//! Clover with the encoders of a CLIP: what stays CLIP's own, and what is Clover's.

use burn::module::Param;
use burn::prelude::*;
use burn::tensor::Distribution;

use super::{MultipleChoiceModel, OpenEndedModel, PretrainingInput, RetrievalModel};
use crate::clip::{Clip, FramePooling, TemporalPoolingConfig};
use crate::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use crate::text_encoder::TextEncoder;
use crate::video_encoder::{VideoEncoder, VideoEncoderConfig};
use crate::{Clover, CloverConfig, Noise, TestBackend};

const VOCABULARY: usize = 20;
/// The last pieces, as in CLIP's own vocabulary.
const START: i64 = 18;
const END: i64 = 19;
/// One past the vocabulary.
const MASK: i64 = 20;

fn config() -> CloverConfig {
    CloverConfig::clip_nano(VOCABULARY)
}

fn clover(config: &CloverConfig) -> Clover<TestBackend> {
    let device = Default::default();
    <TestBackend as Backend>::seed(&device, 3);
    // Parameters are drawn here: a copy of one that is not would draw its own.
    config.init(&device).no_grad()
}

/// CLIP by itself, with the same weights.
fn clip(clover: &Clover<TestBackend>) -> Clip<TestBackend> {
    let (VideoEncoder::Clip(video), TextEncoder::Clip(text)) =
        (&clover.video_encoder, &clover.text_encoder)
    else {
        panic!("the encoders are not CLIP's");
    };
    Clip {
        vision: video.vision.clone(),
        text: text.text.clone(),
        logit_scale: clover.logit_scale.clone().unwrap(),
    }
}

fn clips(batch: usize) -> Tensor<TestBackend, 5> {
    Tensor::random(
        [batch, 3, 4, 28, 28],
        Distribution::Default,
        &Default::default(),
    )
}

fn texts() -> (Tensor<TestBackend, 2, Int>, Tensor<TestBackend, 2, Int>) {
    let device = Default::default();
    let ids = Tensor::from_data([[START, 4, 7, 9, END], [START, 8, END, 0, 0]], &device);
    let mask = Tensor::from_data([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], &device);
    (ids, mask)
}

fn values<const D: usize>(tensor: Tensor<TestBackend, D>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

#[test]
fn embeddings_are_those_of_clip_to_the_bit() {
    let clover = clover(&config());
    let (alone, clips, (ids, mask)) = (clip(&clover), clips(2), texts());

    let video = values(clover.embed_video(clips.clone()));
    let text = values(clover.embed_text(ids.clone(), mask));

    assert!(video == values(alone.embed_video(clips)));
    assert!(text == values(alone.embed_text(ids)));
    assert!(values(clover.scale().unwrap()) == values(alone.scale()));
}

#[test]
fn a_transformer_over_frames_starts_from_their_mean() {
    let mut config = config();
    let mean = clover(&config);
    let VideoEncoderConfig::Clip(video) = &mut config.video else {
        panic!("the encoder is not CLIP's");
    };
    video.pooling = FramePooling::Temporal(TemporalPoolingConfig::new().with_layers(2));
    let mut temporal = clover(&config);
    let (VideoEncoder::Clip(own), VideoEncoder::Clip(other)) =
        (&mut temporal.video_encoder, &mean.video_encoder)
    else {
        panic!("the encoders are not CLIP's");
    };
    own.vision = other.vision.clone();
    let clips = clips(2);

    let [mean, temporal] =
        [&mean, &temporal].map(|clover| values(clover.embed_video(clips.clone())));

    assert!(mean == temporal);
}

#[test]
fn views_of_a_clip_give_one_direction() {
    let model = RetrievalModel::from(clover(&config()));
    let clip = clips(1);
    let quiet = &mut Noise::quiet();

    let once = values(model.embed_video(clip.clone(), 1, quiet));
    let twice = model.embed_video(Tensor::cat(vec![clip.clone(), clip], 0), 2, quiet);

    assert_eq!(twice.dims(), [1, 32]);
    for (once, twice) in once.iter().zip(values(twice)) {
        assert!((once - twice).abs() < 1e-6);
    }
}

#[test]
fn a_masked_word_changes_what_follows_it_and_not_where_the_text_ends() {
    let clover = clover(&config());
    let (ids, mask) = texts();
    let masked = Tensor::from_data(
        [[START, 4, MASK, 9, END], [START, 8, END, 0, 0]],
        &Default::default(),
    );
    let encoder = &clover.text_encoder;
    let tokens = |ids| values(encoder.forward(ids, mask.clone(), &mut Noise::quiet()));

    let ends: Vec<i64> = encoder
        .feature_positions(masked.clone())
        .into_data()
        .convert::<i64>()
        .to_vec()
        .unwrap();
    let [complete, masked] = [ids, masked].map(tokens);

    assert_eq!(ends, [4, 7]);
    let row = 32;
    assert_eq!(complete[..2 * row], masked[..2 * row]);
    for place in 2..5 {
        assert_ne!(complete[place * row..][..row], masked[place * row..][..row]);
    }
    // The other text.
    assert_eq!(complete[5 * row..], masked[5 * row..]);
}

#[test]
fn words_are_predicted_and_regions_masked_as_with_any_encoder() {
    let device = Default::default();
    let (ids, mask) = texts();
    let clover = clover(&config());
    let forward = |region_mask: Tensor<TestBackend, 3>| {
        let input = PretrainingInput {
            clips: Tensor::ones([2, 3, 4, 28, 28], &device),
            token_ids: ids.clone(),
            masked_token_ids: ids.clone().mask_fill(ids.clone().equal_elem(8), MASK),
            attention_mask: mask.clone(),
            masked_positions: Some(Tensor::from_ints([6], &device)),
            region_mask: Some(region_mask),
        };
        clover.forward_pretraining(input, &mut Noise::quiet())
    };

    let nothing = forward(Tensor::zeros([2, 7, 7], &device));
    let everything = forward(Tensor::ones([2, 7, 7], &device));

    assert_eq!(nothing.word_logits.unwrap().dims(), [1, VOCABULARY]);
    let [video, masked] = [nothing.video, nothing.masked_video].map(values);
    assert_eq!(video, masked);
    let [video, masked] = [everything.video, everything.masked_video].map(values);
    assert_ne!(video, masked);
}

#[test]
fn questions_are_answered_from_the_end_of_a_text() {
    let device = Default::default();
    let (ids, mask) = texts();
    let head = OpenEndedHeadConfig::new(32, 3);
    let model = OpenEndedModel::<TestBackend>::from_clover(clover(&config()), &head, &device);
    let quiet = &mut Noise::quiet();
    let answers = |ids: Tensor<TestBackend, 2, Int>, mask: Tensor<TestBackend, 2, Int>| {
        let clips = Tensor::ones([2, 3, 4, 28, 28], &device);
        values(model.forward(clips, 1, ids, mask, None, &mut Noise::quiet()))
    };
    let longer = |rows: Tensor<TestBackend, 2, Int>| {
        Tensor::cat(vec![rows, Tensor::zeros([2, 2], &device)], 1)
    };

    let short = answers(ids.clone(), mask.clone());
    let padded = answers(longer(ids.clone()), longer(mask.clone()));

    for (short, padded) in short.iter().zip(&padded) {
        assert!((short - padded).abs() < 1e-4, "{short} {padded}");
    }
    let seen = model.video_attention(clips(2), 1, ids.clone(), mask.clone(), None);
    assert_eq!(seen.dims(), [2, 4, 7, 7]);

    let head = MultipleChoiceHeadConfig::new(32);
    let model = MultipleChoiceModel::<TestBackend>::from_clover(clover(&config()), &head, &device);
    let [ids, mask] = [ids, mask].map(|rows| rows.reshape([1, 2, 5]));
    assert_eq!(model.forward(clips(1), 1, ids, mask, quiet).dims(), [1, 2]);
}

#[cfg(feature = "weights")]
#[test]
fn a_configuration_is_read_as_it_was_written_before_and_after_there_was_a_choice() {
    let before = r#"{"video": {"embed_dim": 8, "depths": [2], "heads": [1], "window": [2, 7, 7],
        "patch": [2, 4, 4], "mlp_ratio": 4, "drop_path": 0.1},
        "text": {"vocabulary": 9, "hidden": 32, "layers": 1, "heads": 2, "inner": 64,
        "max_positions": 512, "dropout": 0.1}, "frames": 8, "image_size": 56,
        "time_positions": null, "space_positions": null, "fusion_layers": 1, "fusion_dropout": 0.1,
        "fused_dropout": 0.1}"#;

    let read: CloverConfig = serde_json::from_str(before).unwrap();

    assert_eq!(read.video.video_swin().unwrap().embed_dim, 8);
    assert_eq!(read.text.bert().unwrap().inner, 64);
    let again: serde_json::Value = serde_json::to_value(&read).unwrap();
    assert_eq!(
        again,
        serde_json::from_str::<serde_json::Value>(before).unwrap()
    );

    let clip: CloverConfig = serde_json::from_str(&config().to_string()).unwrap();
    assert_eq!(clip.to_string(), config().to_string());
    assert!(clip.is_clip() && clip.validate().is_ok());
}

#[test]
fn the_scale_of_cosines_stays_below_a_hundred() {
    let mut clover = clover(&config());
    clover.logit_scale = Some(Param::from_tensor(
        Tensor::ones([1], &Default::default()) * 9.0,
    ));

    let scale = values(clover.scale().unwrap());

    assert!((scale[0] - 100.0).abs() < 1e-3, "{scale:?}");
}
