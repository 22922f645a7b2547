//! Embeddings of videos and texts.

mod clip_texts;

use burn::prelude::*;
use burn::tensor::TensorData;
use clover_data::batch::RetrievalBatch;
use clover_data::dataset::{
    BatchLoader, LoaderConfig, Pair, PairSource, Position, RetrievalDataset,
    RetrievalDatasetConfig, RetrievalSample, SkippedItem,
};
use clover_data::text::WordPieceTokenizer;
use clover_model::Clover;
use clover_model::Noise;
use clover_model::tasks::RetrievalModel;

pub use clip_texts::{EmbeddedBatch, EmbeddedClip, EmbeddingTime};

use crate::{InferenceError, Preprocessing};

/// Clips or texts that pass an encoder together.
const BATCH: usize = 16;

/// Rows of unit length, one after the other, on the CPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    /// `[rows, dim]`, row by row.
    pub values: Vec<f32>,
    /// Width of a row.
    pub dim: usize,
}

/// Pairs with the embeddings of both sides.
#[derive(Clone, Debug)]
pub struct EmbeddedPairs {
    /// The pairs that could be read, in their order.
    pub pairs: Vec<Pair>,
    /// One row a pair.
    pub videos: Embeddings,
    /// One row a pair.
    pub texts: Embeddings,
    /// The pairs that could not be read, and why.
    pub skipped: Vec<SkippedItem>,
}

/// Pairs from anywhere with the embeddings of both sides.
#[derive(Clone, Debug)]
pub struct EmbeddedSource {
    /// What reports call each pair that could be read: its clip.
    pub names: Vec<String>,
    /// One row a pair.
    pub videos: Embeddings,
    /// One row a pair.
    pub texts: Embeddings,
    /// The pairs that could not be read, and why.
    pub skipped: Vec<SkippedItem>,
}

/// Reads files and texts, and embeds them.
#[derive(Debug)]
pub struct Embedder<B: Backend> {
    model: RetrievalModel<B>,
    tokenizer: WordPieceTokenizer,
    preprocessing: Preprocessing,
    device: B::Device,
}

impl<B: Backend> Embedder<B> {
    /// An embedder with the encoders and projections of a Clover.
    pub fn new(
        clover: Clover<B>,
        tokenizer: WordPieceTokenizer,
        preprocessing: Preprocessing,
        device: B::Device,
    ) -> Self {
        Self {
            model: RetrievalModel::from(clover),
            tokenizer,
            preprocessing,
            device,
        }
    }

    /// An embedder with a model for retrieval.
    pub fn of_model(
        model: RetrievalModel<B>,
        tokenizer: WordPieceTokenizer,
        preprocessing: Preprocessing,
        device: B::Device,
    ) -> Self {
        Self {
            model,
            tokenizer,
            preprocessing,
            device,
        }
    }

    /// Its word pieces.
    pub fn tokenizer(&self) -> &WordPieceTokenizer {
        &self.tokenizer
    }

    /// Where it computes.
    pub fn device(&self) -> &B::Device {
        &self.device
    }

    /// Embeds texts.
    ///
    /// # Errors
    ///
    /// A text cannot be tokenized.
    pub fn embed_texts(&self, texts: &[String]) -> Result<Embeddings, InferenceError> {
        let mut embeddings = Embeddings::default();
        for batch in texts.chunks(BATCH) {
            let mut ids = Vec::new();
            let mut mask = Vec::new();
            for text in batch {
                let encoding = self.tokenizer.encode(text, self.preprocessing.text_len)?;
                ids.extend(encoding.ids.into_iter().map(i64::from));
                mask.extend(encoding.attention_mask.into_iter().map(i64::from));
            }
            let shape = [batch.len(), self.preprocessing.text_len];
            let tensor = |values| {
                Tensor::<B, 2, Int>::from_data(TensorData::new(values, shape), &self.device)
            };
            embeddings.push(
                self.model
                    .embed_text(tensor(ids), tensor(mask), &mut Noise::quiet()),
            );
        }
        Ok(embeddings)
    }

    /// Embeds both sides of pairs; `progress` hears how many of how many are done. Broken items are
    /// left out by name.
    ///
    /// # Errors
    ///
    /// More than half of the pairs cannot be read, or the preprocessing is out of range.
    pub fn embed_pairs(
        &self,
        pairs: Vec<Pair>,
        progress: impl FnMut(usize, usize),
    ) -> Result<EmbeddedPairs, InferenceError> {
        let mut unread = pairs.clone().into_iter();
        let mut read = Vec::new();
        let embedded = self.embed(pairs.into(), progress, |sample| {
            // Samples come in the order of the pairs, broken ones left out.
            let same =
                |pair: &Pair| pair.name() == sample.name && pair.caption.text() == sample.caption;
            read.extend(unread.by_ref().find(same));
        })?;
        let (videos, texts, skipped) = embedded;
        Ok(EmbeddedPairs {
            pairs: read,
            videos,
            texts,
            skipped,
        })
    }

