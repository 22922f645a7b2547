//! What can be checked: clips with a number, and what is said about them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::DataError;
use crate::dataset::Pair;
use crate::video::ClipSource;

/// Endings of the files in a folder that are taken for clips; their content decides what they are.
const ENDINGS: [&str; 30] = [
    "3g2", "3gp", "apng", "asf", "avi", "flv", "gif", "jpeg", "jpg", "m2ts", "m4v", "mkv", "mov",
    "mp4", "mpeg", "mpg", "mts", "mxf", "ogg", "ogv", "png", "qt", "rm", "rmvb", "ts", "vob",
    "webm", "webp", "wmv", "y4m",
];

/// Folders deeper than this are not looked into: links may lead round in circles.
const MAX_DEPTH: usize = 32;

/// A clip and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptionedClip {
    /// The clip.
    pub clip: ClipSource,
    /// What is said about it; nothing where only clips are checked.
    pub captions: Vec<String>,
}

/// A numbered list of clips.
pub trait ClipCollection: Sync {
    /// The number of clips.
    fn len(&self) -> usize;

    /// Tells whether there is no clip.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What reports call the clip.
    fn name(&self, index: usize) -> String;

    /// The clip, not yet opened, and its captions.
    ///
    /// # Errors
    ///
    /// When the clip cannot be found where it should be.
    fn read(&self, index: usize) -> Result<CaptionedClip, DataError>;
}

impl ClipCollection for [Pair] {
    fn len(&self) -> usize {
        <[Pair]>::len(self)
    }

    fn name(&self, index: usize) -> String {
        self[index].name()
    }

    fn read(&self, index: usize) -> Result<CaptionedClip, DataError> {
        let pair = &self[index];
        Ok(CaptionedClip {
            clip: ClipSource::Path(pair.path.clone()),
            captions: vec![pair.caption.text().to_owned()],
        })
    }
}

impl ClipCollection for Vec<Pair> {
    fn len(&self) -> usize {
        ClipCollection::len(self.as_slice())
    }

    fn name(&self, index: usize) -> String {
        self.as_slice().name(index)
    }

    fn read(&self, index: usize) -> Result<CaptionedClip, DataError> {
        self.as_slice().read(index)
    }
}

/// The videos and pictures of a folder, without captions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClipFiles {
    files: Vec<PathBuf>,
    others: usize,
}

impl ClipFiles {
    /// Lists a folder and the folders within it; hidden files are passed over.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read.
    pub fn of_folder(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        let mut found = Self::default();
        found.walk(folder.as_ref(), 0)?;
        found.files.sort();
        Ok(found)
    }

    /// Files that are neither videos nor pictures by the ending of their names.
    pub fn others(&self) -> usize {
        self.others
    }

    fn walk(&mut self, folder: &Path, depth: usize) -> Result<(), DataError> {
        let unreadable = |source| DataError::Read {
            path: folder.to_path_buf(),
            source,
        };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() {
                if depth < MAX_DEPTH {
                    self.walk(&path, depth + 1)?;
                }
            } else if is_clip(&path) {
                self.files.push(path);
            } else {
                self.others += 1;
            }
        }
        Ok(())
    }
}

fn is_clip(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&&*ending.to_ascii_lowercase()))
}

impl ClipCollection for ClipFiles {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn name(&self, index: usize) -> String {
        self.files[index].display().to_string()
    }

    fn read(&self, index: usize) -> Result<CaptionedClip, DataError> {
        Ok(CaptionedClip {
            clip: ClipSource::Path(self.files[index].clone()),
            captions: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_are_found_in_every_folder_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        for file in ["b.mp4", "inner/a.GIF", "notes.txt", ".hidden.mp4"] {
            fs::write(folder.path().join(file), "").unwrap();
        }

        let found = ClipFiles::of_folder(folder.path()).unwrap();

        assert_eq!(
            found.files,
            [folder.path().join("b.mp4"), inner.join("a.GIF")]
        );
        assert_eq!(found.others(), 1);
    }
}
