//! The clips of annotated items.

use std::path::PathBuf;

use super::collection::{CaptionedClip, ClipCollection};
use crate::DataError;
use crate::dataset::{Caption, Items};
use crate::video::ClipSource;

/// Items in the project's own form, and the folder their clips lie in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemClips {
    items: Items,
    folder: PathBuf,
}

impl ItemClips {
    /// Items whose clips lie in `folder`.
    pub fn new(items: Items, folder: impl Into<PathBuf>) -> Self {
        Self {
            items,
            folder: folder.into(),
        }
    }

    fn clip(&self, index: usize) -> &str {
        match &self.items {
            Items::Retrieval(items) => &items[index].clip,
            Items::MultipleChoice(items) => &items[index].clip,
            Items::OpenEnded(items) => &items[index].clip,
        }
    }

    /// Everything that is said about a clip: sentences, or question and answers.
    fn texts(&self, index: usize) -> Vec<String> {
        match &self.items {
            Items::Retrieval(items) => {
                let texts = items[index].captions.iter().map(Caption::text);
                texts.map(str::to_owned).collect()
            }
            Items::MultipleChoice(items) => {
                let item = &items[index];
                let question = Some(&item.question).filter(|question| !question.is_empty());
                question.into_iter().chain(&item.options).cloned().collect()
            }
            Items::OpenEnded(items) => {
                let item = &items[index];
                let question = std::iter::once(&item.question);
                question.chain(&item.answers).cloned().collect()
            }
        }
    }
}

impl ClipCollection for ItemClips {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn name(&self, index: usize) -> String {
        self.folder.join(self.clip(index)).display().to_string()
    }

    fn read(&self, index: usize) -> Result<CaptionedClip, DataError> {
        Ok(CaptionedClip {
            clip: ClipSource::Path(self.folder.join(self.clip(index))),
            captions: self.texts(index),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::MultipleChoiceItem;

    #[test]
    fn question_and_options_are_texts_and_the_clip_lies_in_the_folder() {
        let item = MultipleChoiceItem {
            id: None,
            clip: "a.gif".to_owned(),
            question: "what does it do".to_owned(),
            options: vec!["jump".to_owned(), "run".to_owned()],
            answer: 1,
        };
        let clips = ItemClips::new(Items::MultipleChoice(vec![item]), "gifs");

        let read = clips.read(0).unwrap();

        assert_eq!(read.clip, ClipSource::Path(PathBuf::from("gifs/a.gif")));
        assert_eq!(read.captions, ["what does it do", "jump", "run"]);
    }
}
