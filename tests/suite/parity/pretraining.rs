//! `pretrain.safetensors`: activations, every loss term and every gradient of one step.

use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_model::Clover;
use clover_model::Noise;
use clover_model::tasks::PretrainingInput;
use clover_trainer::pretrain::{PretrainingLosses, PretrainingObjective};

use super::deviation::{Deviations, norm};
use super::fixture::{Fixture, Recorded, fixtures};
use super::gradient;
use super::video_encoder::channels_first;
use crate::TestAutodiffBackend;

pub(crate) const FILE: &str = "pretrain.safetensors";
const BOUND: f64 = 1e-4;
const GRADIENT_BOUND: f64 = 1e-3;

/// The recorded batch, with its labels as row-major positions and ids.
pub(crate) struct RecordedBatch<B: Backend> {
    pub(crate) input: PretrainingInput<B>,
    pub(crate) labels: Option<Tensor<B, 1, Int>>,
}

/// The one step of a folder.
pub(crate) fn recorded_batch<B: Backend>(
    recorded: &Recorded,
    device: &B::Device,
) -> RecordedBatch<B> {
    let labels = recorded.integers("mlm_label");
    let (positions, labels): (Vec<i64>, Vec<i64>) = (0_i64..)
        .zip(labels)
        .filter(|(_, label)| *label >= 0)
        .unzip();
    let any = |values: &[i64]| (!values.is_empty()).then(|| Tensor::from_ints(values, device));
    let mask: Tensor<B, 4> = recorded.float("v_token_mask", device);
    let [batch, _, rows, columns] = mask.dims();
    RecordedBatch {
        labels: any(&labels),
        input: PretrainingInput {
            clips: recorded.clips("imgs_u8", device),
            token_ids: recorded.int("token_ids_complete", device),
            masked_token_ids: recorded.int("token_ids_masked", device),
            attention_mask: recorded.int("input_mask", device),
            masked_positions: any(&positions),
            region_mask: Some(mask.reshape([batch, rows, columns])),
        },
    }
}

