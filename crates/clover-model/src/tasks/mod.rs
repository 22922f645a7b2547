//! The tasks: which parts of Clover each uses, and how they are wired. One file a task.
//!
//! Pre-training uses the whole of [`Clover`](crate::Clover); the fine-tuning models are made from
//! its parts and keep their parameter paths, so weights go from one to the other by name.

mod answer_head;
mod multiple_choice;
mod open_ended;
mod pretraining;
mod retrieval;
mod video_attention;

pub use answer_head::{
    AnswerHead, AnswerHeadConfig, AnswerModel, MultipleChoiceAnswerHead, OpenEndedAnswerHead,
};
pub use multiple_choice::MultipleChoiceModel;
pub use open_ended::OpenEndedModel;
pub use pretraining::{PretrainingInput, PretrainingOutput};
pub use retrieval::RetrievalModel;

use burn::prelude::*;

use crate::Noise;
use crate::text_encoder::TextEncoder;
use crate::video_encoder::VideoEncoder;

/// What the fusion encoder reads of clips and of a text for each: the views of a clip averaged.
///
/// # Shapes
///
/// - clips: `[batch * views, channels, frames, height, width]`
/// - token_ids, attention_mask: `[batch, text_len]`
/// - output: `[batch, frames, height, width, channels]`, `[batch, text_len, dim]`
///
/// # Panics
///
/// As [`average_views`].
fn encode<B: Backend>(
    (video_encoder, text_encoder): (&VideoEncoder<B>, &TextEncoder<B>),
    clips: Tensor<B, 5>,
    views: usize,
    token_ids: Tensor<B, 2, Int>,
    attention_mask: Tensor<B, 2, Int>,
    noise: &mut Noise,
) -> (Tensor<B, 5>, Tensor<B, 3>) {
    let video = average_views(video_encoder.forward(clips, noise).grid, views);
    let text = text_encoder.forward(token_ids, attention_mask, noise);
    (video, text)
}

/// Averages the feature maps of several views of one clip, which follow each other in the batch.
///
/// At test time a task may look at a clip several times; the published model averages before any
/// projection or fusion.
///
/// # Shapes
///
/// - features: `[batch * views, frames, height, width, channels]`
/// - output: `[batch, frames, height, width, channels]`
///
/// # Panics
///
/// Panics if the rows are not whole groups of `views`.
pub fn average_views<B: Backend>(features: Tensor<B, 5>, views: usize) -> Tensor<B, 5> {
    let [rows, frames, height, width, channels] = features.dims();
    assert!(
        views > 0 && rows.is_multiple_of(views),
        "average views: {rows} clips are not whole groups of {views} views"
    );
    if views == 1 {
        return features;
    }
    features
        .reshape([rows / views, views, frames * height * width * channels])
        .mean_dim(1)
        .reshape([rows / views, frames, height, width, channels])
}

#[cfg(test)]
mod clip_tests;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::TensorData;

    #[test]
    fn views_of_one_clip_are_neighbours() {
        let features =
            Tensor::<TestBackend, 1>::from_data([1.0, 3.0, 10.0, 20.0], &Default::default());

        let averaged = average_views(features.reshape([4, 1, 1, 1, 1]), 2).reshape([2]);

        averaged
            .into_data()
            .assert_eq(&TensorData::from([2.0_f32, 15.0]), true);
    }
}
