//! Several views of a clip, which are read one behind the other and seen each by itself.

use burn::prelude::*;

use super::stack::stack_rows;

/// Stacks texts and their masks, a row each.
///
/// # Shapes
///
/// - output: `[batch, text_len]`, `[batch, text_len]`
///
/// # Panics
///
/// Panics if there is no text, or if their lengths differ.
pub fn stack_texts<B: Backend>(
    token_ids: &[&[u32]],
    attention_masks: &[&[u8]],
    device: &B::Device,
) -> [Tensor<B, 2, Int>; 2] {
    [
        stack_rows(token_ids, device),
        stack_rows(attention_masks, device),
    ]
}

/// Clips whose frames are those of `views` views in turn, as so many clips of one view each.
///
/// # Shapes
///
/// - clips: `[batch, channels, views * frames, height, width]`
/// - output: `[batch * views, channels, frames, height, width]`, the views of a clip neighbours
///
/// # Panics
///
/// Panics if the frames are not whole views.
pub fn views_apart<B: Backend>(clips: Tensor<B, 5>, views: usize) -> Tensor<B, 5> {
    let [batch, channels, all, height, width] = clips.dims();
    assert!(
        views > 0 && all.is_multiple_of(views),
        "batch: {all} frames are not {views} views"
    );
    if views == 1 {
        return clips;
    }
    let frames = all / views;
    clips
        // Frames of a view lie together in memory, so that nothing inside them moves.
        .reshape([batch, channels, views, frames * height * width])
        .permute([0, 2, 1, 3])
        .reshape([batch * views, channels, frames, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::TensorData;

    #[test]
    fn a_view_is_consecutive_frames_of_a_clip() {
        // Two clips of two channels and four frames of a pixel: 100 * clip + 10 * channel + frame.
        let values: Vec<f32> = (0..16)
            .map(|at| (100 * (at / 8) + 10 * (at / 4 % 2) + at % 4) as f32)
            .collect();
        let clips = TensorData::new(values, [2, 2, 4, 1, 1]);
        let clips = Tensor::<TestBackend, 5>::from_data(clips, &Default::default());

        let views = views_apart(clips, 2);

        assert_eq!(views.dims(), [4, 2, 2, 1, 1]);
        let values: Vec<f32> = views.into_data().to_vec().unwrap();
        let expected = [
            0.0, 1.0, 10.0, 11.0, 2.0, 3.0, 12.0, 13.0, 100.0, 101.0, 110.0, 111.0, 102.0, 103.0,
            112.0, 113.0,
        ];
        assert_eq!(values, expected);
    }

    #[test]
    #[should_panic(expected = "3 frames are not 2 views")]
    fn frames_left_over_are_refused() {
        views_apart(
            Tensor::<TestBackend, 5>::zeros([1, 1, 3, 1, 1], &Default::default()),
            2,
        );
    }
}
