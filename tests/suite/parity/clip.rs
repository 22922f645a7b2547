//! CLIP as open_clip computes it: activations, embeddings, logits, loss and gradients, from each naming of
//! the same weights.
//!
//! `../shared/clip` beside the workspace is compared where it is, and folders of the same form that
//! `CLOVER_CLIP_DIRS=dir1:dir2` names.

use std::env;
use std::path::{Path, PathBuf};

use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::activation::log_softmax;
use clover_model::clip::{Activation, Clip};
use clover_model::weights::{
    ClipHints, ClipNaming, ClipSource, Import, ImportOptions, Naming, TensorSource, WeightFile,
    clip_tensors,
};

use super::deviation::{Deviations, norm};
use super::fixture::{Fixture, Recorded};
use super::gradient::IntoGradients;
use crate::{TestAutodiffBackend, TestBackend};

const BOUND: f64 = 1e-5;
/// Relative to each parameter's gradient norm.
const GRADIENT_BOUND: f64 = 1e-4;

pub(super) fn folders() -> Vec<Fixture> {
    clover_kernels::register_autodiff::<TestAutodiffBackend>();
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/clip");
    let others = env::var("CLOVER_CLIP_DIRS").unwrap_or_default();
    let others = others.split(':').filter(|one| !one.is_empty());
    let mut folders: Vec<PathBuf> = others.map(PathBuf::from).collect();
    match shared.join("manifest.json").is_file() {
        true => folders.push(shared),
        false => println!("SKIPPED: no recordings of CLIP in {}", shared.display()),
    }
    folders.into_iter().map(Fixture::open).collect()
}

fn cases(fixture: &Fixture) -> Vec<String> {
    let cases = fixture.manifest["cases"].as_object().unwrap();
    cases.keys().cloned().collect()
}

fn activation(case: &str) -> Activation {
    match case {
        "gelu" => Activation::Gelu,
        "quick_gelu" => Activation::QuickGelu,
        other => panic!("an unknown case: {other}"),
    }
}

fn size(fixture: &Fixture, part: &str, key: &str) -> usize {
    let size = fixture.manifest["sizes"][part][key].as_u64();
    usize::try_from(size.unwrap_or_else(|| panic!("manifest: no {part}.{key}"))).unwrap()
}

fn load<B: Backend>(fixture: &Fixture, case: &str, file: &str) -> Clip<B> {
    let path = fixture.folder.join(format!("{case}.{file}"));
    let file = WeightFile::open(&path).unwrap_or_else(|error| panic!("{error}"));
    let source = ClipSource::new(&file).unwrap();
    let hints = ClipHints {
        vision_heads: Some(size(fixture, "v", "width") / size(fixture, "v", "head")),
        text_heads: Some(size(fixture, "t", "heads")),
    };
    let config = source.sizes(activation(case), hints).unwrap();
    let mut import = Import::new(ImportOptions::default());
    import.add(&source, Naming::Native);
    let clip = import.fill(config.init(&Default::default())).unwrap();
    let report = import.finish().unwrap();
    assert!(
        report.is_complete() && report.unused.is_empty(),
        "{path:?}: {report}"
    );
    clip
}

fn compare_activations(clip: &Clip<TestBackend>, recorded: &Recorded, deviations: &mut Deviations) {
    let device = Default::default();
    let frames: Tensor<TestBackend, 5> = recorded.clips("frames_u8", &device);
    let [batch, time, channels, height, width] = frames.dims();
    let images = frames.reshape([batch * time, channels, height, width]);
    let ids: Tensor<TestBackend, 2, Int> = recorded.int("token_ids", &device);

    let names =
        std::iter::once("ln_pre".to_owned()).chain((0..).map(|block| format!("block.{block}")));
    for (tokens, name) in clip
        .vision
        .activations(images.clone())
        .into_iter()
        .zip(names)
    {
        let name = format!("act.vision.{name}");
        deviations.tensor(&name, tokens, recorded.data(&name), BOUND);
    }
    for (block, tokens) in clip.text.activations(ids.clone()).into_iter().enumerate() {
        let name = format!("act.text.block.{block}");
        deviations.tensor(&name, tokens, recorded.data(&name), BOUND);
    }
    let embeddings = clip.text.embed(ids.clone());
    deviations.tensor(
        "text_embeds",
        embeddings,
        recorded.data("text_embeds"),
        BOUND,
    );
    let last = clip.text.forward(ids);
    deviations.tensor(
        "act.text.ln_final",
        last,
        recorded.data("act.text.ln_final"),
        BOUND,
    );
    let embeddings = clip.vision.embed(images);
    let [_, dim] = embeddings.dims();
    let embeddings = embeddings.reshape([batch, time, dim]);
    deviations.tensor(
        "image_embeds",
        embeddings,
        recorded.data("image_embeds"),
        BOUND,
    );
}

