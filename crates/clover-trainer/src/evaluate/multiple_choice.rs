//! Multiple choice: a score for each of a few candidate texts (Clover, section 4.2).

use burn::prelude::*;
use clover_data::batch::{ClipBatch, views_apart};
use clover_model::Noise;
use clover_model::tasks::MultipleChoiceModel;

use super::{AnswerAttention, AnswerScores};
use crate::metric::first_highest;

impl<B: Backend> AnswerScores<B> for MultipleChoiceModel<B> {
    fn scores(&self, questions: ClipBatch<B>, views: usize, noise: &mut Noise) -> Tensor<B, 2> {
        let [texts, text_len] = questions.token_ids.dims();
        let batch = questions.items.len();
        let candidates = texts / batch;
        assert!(
            questions.items.iter().all(|item| item.texts == candidates),
            "multiple choice: candidates of different number"
        );
        let by_candidate = |rows: Tensor<B, 2, Int>| rows.reshape([batch, candidates, text_len]);
        let (ids, mask) = (questions.token_ids, questions.attention_mask);
        let clips = views_apart(questions.clips, views);
        self.forward(clips, views, by_candidate(ids), by_candidate(mask), noise)
    }
}

impl<B: Backend> AnswerAttention<B> for MultipleChoiceModel<B> {
    fn video_attention(&self, questions: ClipBatch<B>, views: usize) -> Tensor<B, 4> {
        let scores = self.scores(questions.clone(), views, &mut Noise::quiet());
        let [_, options] = scores.dims();
        let scores: Vec<f32> = scores.into_data().convert::<f32>().iter().collect();
        let chosen = scores.chunks_exact(options).map(first_highest).enumerate();
        let chosen: Vec<i64> = chosen
            .map(|(question, option)| (question * options + option) as i64)
            .collect();
        let chosen = Tensor::from_ints(chosen.as_slice(), &questions.clips.device());
        let clips = views_apart(questions.clips, views);
        let ids = questions.token_ids.select(0, chosen.clone());
        let mask = questions.attention_mask.select(0, chosen);
        Self::video_attention(self, clips, views, ids, mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use clover_data::batch::StackedItem;
    use clover_model::CloverConfig;
    use clover_model::heads::MultipleChoiceHeadConfig;

    #[test]
    #[should_panic(expected = "candidates of different number")]
    fn questions_with_more_candidates_are_refused() {
        let device = Default::default();
        let config = CloverConfig::nano(20).with_image_size(28).with_frames(2);
        let head = MultipleChoiceHeadConfig::new(config.text.width());
        let clover = config.init(&device);
        let model = MultipleChoiceModel::<TestBackend>::from_clover(clover, &head, &device);
        let item = |texts| StackedItem {
            index: 0,
            name: String::new(),
            texts,
            answer: Some(0),
            blank: None,
        };
        let questions = ClipBatch {
            clips: Tensor::zeros([2, 3, 2, 28, 28], &device),
            token_ids: Tensor::ones([4, 5], &device),
            attention_mask: Tensor::ones([4, 5], &device),
            clip_of: Vec::new(),
            items: vec![item(1), item(3)],
        };

        model.scores(questions, 1, &mut Noise::quiet());
    }
}