    /// As [`embed_pairs`](Self::embed_pairs), of pairs from anywhere.
    ///
    /// # Errors
    ///
    /// As [`embed_pairs`](Self::embed_pairs).
    pub fn embed_source(
        &self,
        pairs: PairSource,
        progress: impl FnMut(usize, usize),
    ) -> Result<EmbeddedSource, InferenceError> {
        let mut names = Vec::new();
        let embedded = self.embed(pairs, progress, |sample| names.push(sample.name.clone()))?;
        let (videos, texts, skipped) = embedded;
        Ok(EmbeddedSource {
            names,
            videos,
            texts,
            skipped,
        })
    }

    /// Embeds both sides; `visit` sees every sample that could be read.
    fn embed(
        &self,
        pairs: PairSource,
        mut progress: impl FnMut(usize, usize),
        mut visit: impl FnMut(&RetrievalSample),
    ) -> Result<(Embeddings, Embeddings, Vec<SkippedItem>), InferenceError> {
        let total = pairs.len();
        let config = RetrievalDatasetConfig {
            clip: self.preprocessing.clip_reading(),
            text_len: self.preprocessing.text_len,
            seed: 0,
        };
        let dataset = RetrievalDataset::new(pairs, self.tokenizer.clone(), config)?;
        let mut loader = BatchLoader::new(dataset, LoaderConfig::evaluation(BATCH))?;
        let (mut videos, mut texts) = (Embeddings::default(), Embeddings::default());
        for batch in loader.epoch(Position::default())? {
            let batch = batch?;
            let done = batch.next.item;
            batch.samples.iter().for_each(&mut visit);
            let batch = RetrievalBatch::<B>::collate(batch.samples, &self.device);
            let quiet = Noise::quiet;
            videos.push(self.model.embed_video(batch.clips, 1, &mut quiet()));
            let (ids, mask) = (batch.token_ids, batch.attention_mask);
            texts.push(self.model.embed_text(ids, mask, &mut quiet()));
            progress(done, total);
        }
        Ok((videos, texts, loader.skipped().to_vec()))
    }
}

impl Embeddings {
    /// Rows in all.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.dim).unwrap_or(0)
    }

    /// One row.
    ///
    /// # Panics
    ///
    /// Panics if there is no such row.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.dim..(index + 1) * self.dim]
    }

    fn push<B: Backend>(&mut self, embeddings: Tensor<B, 2>) {
        let [_, dim] = embeddings.dims();
        self.dim = dim;
        let values: Vec<f32> = embeddings.into_data().convert::<f32>().iter().collect();
        for row in values.chunks(dim) {
            let length = row
                .iter()
                .map(|value| value * value)
                .sum::<f32>()
                .sqrt()
                .max(1e-8);
            self.values.extend(row.iter().map(|value| value / length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use clover_data::dataset::PairsManifest;
    use clover_data::synthetic::{SyntheticSetConfig, write_synthetic_set};
    use clover_data::video::PixelPipeline;
    use clover_model::CloverConfig;

    #[test]
    fn embeddings_have_unit_length_and_broken_files_are_left_out_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let set = SyntheticSetConfig {
            train_clips: 5,
            held_out_clips: 0,
            frames: 2,
            size: 32,
            seed: 1,
        };
        let files = write_synthetic_set(&set, folder.path()).unwrap();
        let pairs = PairsManifest::read(&files.train).unwrap().pairs;
        std::fs::write(&pairs[2].path, "not a video").unwrap();
        let tokenizer = WordPieceTokenizer::from_vocab_file(&files.vocabulary).unwrap();
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 1);
        let config = CloverConfig::tiny(tokenizer.vocabulary().len())
            .with_image_size(28)
            .with_frames(2);
        let clover: Clover<TestBackend> = config.init(&device);
        let preprocessing = Preprocessing {
            frames: 2,
            pixels: PixelPipeline::test_resize(28),
            text_len: 16,
        };
        let embedder = Embedder::new(clover, tokenizer, preprocessing, device);

        let embedded = embedder.embed_pairs(pairs.clone(), |_, _| {}).unwrap();

        assert_eq!((embedded.videos.rows(), embedded.texts.rows()), (4, 4));
        assert_eq!(embedded.pairs[2], pairs[3]);
        assert_eq!(embedded.skipped.len(), 1);
        assert!(
            embedded.skipped[0].name.contains("00002"),
            "{:?}",
            embedded.skipped
        );
        for row in 0..4 {
            let length: f32 = embedded
                .videos
                .row(row)
                .iter()
                .map(|value| value * value)
                .sum();
            assert!((length - 1.0).abs() < 1e-4);
        }
        let again = embedder
            .embed_texts(&[pairs[0].caption.text().to_owned()])
            .unwrap();
        let difference = again
            .row(0)
            .iter()
            .zip(embedded.texts.row(0))
            .map(|(a, b)| (a - b).abs());
        assert!(difference.fold(0.0, f32::max) < 1e-5);
    }
}
