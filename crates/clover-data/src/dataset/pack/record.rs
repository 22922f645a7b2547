//! What a folder of shards was begun with: `pack.json`.
//!
//! A job that finds another record refuses to go on, so that shards of different making never mix.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use super::super::clip_table::ClipTable;
use super::super::shards::ShardError;
use super::config::{PackConfig, PackFrames};
use crate::DataError;

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
    /// A number that follows from the names of all samples, whichever way they are reached.
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
        names: format!("{:016x}", fingerprint(source)),
    };
    let wanted = serde_json::to_value(&record).map_err(not_a_record)?;
    if !path.exists() {
        let text = serde_json::to_string_pretty(&record).map_err(not_a_record)? + "\n";
        // Jobs that start together write the same, or else one finds below that it is not its own.
        let partial = out.join(format!("pack.json.partial-{}", config.part.index));
        write_synced(&partial, text.as_bytes())
            .and_then(|()| std::fs::rename(&partial, &path))
            .map_err(|source| DataError::Write {
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
    use std::io::Read;
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_RECORD_BYTES).read_to_end(&mut text))
        .map_err(|source| DataError::Read {
            path: path.to_path_buf(),
            source,
        })?;
    Ok(text)
}

/// Writes a file and waits until it is on disk.
pub(super) fn write_synced(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// FNV-1a of all names, their folders as the file system has them: the same list gives the same
/// number by a relative path, an absolute one or a link.
fn fingerprint(source: &ClipTable) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
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
        let folder = &folders[folder];
        for byte in folder.bytes().chain([b'/']).chain(file.bytes()).chain([0]) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    sum
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
    fn one_list_has_one_number_however_it_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("clips")).unwrap();
        std::fs::write(folder.path().join("a.tar"), "").unwrap();
        let number = |clips: &str, file: &str| {
            let path = folder.path().join(clips).join(file);
            fingerprint(&ClipTable::of_captions([(path, "a cat")]))
        };

        let wanted = number("clips", "a.mp4");
        assert_eq!(number("./clips", "a.mp4"), wanted);
        assert_eq!(number("clips/../clips", "a.mp4"), wanted);
        assert_eq!(
            number("a.tar/in/it", "k"),
            number("clips/../a.tar/in/it", "k")
        );
        assert_ne!(number("clips", "b.mp4"), wanted);
        assert_ne!(number("other", "a.mp4"), wanted);
    }
}
