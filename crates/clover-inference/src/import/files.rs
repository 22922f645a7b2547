//! The file of weights in a folder.

use std::path::{Path, PathBuf};

use crate::InferenceError;

/// What files of weights are called in folders, the preferred first.
const NAMES: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// The path itself, or the file of weights in the folder.
pub(super) fn weight_file(path: &Path) -> Result<PathBuf, InferenceError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let mut candidates = NAMES.iter().map(|name| path.join(name));
    candidates
        .find(|path| path.is_file())
        .ok_or_else(|| InferenceError::NoWeights {
            folder: path.to_owned(),
            names: NAMES.join(", "),
        })
}
