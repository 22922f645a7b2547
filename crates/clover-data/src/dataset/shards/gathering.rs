//! From the members of one shard to its samples.
//!
//! Members of a sample usually follow each other, but need not: an archive sorted by extension gives
//! the same samples.

use std::collections::HashMap;
use std::io::{Read, Seek};
use std::path::Path;

use super::super::items::check_relative;
use super::super::skipped::SkippedItem;
use super::error::ShardError;
use super::index::{Located, ShardIndex, Span};
use super::member_name::{self, MemberKind};
use super::members::{Member, Members, Storage, WalkEnd};
use super::sample::MAX_TEXT_BYTES;
use crate::DataError;

/// The most frames of one clip.
const MAX_FRAMES: usize = 100_000;

/// The samples of a shard, and what was left out.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) index: ShardIndex,
    pub(super) skipped: Vec<SkippedItem>,
    /// Members that are neither clip nor text of a sample.
    pub(super) others: usize,
}

/// A sample whose members are still coming in.
#[derive(Debug, Default)]
struct Draft {
    key: String,
    video: Option<Span>,
    image: Option<Span>,
    frames: Vec<(u32, Span)>,
    json: Option<Span>,
    text: Option<Span>,
    fault: Option<&'static str>,
}

struct Gathering<'a> {
    path: &'a Path,
    max_media_bytes: u64,
    drafts: Vec<Draft>,
    places: HashMap<String, usize>,
    gathered: Gathered,
}

/// Reads the headers of a shard of `end` bytes, whose number is `shard`.
///
/// What cannot be used is listed, never an error; a shard cut short gives the samples before.
pub(super) fn gather(
    reader: impl Read + Seek,
    end: u64,
    path: &Path,
    shard: usize,
    max_media_bytes: u64,
) -> Gathered {
    let mut gathering = Gathering {
        path,
        max_media_bytes,
        drafts: Vec::new(),
        places: HashMap::new(),
        gathered: Gathered::default(),
    };
    let mut members = Members::new(reader, end);
    loop {
        match members.next_member() {
            Ok(Some(member)) => gathering.take(&member),
            Ok(None) => break,
            Err(end) => {
                gathering.broken_off(end);
                break;
            }
        }
    }
    gathering.finish(shard)
}

impl Gathering<'_> {
    fn take(&mut self, member: &Member) {
        if member.storage == Storage::Nothing {
            return;
        }
        if let Err(error) = self.place(member) {
            self.skip(lossy(&member.name), &error);
        }
    }

    fn place(&mut self, member: &Member) -> Result<(), ShardError> {
        let refused = |fault| ShardError::Member {
            path: self.path.to_path_buf(),
            member: lossy(&member.name),
            fault,
        };
        let name =
            std::str::from_utf8(&member.name).map_err(|_| refused("is not named in UTF-8"))?;
        // What `tar cf shard.tar .` puts before every name.
        let name = name.strip_prefix("./").unwrap_or(name);
        check_relative(name).map_err(|source| ShardError::UnsafeMember {
            path: self.path.to_path_buf(),
            source,
        })?;
        let parsed = member_name::parse(name).filter(|(_, kind)| *kind != MemberKind::Other);
        let Some((key, kind)) = parsed else {
            self.gathered.others += 1;
            return Ok(());
        };
        match member.storage {
            Storage::Whole => {}
            Storage::Sparse => return Err(refused("is stored with holes")),
            Storage::Link | Storage::Nothing => return Err(refused("is a link")),
        }
        let limit = match kind {
            MemberKind::Text | MemberKind::Json => MAX_TEXT_BYTES,
            _ => self.max_media_bytes,
        };
        let span = Span::new(member.offset, member.length).filter(|_| member.length <= limit);
        let fault = self.draft(key).take(kind, span);
        fault.map_or(Ok(()), |fault| {
            Err(ShardError::Member {
                path: self.path.to_path_buf(),
                member: lossy(&member.name),
                fault,
            })
        })
    }

    fn draft(&mut self, key: &str) -> &mut Draft {
        // Nearly always it is the last one.
        let last = self.drafts.len().checked_sub(1);
        let place = match last.filter(|&last| self.drafts[last].key == key) {
            Some(last) => last,
            None => *self.places.entry(key.to_owned()).or_insert_with(|| {
                self.drafts.push(Draft {
                    key: key.to_owned(),
                    ..Draft::default()
                });
                self.drafts.len() - 1
            }),
        };
        &mut self.drafts[place]
    }

    fn broken_off(&mut self, end: WalkEnd) {
        let path = self.path.to_path_buf();
        let error: DataError = match end {
            WalkEnd::Fault { offset, fault } => ShardError::Broken {
                path,
                offset,
                fault,
            }
            .into(),
            WalkEnd::Io(source) => DataError::Read { path, source },
        };
        let item = SkippedItem::new(self.path.display().to_string(), &error);
        self.gathered.skipped.push(item);
    }

    fn finish(mut self, shard: usize) -> Gathered {
        let drafts = std::mem::take(&mut self.drafts);
        // `k.mask.png` beside `k.jpg` and `k.txt` is no sample of its own.
        let is_beside = |draft: &Draft| {
            let shorter = member_name::parse(&draft.key).map(|(key, _)| self.places.get(key));
            let shorter = shorter.flatten().map(|&place| &drafts[place]);
            !draft.is_complete() && shorter.is_some_and(Draft::is_complete)
        };
        let beside: Vec<bool> = drafts.iter().map(is_beside).collect();
        for (draft, beside) in drafts.into_iter().zip(beside) {
            if beside {
                self.gathered.others += draft.spans().count();
                continue;
            }
            let key = draft.key.clone();
            if let Err(fault) = draft.finish(shard, &mut self.gathered.index) {
                let error = ShardError::Sample {
                    path: self.path.to_path_buf(),
                    key: key.clone(),
                    fault,
                };
                self.skip(key, &error);
            }
        }
        self.gathered
    }

    fn skip(&mut self, name: String, error: &ShardError) {
        let name = format!("{}/{name}", self.path.display());
        self.gathered.skipped.push(SkippedItem::new(name, error));
    }
}

