//! Making a bundle from weights of other programs: a Video Swin and a BERT, a whole Clover, or a CLIP.

mod clip;
mod text_config;

use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::dataset::AnswerVocabulary;
use clover_data::text::{QuestionForm, Tokenizer};
use clover_data::video::{ChannelOrder, PixelPipeline};
use clover_model::tasks::{AnswerHead, AnswerHeadConfig};
use clover_model::weights::{Import, ImportOptions, Naming, SizeHints, WeightFile, WeightReport};
use clover_model::{CloverConfig, materialize_parameters};

use crate::bundle::{PREPROCESSING, check_vocabulary, read_json};
use crate::{Answers, Bundle, InferenceError, Preprocessing};
pub use clip::ClipImport;
use text_config::attention_heads;

/// Word pieces of a text in pre-training, as published.
const TEXT_LEN: usize = 30;

/// A file of weights, or a folder that holds one.
#[derive(Clone, Debug)]
pub struct WeightPath {
    /// The file or folder.
    pub path: PathBuf,
    /// Whose names it follows, if that is not to be told from them.
    pub naming: Option<Naming>,
}

/// What a bundle is to be made of.
#[derive(Clone, Debug)]
pub struct BundleImport {
    /// Where the weights lie; where two files have the same parameter, the first counts.
    pub weights: Vec<WeightPath>,
    /// The word pieces; by default the `vocab.txt` beside the weights.
    pub vocabulary: Option<PathBuf>,
    /// The labels of a head that chooses from a list: an answer a line, or JSON.
    pub answers: Option<PathBuf>,
    /// Frames of a clip, if not as many as the weights were trained with.
    pub frames: Option<usize>,
    /// Height and width of a clip, if not those that the weights were trained with.
    pub image_size: Option<usize>,
    /// Word pieces of a text, 30 by default.
    pub text_len: Option<usize>,
    /// Rows of the table of text positions, if not those of the file.
    pub text_positions: Option<usize>,
    /// What the weights do not tell of their sizes.
    pub hints: SizeHints,
    /// Which colour comes first in the clips that the weights were trained with. A bundle sees
    /// [`ChannelOrder::default`], and the first convolution is turned to it.
    pub channels: ChannelOrder,
    /// Whether the fusion encoder starts from the first layers of the text encoder, where no file
    /// has it.
    pub fusion_from_text: bool,
    /// Whether missing, unused and misshapen weights are refused.
    pub strict: bool,
    /// Whether weights that are infinite or no numbers are refused.
    pub refuse_not_finite: bool,
    /// Seed of the parameters that no file has.
    pub seed: u64,
}

/// What was made.
#[derive(Debug)]
pub struct ImportedBundle<B: Backend> {
    /// The model, with all that is needed to use it.
    pub bundle: Bundle<B>,
    /// What became of each weight.
    pub report: WeightReport,
    /// Each file with the name of the naming that it follows.
    pub files: Vec<(PathBuf, &'static str)>,
}

impl BundleImport {
    /// A bundle of weights with everything else as published.
    #[must_use]
    pub fn new(weights: Vec<WeightPath>, channels: ChannelOrder) -> Self {
        Self {
            weights,
            vocabulary: None,
            answers: None,
            frames: None,
            image_size: None,
            text_len: None,
            text_positions: None,
            hints: SizeHints::default(),
            channels,
            fusion_from_text: true,
            strict: false,
            refuse_not_finite: false,
            seed: 0,
        }
    }

    /// Makes the bundle. Parameters that no file has are drawn from the seed.
    ///
    /// # Errors
    ///
    /// A file cannot be read or follows no known naming; sizes cannot be told from the weights or
    /// contradict each other or the vocabulary; or weights are refused.
    pub fn read<B: Backend>(
        &self,
        device: &B::Device,
    ) -> Result<ImportedBundle<B>, InferenceError> {
        let files = self.open()?;
        let mut import = Import::new(self.options());
        for (_, naming, file) in &files {
            import.add(file, *naming);
        }
        let mut config = import.sizes(self.hints()?)?;
        let preprocessing = self.preprocessing(&mut config)?;
        import.resize_to(config.video.window());
        let vocabulary = self.vocabulary()?;
        let tokenizer = Tokenizer::read(&vocabulary)?;
        // A table is often filled up to a round number; nothing looks up what stands behind.
        let pieces = config.text.vocabulary();
        config
            .text
            .set_vocabulary(pieces.min(tokenizer.vocabulary().len()));
        check_vocabulary(&config, &tokenizer, &vocabulary)?;

        B::seed(device, self.seed);
        let clover = import.fill(config.init(device))?;
        materialize_parameters(&clover);
        let answers = self.read_answers(&mut import, &config, device)?;
        let report = import.finish()?;
        let report = if self.strict {
            report.strict()?
        } else {
            report
        };
        let files = files
            .into_iter()
            .map(|(path, naming, _)| (path, naming.name()));
        Ok(ImportedBundle {
            bundle: Bundle {
                preprocessing,
                config,
                clover,
                tokenizer,
                answers,
                untrained: Vec::new(),
            },
            report,
            files: files.collect(),
        })
    }

