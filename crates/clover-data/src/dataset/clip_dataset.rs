//! Rows of a table prepared for a task: a clip, decoded and normalised, and its texts as tokens.
//!
//! Reading, randomness and names are the same for all tasks; what becomes of the texts is the task's
//! [`Preparation`].

use std::ops::Range;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use super::clip_reading::ClipReading;
use super::clip_table::{ClipRow, ClipTable, Texts};
use super::items::ItemsTask;
use super::randomness::Randomness;
use super::recent_clips::{ClipKey, ReadClip, RecentClips};
use super::source::SampleSource;
use super::stacking::Stack;
use crate::DataError;
use crate::text::{Encoding, Tokenizer};
use crate::video::{ClipSource, NormalizedClip, Span};

/// BERT has no more positions.
const LONGEST_TEXT: usize = 512;

/// Token ids and attention mask of a text.
pub(super) type Tokens = (Vec<u32>, Vec<u8>);

/// How rows become samples.
#[derive(Debug, Clone)]
pub struct SampleReading {
    /// How a clip is read.
    pub clip: ClipReading,
    /// Tokens a text, 30 in the published settings.
    pub text_len: usize,
    /// The seed of the run; unused when sampling, pixels and task are deterministic.
    pub seed: u64,
}

/// What a task makes of a row.
pub trait Preparation: Send + Sync + 'static {
    /// What the texts of a row become before its clip is decoded, which takes longer.
    type Encoded;
    /// What a row becomes.
    type Sample: Stack;

    /// Turns the texts of a row into tokens.
    ///
    /// # Errors
    ///
    /// When the row has other texts than the task needs, or they cannot be used.
    fn encode(&self, texts: Texts, row: &PreparedRow<'_>) -> Result<Self::Encoded, DataError>;

    /// Puts clip and texts together. Random numbers are drawn after those of the clip, which therefore does not
    /// depend on the task.
    fn finish(
        &self,
        encoded: Self::Encoded,
        clip: NormalizedClip,
        row: &PreparedRow<'_>,
        rng: &mut ChaCha8Rng,
    ) -> Self::Sample;
}

/// What is known of a row while it is prepared.
#[derive(Debug)]
pub struct PreparedRow<'d> {
    /// What reports call it.
    pub name: String,
    /// Its number in its table.
    pub index: usize,
    /// The tokenizer of the run.
    pub tokenizer: &'d Tokenizer,
    /// Tokens a text.
    pub text_len: usize,
}

/// A table whose rows are prepared for a task, with other random numbers in every epoch.
#[derive(Debug, Clone)]
pub struct ClipDataset<P> {
    table: ClipTable,
    tokenizer: Tokenizer,
    reading: SampleReading,
    preparation: P,
    group_size: usize,
    recent: Arc<RecentClips>,
}

impl PreparedRow<'_> {
    /// The tokens of a text.
    ///
    /// # Errors
    ///
    /// When the tokenizer refuses it.
    pub fn tokens(&self, text: &str) -> Result<Encoding, DataError> {
        self.tokenizer.encode(text, self.text_len)
    }

    /// The tokens of each text.
    pub(super) fn tokens_of_all<S: AsRef<str>>(
        &self,
        texts: &[S],
    ) -> Result<Vec<Tokens>, DataError> {
        let encoded = texts.iter().map(|text| {
            let encoding = self.tokens(text.as_ref())?;
            Ok((encoding.ids, encoding.attention_mask))
        });
        encoded.collect()
    }

    /// Other texts than the task needs.
    pub(super) fn without(&self, wanted: ItemsTask) -> DataError {
        DataError::OtherTexts {
            name: self.name.clone(),
            wanted: wanted.texts(),
        }
    }
}

impl<P: Preparation> ClipDataset<P> {
    /// Prepares a table as the task says.
    ///
    /// # Errors
    ///
    /// When a figure of the reading is out of range.
    pub fn new(
        table: impl Into<ClipTable>,
        tokenizer: Tokenizer,
        reading: SampleReading,
        preparation: P,
    ) -> Result<Self, DataError> {
        reading.clip.validate()?;
        // Room for one piece between `[CLS]` and `[SEP]` at least.
        if !(3..=LONGEST_TEXT).contains(&reading.text_len) {
            return Err(DataError::OutOfRange {
                key: "text_len",
                value: reading.text_len,
                smallest: 3,
                largest: LONGEST_TEXT,
            });
        }
        Ok(Self {
            table: table.into(),
            tokenizer,
            reading,
            preparation,
            group_size: 1,
            recent: Arc::default(),
        })
    }

    /// So many rows that follow each other draw the same random numbers, so that questions about one clip see the same
    /// frames of it, which are decoded once for all (of files, not of samples in shards). Where nothing is drawn,
    /// `usize::MAX` changes no sample.
    #[must_use]
    pub fn with_group_size(mut self, group_size: usize) -> Self {
        self.group_size = group_size.max(1);
        self
    }

    /// The rows.
    pub fn table(&self) -> &ClipTable {
        &self.table
    }

    /// What the task makes of a row.
    pub fn preparation(&self) -> &P {
        &self.preparation
    }

    /// The clip of a row, and the random numbers that are left for its texts.
    fn clip(
        &self,
        epoch: u64,
        index: usize,
        (clip, span): (ClipSource, Option<Span>),
    ) -> Result<ReadClip, DataError> {
        let first = index - index % self.group_size;
        let key = match &clip {
            ClipSource::Path(path) if self.group_size > 1 => Some(ClipKey {
                path: path.clone(),
                span,
                draw: (epoch, first),
            }),
            _ => None,
        };
        let read = || {
            // One generator an item: the sample is the same whichever worker reads it, and when.
            let mut rng = Randomness::new(self.reading.seed).for_item(epoch, first as u64);
            let clip = self.reading.clip.read(clip, span, &mut rng)?;
            Ok((clip, rng))
        };
        match key {
            Some(key) => self.recent.get(key, read),
            None => read(),
        }
    }
}

impl<P: Preparation> SampleSource for ClipDataset<P> {
    type Sample = P::Sample;
    type Batch = <P::Sample as Stack>::Stacked;

    fn len(&self) -> usize {
        self.table.len()
    }

    fn name(&self, index: usize) -> String {
        self.table.name(index)
    }

    fn stretches(&self) -> Vec<Range<usize>> {
        self.table.stretches()
    }

    fn read(&self, epoch: u64, index: usize) -> Result<P::Sample, DataError> {
        let ClipRow { clip, span, texts } = self.table.read(index)?;
        let row = PreparedRow {
            name: self.name(index),
            index,
            tokenizer: &self.tokenizer,
            text_len: self.reading.text_len,
        };
        let encoded = self.preparation.encode(texts, &row)?;
        let (clip, mut rng) = self.clip(epoch, index, (clip, span))?;
        Ok(self.preparation.finish(encoded, clip, &row, &mut rng))
    }

    fn collate(&self, samples: Vec<P::Sample>) -> Self::Batch {
        P::Sample::stack(&samples)
    }
}
