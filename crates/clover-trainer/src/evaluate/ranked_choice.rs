//! Multiple choice without a head: the option most like the clip is the answer.
//!
//! Clover, section 4.2: MSRVTT multiple choice is retrieval among five sentences.

use burn::prelude::*;
use clover_data::dataset::CaptionedDataset;
use clover_inference::Embedder;

use super::answers::answered;
use super::embedded_list::embed_list;
use super::evaluation::{AnswerMetrics, Measured, TaskMetrics};
use super::predictions::Prediction;
use super::question_source::of_choice;
use super::questions::Count;
use super::settings::MeasureSettings;
use crate::TrainerError;
use crate::metric::mean_interval;

/// Embeds clips and their options as sentences, and answers each question with the option of the highest cosine;
/// probabilities are those of cosines over the temperature of training.
///
/// # Errors
///
/// As [`measure_retrieval`](super::measure_retrieval).
pub fn measure_ranked_choice<B: Backend>(
    embedder: &Embedder<B>,
    dataset: CaptionedDataset,
    settings: &MeasureSettings<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Measured, TrainerError> {
    let table = dataset.table().clone();
    let list = embed_list(embedder, dataset, settings, progress)?;
    let (mut count, mut predictions) = (Count::default(), Vec::new());
    let mut outcomes = Vec::new();
    for (&clip, options) in list.clips.iter().zip(list.texts_by_clip()) {
        let scores: Vec<f32> = options
            .map(|text| list.own_cosine(text) / embedder.temperature() as f32)
            .collect();
        let question = of_choice(table.clip(clip), table.texts(clip));
        let prediction = answered(&question, (clip, table.name(clip)), &scores)?;
        count.add(&question.right, scores.len(), prediction.correct);
        outcomes.push(f64::from(u8::from(prediction.correct)));
        predictions.push(Prediction::Answered(prediction));
    }
    let metrics = AnswerMetrics {
        accuracy: count.accuracy(list.skipped.len())?,
        interval: mean_interval(&outcomes, settings.seed),
    };
    Ok(Measured {
        metrics: TaskMetrics::Answers(metrics),
        predictions,
        skipped: list.skipped,
        time: list.time,
    })
}
