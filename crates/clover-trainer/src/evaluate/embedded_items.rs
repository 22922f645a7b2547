//! The embeddings of a list of clips and texts, read once each, and kept while they are computed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burn::prelude::*;
use clover_data::dataset::{CaptionedDataset, SampleSource};
use clover_inference::{EmbeddedBatch, EmbeddedClip, Embedder, EmbeddingTime};
use serde::{Deserialize, Serialize};

use super::LeftOut;
use super::record::Record;
use super::settings::MeasureSettings;
use crate::TrainerError;

/// A clip and its texts, embedded.
#[derive(Debug, Serialize, Deserialize)]
struct EmbeddedItem {
    index: usize,
    video: Row,
    texts: Vec<Row>,
}

/// A row of 32-bit floats, little-endian, in base 64: exactly what it was.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Row(String);

/// What was embedded.
pub(super) struct EmbeddedItems {
    /// Clips in the order of their list.
    pub(super) clips: Vec<EmbeddedClip>,
    pub(super) skipped: Vec<LeftOut>,
    pub(super) time: (usize, EmbeddingTime),
}

/// Embeds a list, or what is left of it. `progress` hears how many of how many are done.
pub(super) fn embed_items<B: Backend>(
    embedder: &Embedder<B>,
    dataset: CaptionedDataset,
    settings: &MeasureSettings<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<EmbeddedItems, TrainerError> {
    let total = dataset.len();
    if total == 0 {
        return Err(TrainerError::NothingToEvaluate);
    }
    let (path, of) = settings.recorded();
    let mut record = Record::<EmbeddedItem>::open(path, of)?;
    let (start, before) = (record.done, record.items.len());
    let mut time = EmbeddingTime::default();
    if start < total {
        let reading = (settings.workers, settings.max_failed_share);
        time = embedder.embed_captioned::<TrainerError>(dataset, reading, start, &mut |batch| {
            match batch {
                EmbeddedBatch::Clips(clips) => clips
                    .into_iter()
                    .try_for_each(|clip| record.add(EmbeddedItem::of(&clip))),
                EmbeddedBatch::Skipped(item) => record.leave_out(item.into()),
                EmbeddedBatch::Done(done) => {
                    progress(done, total);
                    record.advance(done)
                }
            }
        })?;
    }
    let read = record.items.len() - before;
    let clips = record.items.iter().map(EmbeddedItem::decode);
    let clips = clips.collect::<Option<Vec<_>>>();
    Ok(EmbeddedItems {
        clips: clips.ok_or(TrainerError::NothingToEvaluate)?,
        skipped: record.left_out,
        time: (read, time),
    })
}

impl EmbeddedItem {
    fn of(clip: &EmbeddedClip) -> Self {
        Self {
            index: clip.index,
            video: Row::of(&clip.video),
            texts: clip.texts.iter().map(|text| Row::of(text)).collect(),
        }
    }

    fn decode(&self) -> Option<EmbeddedClip> {
        Some(EmbeddedClip {
            index: self.index,
            video: self.video.decode()?,
            texts: self.texts.iter().map(Row::decode).collect::<Option<_>>()?,
        })
    }
}

impl Row {
    fn of(values: &[f32]) -> Self {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        Self(STANDARD.encode(bytes))
    }

    fn decode(&self) -> Option<Vec<f32>> {
        let bytes = STANDARD.decode(&self.0).ok()?;
        let (values, rest) = bytes.as_chunks::<4>();
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes));
        rest.is_empty().then(|| values.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_bit_for_bit() {
        let values = [0.1_f32, -3.4e-12, f32::MIN_POSITIVE, 1.0];

        assert_eq!(Row::of(&values).decode().unwrap(), values);
        assert_eq!(Row("AAA=".to_owned()).decode(), None);
    }
}
