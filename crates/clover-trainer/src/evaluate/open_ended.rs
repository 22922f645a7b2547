//! Open-ended questions, and sentences with a blank: a score for each answer of a list (Clover, section
//! 4.2).

use burn::prelude::*;
use clover_data::batch::{ClipBatch, views_apart};
use clover_model::Noise;
use clover_model::tasks::{ClipViews, OpenEndedModel};

use super::{AnswerAttention, AnswerScores};

impl<B: Backend> AnswerScores<B> for OpenEndedModel<B> {
    fn scores(&self, questions: ClipBatch<B>, views: usize, noise: &mut Noise) -> Tensor<B, 2> {
        let blanks = blanks(self, &questions);
        let (ids, mask) = (questions.token_ids, questions.attention_mask);
        let clips = views_apart(questions.clips, views);
        let clip_of = questions.clip_of;
        let views = ClipViews { views, clip_of };
        self.forward(clips, views, ids, mask, blanks, noise)
    }
}

impl<B: Backend> AnswerAttention<B> for OpenEndedModel<B> {
    fn video_attention(&self, questions: ClipBatch<B>, views: usize) -> Tensor<B, 4> {
        let blanks = blanks(self, &questions);
        let (ids, mask) = (questions.token_ids, questions.attention_mask);
        let clips = views_apart(questions.clips, views);
        let clip_of = questions.clip_of;
        let views = ClipViews { views, clip_of };
        Self::video_attention(self, clips, views, ids, mask, blanks)
    }
}

/// Where the blanks stand, `[batch]`, as `row * text_len + column`, for a model that fills them in.
fn blanks<B: Backend>(
    model: &OpenEndedModel<B>,
    questions: &ClipBatch<B>,
) -> Option<Tensor<B, 1, Int>> {
    model.separator_token.as_ref()?;
    let [_, text_len] = questions.token_ids.dims();
    let places = questions
        .items
        .iter()
        .enumerate()
        .filter_map(|(row, item)| {
            let blank = item.blank? + row * text_len;
            Some(blank as i64)
        });
    let places: Vec<i64> = places.collect();
    assert_eq!(
        places.len(),
        questions.items.len(),
        "open-ended: a sentence without its blank"
    );
    let device = questions.token_ids.device();
    Some(Tensor::from_ints(places.as_slice(), &device))
}