impl Draft {
    fn spans(&self) -> impl Iterator<Item = &Span> {
        let frames = self.frames.iter().map(|(_, span)| span);
        let single = [&self.video, &self.image, &self.json, &self.text];
        single.into_iter().flatten().chain(frames)
    }

    fn is_complete(&self) -> bool {
        let has_media = self.video.or(self.image).is_some() || !self.frames.is_empty();
        has_media && self.json.or(self.text).is_some()
    }

    /// Takes a member, or tells why not; `None` stands for one that is too large.
    fn take(&mut self, kind: MemberKind, span: Option<Span>) -> Option<&'static str> {
        let Some(span) = span else {
            self.fault = Some("one of its members is too large");
            return None;
        };
        let slot = match kind {
            MemberKind::Video => &mut self.video,
            MemberKind::Image => &mut self.image,
            MemberKind::Text => &mut self.text,
            MemberKind::Json => &mut self.json,
            MemberKind::Frame(number) if self.frames.len() < MAX_FRAMES => {
                self.frames.push((number, span));
                return None;
            }
            MemberKind::Frame(_) => return Some("is one frame too many"),
            MemberKind::Other => return None,
        };
        if slot.is_some() {
            return Some("comes twice, or beside another of its kind");
        }
        *slot = Some(span);
        None
    }

    /// Adds the sample to the index, or tells why not. A video is preferred to frames of it, and
    /// both to an image of it.
    fn finish(mut self, shard: usize, index: &mut ShardIndex) -> Result<(), &'static str> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.frames.sort_by_key(|(number, _)| *number);
        if self.frames.windows(2).any(|two| two[0].0 == two[1].0) {
            return Err("two of its frames have the same number");
        }
        let framewise = self.video.is_none() && !self.frames.is_empty();
        let media: Vec<Span> = if framewise {
            self.frames.iter().map(|(_, span)| *span).collect()
        } else {
            self.video.or(self.image).into_iter().collect()
        };
        if media.is_empty() {
            return Err("it has no video and no image");
        }
        if self.json.is_none() && self.text.is_none() {
            return Err("it has no caption");
        }
        let sample = Located {
            shard,
            key: &self.key,
            media: &media,
            framewise,
            json: self.json,
            text: self.text,
        };
        index.push(sample).ok_or("its key is too long")
    }
}

/// The beginning of a name, for messages.
fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(100)]).into_owned()
}

#[cfg(test)]
mod tests;