/// Half of both cross-entropies of the scaled cosines.
fn logits_and_loss<B: Backend>(
    clip: &Clip<B>,
    recorded: &Recorded,
    deviations: &mut Deviations,
) -> Tensor<B, 1> {
    let device = Default::default();
    let frames: Tensor<B, 5> = recorded.clips("frames_u8", &device);
    let video = clip.embed_video(frames.swap_dims(1, 2));
    let text = clip.embed_text(recorded.int("token_ids", &device));
    deviations.tensor(
        "video_embeds",
        video.clone(),
        recorded.data("video_embeds"),
        BOUND,
    );
    let [batch, _] = text.dims();
    let logits = text.matmul(video.transpose()) * clip.scale().reshape([1, 1]);
    let name = "logits_per_text";
    deviations.tensor(name, logits.clone(), recorded.data(name), BOUND);
    let own = Tensor::<B, 2>::eye(batch, &device);
    let both = log_softmax(logits.clone(), 1) + log_softmax(logits, 0);
    (both * own).sum() / (-2.0 * batch as f64)
}

#[test]
fn clip_equals_open_clip_in_activations_loss_and_gradients() {
    for fixture in folders() {
        for case in cases(&fixture) {
            let file = format!("{case}.record.safetensors");
            let recorded = fixture.read(&file);
            let mut deviations = Deviations::of(&fixture.name(), &file);
            let about = &fixture.manifest["cases"][&case];
            compare_activations(
                &load(&fixture, &case, "openai.safetensors"),
                &recorded,
                &mut deviations,
            );

            let clip: Clip<TestAutodiffBackend> = load(&fixture, &case, "openai.safetensors");
            let loss = logits_and_loss(&clip, &recorded, &mut deviations);
            let found = f64::from(loss.clone().into_scalar());
            deviations.number("loss", found, about["loss"].as_f64().unwrap(), BOUND);
            let gradients = GradientsParams::from_grads(loss.backward(), &clip);
            let clip = clip.map(&mut IntoGradients {
                gradients: &gradients,
            });

            let norms = about["grad_norms"].as_object().unwrap();
            let gradients = clip_tensors(&clip, ClipNaming::OpenAi).unwrap();
            assert_eq!(
                gradients.len(),
                norms.len(),
                "other parameters have gradients"
            );
            for (name, gradient) in gradients {
                let values: Vec<f32> = gradient.to_vec().unwrap();
                let found = norm(values.iter().map(|value| f64::from(*value)));
                let expected = norms[&name].as_f64().unwrap();
                deviations.number(
                    &format!("norm of grad {name}"),
                    found,
                    expected,
                    GRADIENT_BOUND,
                );
                let full = format!("grad.{name}");
                if recorded.names().any(|recorded| *recorded == full) {
                    deviations.relative(&full, &values, &recorded.values(&full), GRADIENT_BOUND);
                }
            }
            deviations.finish();
        }
    }
}

#[test]
fn all_namings_of_clip_give_the_same_bits_and_are_written_as_they_were_read() {
    for fixture in folders() {
        for case in cases(&fixture) {
            let bits = |file: &str| {
                let clip: Clip<TestBackend> = load(&fixture, &case, file);
                clip_tensors(&clip, ClipNaming::OpenAi).unwrap()
            };
            let first = bits("openai.safetensors");
            let mut others = vec!["open_clip.pt", "huggingface.safetensors"];
            let script = "openai_torchscript.pt";
            if fixture.folder.join(format!("{case}.{script}")).is_file() {
                others.push(script);
            }
            for file in others {
                for ((name, one), (_, other)) in first.iter().zip(bits(file)) {
                    one.assert_eq(&other, true);
                    assert_eq!(one.shape, other.shape, "{name} of {file}");
                }
            }

            for (file, naming) in [
                ("openai.safetensors", ClipNaming::OpenAi),
                ("huggingface.safetensors", ClipNaming::HuggingFace),
            ] {
                let clip: Clip<TestBackend> = load(&fixture, &case, file);
                let written = clip_tensors(&clip, naming).unwrap();
                let path = fixture.folder.join(format!("{case}.{file}"));
                let read = WeightFile::open(&path).unwrap();
                assert_eq!(written.len(), read.entries().len(), "{file}");
                for (name, data) in written {
                    TensorSource::data(&read, &name)
                        .unwrap()
                        .assert_eq(&data, true);
                }
            }
        }
    }
}
