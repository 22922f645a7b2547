//! Evaluation: what a trained model is worth on held-out data.

mod answers;
mod attention;
mod best_and_worst;
mod embedded_items;
mod evaluation;
mod list_retrieval;
mod predictions;
mod published;
mod question_source;
mod questions;
mod ranked_choice;
mod record;
mod retrieval_items;
mod settings;
mod similarity;
mod similarity_curves;
mod task;
mod with_bundle;

pub use answers::measure_answers;
pub use attention::{AttentionMaps, QuestionAttention};
pub(crate) use best_and_worst::{best_and_worst, by_probability};
pub use evaluation::{
    AnswerFigures, Direction, Evaluation, Figures, LeftOut, Measured, RetrievalFigures,
};
pub use list_retrieval::{ListRetrieval, list_retrieval};
pub use predictions::{
    AnsweredPrediction, Prediction, RankedPrediction, Scored, Seeking, write_predictions,
};
pub use published::{Generation, PUBLISHED, PublishedFigure, PublishedValues, published};
pub use question_source::{Asked, AskedQuestions};
pub use questions::{QuestionAccuracy, question_accuracy};
pub use ranked_choice::measure_ranked_choice;
pub use retrieval_items::measure_retrieval;
pub use settings::MeasureSettings;
pub use similarity::{PairSimilarity, pair_similarity};
pub use similarity_curves::SimilarityCurves;
pub use task::{Evaluated, EvaluationPlan, evaluate};
pub(crate) use with_bundle::measure_embeddings;
