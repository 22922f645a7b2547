//! Look-alike files for tests.

use std::path::PathBuf;

use super::super::items::{Items, MultipleChoiceItem, OpenEndedItem, RetrievalItem};
use super::{ConvertRequest, Converted, convert};

/// A file in a folder of its own.
#[derive(Debug)]
pub(super) struct Sample {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Sample {
    pub(super) fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Self { folder, path }
    }

    /// Puts another file beside it.
    pub(super) fn beside(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.path
    }

    pub(super) fn request(&self) -> ConvertRequest {
        ConvertRequest::new(&self.path)
    }

    /// Converts the file as what it looks like.
    pub(super) fn convert(&self) -> Converted {
        convert(&self.request()).unwrap()
    }
}

impl Converted {
    pub(super) fn retrieval(&self) -> &[RetrievalItem] {
        let Items::Retrieval(items) = &self.items else {
            panic!("another task")
        };
        items
    }

    pub(super) fn choices(&self) -> &[MultipleChoiceItem] {
        let Items::MultipleChoice(items) = &self.items else {
            panic!("another task")
        };
        items
    }

    pub(super) fn questions(&self) -> &[OpenEndedItem] {
        let Items::OpenEnded(items) = &self.items else {
            panic!("another task")
        };
        items
    }
}
