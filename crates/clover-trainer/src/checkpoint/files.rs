//! The files of one checkpoint: flushed to the disk when written, verified when read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use clover_data::files::{open_regular, read_regular};
use serde::{Deserialize, Serialize};

use super::to_json;
use crate::error::TrainerError;

const CHECKSUMS: &str = "checksums.json";
/// Many times what the checksums need.
const MAX_JSON_BYTES: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
struct FileChecksum {
    bytes: u64,
    crc32: u32,
}

impl FileChecksum {
    fn of(content: &[u8]) -> Self {
        Self {
            bytes: content.len() as u64,
            crc32: crc32fast::hash(content),
        }
    }
}

/// Writes files and their checksums into a new folder; the files are on the disk afterwards.
pub(super) fn write_files(folder: &Path, files: &[(&str, &[u8])]) -> Result<(), TrainerError> {
    let mut checksums = BTreeMap::new();
    for &(name, content) in files {
        write_synced(&folder.join(name), content)?;
        checksums.insert(name, FileChecksum::of(content));
    }
    let path = folder.join(CHECKSUMS);
    write_synced(&path, &to_json(&path, &checksums)?)
}

/// Reads the files named, each of which must be what was written.
pub(super) fn read_verified<const N: usize>(
    folder: &Path,
    names: [&str; N],
) -> Result<[Vec<u8>; N], TrainerError> {
    let path = folder.join(CHECKSUMS);
    let checksums: BTreeMap<String, FileChecksum> =
        serde_json::from_slice(&read_regular(&path, MAX_JSON_BYTES).map_err(read_error(&path))?)
            .map_err(|source| TrainerError::Json { path, source })?;
    let mut contents = [const { Vec::new() }; N];
    for (content, name) in contents.iter_mut().zip(names) {
        let path = folder.join(name);
        let Some(expected) = checksums.get(name) else {
            return Err(TrainerError::MissingChecksum { path });
        };
        *content = read_matching(&path, expected)?;
    }
    Ok(contents)
}

fn read_matching(path: &Path, expected: &FileChecksum) -> Result<Vec<u8>, TrainerError> {
    // The length first: a file of the wrong size need not be read.
    let mut file = open_regular(path).map_err(read_error(path))?;
    let bytes = file.metadata().map_err(read_error(path))?.len();
    if bytes != expected.bytes {
        return Err(TrainerError::WrongLength {
            path: path.to_owned(),
            bytes,
            expected: expected.bytes,
        });
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(read_error(path))?;
    if FileChecksum::of(&content).crc32 != expected.crc32 {
        return Err(TrainerError::WrongChecksum {
            path: path.to_owned(),
        });
    }
    Ok(content)
}

fn write_synced(path: &Path, content: &[u8]) -> Result<(), TrainerError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(write_error(path))
}

/// Makes the files inside a folder durable.
pub(super) fn sync_files(folder: &Path) -> Result<(), TrainerError> {
    let sync = || {
        for entry in fs::read_dir(folder)? {
            File::open(entry?.path())?.sync_all()?;
        }
        Ok(())
    };
    if cfg!(unix) {
        sync().map_err(write_error(folder))?;
    }
    Ok(())
}

/// Makes the names inside a folder as durable as its files.
pub(super) fn sync(folder: Option<&Path>) -> Result<(), TrainerError> {
    folder.map_or(Ok(()), |folder| {
        clover_data::files::sync_folder(folder).map_err(write_error(folder))
    })
}

/// Removes a folder and what it holds, if it is there.
pub(super) fn remove_folder(folder: &Path) -> Result<(), TrainerError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(write_error(folder)(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read_error(path: &Path) -> impl FnOnce(std::io::Error) -> TrainerError {
    let path = path.to_owned();
    |source| TrainerError::Read { path, source }
}

fn write_error(path: &Path) -> impl FnOnce(std::io::Error) -> TrainerError {
    let path = path.to_owned();
    |source| TrainerError::Write { path, source }
}
