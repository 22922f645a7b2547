//! Making a bundle of a CLIP: OpenAI's archives, open_clip's files, Hugging Face's folders.
//!
//! Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (ICML 2021). The
//! bundle searches at once; Clover's fusion encoder is left out of it until it is trained.

mod settings;

use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::text::Tokenizer;
use clover_data::video::PixelPipeline;
use clover_model::clip::{Activation, FramePooling};
use clover_model::weights::{ClipSource, Import, ImportOptions, Naming, WeightError, WeightFile};
use clover_model::{CloverConfig, materialize_parameters};

use self::settings::{CONFIGURATIONS, ClipSettings, OPENAI_SIGNS, activation};
use super::ImportedBundle;
use crate::bundle::{check_vocabulary, hash_of_file};
use crate::{Bundle, FusionPart, InferenceError, Preprocessing};

/// Frames of a clip: those that CLIP4Clip (Luo et al., 2021) takes.
const FRAMES: usize = 12;

/// How the paths of parameters begin that no CLIP has.
const NEW: [&str; 3] = [
    "video_encoder.mask_token",
    "video_encoder.temporal.",
    "text_encoder.mask_embedding",
];
/// Digits of an identity.
const DIGITS: usize = 12;

/// What a bundle of a CLIP is to be made of.
#[derive(Clone, Debug)]
pub struct ClipImport {
    /// A file of weights, or a folder with one.
    pub weights: PathBuf,
    /// The function in the perceptrons, where no file beside the weights says it.
    pub activation: Option<Activation>,
    /// The tokenizer's folder or file; by default that beside the weights.
    pub tokenizer: Option<PathBuf>,
    /// How frames become a clip.
    pub pooling: FramePooling,
    /// Frames of a clip.
    pub frames: usize,
    /// Height and width of a frame, if not those that the weights were trained with.
    pub image_size: Option<usize>,
    /// Whether weights that no part of the model takes are refused.
    pub strict: bool,
    /// Whether weights that are infinite or no numbers are refused.
    pub refuse_not_finite: bool,
    /// Seed of the parameters that no CLIP has.
    pub seed: u64,
}

impl ClipImport {
    /// A bundle of weights with everything else as they say.
    #[must_use]
    pub fn new(weights: PathBuf) -> Self {
        Self {
            weights,
            activation: None,
            tokenizer: None,
            pooling: FramePooling::Mean,
            frames: FRAMES,
            image_size: None,
            strict: false,
            refuse_not_finite: false,
            seed: 0,
        }
    }

    /// Makes the bundle.
    ///
    /// # Errors
    ///
    /// A file cannot be read; it is no CLIP with a Vision Transformer; nothing says which function its perceptrons
    /// have; there is no tokenizer, or one of another vocabulary; or weights are missing
    /// or refused.
    pub fn read<B: Backend>(
        &self,
        device: &B::Device,
    ) -> Result<ImportedBundle<B>, InferenceError> {
        let file = WeightFile::open(&self.weights)?;
        let path = file.path().to_owned();
        let source = ClipSource::new(&file).map_err(|source| InferenceError::WeightFile {
            path: path.clone(),
            source,
        })?;
        let folders = self.folders(&path);
        let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
        let mut settings = ClipSettings::beside(&folders)?;
        let names: Vec<&str> = file.entries().iter().map(|entry| &*entry.name).collect();
        if OPENAI_SIGNS.iter().all(|sign| names.contains(sign)) {
            let known = (Activation::QuickGelu, path.clone());
            settings.activation.get_or_insert(known);
        }
        let activation = activation(&path, settings.activation.as_ref(), self.activation)?;
        let clip = source.sizes(activation, settings.hints)?;
        let mut config = CloverConfig::clip(clip, self.frames, self.pooling.clone());
        if let Some(size) = self.image_size {
            config.set_image_size(size);
        }
        config.validate().map_err(|reason| InferenceError::Option {
            option: "sizes",
            reason,
        })?;
        let tokenizer_path = self.tokenizer(&folders)?;
        let tokenizer = Tokenizer::read(&tokenizer_path)?;
        check_vocabulary(&config, &tokenizer, &tokenizer_path)?;
        check_end(&config, &tokenizer, tokenizer_path)?;

        let mut import = Import::new(ImportOptions {
            look_for_not_finite: true,
            refuse_not_finite: self.refuse_not_finite,
            ..ImportOptions::default()
        });
        import.resize_to(config.video.window());
        let source = source.in_clover();
        import.add(&source, Naming::Native);
        B::seed(device, self.seed);
        let clover = import.fill(config.init(device))?;
        materialize_parameters(&clover.video_encoder);
        materialize_parameters(&clover.text_encoder);
        let mut report = import.finish()?;
        let untrained = FusionPart::ALL.to_vec();
        report
            .missing
            .retain(|path| !FusionPart::has(&untrained, path));
        let is_new = |path: &String| NEW.iter().any(|new| path.starts_with(new));
        let is_whole = report.mismatched.is_empty() && report.missing.iter().all(is_new);
        if !is_whole || self.strict && !report.unused.is_empty() {
            return Err(InferenceError::WeightFile {
                path,
                source: WeightError::NotStrict {
                    report: Box::new(report),
                },
            });
        }
        let usual = PixelPipeline::clip(config.image_size);
        let preprocessing = Preprocessing {
            frames: self.frames,
            fps: None,
            pixels: PixelPipeline {
                colours: settings.colours.unwrap_or(usual.colours),
                ..usual
            },
            text_len: config.text.longest_text(),
        };
        Ok(ImportedBundle {
            bundle: Bundle {
                config,
                clover,
                tokenizer,
                preprocessing,
                answers: None,
                untrained,
            },
            report,
            files: vec![(path, "clip")],
        })
    }

