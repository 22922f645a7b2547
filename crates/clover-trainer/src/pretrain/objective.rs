//! The pre-training objective: alignment, ranking and the word loss, all of weight 1.
//!
//! Clover, section 3, equation of the total loss:
//!
//! ```text
//! L = L_word + E(v; t, t~, f1) + R(v; t, t~) + E(t; v, v~, f2) + R(t; v, v~)
//! ```

use burn::prelude::*;
use clover_losses::{
    FocalMlmLoss, FocalMlmLossConfig, PairwiseRankingLoss, PairwiseRankingLossConfig,
    TriModalAlignmentLoss, TriModalAlignmentLossConfig, TriModalEmbeddings,
};
use clover_model::tasks::PretrainingOutput;

/// The three objectives in their published form.
#[derive(Clone, Debug)]
pub struct PretrainingObjective {
    alignment: TriModalAlignmentLoss,
    ranking: PairwiseRankingLoss,
    word: FocalMlmLoss,
}

/// Every term of a step, each `[1]`.
#[derive(Clone, Debug)]
pub struct PretrainingLosses<B: Backend> {
    /// Focal word loss; zero when no word of the batch is masked.
    pub word: Tensor<B, 1>,
    /// `E(v; t, t~, f1)`.
    pub video_alignment: Tensor<B, 1>,
    /// `R(v; t, t~)`.
    pub video_ranking: Tensor<B, 1>,
    /// `E(t; v, v~, f2)`.
    pub text_alignment: Tensor<B, 1>,
    /// `R(t; v, v~)`.
    pub text_ranking: Tensor<B, 1>,
}

impl Default for PretrainingObjective {
    fn default() -> Self {
        Self {
            alignment: TriModalAlignmentLossConfig::new().init(),
            ranking: PairwiseRankingLossConfig::new().init(),
            word: FocalMlmLossConfig::new().init(),
        }
    }
}

impl PretrainingObjective {
    /// Computes every term.
    ///
    /// # Shapes
    ///
    /// - labels: `[masked]`, the original ids at the masked positions
    ///
    /// # Panics
    ///
    /// Panics if the model scored words without labels or the other way round.
    pub fn forward<B: Backend>(
        &self,
        output: PretrainingOutput<B>,
        labels: Option<Tensor<B, 1, Int>>,
    ) -> PretrainingLosses<B> {
        let word = self.word(output.word_logits.clone(), labels);
        let losses = self.contrast(embeddings(output));
        PretrainingLosses {
            word: word.unwrap_or_else(|| losses.word.clone()),
            ..losses
        }
    }

    /// The word loss; nothing where no word is masked.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub(super) fn word<B: Backend>(
        &self,
        logits: Option<Tensor<B, 2>>,
        labels: Option<Tensor<B, 1, Int>>,
    ) -> Option<Tensor<B, 1>> {
        assert_eq!(
            logits.is_some(),
            labels.is_some(),
            "pre-training objective: scores and labels belong together"
        );
        logits
            .zip(labels)
            .map(|(logits, labels)| self.word.forward(logits, labels))
    }

    /// Alignment and ranking; the word loss is zero.
    pub(super) fn contrast<B: Backend>(
        &self,
        embeddings: TriModalEmbeddings<B>,
    ) -> PretrainingLosses<B> {
        let device = embeddings.video.device();
        let alignment = self.alignment.forward(&embeddings);
        let TriModalEmbeddings {
            video,
            text,
            masked_video,
            masked_text,
            ..
        } = embeddings;
        PretrainingLosses {
            word: Tensor::zeros([1], &device),
            video_alignment: alignment.video_anchored,
            video_ranking: self
                .ranking
                .forward(video.clone(), text.clone(), masked_text),
            text_alignment: alignment.text_anchored,
            text_ranking: self.ranking.forward(text, video, masked_video),
        }
    }
}

/// What the contrastive losses compare.
pub(super) fn embeddings<B: Backend>(output: PretrainingOutput<B>) -> TriModalEmbeddings<B> {
    TriModalEmbeddings {
        video: output.video,
        text: output.text,
        masked_video: output.masked_video,
        masked_text: output.masked_text,
        fused_masked_video: output.fused_masked_video,
        fused_masked_text: output.fused_masked_text,
    }
}

impl<B: Backend> PretrainingLosses<B> {
    /// Their sum, `[1]`.
    pub fn total(&self) -> Tensor<B, 1> {
        let [
            word,
            video_alignment,
            video_ranking,
            text_alignment,
            text_ranking,
        ] = self.terms();
        word + video_alignment + video_ranking + text_alignment + text_ranking
    }

    /// Word loss, then alignment and ranking anchored at the video, then at the text.
    pub fn terms(&self) -> [Tensor<B, 1>; 5] {
        [
            self.word.clone(),
            self.video_alignment.clone(),
            self.video_ranking.clone(),
            self.text_alignment.clone(),
            self.text_ranking.clone(),
        ]
    }
}
