//! Small files of a bundle, each written whole or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;

use clover_data::files::read_regular;
use serde::de::DeserializeOwned;

use crate::InferenceError;
use crate::partial_file::PartialFile;

/// Many times what the answers of the largest list need.
const MAX_JSON_BYTES: u64 = 256 << 20;

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, InferenceError> {
    let text = read_regular(path, MAX_JSON_BYTES).map_err(|source| InferenceError::File {
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

pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), InferenceError> {
    let mut file = PartialFile::create(path)?;
    file.write(|file| file.write_all(content))?;
    file.finish()
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), InferenceError> {
    fs::create_dir_all(folder).map_err(|source| InferenceError::File {
        path: folder.to_owned(),
        source,
    })
}
