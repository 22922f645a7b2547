//! The pre-training objective: alignment, ranking and the word loss, all of weight 1.
//!
//! Clover, section 3, equation of the total loss:
//!
//! ```text
//! L = L_word + E(v; t, t~, f1) + R(v; t, t~) + E(t; v, v~, f2) + R(t; v, v~)
//! ```
//!
//! The paper's baselines replace a term, or leave it out: [`ObjectiveConfig`].

use burn::prelude::*;
use clover_losses::{
    CrossEntropyMlmLoss, CrossEntropyMlmLossConfig, FocalMlmLoss, FocalMlmLossConfig, InfoNceLoss,
    InfoNceLossConfig, PairwiseRankingLoss, PairwiseRankingLossConfig, Temperature,
    TriModalAlignmentLoss, TriModalAlignmentLossConfig, TriModalEmbeddings,
};
use clover_model::tasks::PretrainingOutput;
use serde::{Deserialize, Serialize};

use crate::precision::full_precision;
use crate::temperature::TemperatureChoice;

/// What pulls videos and texts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alignment {
    /// Videos, texts and their fusion, as published.
    TriModal,
    /// Videos and texts alone, by InfoNCE: the paper's baselines.
    InfoNce,
    /// Nothing.
    None,
}

/// How masked words are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WordLoss {
    /// The hard ones first, as published.
    Focal,
    /// All alike: the paper's baselines.
    CrossEntropy,
    /// Not at all.
    None,
}

/// Which losses a run adds up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectiveConfig {
    /// Tri-modal alignment (section 3.2), or what stands in its place.
    pub alignment: Alignment,
    /// Whether a complete pair must score above a masked one (section 3.3).
    pub ranking: bool,
    /// Masked language modelling (section 3.4).
    pub word_loss: WordLoss,
    /// What similarities are divided by (section 4.1).
    pub temperature: TemperatureChoice,
}

/// The objectives of a run.
///
/// Should be created with [`ObjectiveConfig`]; the default is Clover's.
#[derive(Clone, Debug)]
pub struct PretrainingObjective {
    alignment: AlignmentLoss,
    ranking: Option<PairwiseRankingLoss>,
    word: MaskedWordLoss,
    /// What similarities are divided by.
    pub(crate) temperature: TemperatureChoice,
}

#[derive(Clone, Debug)]
enum AlignmentLoss {
    TriModal(TriModalAlignmentLoss),
    InfoNce(InfoNceLoss),
    None,
}

#[derive(Clone, Debug)]
enum MaskedWordLoss {
    Focal(FocalMlmLoss),
    CrossEntropy(CrossEntropyMlmLoss),
    None,
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

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self {
            alignment: Alignment::TriModal,
            ranking: true,
            word_loss: WordLoss::Focal,
            temperature: TemperatureChoice::default(),
        }
    }
}

impl ObjectiveConfig {
    /// Initializes a new [`PretrainingObjective`].
    #[must_use]
    pub fn init(&self) -> PretrainingObjective {
        PretrainingObjective {
            alignment: match self.alignment {
                Alignment::TriModal => {
                    AlignmentLoss::TriModal(TriModalAlignmentLossConfig::new().init())
                }
                Alignment::InfoNce => AlignmentLoss::InfoNce(InfoNceLossConfig::new().init()),
                Alignment::None => AlignmentLoss::None,
            },
            ranking: self
                .ranking
                .then(|| PairwiseRankingLossConfig::new().init()),
            word: match self.word_loss {
                WordLoss::Focal => MaskedWordLoss::Focal(FocalMlmLossConfig::new().init()),
                WordLoss::CrossEntropy => {
                    MaskedWordLoss::CrossEntropy(CrossEntropyMlmLossConfig::new().init())
                }
                WordLoss::None => MaskedWordLoss::None,
            },
            temperature: self.temperature,
        }
    }
}

impl Default for PretrainingObjective {
    fn default() -> Self {
        ObjectiveConfig::default().init()
    }
}

