//! The model bundle: one folder with a trained model and all that is needed to use it.
//!
//! | file | content |
//! |---|---|
//! | `config.json` | sizes ([`CloverConfig`]) |
//! | `model.safetensors` | weights under our parameter paths |
//! | `vocab.txt`, `tokenizer_config.json` | word pieces, one a line, and whether capitals are kept |
//! | `tokenizer.json` | CLIP's byte pairs, in the place of the two |
//! | `preprocess.json` | [`Preprocessing`] |
//! | `neutral.json` | some captions of its training ([`NeutralTexts`]), where there are any |
//! | `answers.json` | the labels of a fine-tuned model's head ([`Answers`]), where there is one |
//! | `checksums.txt` | BLAKE3 of each of these, as `b3sum` writes it; a bundle made by hand has none |

mod answers;
mod checksums;
mod files;
mod fusion_parts;
mod neutral;
mod starting;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::text::Tokenizer;
use clover_data::video::PixelPipeline;
use clover_model::tasks::AnswerHead;
use clover_model::weights::{Import, ImportOptions, Naming, WeightFile};
use clover_model::{Clover, CloverConfig};

pub use answers::Answers;
pub use checksums::{bundle_checksum, has_checksums};
pub(crate) use checksums::{hash_of_file, seal};
pub(crate) use files::{create_folder, read_json, write_json, write_whole};
pub use fusion_parts::FusionPart;
pub(crate) use fusion_parts::{export_trained, need_trained};
pub use neutral::NeutralTexts;
pub use starting::{bundle_preprocessing, bundle_sizes, start_from_bundle};

use crate::{Embedder, InferenceError, Preprocessing};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
pub(crate) const PREPROCESSING: &str = "preprocess.json";
const ANSWERS: &str = "answers.json";

/// A trained model read from its folder. Copies share their weights.
#[derive(Clone, Debug)]
pub struct Bundle<B: Backend> {
    /// Sizes.
    pub config: CloverConfig,
    /// The model.
    pub clover: Clover<B>,
    /// Its word pieces.
    pub tokenizer: Tokenizer,
    /// How it sees files.
    pub preprocessing: Preprocessing,
    /// What it answers questions with, if it was fine-tuned for that.
    pub answers: Option<(Answers, AnswerHead<B>)>,
    /// Parts of the model that nobody trained: they are not stored, and drawn at random where they are used.
    pub untrained: Vec<FusionPart>,
}

impl<B: Backend> Bundle<B> {
    /// A model with its starting values, which nobody has trained: something to try a program with.
    ///
    /// It looks at whole clips of the configuration's frames and size, and reads `text_len` word pieces.
    ///
    /// # Panics
    ///
    /// As [`CloverConfig::init`].
    #[must_use]
    pub fn init(
        config: CloverConfig,
        tokenizer: Tokenizer,
        text_len: usize,
        device: &B::Device,
    ) -> Self {
        let pixels = match config.is_clip() {
            true => PixelPipeline::clip(config.image_size),
            false => PixelPipeline::test_resize(config.image_size),
        };
        Self {
            clover: config.init(device),
            preprocessing: Preprocessing {
                frames: config.frames,
                fps: None,
                pixels,
                text_len,
            },
            config,
            tokenizer,
            answers: None,
            untrained: Vec::new(),
        }
    }

    /// Reads a folder.
    ///
    /// # Errors
    ///
    /// A file is missing, or is not the one that its checksum was taken of; the files do not fit each
    /// other; or there are weights that no part of the model takes.
    pub fn read(folder: &Path, device: &B::Device) -> Result<Self, InferenceError> {
        checksums::check(folder)?;
        let config = read_config(folder)?;
        let tokenizer = Tokenizer::read(folder)?;
        check_vocabulary(&config, &tokenizer, &folder.join(CONFIG))?;
        let preprocessing = read_preprocessing(folder, &config)?;
        let path = folder.join(ANSWERS);
        let answers: Option<Answers> = match path.exists() {
            true => Some(read_json(&path)?),
            false => None,
        };

        let path = folder.join(WEIGHTS);
        let file = WeightFile::open(&path)?;
        let mut import = Import::new(ImportOptions::default());
        import.add(&file, Naming::Native);
        let clover = import.fill(config.init(device))?;
        let answers = match answers {
            Some(answers) => {
                let head = answers.head().init(config.text.width(), device);
                let head = import.fill_answers(head)?;
                Some((answers, head))
            }
            None => None,
        };
        let mut report = import.finish()?;
        let untrained = FusionPart::absent(&file);
        report
            .missing
            .retain(|path| !FusionPart::has(&untrained, path));
        if !report.is_complete() || !report.unused.is_empty() {
            return Err(InferenceError::OtherWeights {
                path,
                report: report.to_string(),
            });
        }
        Ok(Self {
            config,
            clover,
            tokenizer,
            preprocessing,
            answers,
            untrained,
        })
    }

