//! What a model said about each item: `predictions.jsonl`, a line each.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::TrainerError;
use crate::whole_file::write_whole;

/// What became of one query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Prediction {
    /// Of retrieval.
    Ranked(RankedPrediction),
    /// Of a question.
    Answered(AnsweredPrediction),
}

/// Which side looks for which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seeking {
    /// A sentence looks for its clip.
    TextToVideo,
    /// A clip looks for any of its sentences.
    VideoToText,
}

/// Where the own candidate of a query was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedPrediction {
    /// The direction.
    pub direction: Seeking,
    /// The sentence, or the clip, that looks.
    pub query: String,
    /// The clip of the pair.
    pub clip: String,
    /// From one.
    pub rank: usize,
    /// The cosine of the pair.
    pub cosine: f32,
    /// The best candidates, clips or sentences.
    pub found: Vec<Scored>,
}

/// A candidate, or an answer, with its score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The clip, the sentence or the answer.
    pub name: String,
    /// The cosine, or the probability.
    pub score: f32,
}

/// What a question was answered with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnsweredPrediction {
    /// The number of the question among the usable ones, from zero.
    pub index: usize,
    /// What reports call it.
    pub name: String,
    /// The clip.
    pub clip: String,
    /// The question.
    pub question: String,
    /// The right answers.
    pub truth: Vec<String>,
    /// Whether the list has any of them.
    pub answerable: bool,
    /// The answer given.
    pub answer: String,
    /// Whether it is right.
    pub correct: bool,
    /// The probability of the right answer; zero where the list has none.
    pub truth_probability: f32,
    /// The most probable answers, or all options.
    pub probabilities: Vec<Scored>,
}

/// Writes predictions, a line each.
///
/// # Errors
///
/// The file cannot be written; one that was there before is then still whole.
pub fn write_predictions(path: &Path, predictions: &[Prediction]) -> Result<(), TrainerError> {
    let mut lines = Vec::new();
    for prediction in predictions {
        serde_json::to_writer(&mut lines, prediction).map_err(|source| TrainerError::Json {
            path: path.to_owned(),
            source,
        })?;
        lines.push(b'\n');
    }
    write_whole(path, &lines)
}
