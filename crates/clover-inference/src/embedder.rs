//! Embeddings of videos and texts.

mod captioned;

use burn::prelude::*;
use clover_data::batch::stack_clips;
use clover_data::dataset::{ClipReading, Randomness};
use clover_data::text::Tokenizer;
use clover_data::video::{ClipSource, DecodeLimits, NormalizedClip, Span};
use clover_model::tasks::RetrievalModel;
use clover_model::video_encoder::VideoEncoder;
use clover_model::{Clover, Noise};

pub use captioned::{EmbeddedBatch, EmbeddedClip, EmbeddingTime};

use crate::{InferenceError, Preprocessing};

/// Cosines were divided by this in pre-training: Clover's temperature.
const TEMPERATURE: f64 = 0.05;

/// Clips or texts that pass an encoder together.
pub(crate) const BATCH: usize = 16;

/// Images that pass CLIP's encoder together: more of them take more memory, but no less time each.
const IMAGES: usize = 64;

/// Rows of unit length, one after the other, on the CPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embeddings {
    /// `[rows, dim]`, row by row.
    pub values: Vec<f32>,
    /// Width of a row.
    pub dim: usize,
}

/// Reads files and texts, and embeds them.
#[derive(Debug)]
pub struct Embedder<B: Backend> {
    model: RetrievalModel<B>,
    tokenizer: Tokenizer,
    preprocessing: Preprocessing,
    limits: DecodeLimits,
    temperature: f64,
    device: B::Device,
}

impl<B: Backend> Embedder<B> {
    /// An embedder with the encoders and projections of a Clover.
    pub fn new(
        clover: Clover<B>,
        tokenizer: Tokenizer,
        preprocessing: Preprocessing,
        device: B::Device,
    ) -> Self {
        Self::of_model(
            RetrievalModel::from(clover),
            tokenizer,
            preprocessing,
            device,
        )
    }

    /// An embedder with a model for retrieval.
    pub fn of_model(
        model: RetrievalModel<B>,
        tokenizer: Tokenizer,
        preprocessing: Preprocessing,
        device: B::Device,
    ) -> Self {
        let scale = model.scale().map(Tensor::into_data);
        let scale = scale.and_then(|scale| scale.convert::<f64>().iter().next());
        Self {
            model,
            tokenizer,
            preprocessing,
            limits: DecodeLimits::default(),
            temperature: scale.map_or(TEMPERATURE, |scale: f64| scale.recip()),
            device,
        }
    }

    /// The same with other bounds on what a file may cost.
    #[must_use]
    pub fn with_limits(self, limits: DecodeLimits) -> Self {
        Self { limits, ..self }
    }

    /// How it reads a clip, without any randomness.
    pub(crate) fn clip_reading(&self) -> ClipReading {
        ClipReading {
            limits: self.limits.clone(),
            ..self.preprocessing.clip_reading()
        }
    }

    /// Reads a clip, or a span of it, as the model was trained to see it; without any randomness.
    ///
    /// # Errors
    ///
    /// It cannot be read, or has no such span.
    pub fn read(
        &self,
        clip: ClipSource,
        span: Option<Span>,
    ) -> Result<NormalizedClip, InferenceError> {
        let mut rng = Randomness::new(0).for_item(0, 0);
        Ok(self.clip_reading().read(clip, span, &mut rng)?)
    }

    /// What cosines are divided by to be logits: Clover's constant, or what CLIP has learned.
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// The model.
    pub fn model(&self) -> &RetrievalModel<B> {
        &self.model
    }

    /// Its word pieces.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// How it sees files.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
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
            let texts = self.text_batch(batch)?;
            // Nothing behind the longest text changes an embedding.
            let [ids, mask] = [texts.ids, texts.mask].map(|x| x.narrow(1, 0, texts.longest));
            embeddings.push(self.model.embed_text(ids, mask, &mut Noise::quiet()));
        }
        Ok(embeddings)
    }

    /// Embeds clips that were read as [its preprocessing](Self::preprocessing) says.
    ///
    /// # Panics
    ///
    /// Panics if their sizes differ.
    pub fn embed_clips(&self, clips: &[&NormalizedClip]) -> Embeddings {
        let at_once = match self.model.video_encoder {
            VideoEncoder::VideoSwin(_) => clips.len().max(1),
            VideoEncoder::Clip(_) => (IMAGES / self.preprocessing.frames.max(1)).max(1),
        };
        let mut embeddings = Embeddings::default();
        for clips in clips.chunks(at_once) {
            let clips = stack_clips::<B>(clips, &self.device);
            embeddings.push(self.model.embed_video(clips, 1, &mut Noise::quiet()));
        }
        embeddings
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
    use crate::{Bundle, TestBackend};
    use clover_data::dataset::{Captioned, ClipTable};
    use clover_model::CloverConfig;
    use clover_synthetic::{BenchmarkConfig, write_benchmark};

    #[test]
    fn embeddings_have_unit_length_and_broken_files_are_left_out_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let config = BenchmarkConfig::one_shape(5, 0.01);
        let files = write_benchmark(&config, folder.path(), |_, _| ()).unwrap();
        let table = ClipTable::open(&files.train.pairs, None, &|_, _| ()).unwrap();
        std::fs::write(table.name(2), "not a video").unwrap();
        let tokenizer = Tokenizer::read(&files.vocabulary).unwrap();
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 1);
        let config = CloverConfig::tiny(tokenizer.vocabulary().len())
            .with_image_size(28)
            .with_frames(2);
        let bundle = Bundle::<TestBackend>::init(config, tokenizer, 16, &device);
        let embedder = bundle.into_embedder(device);

        let dataset = embedder.captioned(table.clone(), Captioned::All).unwrap();
        let (mut clips, mut skipped) = (Vec::new(), Vec::new());
        let embedded = embedder.embed_captioned(dataset, (2, 0.5), 0, &mut |batch| {
            match batch {
                EmbeddedBatch::Clips(read) => clips.extend(read),
                EmbeddedBatch::Skipped(item) => skipped.push(item.clone()),
                EmbeddedBatch::Done(_) => (),
            }
            Ok::<_, InferenceError>(())
        });

        embedded.unwrap();
        let read: Vec<usize> = clips.iter().map(|clip| clip.index).collect();
        assert_eq!(read, [0, 1, 3, 4]);
        assert!(clips.iter().all(|clip| clip.texts.len() == 1));
        assert_eq!(skipped.len(), 1);
        assert!(skipped[0].name.contains("00002"), "{skipped:?}");
        for clip in &clips {
            let length: f32 = clip.video.iter().map(|value| value * value).sum();
            assert!((length - 1.0).abs() < 1e-4);
        }
        let again = embedder
            .embed_texts(&[table.texts(0).all().concat()])
            .unwrap();
        let difference = again
            .row(0)
            .iter()
            .zip(&clips[0].texts[0])
            .map(|(a, b)| (a - b).abs());
        assert!(difference.fold(0.0, f32::max) < 1e-5);
    }
}
