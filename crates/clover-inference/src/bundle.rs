//! The model bundle: one folder with a trained model and all that is needed to use it.
//!
//! | file | content |
//! |---|---|
//! | `config.json` | sizes ([`CloverConfig`]) |
//! | `model.safetensors` | weights under our parameter paths |
//! | `vocab.txt` | word pieces, one a line |
//! | `preprocess.json` | [`Preprocessing`] |
//!
//! A fine-tuned bundle also holds an answer head: see [`AnswerSheet`](crate::AnswerSheet).

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::text::WordPieceTokenizer;
use clover_model::weights::{self, Naming};
use clover_model::{Clover, CloverConfig};
use serde::de::DeserializeOwned;

use crate::{Embedder, InferenceError, Preprocessing};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const VOCABULARY: &str = "vocab.txt";
const PREPROCESSING: &str = "preprocess.json";

/// A trained model read from its folder.
#[derive(Debug)]
pub struct Bundle<B: Backend> {
    /// Sizes.
    pub config: CloverConfig,
    /// The model.
    pub clover: Clover<B>,
    /// Its word pieces.
    pub tokenizer: WordPieceTokenizer,
    /// How it sees files.
    pub preprocessing: Preprocessing,
}

impl<B: Backend> Bundle<B> {
    /// Reads a folder.
    ///
    /// # Errors
    ///
    /// A file is missing or damaged, or the files do not fit each other.
    pub fn read(folder: &Path, device: &B::Device) -> Result<Self, InferenceError> {
        let config: CloverConfig = read_json(&folder.join(CONFIG))?;
        config
            .validate()
            .map_err(|reason| InferenceError::Configuration {
                path: folder.join(CONFIG),
                reason,
            })?;
        let tokenizer = WordPieceTokenizer::from_vocab_file(folder.join(VOCABULARY))?;
        if tokenizer.vocabulary().len() != config.text.vocabulary {
            return Err(InferenceError::Configuration {
                path: folder.join(CONFIG),
                reason: format!(
                    "expects {} word pieces, {VOCABULARY} has {}",
                    config.text.vocabulary,
                    tokenizer.vocabulary().len()
                ),
            });
        }
        let preprocessing: Preprocessing = read_json(&folder.join(PREPROCESSING))?;
        let mut clover = config.init(device);
        let path = folder.join(WEIGHTS);
        let report = weights::read_file(&mut clover, &path, Naming::Native)?;
        if !report.is_complete() {
            return Err(InferenceError::IncompleteWeights {
                path,
                report: report.to_string(),
            });
        }
        Ok(Self {
            config,
            clover,
            tokenizer,
            preprocessing,
        })
    }

    /// What embeds files and texts with this model.
    pub fn into_embedder(self, device: B::Device) -> Embedder<B> {
        Embedder::new(self.clover, self.tokenizer, self.preprocessing, device)
    }
}

/// Writes a folder that [`Bundle::read`] reads; each file whole or not at all.
///
/// # Errors
///
/// A file cannot be written.
pub fn write_bundle<B: Backend>(
    folder: &Path,
    config: &CloverConfig,
    clover: &Clover<B>,
    tokenizer: &WordPieceTokenizer,
    preprocessing: &Preprocessing,
) -> Result<(), InferenceError> {
    fs::create_dir_all(folder).map_err(|source| InferenceError::File {
        path: folder.to_owned(),
        source,
    })?;
    write_json(&folder.join(CONFIG), config)?;
    write_json(&folder.join(PREPROCESSING), preprocessing)?;
    let pieces = tokenizer.vocabulary().pieces().join("\n") + "\n";
    write_whole(&folder.join(VOCABULARY), pieces.as_bytes())?;
    weights::write_file(clover, &folder.join(WEIGHTS), Naming::Native)?;
    Ok(())
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, InferenceError> {
    let text = fs::read(path).map_err(|source| InferenceError::File {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| InferenceError::Json {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn write_json<T: serde::Serialize>(
    path: &Path,
    value: &T,
) -> Result<(), InferenceError> {
    let text = serde_json::to_vec_pretty(value).map_err(|source| InferenceError::Json {
        path: path.to_owned(),
        source,
    })?;
    write_whole(path, &text)
}

fn write_whole(path: &Path, content: &[u8]) -> Result<(), InferenceError> {
    let failed = |source| InferenceError::File {
        path: path.to_owned(),
        source,
    };
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let mut file = File::create(&partial).map_err(failed)?;
    file.write_all(content)
        .and_then(|()| file.sync_all())
        .map_err(failed)?;
    fs::rename(&partial, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use clover_data::synthetic::vocabulary;
    use clover_data::video::PixelPipeline;

    fn write(folder: &Path) -> CloverConfig {
        let device = Default::default();
        let lines = vocabulary();
        let tokenizer =
            WordPieceTokenizer::from_vocab_lines(lines.iter().map(String::as_str), "vocab.txt")
                .unwrap();
        let config = CloverConfig::tiny(lines.len())
            .with_image_size(28)
            .with_frames(2);
        let clover: Clover<TestBackend> = config.init(&device);
        let preprocessing = Preprocessing {
            frames: 2,
            pixels: PixelPipeline::test_resize(28),
            text_len: 12,
        };
        write_bundle(folder, &config, &clover, &tokenizer, &preprocessing).unwrap();
        config
    }

    #[test]
    fn a_written_bundle_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let config = write(folder.path());

        let bundle = Bundle::<TestBackend>::read(folder.path(), &Default::default()).unwrap();

        assert_eq!(bundle.config.to_string(), config.to_string());
        let text = bundle
            .into_embedder(Default::default())
            .embed_texts(&["a red circle".into()]);
        assert_eq!(text.unwrap().rows(), 1);
    }

    #[test]
    fn a_truncated_weight_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let path = folder.path().join(WEIGHTS);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();

        let error = Bundle::<TestBackend>::read(folder.path(), &Default::default()).unwrap_err();

        assert!(error.to_string().contains(WEIGHTS), "{error}");
    }
}