    /// What tells the bundle that would be made from others: a few digits of a checksum of the weights, the
    /// tokenizer and all that is asked for.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or there is no tokenizer.
    pub fn identity(&self) -> Result<String, InferenceError> {
        let file = WeightFile::open(&self.weights)?.path().to_owned();
        let folders = self.folders(&file);
        let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
        let tokenizer = self.tokenizer(&folders)?;
        let tokenizer_files = ["tokenizer.json", "vocab.json", "merges.txt"];
        let mut files = vec![file, tokenizer.clone()];
        if tokenizer.is_dir() {
            files.pop();
            files.extend(tokenizer_files.map(|name| tokenizer.join(name)));
        }
        for folder in folders {
            files.extend(CONFIGURATIONS.map(|name| folder.join(name)));
        }
        let mut hasher = blake3::Hasher::new();
        for file in files {
            if let Some(hash) = hash_of_file(&file)? {
                hasher.update(hash.as_bytes());
            }
        }
        let Self {
            activation,
            pooling,
            frames,
            image_size,
            seed,
            ..
        } = self;
        let asked = format!("{activation:?} {pooling:?} {frames} {image_size:?} {seed}");
        hasher.update(asked.as_bytes());
        let digits = hasher.finalize().to_hex();
        Ok(digits.chars().take(DIGITS).collect())
    }

    /// Where files beside the weights lie: the folder that was named, and that of the file.
    fn folders(&self, file: &Path) -> Vec<PathBuf> {
        let named = self.weights.is_dir().then(|| self.weights.clone());
        let parent = file.parent().map(Path::to_owned);
        named.into_iter().chain(parent).collect()
    }

    fn tokenizer(&self, folders: &[&Path]) -> Result<PathBuf, InferenceError> {
        if let Some(path) = &self.tokenizer {
            return Ok(path.clone());
        }
        let has = |folder: &&&Path| {
            let has = |name: &str| folder.join(name).is_file();
            has("tokenizer.json") || has("vocab.json") && has("merges.txt")
        };
        match folders.iter().find(has) {
            Some(folder) => Ok(folder.to_path_buf()),
            None => Err(InferenceError::Option {
                option: "tokenizer",
                reason: "there is no tokenizer.json, nor vocab.json with merges.txt, beside the weights; nearly every \
                         CLIP has OpenAI's: `clover weights fetch openai/clip-vit-base-patch32 --file tokenizer.json` \
                         gets it and says where it is"
                    .to_owned(),
            }),
        }
    }
}

/// The feature of a text stands at its last token, which is found as the largest number.
fn check_end(
    config: &CloverConfig,
    tokenizer: &Tokenizer,
    path: PathBuf,
) -> Result<(), InferenceError> {
    let (end, last) = (
        tokenizer.special().sep as usize,
        config.text.vocabulary() - 1,
    );
    match end == last {
        true => Ok(()),
        false => Err(InferenceError::Configuration {
            path,
            reason: format!(
                "texts end in the piece {end}, and a CLIP finds the end of a text by its largest number, {last}"
            ),
        }),
    }
}