impl PretrainingObjective {
    /// Computes every term, at the configured temperature: as of a model that learns none, where it is to be
    /// learned.
    ///
    /// # Shapes
    ///
    /// - labels: `[masked]`, the original ids at the masked positions
    ///
    /// # Panics
    ///
    /// Panics if words are learned, and the model scored them without labels or the other way round.
    pub fn forward<B: Backend>(
        &self,
        output: PretrainingOutput<B>,
        labels: Option<Tensor<B, 1, Int>>,
    ) -> PretrainingLosses<B> {
        self.forward_at(output, labels, &self.temperature.of(None))
    }

    /// Computes every term.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub(crate) fn forward_at<B: Backend>(
        &self,
        output: PretrainingOutput<B>,
        labels: Option<Tensor<B, 1, Int>>,
        temperature: &Temperature<B>,
    ) -> PretrainingLosses<B> {
        let word = self.word(output.word_logits.clone(), labels);
        let losses = self.contrast(embeddings(output), temperature);
        PretrainingLosses {
            word: word.unwrap_or_else(|| losses.word.clone()),
            ..losses
        }
    }

    /// The word loss; nothing where no word is masked or none is to be learned.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    pub(crate) fn word<B: Backend>(
        &self,
        logits: Option<Tensor<B, 2>>,
        labels: Option<Tensor<B, 1, Int>>,
    ) -> Option<Tensor<B, 1>> {
        if !self.learns_words() {
            return None;
        }
        assert_eq!(
            logits.is_some(),
            labels.is_some(),
            "pre-training objective: scores and labels belong together"
        );
        let (logits, labels) = logits.zip(labels)?;
        let logits = full_precision(logits);
        match &self.word {
            MaskedWordLoss::Focal(loss) => Some(loss.forward(logits, labels)),
            MaskedWordLoss::CrossEntropy(loss) => Some(loss.forward(logits, labels)),
            MaskedWordLoss::None => None,
        }
    }

    /// Whether masked words are learned at all.
    pub(crate) fn learns_words(&self) -> bool {
        !matches!(self.word, MaskedWordLoss::None)
    }

    /// Whether a term reads masked samples.
    pub(crate) fn reads_masked(&self) -> bool {
        let tri_modal = matches!(self.alignment, AlignmentLoss::TriModal(_));
        tri_modal || self.ranking.is_some() || self.learns_words()
    }

    /// Whether samples are compared with each other at all.
    pub(crate) fn compares(&self) -> bool {
        self.ranking.is_some() || !matches!(self.alignment, AlignmentLoss::None)
    }

    /// Alignment and ranking; the word loss is zero.
    pub(crate) fn contrast<B: Backend>(
        &self,
        embeddings: TriModalEmbeddings<B>,
        temperature: &Temperature<B>,
    ) -> PretrainingLosses<B> {
        let zero = Tensor::zeros([1], &embeddings.video.device());
        let [video_alignment, text_alignment] = match &self.alignment {
            AlignmentLoss::TriModal(loss) => {
                let loss = loss.forward_at(&embeddings, temperature);
                [loss.video_anchored, loss.text_anchored]
            }
            AlignmentLoss::InfoNce(loss) => {
                let (video, text) = (&embeddings.video, &embeddings.text);
                [
                    loss.forward_one_way_at(video.clone(), text.clone(), temperature),
                    loss.forward_one_way_at(text.clone(), video.clone(), temperature),
                ]
            }
            AlignmentLoss::None => [zero.clone(), zero.clone()],
        };
        let TriModalEmbeddings {
            video,
            text,
            masked_video,
            masked_text,
            ..
        } = embeddings;
        let [video_ranking, text_ranking] = match &self.ranking {
            Some(loss) => [
                loss.forward_at(video.clone(), text.clone(), masked_text, temperature),
                loss.forward_at(text, video, masked_video, temperature),
            ],
            None => [zero.clone(), zero.clone()],
        };
        PretrainingLosses {
            word: zero,
            video_alignment,
            video_ranking,
            text_alignment,
            text_ranking,
        }
    }
}

/// What the contrastive losses compare, in `f32` whatever the model computed in.
pub(crate) fn embeddings<B: Backend>(output: PretrainingOutput<B>) -> TriModalEmbeddings<B> {
    TriModalEmbeddings {
        video: full_precision(output.video),
        text: full_precision(output.text),
        masked_video: full_precision(output.masked_video),
        masked_text: full_precision(output.masked_text),
        fused_masked_video: full_precision(output.fused_masked_video),
        fused_masked_text: full_precision(output.fused_masked_text),
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
