//! Images that were made once, in a folder of bounded size.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use clover_data::files::{read_regular, write_whole};

/// Bytes of all images; the oldest go first.
const MAX_BYTES: u64 = 512 << 20;
/// One image. More is not written, and not read back.
const LARGEST: u64 = 16 << 20;

/// A folder of images. Where it cannot be written, each image is made anew.
#[derive(Debug)]
pub(crate) struct ImageCache {
    folder: PathBuf,
    max_bytes: u64,
    /// Bytes in the folder, once it was looked at.
    size: Mutex<Option<u64>>,
}

impl ImageCache {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            max_bytes: MAX_BYTES,
            size: Mutex::new(None),
        }
    }

    /// An image by all that it depends on.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        read_regular(&self.path(key), LARGEST).ok()
    }

    /// Keeps an image; the oldest ones make place.
    pub(crate) fn put(&self, key: &str, image: &[u8]) {
        let length = image.len() as u64;
        if length > LARGEST {
            return;
        }
        // Not the folders above it: an index that is being replaced is not there for a moment, and nothing
        // may take its place.
        let made = match fs::create_dir(&self.folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        };
        let written =
            made.and_then(|()| write_whole(&self.path(key), |file| file.write_all(image)));
        if let Err(error) = written {
            tracing::debug!(%error, "an image is not kept");
            return;
        }
        let Ok(mut size) = self.size.lock() else {
            return;
        };
        let now = match *size {
            Some(size) => size + length,
            None => files(&self.folder).iter().map(|file| file.bytes).sum(),
        };
        *size = Some(match now > self.max_bytes {
            true => self.make_place(),
            false => now,
        });
    }

    /// Removes the oldest until a quarter is free.
    fn make_place(&self) -> u64 {
        let mut files = files(&self.folder);
        files.sort_by_key(|file| file.written);
        let mut size: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            if size <= self.max_bytes / 4 * 3 {
                break;
            }
            if fs::remove_file(&file.path).is_ok() {
                size -= file.bytes;
            }
        }
        size
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder
            .join(format!("{}.image", blake3::hash(key.as_bytes())))
    }
}

struct Image {
    path: PathBuf,
    bytes: u64,
    written: SystemTime,
}

fn files(folder: &Path) -> Vec<Image> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let images = entries.filter_map(|entry| {
        let about = entry.metadata().ok()?;
        let path = entry.path();
        let is_image = path
            .extension()
            .is_some_and(|extension| extension == "image");
        (about.is_file() && is_image).then(|| Image {
            path,
            bytes: about.len(),
            written: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        })
    });
    images.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_kept_until_the_folder_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let cache = ImageCache {
            max_bytes: 1_000,
            ..ImageCache::new(folder.path().join("images"))
        };

        cache.put("a", &[1; 600]);
        let first = cache.get("a");
        cache.put("../b", &[2; 300]);
        cache.put("c", &[3; 300]);

        assert_eq!(first, Some(vec![1; 600]));
        assert_eq!(cache.get("nothing"), None);
        let left: u64 = files(&cache.folder).iter().map(|file| file.bytes).sum();
        assert!(left <= 750 && left > 0, "{left}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_costs_nothing_but_time() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let cache = ImageCache::new(folder.path().join("file"));

        cache.put("a", &[1]);

        assert_eq!(cache.get("a"), None);
    }
}
