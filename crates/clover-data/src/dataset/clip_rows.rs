//! Rows whose clips are files, as bytes in one arena.

use std::collections::HashMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

use ahash::RandomState;
use serde::{Deserialize, Serialize};

use super::clip_table::Texts;
use super::items::{Caption, Item, TaggedCaption};
use crate::video::Span;

/// Bytes of the arena's pieces: it grows without being copied.
const PIECE: usize = 1 << 20;

/// Rows whose clips are files, while they are gathered and afterwards.
#[derive(Default)]
pub(crate) struct Files {
    /// Where relative paths start.
    folder: PathBuf,
    /// Whether reports call a clip by its whole path, and not by what the list calls it.
    named_by_path: bool,
    arena: Vec<Vec<u8>>,
    /// Where the record of each entry of the list starts: the piece, and the byte in it.
    records: Vec<(u32, u32)>,
    /// Records of one clip by its number, where a clip has several.
    clips: Option<Groups>,
}

/// Groups of records, in the order of their first ones.
struct Groups {
    starts: Vec<u32>,
    members: Vec<u32>,
}

/// An entry of a list as the arena holds it.
#[derive(Serialize, Deserialize)]
struct Record<'a> {
    id: Option<&'a str>,
    clip: &'a str,
    /// Start and end in milliseconds.
    span: Option<(u64, u64)>,
    #[serde(borrow)]
    texts: RecordTexts<'a>,
}

#[derive(Serialize, Deserialize)]
enum RecordTexts<'a> {
    None,
    #[serde(borrow)]
    Captions(Vec<(&'a str, Option<Vec<&'a str>>)>),
    Choice(&'a str, Vec<&'a str>, usize),
    Question(&'a str, Vec<&'a str>),
}

impl Texts {
    fn as_record(&self) -> RecordTexts<'_> {
        let all = |texts| {
            let texts: &Vec<String> = texts;
            texts.iter().map(String::as_str).collect()
        };
        match self {
            Self::None => RecordTexts::None,
            Self::Captions(captions) => {
                let captions = captions.iter().map(|caption| match caption {
                    Caption::Plain(text) => (text.as_str(), None),
                    Caption::Tagged(TaggedCaption { text, tags }) => {
                        (text.as_str(), Some(all(tags)))
                    }
                });
                RecordTexts::Captions(captions.collect())
            }
            Self::Choice {
                question,
                options,
                answer,
            } => RecordTexts::Choice(question, all(options), *answer),
            Self::Question { question, answers } => RecordTexts::Question(question, all(answers)),
        }
    }
}

impl From<RecordTexts<'_>> for Texts {
    fn from(texts: RecordTexts<'_>) -> Self {
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        match texts {
            RecordTexts::None => Self::None,
            RecordTexts::Captions(captions) => {
                let captions = captions.into_iter().map(|(text, tags)| match tags {
                    None => Caption::Plain(text.to_owned()),
                    Some(tags) => Caption::Tagged(TaggedCaption {
                        text: text.to_owned(),
                        tags: owned(tags),
                    }),
                });
                Self::Captions(captions.collect())
            }
            RecordTexts::Choice(question, options, answer) => Self::Choice {
                question: question.to_owned(),
                options: owned(options),
                answer,
            },
            RecordTexts::Question(question, answers) => Self::Question {
                question: question.to_owned(),
                answers: owned(answers),
            },
        }
    }
}

impl Files {
    /// No rows yet; relative paths start at `folder`.
    pub(crate) fn in_folder(folder: impl Into<PathBuf>, named_by_path: bool) -> Self {
        Self {
            folder: folder.into(),
            named_by_path,
            ..Self::default()
        }
    }

    /// Adds an entry of a list.
    pub(crate) fn push(
        &mut self,
        id: Option<&str>,
        (clip, span): (&str, Option<Span>),
        texts: &Texts,
    ) {
        let record = Record {
            id,
            clip,
            span: span.map(|span| (span.start(), span.end())),
            texts: texts.as_record(),
        };
        // Writing to memory what has no part that cannot be written.
        let Ok(bytes) = postcard::to_allocvec(&record) else {
            return;
        };
        let full = self
            .arena
            .last()
            .is_none_or(|piece| piece.len() + bytes.len() > PIECE && !piece.is_empty());
        if full {
            self.arena.push(Vec::with_capacity(PIECE.max(bytes.len())));
        }
        let piece = self.arena.len() - 1;
        let start = self.arena[piece].len();
        self.arena[piece].extend_from_slice(&bytes);
        self.records.push((piece as u32, start as u32));
    }

    /// Adds an item.
    pub(crate) fn push_item(&mut self, item: Item) {
        let (id, clip, span) = item.clip();
        let (id, clip) = (id.map(str::to_owned), clip.to_owned());
        self.push(id.as_deref(), (&clip, span), &item.into_texts());
    }

