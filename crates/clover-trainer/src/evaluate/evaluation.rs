//! What was measured, and everything a reader must know to compare it.

use clover_data::dataset::SkippedItem;
use clover_inference::EmbeddingTime;
use serde::{Deserialize, Serialize};

use super::predictions::Prediction;
use super::{PairSimilarity, QuestionAccuracy, SimilarityCurves};
use crate::metric::{Interval, RankIntervals, RetrievalMetrics};

/// A task measured on a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The task: a recipe's name.
    pub task: String,
    /// The split, as the user named it.
    pub split: String,
    /// The annotation file.
    pub data: String,
    /// Items of it that can be used: clips with sentences, or questions.
    pub items: usize,
    /// Rows of it that cannot, which are in no metric.
    pub unusable_rows: usize,
    /// Items whose clip or text could not be read, which are in no metric either.
    pub skipped: Vec<SkippedItem>,
    /// What tells this evaluation from another one: its task, recipe, bundle and list.
    #[serde(default)]
    pub identity: String,
    /// The metrics.
    #[serde(alias = "figures")]
    pub metrics: TaskMetrics,
    /// Clips a second, reading included.
    pub clips_per_second: f64,
    /// The share of the time that was spent waiting for clips to be read.
    pub waiting_share: f64,
}

/// The metrics of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskMetrics {
    /// Of retrieval.
    Retrieval(Box<BidirectionalMetrics>),
    /// Of questions.
    Answers(AnswerMetrics),
}

/// Both directions of retrieval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BidirectionalMetrics {
    /// Sentences looking for their clip.
    pub text_to_video: Direction,
    /// Clips looking for any of their sentences.
    pub video_to_text: Direction,
    /// The same after dual-softmax re-ranking, where it was asked for.
    pub dual_softmax: Option<[RetrievalMetrics; 2]>,
    /// Sentences that another clip has, too, and that cannot tell them apart.
    pub repeated_texts: usize,
    /// Mean cosines of pairs and non-pairs.
    pub similarity: PairSimilarity,
    /// How the cosines of pairs and non-pairs are spread.
    pub curves: SimilarityCurves,
}

/// One direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// Recall and rank.
    pub metrics: RetrievalMetrics,
    /// How far they may be off.
    pub intervals: RankIntervals,
}

/// Accuracy over questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerMetrics {
    /// Accuracy, beside chance and the best constant answer; shares between 0 and 1.
    pub accuracy: QuestionAccuracy,
    /// How far the accuracy may be off.
    pub interval: Interval,
}

/// Metrics with what they were computed from.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The metrics.
    pub metrics: TaskMetrics,
    /// What became of each query.
    pub predictions: Vec<Prediction>,
    /// Items that could not be read.
    pub skipped: Vec<SkippedItem>,
    /// Clips read in this session, and how long it took.
    pub time: (usize, EmbeddingTime),
}

impl TaskMetrics {
    /// The number a model is chosen by, higher is better: the sum of the six recalls in percent, or
    /// the accuracy in percent.
    #[must_use]
    pub fn score(&self) -> f64 {
        match self {
            Self::Retrieval(metrics) => {
                let BidirectionalMetrics {
                    text_to_video,
                    video_to_text,
                    ..
                } = &**metrics;
                text_to_video.metrics.recall_sum() + video_to_text.metrics.recall_sum()
            }
            Self::Answers(metrics) => 100.0 * metrics.accuracy.accuracy,
        }
    }
}

impl Measured {
    /// Clips a second, and the share of the time spent waiting for them.
    pub(super) fn speed(&self) -> [f64; 2] {
        let (clips, time) = self.time;
        let total = time.total.as_secs_f64();
        if total <= 0.0 {
            return [0.0; 2];
        }
        [clips as f64 / total, time.waiting.as_secs_f64() / total]
    }
}
