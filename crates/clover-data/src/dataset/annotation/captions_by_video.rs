//! Captions that stand in separate rows, brought together by their video.

use std::collections::HashMap;

use super::super::items::{Caption, Gathered, MAX_TEXTS, RetrievalItem, check_text};
use super::super::rows::{RowFault, RowNumber};
use super::clip_names::ClipNames;
use super::reading::Reading;

/// The captions of each video, videos in the order in which they appear.
#[derive(Debug, Default)]
pub(super) struct CaptionsByVideo {
    pub(super) videos: Vec<Captioned>,
    places: HashMap<String, usize>,
}

/// A video and what is said about it.
#[derive(Debug)]
pub(super) struct Captioned {
    pub(super) video: String,
    pub(super) captions: Vec<String>,
    /// Where it first appears.
    pub(super) row: RowNumber,
}

impl CaptionsByVideo {
    /// Adds a caption to those of its video.
    pub(super) fn add(
        &mut self,
        video: &str,
        caption: &str,
        row: RowNumber,
    ) -> Result<(), RowFault> {
        let video = video.trim();
        let caption = check_text("caption", caption)?;
        let place = match self.places.get(video) {
            Some(&place) => place,
            None => {
                let video = check_text("video", video)?;
                self.places.insert(video.clone(), self.videos.len());
                self.videos.push(Captioned {
                    video,
                    captions: Vec::new(),
                    row,
                });
                self.videos.len() - 1
            }
        };
        let captions = &mut self.videos[place].captions;
        if captions.len() >= MAX_TEXTS {
            return Err(RowFault::Count {
                key: "captions with its video",
                found: captions.len() + 1,
                smallest: 1,
                largest: MAX_TEXTS,
            });
        }
        captions.push(caption);
        Ok(())
    }

    /// Drops the videos that are not wanted and tells how many there were.
    pub(super) fn retain(&mut self, wanted: impl Fn(&str) -> bool) -> usize {
        let before = self.videos.len();
        self.videos.retain(|captioned| wanted(&captioned.video));
        self.places.clear();
        for (place, captioned) in self.videos.iter().enumerate() {
            self.places.insert(captioned.video.clone(), place);
        }
        before - self.videos.len()
    }

    /// Makes an item of each video that the list names, in its order, or of each there is.
    ///
    /// `write` turns a video and its captions into the item.
    pub(super) fn gather(
        self,
        reading: &Reading<'_>,
        gathered: &mut Gathered,
        write: impl Fn(&ClipNames, Captioned) -> Result<RetrievalItem, RowFault>,
    ) {
        let Some(list) = &reading.list else {
            for captioned in self.videos {
                gathered.push(captioned.row, write(&reading.clips, captioned));
            }
            return;
        };
        let mut videos: Vec<_> = self.videos.into_iter().map(Some).collect();
        for (video, row) in &list.videos {
            let place = self.places.get(video);
            match place.and_then(|&place| videos[place].take()) {
                Some(captioned) => {
                    gathered.push(captioned.row, write(&reading.clips, captioned));
                }
                None => {
                    let video = video.clone();
                    let fault = RowFault::NotAnnotated { video };
                    gathered.skip(&list.path, *row, fault);
                }
            }
        }
        gathered.unlisted += videos.iter().flatten().count();
    }
}

/// The item with each caption on its own.
pub(super) fn item(
    video: String,
    clip: String,
    captions: impl IntoIterator<Item = String>,
) -> RetrievalItem {
    RetrievalItem {
        id: Some(video),
        span: None,
        clip,
        captions: captions.into_iter().map(Caption::Plain).collect(),
    }
}
