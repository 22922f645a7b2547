//! Sizes told from weights, and weights brought to other sizes.

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::{Distribution, TensorData, Tolerance};

use super::tests::by_path;
use super::*;
use crate::text_encoder::BertConfig;
use crate::video_encoder::VideoSwinConfig;
use crate::weights::tests::{clover, serialized};
use crate::weights::{SizeHints, WeightFile, from_bytes, tensors, to_bytes};
use crate::{Clover, CloverConfig, Noise, TestBackend};

#[test]
fn sizes_are_told_from_the_weights() {
    let mut config = CloverConfig::tiny(40).with_image_size(128).with_frames(6);
    config.video.video_swin_mut().unwrap().window = [4, 3, 3];
    config.text.set_longest_text(20);
    let model = config.init::<TestBackend>(&Default::default());
    for naming in [Naming::Published, Naming::Native] {
        let bytes = to_bytes(&model, naming).unwrap();
        let source = WeightFile::from_bytes(bytes).unwrap();
        let mut import = Import::new(ImportOptions::default());
        import.add(&source, naming);

        let hints = SizeHints {
            window: Some([4, 3, 3]),
            text_heads: None,
        };
        let sizes = import.sizes(hints).unwrap();

        assert_eq!(sizes.to_string(), config.to_string());
    }
}

#[test]
fn tables_of_positions_are_brought_to_another_clip_and_text() {
    let original = clover(1);
    let bytes = to_bytes(&original, Naming::Native).unwrap();
    let mut config = CloverConfig::tiny(40).with_image_size(56).with_frames(6);
    config.video.video_swin_mut().unwrap().window = [4, 5, 5];
    config.text.set_longest_text(16);
    let source = WeightFile::from_bytes(bytes).unwrap();
    let mut import = Import::new(ImportOptions::default());
    import.add(&source, Naming::Native);
    import.resize_to([4, 5, 5]);

    let model = import
        .fill(config.init::<TestBackend>(&Default::default()))
        .unwrap();
    let report = import.finish().unwrap();

    assert!(report.is_complete(), "{report}");
    // Eight blocks, and one table each of space, time and words.
    assert_eq!(report.resized.len(), 11, "{report}");
    let (wanted, found) = (by_path(&original), by_path(&model));
    let rows = |data: &TensorData| data.to_vec::<f32>().unwrap();
    let text = "text_encoder.embeddings.position.weight";
    assert!(rows(&found[text])[..] == rows(&wanted[text])[..16 * 128]);
    // One region was all there was, so it is everywhere now.
    let space = "fusion_encoder.embeddings.space_position";
    assert!(rows(&found[space])[3 * 128..] == rows(&wanted[space])[..]);
}

#[test]
fn rows_beyond_the_last_word_piece_are_left_out() {
    let padded = CloverConfig::tiny(48).with_image_size(28).with_frames(2);
    let padded = padded.init::<TestBackend>(&Default::default());
    for naming in [Naming::Published, Naming::Native] {
        let bytes = to_bytes(&padded, naming).unwrap();
        let source = WeightFile::from_bytes(bytes).unwrap();
        let mut import = Import::new(ImportOptions::default());
        import.add(&source, naming);
        import.resize_to([8, 7, 7]);
        let config = CloverConfig::tiny(40).with_image_size(28).with_frames(2);

        let model = import
            .fill(config.init::<TestBackend>(&Default::default()))
            .unwrap();

        let report = import.finish().unwrap();
        assert!(report.is_complete(), "{report}");
        assert_eq!(report.resized.len(), 3, "{report}");
        let (wanted, found) = (by_path(&padded), by_path(&model));
        let rows = |data: &TensorData| data.to_vec::<f32>().unwrap();
        let [words, bias, decoder] = [
            "text_encoder.embeddings.word.weight",
            "mlm_head.decoder.bias",
            "mlm_head.decoder.weight",
        ];
        assert!(rows(&found[words])[..] == rows(&wanted[words])[..40 * 128]);
        assert!(rows(&found[bias])[..] == rows(&wanted[bias])[..40]);
        // Our layout has a column a piece.
        assert!(rows(&found[decoder])[40..80] == rows(&wanted[decoder])[48..88]);
    }
}

#[test]
fn another_shape_is_no_reason_to_guess_without_being_asked() {
    let bytes = to_bytes(&clover(1), Naming::Native).unwrap();
    let config = CloverConfig::tiny(40).with_image_size(28).with_frames(8);
    let mut model = config.init::<TestBackend>(&Default::default());

    let report = from_bytes(&mut model, bytes, Naming::Native).unwrap();

    let [mismatch] = &report.mismatched[..] else {
        panic!("{report}")
    };
    assert_eq!(mismatch.name, "fusion_encoder.embeddings.time_position");
}

/// A Clover with a small Swin whose windows and patches are as deep as these.
fn swin(window_frames: usize, patch_frames: usize) -> CloverConfig {
    let video = VideoSwinConfig::new(8, vec![2, 2], vec![2, 2])
        .with_window([window_frames, 2, 2])
        .with_patch([patch_frames, 4, 4]);
    CloverConfig::new(video.into(), BertConfig::new(10, 8, 1, 2, 16).into())
        .with_image_size(16)
        .with_frames(8)
}

/// Every weight at random, biases and tables included, and none of them small.
struct Random;

impl ModuleMapper<TestBackend> for Random {
    fn map_float<const D: usize>(
        &mut self,
        weight: Param<Tensor<TestBackend, D>>,
    ) -> Param<Tensor<TestBackend, D>> {
        weight.map(|weight| weight.random_like(Distribution::Normal(0.0, 0.3)))
    }
}

#[test]
fn an_inflated_swin_sees_in_equal_frames_what_it_saw_in_one() {
    let device = Default::default();
    let flat = swin(1, 1).init::<TestBackend>(&device).map(&mut Random);
    let mut named = tensors(&flat, Naming::VideoSwin).unwrap();
    for (name, data) in &mut named {
        if name == "patch_embed.proj.weight" {
            *data = TensorData::new(data.to_vec::<f32>().unwrap(), [8, 3, 4, 4]);
        }
    }
    let bytes = serialized(&named);
    let source = WeightFile::from_bytes(bytes).unwrap();
    let mut import = Import::new(ImportOptions::default());
    import.add(&source, Naming::VideoSwin);
    import.resize_to([2, 2, 2]);
    let frame = Tensor::random([1, 3, 1, 16, 16], Distribution::Default, &device);

    let deep = import
        .fill(swin(2, 2).init::<TestBackend>(&device))
        .unwrap();

    let report = import.finish().unwrap();
    assert_eq!(report.resized.len(), 5, "{report}");
    let encode = |model: &Clover<TestBackend>, clip| {
        let features = model.video_encoder.forward(clip, &mut Noise::quiet());
        features.grid
    };
    let wanted = encode(&flat, frame.clone()).repeat_dim(1, 4);
    let found = encode(&deep, frame.repeat_dim(2, 8));
    found
        .into_data()
        .assert_approx_eq::<f32>(&wanted.into_data(), Tolerance::absolute(1e-5));
}
