//! `swin.safetensors`: padding, clipped windows, shift masks and still images.

use burn::optim::GradientsParams;
use burn::prelude::*;
use clover_model::Noise;
use clover_model::video_encoder::relative_position_bias::relative_position_index;
use clover_model::video_encoder::shifted_window_mask::{
    mask_between_regions, shifted_window_regions,
};
use clover_model::video_encoder::window::WindowGeometry;
use clover_model::video_encoder::{VideoEncoder, VideoSwin};

use super::deviation::Deviations;
use super::fixture::{Fixture, Recorded, fixtures};
use super::gradient;
use crate::{TestAutodiffBackend, TestBackend};

const FILE: &str = "swin.safetensors";
const BOUND: f64 = 1e-4;

/// Ours keeps channels last, the published encoder first.
pub(crate) fn channels_first<B: Backend>(tokens: Tensor<B, 5>) -> Tensor<B, 5> {
    tokens.permute([0, 4, 1, 2, 3])
}

fn compare_case(fixture: &Fixture, recorded: &Recorded, case: &str, deviations: &mut Deviations) {
    let device = Default::default();
    let clover = fixture.clover(&device);
    let encoder: VideoSwin<TestAutodiffBackend> =
        clover.video_encoder.video_swin().unwrap().clone();
    let clips = recorded.clips(&format!("{case}.imgs_u8"), &device);
    let named = |name: &str| format!("{case}.{name}");

    for (step, tokens) in encoder
        .intermediate_features(clips.clone(), None)
        .into_iter()
        .enumerate()
    {
        let name = if step == 0 {
            named("patch_embed")
        } else {
            named(&format!("stage{}", step - 1))
        };
        deviations.tensor(&name, channels_first(tokens), recorded.data(&name), BOUND);
    }
    let output = channels_first(encoder.forward(clips, &mut Noise::quiet()));
    deviations.tensor(
        &named("output"),
        output.clone(),
        recorded.data(&named("output")),
        BOUND,
    );

    let probe = recorded.float(&named("probe"), &device);
    let scalar = (output * probe).sum();
    let gradients = GradientsParams::from_grads(scalar.backward(), &encoder);
    let mut model = fixture.clover(&device);
    model.video_encoder = VideoEncoder::VideoSwin(encoder);
    let gradients: Vec<_> = gradient::by_published_name(model, &gradients)
        .into_iter()
        .filter(|(name, _)| name.starts_with("backbone."))
        .collect();
    let norms = &fixture.about(FILE)["info"][case]["grad_norms"];
    gradient::compare(deviations, &gradients, norms, recorded, &named("grad."));
}

#[test]
fn video_swin_equals_the_published_one_on_padded_clips_and_still_images() {
    for fixture in fixtures() {
        let recorded = fixture.read(FILE);
        let mut deviations = Deviations::of(&fixture.name(), FILE);

        for case in ["pad", "image"] {
            compare_case(&fixture, &recorded, case, &mut deviations);
        }

        deviations.finish();
    }
}

/// `1_2_3` as three numbers.
fn three(text: &str) -> [usize; 3] {
    let numbers: Vec<_> = text
        .split('_')
        .map(|number| number.parse().unwrap())
        .collect();
    numbers.try_into().unwrap()
}

#[test]
fn relative_positions_and_shift_masks_equal_the_published_tables() {
    for fixture in fixtures() {
        let recorded = fixture.read(FILE);
        let mut compared = 0;
        for name in recorded.names() {
            if let Some(window) = name.strip_prefix("relindex.window_") {
                let index = relative_position_index(three(window));
                let index: Vec<_> = index.into_iter().map(|row| row as i64).collect();
                assert_eq!(index, recorded.integers(name), "{name}");
                compared += 1;
            } else if let Some(sizes) = name.strip_prefix("shiftmask.grid_") {
                let (grid, sizes) = sizes.split_once(".window_").unwrap();
                let (window, shift) = sizes.split_once(".shift_").unwrap();
                // Given sizes are meant as they are, unclipped.
                let geometry = WindowGeometry {
                    grid: three(grid),
                    padded: three(grid),
                    window: three(window),
                    shift: three(shift),
                };
                let shape = [geometry.windows(), geometry.window_tokens()];
                let regions =
                    burn::tensor::TensorData::new(shifted_window_regions(&geometry), shape);
                let regions =
                    Tensor::<TestBackend, 2, Int>::from_data(regions, &Default::default());
                let mask: Vec<f32> = mask_between_regions(regions).into_data().to_vec().unwrap();
                assert_eq!(mask, recorded.values(name), "{name}");
                compared += 1;
            }
        }
        assert!(compared > 0, "no table was compared");
    }
}

#[test]
fn large_windows_have_the_recorded_checksums() {
    for fixture in fixtures() {
        let about = fixture.about(FILE)["info"].as_object().unwrap();
        for (name, recorded) in about {
            let Some(window) = name.strip_prefix("relindex_").map(three) else {
                continue;
            };
            let index = relative_position_index(window);
            let index: Vec<_> = index.into_iter().map(|row| row as i64).collect();
            let tokens: usize = window.iter().product();
            let row = |row: usize| &index[row * tokens..(row + 1) * tokens];

            assert_eq!(Some(index.iter().sum()), recorded["sum"].as_i64());
            assert_eq!(index.iter().max().copied(), recorded["max"].as_i64());
            assert_eq!(index.iter().min().copied(), recorded["min"].as_i64());
            let trace: i64 = (0..tokens).map(|token| row(token)[token]).sum();
            assert_eq!(Some(trace), recorded["trace"].as_i64());
            let listed = |key: &str| -> Vec<i64> {
                recorded[key]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|v| v.as_i64().unwrap())
                    .collect()
            };
            assert_eq!(row(0)[..10], listed("row0_first10"));
            assert_eq!(row(5)[tokens - 10..], listed("row5_last10"));
        }
    }
}
