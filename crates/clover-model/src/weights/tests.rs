//! Whole files, there and back.

use std::fs;

use super::*;
use crate::{Clover, CloverConfig, TestBackend};
use burn::module::{ModuleMapper, Param};
use burn::tensor::TensorData;
use safetensors::{Dtype, tensor::TensorView};

pub(super) fn clover(seed: u64) -> Clover<TestBackend> {
    let device = Default::default();
    <TestBackend as Backend>::seed(&device, seed);
    let config = CloverConfig::tiny(40).with_image_size(28).with_frames(2);
    config.init(&device)
}

pub(super) fn serialized(named: &[(String, TensorData)]) -> Vec<u8> {
    let views = named.iter().map(|(name, data)| {
        let shape = data.shape.to_vec();
        (
            name,
            TensorView::new(Dtype::F32, shape, data.as_bytes()).unwrap(),
        )
    });
    safetensors::serialize(views, None).unwrap()
}

/// Adds one to every weight.
pub(super) struct Raised;

impl ModuleMapper<TestBackend> for Raised {
    fn map_float<const D: usize>(
        &mut self,
        weight: Param<Tensor<TestBackend, D>>,
    ) -> Param<Tensor<TestBackend, D>> {
        weight.map(|weight| weight + 1.0)
    }
}

#[test]
fn both_namings_give_the_same_bits_back() {
    for naming in [Naming::Published, Naming::Native] {
        let original = clover(1);
        let bytes = to_bytes(&original, naming).unwrap();
        // Seeds alone would not do: the RNG belongs to the process, and other tests seed it, too.
        let mut copy = clover(2).map(&mut Raised);
        assert!(to_bytes(&copy, naming).unwrap() != bytes);

        let report = from_bytes(&mut copy, bytes.clone(), naming).unwrap();

        assert!(report.is_complete() && report.unused.is_empty(), "{report}");
        assert!(to_bytes(&copy, naming).unwrap() == bytes);
    }
}

#[test]
fn missing_unused_and_misshapen_weights_are_named() {
    let original = clover(1);
    let mut named = tensors(&original, Naming::Published).unwrap();
    named.retain(|(name, _)| name != "backbone.norm.bias");
    named.push(("itm_head.weight".to_owned(), TensorData::from([1.0_f32])));
    for (name, data) in &mut named {
        if name == "backbone.norm.weight" {
            *data = TensorData::from([1.0_f32, 2.0]);
        }
    }
    let bytes = serialized(&named);

    let report = from_bytes(&mut clover(2), bytes, Naming::Published).unwrap();

    assert!(!report.is_complete());
    assert_eq!(report.missing, ["video_encoder.norm.beta"]);
    assert_eq!(report.unused, ["itm_head.weight"]);
    let [mismatch] = &report.mismatched[..] else {
        panic!("{report}")
    };
    assert_eq!(mismatch.name, "backbone.norm.weight");
    assert_eq!(
        (&mismatch.expected[..], &mismatch.found[..]),
        (&[256][..], &[2][..])
    );
}

#[test]
fn a_truncated_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.safetensors");
    let bytes = to_bytes(&clover(1), Naming::Native).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();

    let error = read_file(&mut clover(2), &path, Naming::Native).unwrap_err();

    assert!(error.to_string().contains("cut.safetensors"), "{error}");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");

    write_file(&clover(1), &path, Naming::Published).unwrap();

    let report = read_file(&mut clover(2), &path, Naming::Published).unwrap();
    assert!(report.is_complete(), "{report}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "temporary file left behind"
    );
}
