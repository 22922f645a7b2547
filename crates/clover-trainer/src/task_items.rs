//! The items of a task, read from any annotation file: what is learned from, and measured on.

mod captioned;
mod test_items;
mod vocabulary;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clover_data::dataset::{
    AnnotationFormat, ConvertRequest, Items, MultipleChoiceItem, OpenEndedItem, SkippedItem,
    convert, detect,
};
use serde::Serialize;

use crate::TrainerError;
use crate::checkpoint::ListFingerprint;
use crate::recipe::TaskKind;

pub(crate) use captioned::repeated_texts;
pub(crate) use test_items::TaskReading;
pub use test_items::TestItems;
pub use vocabulary::answer_list;

/// Where the items of a split are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemsLocation {
    /// The annotation file, and what goes with it.
    pub request: ConvertRequest,
    /// The folder of clips, if it is not the annotation's own.
    pub clips: Option<PathBuf>,
    /// What the split is called: `train`, `validation`, `test`. A file with several splits gives the
    /// one of this name.
    pub split: String,
}

/// Items with the folder of their clips.
#[derive(Clone, Debug)]
pub struct TaskItems<T> {
    /// The usable items, in their order.
    pub items: Vec<T>,
    /// The folder that clips lie below.
    pub clips: PathBuf,
    /// The format they were read from.
    pub format: AnnotationFormat,
    /// Rows that cannot be used.
    pub unusable: Vec<SkippedItem>,
}

impl ItemsLocation {
    /// All items of an annotation file, with its clips beside it.
    pub fn new(annotation: impl Into<PathBuf>, split: &str) -> Self {
        Self {
            request: ConvertRequest::new(annotation),
            clips: None,
            split: split.to_owned(),
        }
    }

    /// Questions with options, as many for each as asked for; 0 for any number.
    ///
    /// # Errors
    ///
    /// The file cannot be read, holds other items, or a question has more or fewer options.
    pub fn choices(
        &self,
        candidates: usize,
    ) -> Result<TaskItems<MultipleChoiceItem>, TrainerError> {
        let read = self.read()?;
        let items = match read.items {
            Items::MultipleChoice(items) => items,
            Items::Retrieval(_) | Items::OpenEnded(_) => {
                return Err(self.other_task(TaskKind::MultipleChoice));
            }
        };
        let expected = match candidates {
            0 => items.first().map_or(0, |item| item.options.len()),
            candidates => candidates,
        };
        match items.iter().find(|item| item.options.len() != expected) {
            None => Ok(read.shared.with(items)),
            Some(item) => Err(TrainerError::Candidates {
                path: self.request.annotation.clone(),
                name: item.id.as_ref().unwrap_or(&item.clip).clone(),
                found: item.options.len(),
                expected,
            }),
        }
    }

    /// Questions with answers in words.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds other items.
    pub fn questions(&self) -> Result<TaskItems<OpenEndedItem>, TrainerError> {
        let read = self.read()?;
        match read.items {
            Items::OpenEnded(items) => Ok(read.shared.with(items)),
            Items::Retrieval(_) | Items::MultipleChoice(_) => {
                Err(self.other_task(TaskKind::OpenEnded))
            }
        }
    }

    fn read(&self) -> Result<Read, TrainerError> {
        let mut request = self.request.clone();
        let format = request.format.or_else(|| detect(&request.annotation));
        // A list chooses videos already; otherwise the split does, where the file has several.
        let splits = format.is_some_and(AnnotationFormat::has_splits);
        if splits && request.split.is_none() && request.list.is_none() {
            request.split = Some(self.split.clone());
        }
        let converted = convert(&request)?;
        let beside = request.annotation.parent().unwrap_or(Path::new(""));
        Ok(Read {
            items: converted.items,
            shared: TaskItems {
                items: Vec::new(),
                clips: self.clips.clone().unwrap_or_else(|| beside.to_owned()),
                format: converted.format,
                unusable: converted.skipped,
            },
        })
    }

    fn other_task(&self, wanted: TaskKind) -> TrainerError {
        TrainerError::OtherTask {
            path: self.request.annotation.clone(),
            wanted: wanted.name(),
        }
    }
}

/// What a file holds, and what is known of it.
struct Read {
    items: Items,
    shared: TaskItems<()>,
}

impl<T> TaskItems<T> {
    fn with<U>(self, items: Vec<U>) -> TaskItems<U> {
        TaskItems {
            items,
            clips: self.clips,
            format: self.format,
            unusable: self.unusable,
        }
    }
}

impl<T: Serialize> TaskItems<T> {
    /// What a resumed run must find again.
    pub(crate) fn fingerprint(&self) -> ListFingerprint {
        let lines: Vec<String> = self
            .items
            .iter()
            .map(|item| serde_json::to_string(item).unwrap_or_default())
            .collect();
        ListFingerprint::of(&lines)
    }
}

/// How many of the clips a list names are not on the disk, each counted once.
pub fn missing_clips<'c>(folder: &Path, clips: impl Iterator<Item = &'c str>) -> usize {
    let different: HashSet<&str> = clips.collect();
    different
        .into_iter()
        .filter(|clip| !folder.join(clip).exists())
        .count()
}
