//! A new model that starts from a bundle's weights.

use std::path::Path;

use burn::prelude::*;
use clover_data::text::Tokenizer;
use clover_data::video::ChannelOrder;
use clover_model::weights::{Import, ImportOptions, Naming, WeightFile, WeightReport};
use clover_model::{Clover, CloverConfig};

use super::{FusionPart, WEIGHTS, checksums, read_config, read_preprocessing};
use crate::{InferenceError, Preprocessing};

/// How the names of weights begin that only answer questions.
const OF_ANSWERS: [&str; 2] = ["answer_head.", "separator_token"];

/// The sizes of a bundle's model, if it knows the words of `tokenizer`.
///
/// # Errors
///
/// A file is missing or damaged, or the bundle has other word pieces.
pub fn bundle_sizes(folder: &Path, tokenizer: &Tokenizer) -> Result<CloverConfig, InferenceError> {
    let config = read_config(folder)?;
    let own = Tokenizer::read(folder)?;
    let other = if own.vocabulary() != tokenizer.vocabulary() {
        "has other word pieces than the vocabulary of the run"
    } else if own.normalization() != tokenizer.normalization() {
        "treats capitals or accents otherwise than the vocabulary of the run"
    } else {
        return Ok(config);
    };
    Err(InferenceError::Configuration {
        path: folder.to_owned(),
        reason: other.to_owned(),
    })
}

/// How the model of a bundle looks at files.
///
/// # Errors
///
/// A file is missing or damaged, or the model has too few positions.
pub fn bundle_preprocessing(folder: &Path) -> Result<Preprocessing, InferenceError> {
    read_preprocessing(folder, &read_config(folder)?)
}

/// A model of the given sizes with a bundle's weights. Tables of positions of other clips are
/// resized; the first convolution is turned to `channels`. Parts that the bundle comes without stay undrawn, and
/// are among what the report calls missing.
///
/// # Errors
///
/// A file is missing or damaged, or a weight is missing, of another shape, or of no part of the model.
pub fn start_from_bundle<B: Backend>(
    folder: &Path,
    config: &CloverConfig,
    channels: ChannelOrder,
    device: &B::Device,
) -> Result<(Clover<B>, WeightReport), InferenceError> {
    checksums::check(folder)?;
    let preprocessing = bundle_preprocessing(folder)?;
    let path = folder.join(WEIGHTS);
    let file = WeightFile::open(&path)?;
    let mut import = Import::new(ImportOptions {
        resize_to: Some(config.video.window()),
        reverse_colours: preprocessing.pixels.channels != channels,
        ..ImportOptions::default()
    });
    import.add(&file, Naming::Native);
    let clover = import.fill(config.init(device))?;
    let report = import.finish()?;
    let is_stray = |name: &String| !OF_ANSWERS.iter().any(|own| name.starts_with(own));
    let untrained = FusionPart::absent(&file);
    let is_lacking = |path: &String| !FusionPart::has(&untrained, path);
    let is_complete = report.mismatched.is_empty() && !report.missing.iter().any(is_lacking);
    if is_complete && !report.unused.iter().any(is_stray) {
        Ok((clover, report))
    } else {
        Err(InferenceError::OtherWeights {
            path,
            report: report.to_string(),
        })
    }
}