    fn options(&self) -> ImportOptions {
        ImportOptions {
            reverse_colours: self.channels != ChannelOrder::default(),
            fusion_layers_from_text: if self.fusion_from_text { usize::MAX } else { 0 },
            refuse_not_finite: self.refuse_not_finite,
            look_for_not_finite: true,
            resize_to: None,
        }
    }

    /// What the files of a bundle say that stand beside its weights, or else as the published model
    /// is tested; with what is asked for.
    fn preprocessing(&self, config: &mut CloverConfig) -> Result<Preprocessing, InferenceError> {
        let beside = self.beside(PREPROCESSING);
        let own: Option<Preprocessing> = beside.map(|path| read_json(&path)).transpose()?;
        if let Some(own) = &own {
            config.frames = own.frames;
            config.image_size = own.pixels.size;
        }
        self.adjust(config)?;
        let pixels = PixelPipeline {
            size: config.image_size,
            channels: ChannelOrder::default(),
            ..own.map_or(PixelPipeline::test_center_crop(config.image_size), |own| {
                own.pixels
            })
        };
        let text_len = own.map_or(TEXT_LEN, |own| own.text_len);
        Ok(Preprocessing {
            frames: config.frames,
            fps: None,
            pixels,
            text_len: self
                .text_len
                .unwrap_or(text_len.min(config.text.longest_text())),
        })
    }

    fn open(&self) -> Result<Vec<(PathBuf, Naming, WeightFile)>, InferenceError> {
        self.weights
            .iter()
            .map(|WeightPath { path, naming }| {
                let file = WeightFile::open(path)?;
                let path = file.path().to_owned();
                let naming = match naming {
                    Some(naming) => *naming,
                    None => Naming::detect(file.entries().iter().map(|entry| &*entry.name))
                        .map_err(|source| InferenceError::WeightFile {
                            path: path.clone(),
                            source,
                        })?,
                };
                Ok((path, naming, file))
            })
            .collect()
    }

    /// The number of heads stands beside weights in Hugging Face's form.
    fn hints(&self) -> Result<SizeHints, InferenceError> {
        let mut hints = self.hints;
        for WeightPath { path, .. } in &self.weights {
            if hints.text_heads.is_none() {
                hints.text_heads = attention_heads(path)?;
            }
        }
        Ok(hints)
    }

    fn adjust(&self, config: &mut CloverConfig) -> Result<(), InferenceError> {
        if let Some(frames) = self.frames {
            config.frames = frames;
        }
        if let Some(size) = self.image_size {
            config.set_image_size(size);
        }
        if let Some(rows) = self.text_positions {
            config.text.set_longest_text(rows);
        }
        let text_len = self.text_len.unwrap_or(1);
        if text_len == 0 || text_len > config.text.longest_text() {
            return Err(InferenceError::Option {
                option: "text-len",
                reason: format!("the model has {} positions", config.text.longest_text()),
            });
        }
        config.validate().map_err(|reason| InferenceError::Option {
            option: "sizes",
            reason,
        })
    }

    /// A file beside the first weights that have one.
    fn beside(&self, name: &str) -> Option<PathBuf> {
        let beside = |WeightPath { path, .. }: &WeightPath| {
            let folders = [Some(path.as_path()), path.parent()].into_iter().flatten();
            let mut places = folders.map(|folder| folder.join(name));
            places.find(|place| place.is_file())
        };
        self.weights.iter().find_map(beside)
    }

    fn vocabulary(&self) -> Result<PathBuf, InferenceError> {
        let found = self.vocabulary.clone();
        found
            .or_else(|| self.beside("vocab.txt"))
            .ok_or_else(|| InferenceError::Option {
                option: "vocab",
                reason: "there is no vocab.txt beside the weights".to_owned(),
            })
    }

    /// The head of a fine-tuned model. One that chooses from a list is left out without its list.
    fn read_answers<B: Backend>(
        &self,
        import: &mut Import<'_>,
        config: &CloverConfig,
        device: &B::Device,
    ) -> Result<Option<(Answers, AnswerHead<B>)>, InferenceError> {
        let Some(sizes) = import.answer_head() else {
            return Ok(None);
        };
        let listed = |wanted: usize, path: &Path| {
            let answers = AnswerVocabulary::read(path)?.answers().to_vec();
            if answers.len() == wanted {
                return Ok(answers);
            }
            Err(InferenceError::Configuration {
                path: path.to_owned(),
                reason: format!("lists {} answers, the head has {wanted}", answers.len()),
            })
        };
        let answers = match (sizes, &self.answers) {
            (AnswerHeadConfig::MultipleChoice, _) => Answers::MultipleChoice {
                // The published tasks with such a head all list the options.
                question_form: QuestionForm::AllOptions,
            },
            (AnswerHeadConfig::OpenEnded { answers }, Some(path)) => Answers::OpenEnded {
                answers: listed(answers, path)?,
            },
            (AnswerHeadConfig::FillInTheBlank { answers }, Some(path)) => Answers::FillInTheBlank {
                answers: listed(answers, path)?,
            },
            (_, None) => return Ok(None),
        };
        let head = import.fill_answers(sizes.init(config.text.width(), device))?;
        Ok(Some((answers, head)))
    }
}

#[cfg(test)]
mod tests;
