//! Evaluation: what a trained model is worth on held-out data.

mod answer_scores;
mod answers;
mod attention;
mod best_and_worst;
mod embedded_list;
mod evaluation;
mod multiple_choice;
mod open_ended;
mod pair_tests;
mod predictions;
mod published;
mod question_source;
mod questions;
mod ranked_choice;
mod record;
mod retrieval;
mod settings;
mod similarity;
mod similarity_curves;
mod task;
mod with_bundle;
mod zero_shot;

pub use answer_scores::{AnswerAttention, AnswerScores};
pub use answers::measure_answers;
pub use attention::{AttentionMaps, QuestionAttention};
pub(crate) use best_and_worst::{best_and_worst, by_probability};
pub use embedded_list::{EmbeddedList, embed_list};
pub use evaluation::{
    AnswerMetrics, BidirectionalMetrics, Direction, Evaluation, Measured, TaskMetrics,
};
pub use pair_tests::{PairTests, SkillAccuracy, measure_pair_tests};
pub use predictions::{
    AnsweredPrediction, Prediction, RankedPrediction, Scored, Seeking, write_predictions,
};
pub use published::{Generation, PUBLISHED, PublishedFigure, PublishedValues, published};
pub use question_source::{Question, QuestionSource};
pub use questions::QuestionAccuracy;
pub use ranked_choice::measure_ranked_choice;
pub use retrieval::{ListRetrieval, list_retrieval, measure_retrieval};
pub use settings::MeasureSettings;
pub use similarity::{PairSimilarity, found_among_companions, pair_similarity};
pub use similarity_curves::SimilarityCurves;
pub use task::{Evaluated, EvaluationPlan, evaluate};
pub(crate) use with_bundle::measure_embeddings;
