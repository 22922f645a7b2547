//! Which file of a folder holds its weights.

use std::fs;
use std::path::{Path, PathBuf};

use super::FileFault;
use crate::weights::WeightError;

/// The usual names, the preferred ones first: Hugging Face's, and open_clip's.
const USUAL: [&str; 6] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "open_clip_pytorch_model.bin",
];

const EXTENSIONS: [&str; 4] = ["safetensors", "pth", "pt", "bin"];

/// The file that has one of the usual names, or is the only one that ends as weights do.
pub(super) fn weights_in(folder: &Path) -> Result<PathBuf, WeightError> {
    let usual = USUAL.iter().map(|name| folder.join(name));
    if let Some(path) = usual.into_iter().find(|path| path.is_file()) {
        return Ok(path);
    }
    let failed = |error| FileFault::Unreadable(error).in_file(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    match found.len() {
        0 => Err(FileFault::NoneInFolder {
            looked_for: format!(
                "{}, nor another .{}",
                USUAL.join(", "),
                EXTENSIONS.join(", .")
            ),
        }
        .in_file(folder)),
        1 => Ok(found.remove(0)),
        _ => {
            let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into());
            Err(FileFault::SeveralInFolder {
                names: found.iter().filter_map(name).collect(),
            }
            .in_file(folder))
        }
    }
}
