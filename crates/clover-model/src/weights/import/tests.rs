//! Every naming, at tiny sizes.

use std::collections::HashMap;

use burn::module::Module;
use burn::prelude::*;
use burn::tensor::{Distribution, TensorData, Tolerance};
use safetensors::{Dtype, tensor::TensorView};

use super::*;
use crate::weights::tests::{Raised, clover, serialized};
use crate::weights::{WeightFile, tensors, to_bytes};
use crate::{Clover, Noise, TestBackend};

type Named = Vec<(String, TensorData)>;

pub(super) fn by_path(clover: &Clover<TestBackend>) -> HashMap<String, TensorData> {
    tensors(clover, Naming::Native)
        .unwrap()
        .into_iter()
        .collect()
}

/// Another model with the weights of these files, and the report.
fn imported(
    options: ImportOptions,
    files: &[(&[u8], Naming)],
) -> (Clover<TestBackend>, WeightReport) {
    let sources: Vec<_> = files
        .iter()
        .map(|(bytes, naming)| (WeightFile::from_bytes(bytes.to_vec()).unwrap(), *naming))
        .collect();
    let mut import = Import::new(options);
    for (source, naming) in &sources {
        import.add(source, *naming);
    }
    let copy = import.fill(clover(2).map(&mut Raised)).unwrap();
    (copy, import.finish().unwrap())
}

fn with_front(named: Named, front: &str) -> Named {
    let renamed = named.into_iter();
    renamed
        .map(|(name, data)| (format!("{front}{name}"), data))
        .collect()
}

#[test]
fn parts_come_back_from_torchvision_and_hugging_face_bit_for_bit() {
    let original = clover(1);
    let video = to_bytes(&original, Naming::Torchvision).unwrap();
    let text = to_bytes(&original, Naming::HuggingFace).unwrap();

    let (copy, report) = imported(
        ImportOptions::default(),
        &[(&video, Naming::Torchvision), (&text, Naming::HuggingFace)],
    );

    assert!(report.unused.is_empty(), "{report}");
    let (wanted, found) = (by_path(&original), by_path(&copy));
    let missing: Vec<_> = report.missing.iter().map(String::as_str).collect();
    assert!(
        missing.contains(&"video_encoder.mask_token.token"),
        "{report}"
    );
    assert!(
        missing.contains(&"fusion_encoder.embeddings.time_position"),
        "{report}"
    );
    for (path, data) in &wanted {
        let taken_over = ["video_encoder.", "text_encoder.", "mlm_head."];
        let is_there = taken_over.iter().any(|part| path.starts_with(part));
        if is_there && !missing.contains(&path.as_str()) {
            found[path].assert_eq(data, true);
        } else {
            assert!(missing.contains(&path.as_str()), "{path}: {report}");
        }
    }
}

#[test]
fn wrappings_of_a_checkpoint_do_not_matter() {
    let original = clover(1);
    for (naming, front) in [
        (Naming::Published, "state_dict."),
        (Naming::Published, "module."),
        (Naming::VideoSwin, "backbone."),
        (Naming::VideoSwin, "state_dict.module.backbone."),
        (Naming::VideoSwin, "model."),
        (Naming::HuggingFace, "bert."),
    ] {
        let mut named = tensors(&original, naming).unwrap();
        if naming == Naming::HuggingFace {
            named.retain(|(name, _)| name.starts_with("bert."));
            for (name, _) in &mut named {
                *name = name.replacen("bert.", "", 1);
            }
        }
        let named = with_front(named, front);
        let names = named.iter().map(|(name, _)| name.as_str());
        assert_eq!(Naming::detect(names).unwrap(), naming, "{front}");
        let count = named.len();

        let (_, report) = imported(ImportOptions::default(), &[(&serialized(&named), naming)]);

        assert_eq!(report.applied.len(), count, "{front}: {report}");
        assert!(report.unused.is_empty(), "{front}: {report}");
    }
}

#[test]
fn both_spellings_of_a_norm_are_read() {
    let original = clover(1);
    let mut named = tensors(&original, Naming::HuggingFace).unwrap();
    for (name, _) in &mut named {
        *name = name
            .replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta");
    }
    assert!(
        named
            .iter()
            .any(|(name, _)| name.ends_with("LayerNorm.gamma"))
    );

    let (copy, report) = imported(
        ImportOptions::default(),
        &[(&serialized(&named), Naming::HuggingFace)],
    );

    assert!(report.unused.is_empty(), "{report}");
    let (wanted, found) = (by_path(&original), by_path(&copy));
    let norm = "text_encoder.layers.1.feed_forward.norm.gamma";
    found[norm].assert_eq(&wanted[norm], true);
}

