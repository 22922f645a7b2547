//! The embeddings of a list of clips and texts: each clip is read once and passes the video encoder
//! once, however many texts it has, and each text passes the text encoder once.
//!
//! All that is measured without an answer head is measured on this: validation, evaluation, the
//! ablation and the demo.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burn::prelude::*;
use clover_data::dataset::{CaptionedDataset, ClipTable, SampleSource, SkippedItem};
use clover_inference::{EmbeddedBatch, EmbeddedClip, Embedder, EmbeddingTime, NeutralTexts};
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::settings::MeasureSettings;
use crate::TrainerError;
use crate::metric::{EmbeddingTable, Storage};

/// A list of clips and texts, embedded.
#[derive(Clone, Debug)]
pub struct EmbeddedList {
    /// The number in the list of each clip that could be read, in their order.
    pub clips: Vec<usize>,
    /// A row a clip.
    pub videos: EmbeddingTable,
    /// A row a text; those of a clip follow each other.
    pub texts: EmbeddingTable,
    /// The clip of each text, as a row of [`videos`](Self::videos).
    pub owner: Vec<usize>,
    /// The clips that could not be read.
    pub skipped: Vec<SkippedItem>,
    /// Clips read in this session, and how long it took.
    pub(super) time: (usize, EmbeddingTime),
}

/// A clip and its texts as the record of an evaluation keeps them.
#[derive(Debug, Serialize, Deserialize)]
struct RecordedClip {
    index: usize,
    video: Row,
    texts: Vec<Row>,
}

/// A row of 32-bit floats; recorded little-endian, in base 64: exactly what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
struct Row(Vec<f32>);

/// Embeds a list, or what is left of it. `progress` is told how many clips of how many are done.
///
/// # Errors
///
/// The list is empty, too many clips cannot be read, an embedding is not finite, or the record cannot
/// be written.
pub fn embed_list<B: Backend>(
    embedder: &Embedder<B>,
    dataset: CaptionedDataset,
    settings: &MeasureSettings<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<EmbeddedList, TrainerError> {
    let total = dataset.len();
    if total == 0 {
        return Err(TrainerError::NothingToEvaluate);
    }
    let (path, of) = settings.recorded();
    let mut record = Record::<RecordedClip>::open(path, of)?;
    let (start, before) = (record.done, record.items.len());
    let mut time = EmbeddingTime::default();
    if start < total {
        let reading = (settings.workers, settings.max_failed_share);
        time = embedder.embed_captioned::<TrainerError>(dataset, reading, start, &mut |batch| {
            match batch {
                EmbeddedBatch::Clips(clips) => clips
                    .into_iter()
                    .try_for_each(|clip| record.add(RecordedClip::from(clip))),
                EmbeddedBatch::Skipped(item) => record.leave_out(item.clone()),
                EmbeddedBatch::Done(done) => {
                    progress(done, total);
                    record.advance(done)
                }
            }
        })?;
    }
    let read = record.items.len() - before;
    let mut list = EmbeddedList::new(settings.storage);
    for RecordedClip {
        index,
        video,
        texts,
    } in record.items
    {
        list.push(index, &video.0, texts.iter().map(|text| text.0.as_slice()))?;
    }
    list.skipped = record.left_out;
    list.time = (read, time);
    Ok(list)
}

impl EmbeddedList {
    /// A list without clips.
    #[must_use]
    pub fn new(storage: Storage) -> Self {
        Self {
            clips: Vec::new(),
            videos: EmbeddingTable::new("video", storage),
            texts: EmbeddingTable::new("text", storage),
            owner: Vec::new(),
            skipped: Vec::new(),
            time: (0, EmbeddingTime::default()),
        }
    }

    /// Adds the clip of number `index` with its texts.
    ///
    /// # Errors
    ///
    /// A row is not finite, or of another width than those before it.
    pub fn push<'t>(
        &mut self,
        index: usize,
        video: &[f32],
        texts: impl IntoIterator<Item = &'t [f32]>,
    ) -> Result<(), TrainerError> {
        let own = self.clips.len();
        self.videos.push(video)?;
        self.clips.push(index);
        for text in texts {
            self.texts.push(text)?;
            self.owner.push(own);
        }
        Ok(())
    }

    /// The cosine of a text with its own clip.
    pub(super) fn own_cosine(&self, text: usize) -> f32 {
        self.texts.cosine(text, &self.videos, self.owner[text])
    }

    /// The rows of each clip's texts.
    pub(super) fn texts_by_clip(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let mut next = 0;
        (0..self.clips.len()).map(move |clip| {
            let first = next;
            next += self.owner[first..]
                .iter()
                .take_while(|&&owner| owner == clip)
                .count();
            first..next
        })
    }

    /// The first caption of some clips, with how it scores there; `table` is what was embedded.
    #[must_use]
    pub fn neutral_texts(&self, table: &ClipTable) -> NeutralTexts {
        let rows: Vec<_> = self.clips.iter().map(|&row| table.texts(row)).collect();
        let captions = rows.iter().zip(self.texts_by_clip());
        let captions = captions.filter_map(|(texts, own)| {
            let caption = texts.all().first().copied()?;
            (!own.is_empty()).then(|| (caption, self.own_cosine(own.start)))
        });
        NeutralTexts::of_scored(&captions.collect::<Vec<_>>())
    }
}

impl From<EmbeddedClip> for RecordedClip {
    fn from(clip: EmbeddedClip) -> Self {
        Self {
            index: clip.index,
            video: Row(clip.video),
            texts: clip.texts.into_iter().map(Row).collect(),
        }
    }
}

impl From<Row> for String {
    fn from(row: Row) -> Self {
        let bytes = row.0.iter().flat_map(|value| value.to_le_bytes());
        STANDARD.encode(bytes.collect::<Vec<u8>>())
    }
}

impl TryFrom<String> for Row {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let bytes = STANDARD.decode(text).map_err(|_| "not base 64")?;
        let (values, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err("not whole floats");
        }
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok(Self(values.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_bit_for_bit() {
        let row = Row(vec![0.1_f32, -3.4e-12, f32::MIN_POSITIVE, 1.0]);

        let text = serde_json::to_string(&row).unwrap();

        assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row);
        assert!(serde_json::from_str::<Row>("\"AAA=\"").is_err());
    }

    #[test]
    fn a_caption_of_each_clip_comes_with_the_cosine_of_its_clip() {
        let table = ClipTable::of_captions([("a.gif", "a cat"), ("b.gif", "a dog")]);
        let mut list = EmbeddedList::new(Storage::F32);
        // The first clip could not be read.
        let texts: [&[f32]; 2] = [&[0.6, 0.8], &[0.0, 1.0]];
        list.push(1, &[1.0, 0.0], texts).unwrap();

        let neutral = list.neutral_texts(&table);

        assert_eq!(neutral.texts, ["a dog"]);
        assert!((neutral.own_scores[0] - 0.6).abs() < 1e-6);
    }
}
