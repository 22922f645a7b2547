//! Multiple choice without a head: the option most like the clip is the answer.
//!
//! Clover, section 4.2: MSRVTT multiple choice is retrieval among five sentences.

use burn::prelude::*;
use clover_data::dataset::CaptionedDataset;
use clover_inference::Embedder;
use clover_losses::TEMPERATURE;

use super::answers::answered;
use super::embedded_items::{EmbeddedItems, embed_items};
use super::evaluation::{AnswerFigures, Figures, Measured};
use super::predictions::Prediction;
use super::question_source::of_choice;
use super::questions::Count;
use super::settings::MeasureSettings;
use crate::TrainerError;
use crate::metric::{EmbeddingTable, mean_interval};

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
    let EmbeddedItems {
        clips,
        skipped,
        time,
    } = embed_items(embedder, dataset, settings, progress)?;
    let (mut count, mut predictions) = (Count::default(), Vec::new());
    let mut outcomes = Vec::new();
    for clip in &clips {
        let mut video = EmbeddingTable::new("video", settings.storage);
        video.push(&clip.video)?;
        let mut texts = EmbeddingTable::new("text", settings.storage);
        clip.texts.iter().try_for_each(|text| texts.push(text))?;
        let scores: Vec<f32> = (0..texts.len())
            .map(|text| texts.cosine(text, &video, 0) / TEMPERATURE as f32)
            .collect();
        let asked = of_choice(table.clip(clip.index), table.texts(clip.index));
        let named = (clip.index, table.name(clip.index));
        let prediction = answered(&asked, named, &scores)?;
        count.add_outcome(&asked.right, scores.len(), prediction.correct);
        outcomes.push(f64::from(u8::from(prediction.correct)));
        predictions.push(Prediction::Answered(prediction));
    }
    let figures = AnswerFigures {
        accuracy: count.accuracy(skipped.len())?,
        interval: mean_interval(&outcomes, settings.seed),
    };
    Ok(Measured {
        figures: Figures::Answers(figures),
        predictions,
        skipped,
        time,
    })
}