#[test]
fn what_is_no_parameter_is_ignored_and_what_has_no_place_is_named() {
    let one = || TensorData::from([[1.0_f32]]);
    let mut named = tensors(&clover(1), Naming::Published).unwrap();
    let extra = [
        "backbone.layers.0.blocks.0.attn.relative_position_index",
        "optimizer.state.0.exp_avg",
        "text_backbone.bert.pooler.dense.weight",
        "itm_head.weight",
    ];
    named.extend(extra.map(|name| (name.to_owned(), one())));

    let (_, report) = imported(
        ImportOptions::default(),
        &[(&serialized(&named), Naming::Published)],
    );

    assert!(report.is_complete(), "{report}");
    assert_eq!(report.ignored, extra[..2]);
    assert_eq!(
        report.unused,
        ["itm_head.weight", "text_backbone.bert.pooler.dense.weight"]
    );
    let error = report.strict().unwrap_err();
    assert!(error.to_string().contains("itm_head.weight"), "{error}");
}

#[test]
fn fusion_starts_from_the_first_text_layers_and_the_decoder_from_the_words() {
    let original = clover(1);
    let mut named = tensors(&original, Naming::HuggingFace).unwrap();
    named.retain(|(name, _)| name != "cls.predictions.decoder.weight");
    let options = ImportOptions {
        fusion_layers_from_text: 1,
        ..ImportOptions::default()
    };

    let (copy, report) = imported(options, &[(&serialized(&named), Naming::HuggingFace)]);

    let (wanted, found) = (by_path(&original), by_path(&copy));
    for parameter in ["attention.query.weight", "feed_forward.norm.beta"] {
        found[&format!("fusion_encoder.layers.0.{parameter}")]
            .assert_eq(&wanted[&format!("text_encoder.layers.0.{parameter}")], true);
    }
    assert!(
        report
            .missing
            .contains(&"fusion_encoder.layers.1.attention.query.weight".to_owned()),
        "{report}"
    );
    let words = wanted["text_encoder.embeddings.word.weight"].clone();
    let words = Tensor::<TestBackend, 2>::from_data(words, &Default::default());
    found["mlm_head.decoder.weight"].assert_eq(&words.transpose().into_data(), true);
}

#[test]
fn half_precision_is_widened() {
    let named = tensors(&clover(1), Naming::Published).unwrap();
    let halves: Vec<_> = named
        .iter()
        .map(|(name, data)| (name, data.clone().convert::<burn::tensor::f16>()))
        .collect();
    let views = halves.iter().map(|(name, data)| {
        let view = TensorView::new(Dtype::F16, data.shape.to_vec(), data.as_bytes());
        (name, view.unwrap())
    });
    let bytes = safetensors::serialize(views, None).unwrap();

    let (copy, report) = imported(ImportOptions::default(), &[(&bytes, Naming::Published)]);

    assert!(report.is_complete(), "{report}");
    let found: HashMap<_, _> = tensors(&copy, Naming::Published)
        .unwrap()
        .into_iter()
        .collect();
    for (name, half) in halves {
        found[name].assert_eq(&half.convert::<f32>(), true);
    }
}

#[test]
fn weights_that_are_not_finite_are_reported_or_refused_by_name() {
    let mut named = tensors(&clover(1), Naming::Published).unwrap();
    for (name, data) in &mut named {
        if name == "backbone.norm.bias" {
            let mut values = data.to_vec::<f32>().unwrap();
            values[3] = f32::NAN;
            *data = TensorData::new(values, data.shape.clone());
        }
    }
    let bytes = serialized(&named);
    let source = WeightFile::from_bytes(bytes).unwrap();
    let outcome = |refuse_not_finite| {
        let mut import = Import::new(ImportOptions {
            refuse_not_finite,
            look_for_not_finite: true,
            ..ImportOptions::default()
        });
        import.add(&source, Naming::Published);
        import.fill(clover(2)).unwrap();
        import.finish()
    };

    assert_eq!(outcome(false).unwrap().not_finite, ["backbone.norm.bias"]);
    let error = outcome(true).unwrap_err().to_string();
    assert!(error.contains("backbone.norm.bias"), "{error}");
}

#[test]
fn reversed_colours_are_the_channels_of_the_first_convolution() {
    let original = clover(1);
    let bytes = to_bytes(&original, Naming::VideoSwin).unwrap();
    let options = ImportOptions {
        reverse_colours: true,
        ..ImportOptions::default()
    };
    let device = Default::default();
    let clip = Tensor::random([1, 3, 2, 28, 28], Distribution::Default, &device);

    let (copy, _) = imported(options, &[(&bytes, Naming::VideoSwin)]);

    let encode = |model: &Clover<TestBackend>, clip| {
        model
            .video_encoder
            .forward(clip, &mut Noise::quiet())
            .grid
            .into_data()
    };
    encode(&copy, clip.clone().flip([1]))
        .assert_approx_eq::<f32>(&encode(&original, clip), Tolerance::absolute(1e-5));
}
