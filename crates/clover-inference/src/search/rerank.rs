//! The best candidates, put in order by the fusion encoder.
//!
//! An embedding of each side is fast and coarse. The fusion encoder reads a clip and a text together; in
//! pre-training it learned to guess masked words from both (Clover, section 3.3). A clip of which a text is
//! true makes its words probable, so that candidates are compared by the likelihood of the query's words,
//! masked a few at a time.

use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::activation::log_softmax;
use clover_data::batch::stack_clips;
use clover_data::video::NormalizedClip;
use clover_model::{Clover, Noise};

use crate::bundle::need_trained;
use crate::text_batch::TextBatch;
use crate::{Bundle, Embedder, FusionPart, InferenceError};

/// Every word is masked once, and every third at a time: the others are what a guess is made from.
const ROUNDS: usize = 3;
/// Clips that pass the video encoder together.
const TOGETHER: usize = 8;

/// All of a model, for it is the fusion encoder that counts.
#[derive(Debug)]
pub(super) struct Reranker<B: Backend> {
    clover: Clover<B>,
    /// Time steps that the fusion encoder has positions for.
    steps: usize,
    untrained: Vec<FusionPart>,
}

impl<B: Backend> Reranker<B> {
    pub(super) fn new(bundle: &Bundle<B>) -> Self {
        Self {
            clover: bundle.clover.clone(),
            steps: bundle.config.fusion().time_positions,
            untrained: bundle.untrained.clone(),
        }
    }

    /// Refuses a model that cannot tell how probable words are.
    pub(super) fn check(&self) -> Result<(), InferenceError> {
        need_trained(&self.untrained, &[FusionPart::Encoder, FusionPart::MlmHead])
    }

    /// For each clip the log-likelihood of the words of a text beside it, in nats.
    pub(super) fn scores(
        &self,
        embedder: &Embedder<B>,
        text: &str,
        clips: &[NormalizedClip],
    ) -> Result<Vec<f32>, InferenceError> {
        let device = embedder.device();
        let TextBatch {
            ids,
            mask,
            encodings,
            ..
        } = embedder.text_batch(&[text])?;
        let [_, text_len] = ids.dims();
        let Some(encoding) = encodings.first().filter(|text| !text.words.is_empty()) else {
            return Ok(vec![0.0; clips.len()]);
        };
        let rounds = ROUNDS.min(encoding.words.len());
        let mask_token = embedder.tokenizer().special().mask;
        let mut masked = vec![encoding.ids.clone(); rounds];
        // Where a piece is guessed: the round, the place in the text, and the piece.
        let mut guesses = Vec::new();
        for (number, word) in encoding.words.iter().enumerate() {
            for place in word.clone() {
                masked[number % rounds][place] = mask_token;
                guesses.push((number % rounds, place, encoding.ids[place]));
            }
        }
        let ids = masked
            .concat()
            .into_iter()
            .map(i64::from)
            .collect::<Vec<_>>();
        let ids = Tensor::<B, 2, Int>::from_data(TensorData::new(ids, [rounds, text_len]), device);
        let mask = mask.repeat_dim(0, rounds);
        let texts = self
            .clover
            .text_encoder
            .forward(ids, mask.clone(), &mut Noise::quiet());

        let mut scores = Vec::with_capacity(clips.len());
        for some in clips.chunks(TOGETHER) {
            let some: Vec<&NormalizedClip> = some.iter().collect();
            let videos = stack_clips::<B>(&some, device);
            let videos = self
                .clover
                .video_encoder
                .forward(videos, &mut Noise::quiet());
            let videos = spread(videos.grid, self.steps);
            for clip in 0..some.len() {
                let video = videos.clone().narrow(0, clip, 1).repeat_dim(0, rounds);
                let fused = self.clover.fusion_encoder.forward(
                    video,
                    texts.clone(),
                    mask.clone(),
                    &mut Noise::quiet(),
                );
                let places = guesses
                    .iter()
                    .map(|&(round, place, _)| (round * text_len + place) as i64);
                let places: Vec<i64> = places.collect();
                let places = Tensor::from_ints(places.as_slice(), device);
                let logits = self.clover.mlm_head.forward_at(fused.text, places);
                let pieces: Vec<i64> = guesses.iter().map(|guess| i64::from(guess.2)).collect();
                let count = pieces.len();
                let pieces =
                    Tensor::<B, 2, Int>::from_data(TensorData::new(pieces, [count, 1]), device);
                let sum = log_softmax(logits, 1).gather(1, pieces).sum();
                scores.push(
                    sum.into_data()
                        .convert::<f32>()
                        .iter()
                        .next()
                        .unwrap_or(f32::NAN),
                );
            }
        }
        match scores.iter().all(|score| score.is_finite()) {
            true => Ok(scores),
            false => Err(InferenceError::NotFinite),
        }
    }
}

/// So many time steps at most, evenly spread: embeddings may be made of more frames than the fusion encoder
/// was trained with (published: 32 and 8).
fn spread<B: Backend>(videos: Tensor<B, 5>, steps: usize) -> Tensor<B, 5> {
    let [_, frames, ..] = videos.dims();
    if frames <= steps {
        return videos;
    }
    let chosen: Vec<i64> = (0..steps)
        .map(|step| (step * frames / steps) as i64)
        .collect();
    let chosen = Tensor::from_ints(chosen.as_slice(), &videos.device());
    videos.select(1, chosen)
}

/// What decides between candidates: cosine over temperature and log-likelihood are both logarithms of how
/// probable a pair is, and add up.
pub(super) fn combined(cosine: f32, likelihood: f32, temperature: f64) -> f32 {
    cosine / temperature as f32 + likelihood
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;

    #[test]
    fn more_steps_than_there_are_positions_for_are_thinned_out() {
        let steps = |most: usize| {
            let videos =
                Tensor::<TestBackend, 1>::from_floats([0.0, 1.0, 2.0, 3.0], &Default::default());
            let spread = spread(videos.reshape([1, 4, 1, 1, 1]), most);
            spread.into_data().to_vec::<f32>().unwrap()
        };

        assert_eq!(steps(2), [0.0, 2.0]);
        assert_eq!(steps(9), [0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn likelihood_decides_between_similar_clips() {
        let sums = [(0.50, -1.0), (0.51, -3.0), (0.1, -0.5)]
            .map(|(cosine, likelihood)| combined(cosine, likelihood, 0.05));
        assert!(sums.is_sorted_by(|a, b| a > b), "{sums:?}");
    }
}
