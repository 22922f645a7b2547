//! What occurs more than once.
//!
//! One number is kept for each caption and each clip. Clips that share a number are read again and
//! compared in full, so that a clip is never called a duplicate by chance.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{BuildHasher, Hash, Hasher};
use std::io::Read;
use std::path::Path;

use ahash::RandomState;
use serde::Serialize;

use crate::dataset::ClipTable;
use crate::files::open_regular;
use crate::video::ClipSource;

/// Bytes of a file that its first number is made of.
const HEAD_BYTES: u64 = 64 << 10;
/// Bytes read at a time.
const BUFFER_BYTES: usize = 1 << 20;
/// Groups that a report names.
const NAMED: usize = 100;

/// What occurs more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Captions that were there before, word for word.
    pub captions: usize,
    /// Files whose contents were there before, byte for byte.
    pub clips: usize,
    /// The clips of equal contents, by name; the first groups of them.
    pub equal_clips: Vec<Vec<String>>,
}

/// The numbers that equal captions and equal clips share.
#[derive(Debug, Default)]
pub(super) struct Fingerprints {
    captions: Vec<u64>,
    clips: Vec<(u64, usize)>,
}

/// The same numbers in all threads.
fn hasher() -> RandomState {
    RandomState::with_seeds(1, 2, 3, 4)
}

impl Fingerprints {
    pub(super) fn caption(&mut self, caption: &str) {
        self.captions.push(hasher().hash_one(caption));
    }

    /// Takes the number of a clip; clips that cannot be read have none.
    pub(super) fn clip(&mut self, index: usize, beginning: Option<u64>) {
        self.clips.extend(beginning.map(|number| (number, index)));
    }

    /// Compares what may be equal.
    pub(super) fn duplicates(mut self, collection: &ClipTable) -> Duplicates {
        self.captions.sort_unstable();
        let all = self.captions.len();
        self.captions.dedup();
        let mut duplicates = Duplicates {
            captions: all - self.captions.len(),
            ..Duplicates::default()
        };
        self.clips.sort_unstable();
        for candidates in self.clips.chunk_by(|a, b| a.0 == b.0) {
            if candidates.len() < 2 {
                continue;
            }
            let mut groups: HashMap<u64, Vec<usize>> = HashMap::new();
            for &(_, index) in candidates {
                let clip = collection.read(index).ok();
                if let Some(number) = clip.and_then(|item| contents(&item.clip)) {
                    groups.entry(number).or_default().push(index);
                }
            }
            let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
            groups.sort();
            for group in groups.into_iter().filter(|group| group.len() > 1) {
                duplicates.clips += group.len() - 1;
                if duplicates.equal_clips.len() < NAMED {
                    let names = group.into_iter().map(|index| collection.name(index));
                    duplicates.equal_clips.push(names.collect());
                }
            }
        }
        duplicates.equal_clips.sort();
        duplicates
    }
}

/// A number for the size of a clip and how it begins.
pub(super) fn beginning(clip: &ClipSource) -> Option<u64> {
    match clip {
        ClipSource::Path(path) => {
            let file = open(path)?;
            let bytes = file.metadata().ok()?.len();
            hash_of(file.take(HEAD_BYTES), bytes)
        }
        ClipSource::Bytes { bytes, .. } => {
            let head = bytes.len().min(HEAD_BYTES as usize);
            hash_of(&bytes[..head], bytes.len() as u64)
        }
        ClipSource::Images { images, .. } => Some(hasher().hash_one(images)),
    }
}

fn contents(clip: &ClipSource) -> Option<u64> {
    match clip {
        ClipSource::Path(path) => hash_of(open(path)?, 0),
        ClipSource::Bytes { bytes, .. } => hash_of(&bytes[..], 0),
        ClipSource::Images { images, .. } => Some(hasher().hash_one(images)),
    }
}

/// The file, if it is one.
fn open(path: &Path) -> Option<File> {
    open_regular(path).ok()
}

fn hash_of(mut bytes: impl Read, first: u64) -> Option<u64> {
    let mut hasher = hasher().build_hasher();
    first.hash(&mut hasher);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match bytes.read(&mut buffer).ok()? {
            0 => return Some(hasher.finish()),
            read => hasher.write(&buffer[..read]),
        }
    }
}