    /// Writes a folder that [`Bundle::read`] reads; each file whole or not at all.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), InferenceError> {
        self.write_settings(folder)?;
        let mut export = export_trained(&self.clover, &self.untrained, Naming::Native);
        if let Some((_, head)) = &self.answers {
            export.add_answers(head, Naming::Native);
        }
        export.write(&folder.join(WEIGHTS))?;
        seal(folder)
    }

    /// Writes all files but the weights and the checksums.
    pub(crate) fn write_settings(&self, folder: &Path) -> Result<(), InferenceError> {
        create_folder(folder)?;
        write_json(&folder.join(CONFIG), &self.config)?;
        write_json(&folder.join(PREPROCESSING), &self.preprocessing)?;
        write_tokenizer(folder, &self.tokenizer)?;
        let path = folder.join(ANSWERS);
        match &self.answers {
            Some((answers, _)) => write_json(&path, answers),
            None => remove(path),
        }
    }

    /// What embeds files and texts with this model.
    pub fn into_embedder(self, device: B::Device) -> Embedder<B> {
        Embedder::new(self.clover, self.tokenizer, self.preprocessing, device)
    }
}

/// The sizes of a bundle's model.
pub(crate) fn read_config(folder: &Path) -> Result<CloverConfig, InferenceError> {
    let path = folder.join(CONFIG);
    let config: CloverConfig = read_json(&path)?;
    match config.validate() {
        Ok(()) => Ok(config),
        Err(reason) => Err(InferenceError::Configuration { path, reason }),
    }
}

/// How a bundle's model looks at files, if it has positions for so many frames and word pieces.
fn read_preprocessing(
    folder: &Path,
    config: &CloverConfig,
) -> Result<Preprocessing, InferenceError> {
    let path = folder.join(PREPROCESSING);
    let preprocessing: Preprocessing = read_json(&path)?;
    match preprocessing.check(config) {
        Ok(()) => Ok(preprocessing),
        Err(reason) => Err(InferenceError::Configuration { path, reason }),
    }
}

/// One row of the word embeddings for each word piece.
pub(crate) fn check_vocabulary(
    config: &CloverConfig,
    tokenizer: &Tokenizer,
    path: &Path,
) -> Result<(), InferenceError> {
    let (expected, found) = (config.text.vocabulary(), tokenizer.vocabulary().len());
    if expected == found {
        return Ok(());
    }
    Err(InferenceError::Configuration {
        path: path.to_owned(),
        reason: format!("expects {expected} word pieces, the vocabulary has {found}"),
    })
}

/// The files of the tokenizer, and none of another one.
pub(crate) fn write_tokenizer(folder: &Path, tokenizer: &Tokenizer) -> Result<(), InferenceError> {
    let files = tokenizer.files()?;
    for (name, content) in &files {
        write_whole(&folder.join(name), content.as_bytes())?;
    }
    let others = Tokenizer::FILES.into_iter();
    others
        .filter(|other| files.iter().all(|(name, _)| name != other))
        .try_for_each(|other| remove(folder.join(other)))
}

/// Removes a file of another model that lay here.
fn remove(path: PathBuf) -> Result<(), InferenceError> {
    match fs::remove_file(&path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(InferenceError::File { path, source })
        }
        _ => Ok(()),
    }
}