    fn record(&self, number: usize) -> Record<'_> {
        let (piece, start) = self.records[number];
        let bytes = &self.arena[piece as usize][start as usize..];
        // What was written here a while ago can be read.
        let record = postcard::take_from_bytes(bytes);
        record.map_or(
            Record {
                id: None,
                clip: "",
                span: None,
                texts: RecordTexts::None,
            },
            |(record, _)| record,
        )
    }

    /// Makes one row of all entries that name one clip, where all of them are captions.
    pub(crate) fn joined(mut self) -> Self {
        // Half a hash and a number take eight bytes an entry; what shares a hash is compared.
        let hasher = RandomState::with_seeds(1, 2, 3, 4);
        let mut hashed = Vec::with_capacity(self.records.len());
        for number in 0..self.records.len() {
            let record = self.record(number);
            if !matches!(record.texts, RecordTexts::Captions(_) | RecordTexts::None) {
                return self;
            }
            let hash = hasher.hash_one((record.clip, record.span));
            hashed.push((hash as u32, number as u32));
        }
        hashed.sort_unstable();
        let mut next: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut is_first = vec![true; self.records.len()];
        for same in hashed.chunk_by(|one, other| one.0 == other.0) {
            let mut firsts: Vec<u32> = Vec::new();
            for &(_, number) in same {
                let same_clip = |first: &&u32| {
                    let [first, record] =
                        [**first, number].map(|number| self.record(number as usize));
                    (first.clip, first.span) == (record.clip, record.span)
                };
                match firsts.iter().find(same_clip) {
                    Some(first) => {
                        next.entry(*first).or_default().push(number);
                        is_first[number as usize] = false;
                    }
                    None => firsts.push(number),
                }
            }
        }
        drop(hashed);
        if next.is_empty() {
            return self;
        }
        let mut groups = Groups {
            starts: Vec::new(),
            members: Vec::with_capacity(self.records.len()),
        };
        for first in (0..is_first.len() as u32).filter(|&number| is_first[number as usize]) {
            groups.starts.push(groups.members.len() as u32);
            groups.members.push(first);
            groups
                .members
                .extend(next.get(&first).into_iter().flatten());
        }
        groups.starts.push(groups.members.len() as u32);
        self.clips = Some(groups);
        self
    }

    pub(super) fn len(&self) -> usize {
        match &self.clips {
            Some(groups) => groups.starts.len() - 1,
            None => self.records.len(),
        }
    }

    /// Where relative paths start.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The clip as its list names it.
    pub(super) fn clip(&self, clip: usize) -> &str {
        self.entries(clip).next().map_or("", |entry| entry.clip)
    }

    /// The entries of a clip, in the order of their list.
    fn entries(&self, clip: usize) -> impl Iterator<Item = Record<'_>> {
        let (few, one) = match &self.clips {
            Some(groups) => {
                let range = groups.starts[clip] as usize..groups.starts[clip + 1] as usize;
                (&groups.members[range], None)
            }
            None => (&[] as &[u32], Some(clip)),
        };
        let numbers = few.iter().map(|&number| number as usize).chain(one);
        numbers.map(|number| self.record(number))
    }

    pub(super) fn texts(&self, clip: usize) -> Texts {
        let mut entries = self.entries(clip);
        let first = entries
            .next()
            .map_or(Texts::None, |entry| entry.texts.into());
        entries.fold(first, |texts, entry| match (texts, entry.texts.into()) {
            (Texts::Captions(mut captions), Texts::Captions(more)) => {
                captions.extend(more);
                Texts::Captions(captions)
            }
            (Texts::None, more) => more,
            (texts, _) => texts,
        })
    }

    pub(super) fn path(&self, clip: usize) -> PathBuf {
        let entry = self.entries(clip).next();
        // Joining an absolute path gives that path.
        self.folder.join(entry.map_or("", |entry| entry.clip))
    }

    pub(super) fn span(&self, clip: usize) -> Option<Span> {
        let (start, end) = self.entries(clip).next()?.span?;
        Span::new(start, end).ok()
    }

    /// What reports call a clip: its name, or the path, with the span behind it as in the URL of a
    /// part of a video (W3C, "Media Fragments URI").
    pub(super) fn name(&self, clip: usize) -> String {
        let Some(entry) = self.entries(clip).next() else {
            return String::new();
        };
        let name = match entry.id {
            Some(id) => return id.to_owned(),
            None if self.named_by_path => self.path(clip).display().to_string(),
            None => entry.clip.to_owned(),
        };
        let seconds = |time: u64| time as f64 / 1000.0;
        match entry.span {
            Some((start, end)) => format!("{name}#t={},{}", seconds(start), seconds(end)),
            None => name,
        }
    }
}

impl Debug for Files {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Files")
            .field("folder", &self.folder)
            .field("clips", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_tens_of_bytes_beside_its_words() {
        let mut files = Files::in_folder("", true);
        let words = "x".repeat(90);
        for number in 0..200_000 {
            let texts = Texts::Captions(vec![Caption::Plain(words.clone())]);
            files.push(None, (&format!("{number:09}.mp4"), None), &texts);
        }
        let files = files.joined();

        let held: usize = files.arena.iter().map(Vec::capacity).sum();
        let rows = files.records.capacity() * size_of::<(u32, u32)>();
        // 103 bytes of a row are its path and its words.
        assert!((held + rows) / 200_000 < 103 + 20, "{held} {rows}");
    }
}
