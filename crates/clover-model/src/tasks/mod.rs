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
mod views;

pub use answer_head::{
    AnswerHead, AnswerHeadConfig, AnswerModel, MultipleChoiceAnswerHead, OpenEndedAnswerHead,
};
pub use multiple_choice::MultipleChoiceModel;
pub use open_ended::OpenEndedModel;
pub use pretraining::{PretrainingInput, PretrainingOutput};
pub use retrieval::RetrievalModel;
pub use views::ClipViews;

use burn::prelude::*;

use crate::Noise;
use crate::text_encoder::TextEncoder;
use crate::video_encoder::{VideoEncoder, average_views};

/// What the fusion encoder reads of clips and of a text for each: the views of a clip averaged, and repeated for each of
/// its texts.
///
/// # Shapes
///
/// - clips: `[clips * views, channels, frames, height, width]`
/// - token_ids, attention_mask: `[batch, text_len]`
/// - output: `[batch, frames, height, width, channels]`, `[batch, text_len, dim]`
///
/// # Panics
///
/// As [`average_views`], and if the views are of other clips.
fn encode<B: Backend>(
    (video_encoder, text_encoder): (&VideoEncoder<B>, &TextEncoder<B>),
    clips: Tensor<B, 5>,
    views: &ClipViews,
    token_ids: Tensor<B, 2, Int>,
    attention_mask: Tensor<B, 2, Int>,
    noise: &mut Noise,
) -> (Tensor<B, 5>, Tensor<B, 3>) {
    let own = |clips, noise: &mut Noise| {
        average_views(video_encoder.forward(clips, noise).grid, views.views)
    };
    let video = match views.clip_of.as_slice() {
        [] => own(clips, noise),
        clip_of => {
            // A clip meets the noise of the first of its texts.
            let mut of_clips = noise.at(&views.first_texts());
            let video = own(clips, &mut of_clips);
            noise.go_on_after(&of_clips);
            let rows: Vec<i64> = clip_of.iter().map(|&clip| clip as i64).collect();
            let rows = Tensor::from_ints(rows.as_slice(), &video.device());
            video.select(0, rows)
        }
    };
    let text = text_encoder.forward(token_ids, attention_mask, noise);
    (video, text)
}

#[cfg(test)]
mod clip_tests;
