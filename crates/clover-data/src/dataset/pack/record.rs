//! What a folder of shards was begun with: `pack.json`.
//!
//! A job that finds another record refuses to go on, so that shards of different making never mix.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::super::clip_table::ClipTable;
use super::super::shards::ShardError;
use super::config::{PackConfig, PackFrames};
use crate::DataError;
use crate::files::{read_regular, write_whole};

/// The largest record that is read.
const MAX_RECORD_BYTES: u64 = 64 << 10;

/// What makes the bytes of the shards.
#[derive(Serialize)]
struct Record {
    frames: PackFrames,
    short_side: usize,
    quality: u8,
    samples_per_shard: usize,
    samples: usize,
    /// The fingerprint of the names of all samples, whichever way they are reached.
    names: String,
}

/// Writes the record of a new folder, or compares that of one that was begun.
pub(super) fn check_record(
    source: &ClipTable,
    config: &PackConfig,
    out: &Path,
) -> Result<(), DataError> {
    let path = out.join("pack.json");
    let not_a_record = |source| ShardError::NotARecord {
        path: path.clone(),
        source,
    };
    let record = Record {
        frames: config.frames,
        short_side: config.short_side,
        quality: config.quality,
        samples_per_shard: config.samples_per_shard,
        samples: source.len(),
        names: format!("blake3:{}", fingerprint(source)),
    };
    let wanted = serde_json::to_value(&record).map_err(not_a_record)?;
    if !path.exists() {
        let text = serde_json::to_string_pretty(&record).map_err(not_a_record)? + "\n";
        // Jobs that start together write the same, or else one finds below that it is not its own.
        let written = write_whole(&path, |file| file.write_all(text.as_bytes()));
        written.map_err(|source| DataError::Write {
            path: path.clone(),
            source,
        })?;
    }
    let found: Map<String, Value> = serde_json::from_slice(&read(&path)?).map_err(not_a_record)?;
    let wanted = wanted.as_object().into_iter().flatten();
    for (key, wanted) in wanted {
        let found = found.get(key).unwrap_or(&Value::Null);
        if found != wanted {
            let shown = |value: &Value| value.to_string().chars().take(100).collect();
            return Err(ShardError::OtherConfiguration {
                path,
                key: key.clone(),
                found: shown(found),
                wanted: shown(wanted),
            }
            .into());
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    read_regular(path, MAX_RECORD_BYTES).map_err(|source| DataError::Read {
        path: path.to_path_buf(),
        source,
    })
}

/// BLAKE3 of all names, their folders as the file system has them: the same list gives the same
/// fingerprint by a relative path, an absolute one or a link.
fn fingerprint(source: &ClipTable) -> blake3::Hash {
    let mut names = blake3::Hasher::new();
    let mut folders = HashMap::new();
    for index in 0..source.len() {
        let name = source.name(index);
        let (folder, file) = name
            .rsplit_once('/')
            .map_or(("", &*name), |(folder, file)| {
                // Of `/file`, the folder is the root.
                (if folder.is_empty() { "/" } else { folder }, file)
            });
        if !folders.contains_key(folder) {
            folders.insert(folder.to_owned(), real(Path::new(folder)));
        }
        for part in [&*folders[folder], "/", file, "\0"] {
            names.update(part.as_bytes());
        }
    }
    names.finalize()
}

/// A folder without links and dots, as far as there is one: behind a shard stand the folders in it.
fn real(folder: &Path) -> String {
    let found = folder.ancestors().find_map(|above| {
        let here = above.as_os_str().is_empty();
        let real = std::fs::canonicalize(if here { Path::new(".") } else { above });
        Some(real.ok()?.join(folder.strip_prefix(above).ok()?))
    });
    found.as_deref().unwrap_or(folder).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_list_has_one_fingerprint_however_it_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("clips")).unwrap();
        std::fs::write(folder.path().join("a.tar"), "").unwrap();
        let of = |clips: &str, file: &str| {
            let path = folder.path().join(clips).join(file);
            fingerprint(&ClipTable::of_captions([(path, "a cat")]))
        };

        let wanted = of("clips", "a.mp4");
        assert_eq!(of("./clips", "a.mp4"), wanted);
        assert_eq!(of("clips/../clips", "a.mp4"), wanted);
        assert_eq!(of("a.tar/in/it", "k"), of("clips/../a.tar/in/it", "k"));
        assert_ne!(of("clips", "b.mp4"), wanted);
        assert_ne!(of("other", "a.mp4"), wanted);
    }
}
