//! One shard, written whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use serde::Serialize;
use tar::{Builder, Header};

use super::super::clip_table::{ClipRow, ClipTable, Texts};
use super::super::items::Caption;
use super::super::skipped::SkippedItem;
use super::config::PackConfig;
use super::frames::{StoredFrames, store};
use crate::DataError;
use crate::catch_panic;
use crate::files::write_whole;

/// A shard to be written.
pub(super) struct ShardJob<'a> {
    pub(super) source: &'a ClipTable,
    pub(super) config: &'a PackConfig,
    pub(super) folder: &'a Path,
    pub(super) shard: usize,
    pub(super) items: Range<usize>,
}

/// A shard that was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) samples: usize,
    pub(super) bytes: u64,
    pub(super) skipped: Vec<SkippedItem>,
}

/// What is stored of a sample beside its frames; the keys are those of img2dataset where it has
/// them.
#[derive(Serialize)]
struct Facts<'a> {
    key: &'a str,
    #[serde(flatten)]
    texts: StoredTexts<'a>,
    status: &'static str,
    /// What the source calls the sample.
    name: &'a str,
    width: usize,
    height: usize,
    frames: usize,
    original_width: usize,
    original_height: usize,
    original_frames: usize,
    /// The numbers of the stored frames among the original ones.
    frame_indices: &'a [usize],
}

/// Texts under the keys that shards are read by.
#[derive(Serialize)]
#[serde(untagged)]
enum StoredTexts<'a> {
    Caption {
        caption: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        caption_tags: Option<&'a [String]>,
    },
    Captions {
        captions: Vec<&'a str>,
    },
    Choice {
        question: &'a str,
        options: &'a [String],
        answer: usize,
    },
    Question {
        question: &'a str,
        answers: &'a [String],
    },
    None {},
}

impl<'a> From<&'a Texts> for StoredTexts<'a> {
    fn from(texts: &'a Texts) -> Self {
        match texts {
            Texts::None => Self::None {},
            Texts::Captions(captions) => match captions.as_slice() {
                [Caption::Plain(caption)] => Self::Caption {
                    caption,
                    caption_tags: None,
                },
                [Caption::Tagged(caption)] => Self::Caption {
                    caption: &caption.text,
                    caption_tags: Some(&caption.tags),
                },
                several => Self::Captions {
                    captions: several.iter().map(Caption::text).collect(),
                },
            },
            Texts::Choice {
                question,
                options,
                answer,
            } => Self::Choice {
                question,
                options,
                answer: *answer,
            },
            Texts::Question { question, answers } => Self::Question { question, answers },
        }
    }
}

type Tar = Builder<BufWriter<AtomicWriteFile>>;

/// Tells whether the shard is there.
pub(super) fn is_written(job: &ShardJob<'_>) -> bool {
    job.path("tar").is_file()
}

/// Writes a shard; nothing if it was stopped, which leaves no trace. `dealt_with` is told of every
/// sample.
pub(super) fn write_shard(
    job: &ShardJob<'_>,
    dealt_with: &dyn Fn(),
    is_stopped: &dyn Fn() -> bool,
) -> Result<Option<Written>, DataError> {
    let path = job.path("tar");
    let failed = |source| DataError::Write {
        path: path.clone(),
        source,
    };
    let file = AtomicWriteFile::open(&path).map_err(failed)?;
    let mut tar = Builder::new(BufWriter::new(file));
    let written = job.append_all(&mut tar, dealt_with, is_stopped);
    let ended = written.and_then(|skipped| {
        let Some(skipped) = skipped else {
            return Ok(None);
        };
        let file = tar
            .into_inner()?
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let bytes = file.metadata()?.len();
        // The list first: a shard that is there has its list.
        job.write_skipped(&skipped)?;
        file.commit()?;
        Ok(Some(Written {
            samples: job.items.len() - skipped.len(),
            bytes,
            skipped,
        }))
    });
    ended.map_err(failed)
}

impl ShardJob<'_> {
    fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{:06}.{extension}", self.shard))
    }

    /// Appends every sample that can be read; what is left out, or nothing if it was stopped.
    fn append_all(
        &self,
        tar: &mut Tar,
        dealt_with: &dyn Fn(),
        is_stopped: &dyn Fn() -> bool,
    ) -> io::Result<Option<Vec<SkippedItem>>> {
        let mut skipped = Vec::new();
        for index in self.items.clone() {
            if is_stopped() {
                return Ok(None);
            }
            // A decoder that panics on a hostile file costs that file, not the shard.
            let read = catch_panic(|| self.read(index));
            let read = read.unwrap_or_else(|_| {
                Err(DataError::ReaderPanicked {
                    name: self.source.name(index),
                })
            });
            match read {
                Ok((texts, frames)) => self.append(tar, index, &texts, &frames)?,
                Err(error) => skipped.push(SkippedItem::new(self.source.name(index), &error)),
            }
            dealt_with();
        }
        Ok(Some(skipped))
    }

    fn read(&self, index: usize) -> Result<(Texts, StoredFrames), DataError> {
        let ClipRow { clip, span, texts } = self.source.read(index)?;
        Ok((texts, store(clip, span, self.config)?))
    }

    fn append(
        &self,
        tar: &mut Tar,
        index: usize,
        texts: &Texts,
        frames: &StoredFrames,
    ) -> io::Result<()> {
        let key = format!("{index:09}");
        let facts = Facts {
            key: &key,
            texts: texts.into(),
            status: "success",
            name: &self.source.name(index),
            width: frames.size[0],
            height: frames.size[1],
            frames: frames.images.len(),
            original_width: frames.original_size[0],
            original_height: frames.original_size[1],
            original_frames: frames.original_frames,
            frame_indices: &frames.indices,
        };
        append(tar, &format!("{key}.json"), &serde_json::to_vec(&facts)?)?;
        if let Texts::Captions(captions) = texts
            && let Some(first) = captions.first()
        {
            append(tar, &format!("{key}.txt"), first.text().as_bytes())?;
        }
        for (frame, image) in frames.images.iter().enumerate() {
            append(tar, &format!("{key}.{frame:03}.jpg"), image)?;
        }
        Ok(())
    }

    fn write_skipped(&self, skipped: &[SkippedItem]) -> io::Result<()> {
        let path = self.path("skipped.jsonl");
        if skipped.is_empty() {
            // One of an earlier try, when a file could not be reached, would not be true any more.
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        }
        write_whole(&path, |lines| {
            skipped.iter().try_for_each(|item| {
                serde_json::to_writer(&mut *lines, item)?;
                lines.write_all(b"\n")
            })
        })
    }
}

/// Appends a member; nothing in its header depends on the machine or the time.
fn append(tar: &mut Tar, name: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, name, content)
}
