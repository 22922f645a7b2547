//! Rows of equal size put on top of each other.

use burn::prelude::*;
use burn::tensor::TensorData;

use crate::video::NormalizedClip;

/// Stacks clips of one size.
///
/// # Shapes
///
/// - output: `[batch, channels, frames, height, width]`
///
/// # Panics
///
/// Panics if there is no clip or if their sizes differ.
pub fn stack_clips<B: Backend>(clips: &[&NormalizedClip], device: &B::Device) -> Tensor<B, 5> {
    Tensor::from_data(clip_data(clips), device)
}

/// The values of [`stack_clips`], on no device yet.
pub(super) fn clip_data(clips: &[&NormalizedClip]) -> TensorData {
    assert!(!clips.is_empty(), "batch: no sample");
    let [channels, frames, height, width] = clips[0].dims();
    let mut values = Vec::with_capacity(clips.len() * channels * frames * height * width);
    for clip in clips {
        let size = [channels, frames, height, width];
        assert_eq!(clip.dims(), size, "batch: clips of different sizes");
        clip.append_to(&mut values);
    }
    TensorData::new(values, [clips.len(), channels, frames, height, width])
}

/// Stacks rows of one length.
///
/// # Shapes
///
/// - output: `[batch, text_len]`
///
/// # Panics
///
/// Panics if there is no row or if their lengths differ.
pub(super) fn stack_rows<B: Backend, T: Copy + Into<i64>>(
    rows: &[&[T]],
    device: &B::Device,
) -> Tensor<B, 2, Int> {
    assert!(!rows.is_empty(), "batch: no text");
    Tensor::from_data(row_data(rows), device)
}

/// The values of [`stack_rows`], on no device yet; without a row there are none.
pub(super) fn row_data<T: Copy + Into<i64>>(rows: &[&[T]]) -> TensorData {
    let text_len = rows.first().map_or(0, |row| row.len());
    let mut values: Vec<i64> = Vec::with_capacity(rows.len() * text_len);
    for row in rows {
        assert_eq!(row.len(), text_len, "batch: rows of different lengths");
        values.extend(row.iter().map(|&value| value.into()));
    }
    TensorData::new(values, [rows.len(), text_len])
}
