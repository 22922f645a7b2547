//! Clips with sentences.

use std::collections::HashMap;

use clover_data::dataset::{Caption, ClipTexts, Items, RetrievalItem};

use super::{ItemsLocation, TaskItems};
use crate::TrainerError;
use crate::recipe::{CaptionChoice, TaskKind};

impl ItemsLocation {
    /// Clips with all their sentences; items of one clip are one, so that no clip is its own
    /// competitor.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds other items.
    pub fn captioned(&self) -> Result<TaskItems<ClipTexts>, TrainerError> {
        let read = self.retrieval()?;
        let (mut places, mut clips) = (HashMap::new(), Vec::<ClipTexts>::new());
        for item in &read.items {
            let texts = item.captions.iter().map(text);
            match places.get(&item.clip) {
                Some(&place) => {
                    let same: &mut ClipTexts = &mut clips[place];
                    same.texts.extend(texts);
                }
                None => {
                    places.insert(item.clip.clone(), clips.len());
                    clips.push(ClipTexts {
                        name: name(item),
                        clip: item.clip.clone(),
                        texts: texts.collect(),
                    });
                }
            }
        }
        Ok(read.with(clips))
    }

    /// Clips to learn from, with one sentence each, or with all of which one is drawn.
    ///
    /// # Errors
    ///
    /// As [`captioned`](Self::captioned).
    pub fn pairs(&self, choice: CaptionChoice) -> Result<TaskItems<ClipTexts>, TrainerError> {
        if choice == CaptionChoice::OneAnEpoch {
            return self.captioned();
        }
        let read = self.retrieval()?;
        let pairs = read.items.iter().flat_map(|item| {
            item.captions.iter().map(|caption| ClipTexts {
                name: name(item),
                clip: item.clip.clone(),
                texts: vec![text(caption)],
            })
        });
        let pairs = pairs.collect();
        Ok(read.with(pairs))
    }

    fn retrieval(&self) -> Result<TaskItems<RetrievalItem>, TrainerError> {
        let read = self.read()?;
        match read.items {
            Items::Retrieval(items) => Ok(read.shared.with(items)),
            Items::MultipleChoice(_) | Items::OpenEnded(_) => {
                Err(self.other_task(TaskKind::Retrieval))
            }
        }
    }
}

fn name(item: &RetrievalItem) -> String {
    item.id.as_ref().unwrap_or(&item.clip).clone()
}

fn text(caption: &Caption) -> String {
    caption.text().to_owned()
}

/// Sentences that another clip has, too: none of them can tell the clips apart.
pub(crate) fn repeated_texts(items: &[ClipTexts]) -> usize {
    let mut owners: HashMap<&str, Vec<usize>> = HashMap::new();
    for (clip, item) in items.iter().enumerate() {
        for text in &item.texts {
            owners.entry(text).or_default().push(clip);
        }
    }
    let shared = owners.values().filter(|clips| {
        let first = clips.first();
        clips.iter().any(|clip| Some(clip) != first)
    });
    shared.map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "{\"clip\":\"a.gif\",\"captions\":[\"a cat\",\"a pet\"]}\n\
        {\"clip\":\"b.gif\",\"captions\":[\"a pet\"]}\n\
        {\"id\":\"again\",\"clip\":\"a.gif\",\"captions\":[\"it sleeps\"]}\n";

    fn location(folder: &std::path::Path) -> ItemsLocation {
        let path = folder.join("items.jsonl");
        std::fs::write(&path, LINES).unwrap();
        ItemsLocation::new(path, "test")
    }

    #[test]
    fn items_of_one_clip_are_one_candidate_with_all_its_texts() {
        let folder = tempfile::tempdir().unwrap();
        let location = location(folder.path());

        let clips = location.captioned().unwrap();

        assert_eq!(clips.items.len(), 2);
        assert_eq!(clips.items[0].texts, ["a cat", "a pet", "it sleeps"]);
        assert_eq!(clips.clips, folder.path());
        // "a pet" is said of both clips.
        assert_eq!(repeated_texts(&clips.items), 2);
    }

    #[test]
    fn every_caption_is_a_pair_or_one_of_a_clip_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let location = location(folder.path());

        let all = location.pairs(CaptionChoice::All).unwrap();
        let drawn = location.pairs(CaptionChoice::OneAnEpoch).unwrap();

        assert_eq!((all.items.len(), drawn.items.len()), (4, 2));
        assert_ne!(all.fingerprint(), drawn.fingerprint());
    }

    #[test]
    fn items_of_another_task_are_refused_by_the_files_name() {
        let folder = tempfile::tempdir().unwrap();
        let location = location(folder.path());

        let questions = location.questions().unwrap_err().to_string();
        let choices = location.choices(0).unwrap_err().to_string();

        assert!(
            questions.contains("items.jsonl: holds no open-ended items"),
            "{questions}"
        );
        assert!(
            choices.contains("holds no multiple-choice items"),
            "{choices}"
        );
    }
}