/// Writes a pre-trained model as [`Bundle::write`] does.
///
/// # Errors
///
/// A file cannot be written.
pub fn write_bundle<B: Backend>(
    folder: &Path,
    config: &CloverConfig,
    clover: &Clover<B>,
    tokenizer: &Tokenizer,
    preprocessing: &Preprocessing,
) -> Result<(), InferenceError> {
    // All of these are handles or small.
    let bundle = Bundle {
        config: config.clone(),
        clover: clover.clone(),
        tokenizer: tokenizer.clone(),
        preprocessing: *preprocessing,
        answers: None,
        untrained: Vec::new(),
    };
    bundle.write(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use clover_data::text::TextNormalization;
    use clover_model::clip::{FramePooling, TemporalPoolingConfig};
    use clover_model::video_encoder::VideoEncoderConfig;
    use clover_synthetic::vocabulary;

    pub(super) fn write(folder: &Path) -> CloverConfig {
        let device = Default::default();
        let lines = vocabulary();
        let tokenizer =
            Tokenizer::from_vocab_lines(lines.iter().map(String::as_str), "vocab.txt").unwrap();
        let config = CloverConfig::tiny(lines.len())
            .with_image_size(28)
            .with_frames(2);
        let bundle = Bundle::<TestBackend>::init(config.clone(), tokenizer, 12, &device);
        bundle.write(folder).unwrap();
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
    fn a_tokenizer_that_keeps_capitals_still_does_when_it_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let device = Default::default();
        let mut bundle = Bundle::<TestBackend>::read(folder.path(), &device).unwrap();
        let normalization = TextNormalization {
            do_lower_case: false,
            ..bundle.tokenizer.normalization().unwrap()
        };
        let vocabulary = bundle.tokenizer.vocabulary().clone();
        bundle.tokenizer = Tokenizer::word_piece(vocabulary, normalization).unwrap();

        bundle.write(folder.path()).unwrap();

        let read = Bundle::<TestBackend>::read(folder.path(), &device).unwrap();
        let ids = |text: &str| read.tokenizer.encode(text, 3).unwrap().ids[1];
        let unknown = read.tokenizer.special().unknown;
        assert!(ids("red") != unknown && ids("Red") == unknown);
    }

    #[test]
    fn an_answer_head_comes_back_with_its_labels() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let device = Default::default();
        let mut bundle = Bundle::<TestBackend>::read(folder.path(), &device).unwrap();
        assert!(bundle.answers.is_none());
        let labels = ["red", "blue", "left"].map(str::to_owned).to_vec();
        let answers = Answers::FillInTheBlank { answers: labels };
        let head = answers.head().init(bundle.config.text.width(), &device);
        let token = |head: &AnswerHead<TestBackend>| match head {
            AnswerHead::OpenEnded(head) => head.separator_token.as_ref().unwrap().val().into_data(),
            AnswerHead::MultipleChoice(_) => panic!("another head"),
        };
        let written = token(&head);
        bundle.answers = Some((answers.clone(), head));

        bundle.write(folder.path()).unwrap();

        let (read, head) = Bundle::read(folder.path(), &device)
            .unwrap()
            .answers
            .unwrap();
        assert_eq!(read, answers);
        token(&head).assert_eq(&written, true);
    }

    #[test]
    fn an_answer_list_of_another_length_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let text = r#"{"task": "open-ended", "answers": ["yes", "no"]}"#;
        fs::write(folder.path().join(ANSWERS), text).unwrap();
        fs::remove_file(folder.path().join(checksums::CHECKSUMS)).unwrap();

        let error = Bundle::<TestBackend>::read(folder.path(), &Default::default()).unwrap_err();

        assert!(
            error.to_string().contains("answer_head.classifier"),
            "{error}"
        );
    }

    #[test]
    fn more_frames_or_word_pieces_than_positions_are_refused_before_any_is_read() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path());
        let device = Default::default();
        let mut bundle = Bundle::<TestBackend>::read(folder.path(), &device).unwrap();
        let pooling = TemporalPoolingConfig::new()
            .with_layers(1)
            .with_positions(6);
        let clip = CloverConfig::clip_nano(bundle.tokenizer.vocabulary().len());
        let VideoEncoderConfig::Clip(video) = clip.video.clone() else {
            panic!("no CLIP")
        };
        bundle.config = CloverConfig {
            video: video.with_pooling(FramePooling::Temporal(pooling)).into(),
            ..clip
        };
        bundle.clover = bundle.config.init(&device);
        let mut refused = |frames: usize, text_len: usize| {
            bundle.preprocessing = Preprocessing {
                frames,
                pixels: PixelPipeline::clip(28),
                text_len,
                ..bundle.preprocessing
            };
            bundle.write(folder.path()).unwrap();
            let read = Bundle::<TestBackend>::read(folder.path(), &device);
            read.err().map(|error| error.to_string())
        };

        assert_eq!(refused(6, 77), None);
        let frames = refused(7, 77).unwrap();
        assert!(
            frames.contains("preprocess.json: frames: must not exceed the 6"),
            "{frames}"
        );
        let text = refused(6, 78).unwrap();
        assert!(
            text.contains("preprocess.json: text_len: must not exceed the 77"),
            "{text}"
        );
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