/// Our terms under the recorded names.
pub(crate) fn named_terms<B: Backend>(losses: &PretrainingLosses<B>) -> [(&'static str, f64); 6] {
    let number = |term: Tensor<B, 1>| term.into_scalar().elem::<f64>();
    [
        ("mlm_loss", number(losses.word.clone())),
        ("nce_loss", number(losses.video_alignment.clone())),
        ("rank_t_tm_loss", number(losses.video_ranking.clone())),
        ("v_nce_loss", number(losses.text_alignment.clone())),
        ("rank_v_vm_loss", number(losses.text_ranking.clone())),
        ("total", number(losses.total())),
    ]
}

/// Compares with the whole batch, or with its first sample where only that is recorded.
fn compare<const D: usize>(
    deviations: &mut Deviations,
    recorded: &Recorded,
    name: &str,
    found: Tensor<TestAutodiffBackend, D>,
) {
    let name = format!("act.{name}");
    let first = format!("{name}.sample0");
    if recorded.names().any(|recorded| *recorded == first) {
        deviations.tensor(&first, found.narrow(0, 0, 1), recorded.data(&first), BOUND);
    } else {
        deviations.tensor(&name, found, recorded.data(&name), BOUND);
    }
}

fn compare_encoders(
    deviations: &mut Deviations,
    recorded: &Recorded,
    clover: &Clover<TestAutodiffBackend>,
    input: &PretrainingInput<TestAutodiffBackend>,
) {
    for (kind, mask) in [("full", None), ("masked", input.region_mask.clone())] {
        let swin = clover.video_encoder.video_swin().unwrap();
        let features = swin.intermediate_features(input.clips.clone(), mask);
        for (step, tokens) in features.into_iter().enumerate() {
            let name = match (step, kind) {
                (0, "full") => "patch_embed".to_owned(),
                (0, _) => "masked.patch_embed_mixed".to_owned(),
                _ => format!("{kind}.stage{}", step - 1),
            };
            compare(deviations, recorded, &name, channels_first(tokens));
        }
    }
    let swin = clover.video_encoder.video_swin().unwrap();
    let full = swin.forward(input.clips.clone(), &mut Noise::quiet());
    let masked = swin.forward_masked(
        input.clips.clone(),
        input.region_mask.clone().unwrap(),
        &mut Noise::quiet(),
    );
    compare(
        deviations,
        recorded,
        "video_tokens_full",
        channels_first(full.clone()),
    );
    compare(
        deviations,
        recorded,
        "video_tokens_masked",
        channels_first(masked.clone()),
    );

    let mask = &input.attention_mask;
    let complete =
        clover
            .text_encoder
            .forward(input.token_ids.clone(), mask.clone(), &mut Noise::quiet());
    let hidden = clover.text_encoder.forward(
        input.masked_token_ids.clone(),
        mask.clone(),
        &mut Noise::quiet(),
    );
    compare(deviations, recorded, "text_complete", complete.clone());
    compare(deviations, recorded, "text_masked", hidden.clone());

    for (name, video, text) in [
        ("maskedvideo_completetext", masked, complete),
        ("fullvideo_maskedtext", full, hidden),
    ] {
        let fused = clover
            .fusion_encoder
            .forward(video, text, mask.clone(), &mut Noise::quiet());
        if name == "fullvideo_maskedtext" {
            let [batch, text_len, dim] = fused.text.dims();
            let rows = fused.text.clone().reshape([batch * text_len, dim]);
            let logits = clover.mlm_head.forward(rows);
            let [_, vocabulary] = logits.dims();
            let logits = logits.reshape([batch, text_len, vocabulary]);
            compare(deviations, recorded, "mlm_logits", logits);
        }
        let all = Tensor::cat(vec![fused.video, fused.text], 1);
        compare(
            deviations,
            recorded,
            &format!("fusion_{name}.last_hidden_state"),
            all,
        );
    }
}

fn compare_step(fixture: &Fixture, deviations: &mut Deviations) {
    let device = Default::default();
    let recorded = fixture.read(FILE);
    let clover: Clover<TestAutodiffBackend> = fixture.clover(&device);
    let RecordedBatch { input, labels } = recorded_batch(&recorded, &device);
    compare_encoders(deviations, &recorded, &clover, &input);

    let output = clover.forward_pretraining(input, &mut Noise::quiet());
    for (name, embedding) in [
        ("visual_emb", &output.video),
        ("text_emb", &output.text),
        ("visual_masked_emb", &output.masked_video),
        ("text_masked_emb", &output.masked_text),
        ("fused_emb_maskedvideo", &output.fused_masked_video),
        ("fused_emb_maskedtext", &output.fused_masked_text),
    ] {
        compare(deviations, &recorded, name, embedding.clone());
    }
    let losses = PretrainingObjective::default().forward(output, labels);
    for (name, term) in named_terms(&losses) {
        let name = format!("loss.{name}");
        deviations.number(&name, term, f64::from(recorded.values(&name)[0]), BOUND);
    }

    compare_gradients(fixture, deviations, &recorded, clover, &losses);
}

fn compare_gradients<B: AutodiffBackend>(
    fixture: &Fixture,
    deviations: &mut Deviations,
    recorded: &Recorded,
    clover: Clover<B>,
    losses: &PretrainingLosses<B>,
) {
    let gradients = GradientsParams::from_grads(losses.total().backward(), &clover);
    let gradients = gradient::by_published_name(clover, &gradients);
    let about = fixture.about(FILE);
    gradient::compare(
        deviations,
        &gradients,
        &about["grad_norms"],
        recorded,
        "grad.",
    );
    let all = gradients
        .iter()
        .filter_map(|(_, gradient)| gradient.as_ref())
        .flatten();
    deviations.number(
        "global gradient norm",
        norm(all.map(|value| f64::from(*value))),
        about["global_grad_norm"].as_f64().unwrap(),
        GRADIENT_BOUND,
    );
}

#[test]
fn the_pretraining_step_equals_the_published_one() {
    for fixture in fixtures() {
        let mut deviations = Deviations::of(&fixture.name(), FILE);

        compare_step(&fixture, &mut deviations);

        deviations.finish();
    }
}
