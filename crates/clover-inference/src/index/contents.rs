//! What a clip's file says of itself: its size, when it was changed, and the hash of its content.
//!
//! An update looks at the first two of every clip, and reads only those files through in which one of
//! them changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use clover_data::files::open_regular;
use clover_data::video::ClipSource;

/// Bytes of a file, and when it was changed, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    pub(super) modified_ms: u64,
}

impl Stamp {
    /// Of a file, or of a folder of numbered images: their sum, and the newest.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let about = fs::metadata(path)?;
        if !about.is_dir() {
            return Ok(Self::of_metadata(&about));
        }
        let mut stamp = Self::of_metadata(&about);
        stamp.size = 0;
        for entry in fs::read_dir(path)? {
            let entry = Self::of_metadata(&entry?.metadata()?);
            stamp.size = stamp.size.saturating_add(entry.size);
            stamp.modified_ms = stamp.modified_ms.max(entry.modified_ms);
        }
        Ok(stamp)
    }

    fn of_metadata(about: &fs::Metadata) -> Self {
        let modified = about.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self {
            size: about.len(),
            modified_ms: since.map_or(0, |since| since.as_millis() as u64),
        }
    }
}

/// The hash of a clip's content, whatever its name: BLAKE3, in hexadecimal.
pub(super) fn content_hash(clip: &ClipSource) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    match clip {
        ClipSource::Path(path) if path.is_dir() => {
            let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
            let mut files = entries.collect::<io::Result<Vec<PathBuf>>>()?;
            files.sort();
            for file in files {
                // Names decide the order of the frames.
                let name = file.file_name().unwrap_or_default().as_encoded_bytes();
                hasher
                    .update(&(name.len() as u64).to_le_bytes())
                    .update(name);
                hash_file(&file, &mut hasher)?;
            }
        }
        ClipSource::Path(path) => hash_file(path, &mut hasher)?,
        ClipSource::Bytes { bytes, .. } => {
            hasher.update(bytes);
        }
        ClipSource::Images { images, .. } => {
            for image in images {
                hasher.update(&(image.len() as u64).to_le_bytes());
                hasher.update(image);
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn hash_file(path: &Path, hasher: &mut blake3::Hasher) -> io::Result<()> {
    hasher.update_reader(open_regular(path)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_the_content_and_not_of_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a.mp4", "b.mp4", "c.mp4"].map(|name| folder.path().join(name));
        fs::write(&a, "one").unwrap();
        fs::write(&b, "one").unwrap();
        fs::write(&c, "two").unwrap();
        let hash = |path: &PathBuf| content_hash(&ClipSource::Path(path.clone())).unwrap();

        assert_eq!(hash(&a), hash(&b));
        assert_ne!(hash(&a), hash(&c));
        let bytes = ClipSource::Bytes {
            name: PathBuf::from("shard.tar/a"),
            bytes: b"one".to_vec(),
        };
        assert_eq!(content_hash(&bytes).unwrap(), hash(&a));
    }

    #[test]
    fn a_folder_of_images_changes_with_any_of_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("1.png"), "one").unwrap();
        let source = ClipSource::Path(folder.path().to_owned());
        let (hash, stamp) = (
            content_hash(&source).unwrap(),
            Stamp::of(folder.path()).unwrap(),
        );

        fs::write(folder.path().join("2.png"), "more").unwrap();

        assert_ne!(content_hash(&source).unwrap(), hash);
        assert_eq!((stamp.size, Stamp::of(folder.path()).unwrap().size), (3, 7));
    }

    #[test]
    fn what_is_no_file_is_not_read() {
        let error = Stamp::of(Path::new("/nowhere/at/all")).unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
