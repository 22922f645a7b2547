//! What an index knows of every file: its `files.jsonl`, a journal.
//!
//! Each line says what became of one clip; the last line about it counts. Lines are only ever added,
//! after the rows they speak of are safely written, so that a line that was cut off in a crash costs
//! no more than its own file.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use clover_data::video::Span;
use serde::{Deserialize, Serialize};

use super::contents::Stamp;
use crate::InferenceError;
use crate::bundle::write_whole;

pub(super) const JOURNAL: &str = "files.jsonl";

/// Which clip: a file of a source, a sample of a shard, or a span of either.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClipKey {
    /// The place of its source among those of the index.
    pub source: usize,
    /// Where it lies, from the folder of its source on.
    pub path: String,
    /// The part of it that a list names, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_ms: Option<(u64, u64)>,
}

/// What became of a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClipState {
    /// It is in the index.
    Indexed,
    /// It could not be read.
    Broken,
    /// It is no longer where it was.
    Gone,
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipRecord {
    /// Which clip.
    #[serde(flatten)]
    pub key: ClipKey,
    /// What became of it.
    pub state: ClipState,
    /// Bytes of its file.
    #[serde(default)]
    pub size: u64,
    /// When its file was last changed, in milliseconds since 1970.
    #[serde(default)]
    pub modified_ms: u64,
    /// Its content, whatever its name: BLAKE3, in hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// The number that its rows are stored under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<u32>,
    /// How long it is shown, in seconds; zero where its file does not say.
    #[serde(default)]
    pub seconds: f64,
    /// Why it, or a part of it, could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The commit that wrote the line.
    pub commit: u64,
}

/// The last line about every clip.
#[derive(Clone, Debug, Default)]
pub struct Library {
    records: BTreeMap<ClipKey, ClipRecord>,
    /// Content numbers that were given so far.
    contents: u32,
    last_commit: u64,
    /// Bytes of the journal that hold whole lines.
    whole: u64,
}

impl ClipKey {
    /// The part of its file that is meant; none for all of it.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        let (start, end) = self.span_ms?;
        Span::new(start, end).ok()
    }
}

impl ClipRecord {
    /// A line about a clip that cannot be read.
    pub(super) fn broken(key: ClipKey, stamp: Stamp, fault: String) -> Self {
        Self {
            key,
            state: ClipState::Broken,
            size: stamp.size,
            modified_ms: stamp.modified_ms,
            hash: String::new(),
            content: None,
            seconds: 0.0,
            fault: Some(fault),
            commit: 0,
        }
    }
}

impl Library {
    /// Reads the journal of an index; an index without one knows no file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a line that is not the last is damaged.
    pub(super) fn read(folder: &Path) -> Result<Self, InferenceError> {
        let path = folder.join(JOURNAL);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(InferenceError::File { path, source }),
        };
        let mut library = Self::default();
        for (number, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            let cut = line.last() != Some(&b'\n');
            match serde_json::from_slice::<ClipRecord>(line) {
                // A line without its end was being written when the program ended.
                _ if cut => break,
                Ok(record) => library.take(record),
                Err(source) => {
                    return Err(InferenceError::Damaged {
                        path,
                        fault: format!(
                            "line {}: {source}; remove the line and run `clover index` again, \
                             which looks at its file anew",
                            number + 1
                        ),
                    });
                }
            }
            library.whole += line.len() as u64;
        }
        Ok(library)
    }

    fn take(&mut self, record: ClipRecord) {
        self.last_commit = self.last_commit.max(record.commit);
        if let Some(content) = record.content {
            self.contents = self.contents.max(content.saturating_add(1));
        }
        self.records.insert(record.key.clone(), record);
    }

    /// What is known, by clip.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &ClipRecord> {
        self.records.values()
    }

    /// What is known of one clip.
    #[must_use]
    pub fn record(&self, key: &ClipKey) -> Option<&ClipRecord> {
        self.records.get(key)
    }

    /// The clips of each content that is still somewhere.
    #[must_use]
    pub fn clips_of_contents(&self) -> BTreeMap<u32, Vec<ClipKey>> {
        let mut clips = BTreeMap::<u32, Vec<ClipKey>>::new();
        for record in self.records.values() {
            if let (ClipState::Indexed, Some(content)) = (record.state, record.content) {
                clips.entry(content).or_default().push(record.key.clone());
            }
        }
        clips
    }

    pub(super) fn last_commit(&self) -> u64 {
        self.last_commit
    }

    /// Content numbers that were given so far.
    pub(super) fn contents(&self) -> u32 {
        self.contents
    }

    /// Adds lines to the journal, on disk before in memory.
    pub(super) fn append(
        &mut self,
        folder: &Path,
        records: Vec<ClipRecord>,
    ) -> Result<(), InferenceError> {
        let path = folder.join(JOURNAL);
        let failed = |source| InferenceError::File {
            path: path.clone(),
            source,
        };
        let lines = lines_of(&records, &path)?;
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        let written = file
            // What was cut off before, or could not be written whole, goes.
            .set_len(self.whole)
            .and_then(|()| std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)))
            .and_then(|_| file.write_all(&lines))
            .and_then(|()| file.sync_data());
        if let Err(source) = written {
            // A disk that is full must not leave half a line.
            let _ = file.set_len(self.whole);
            return Err(failed(source));
        }
        self.whole += lines.len() as u64;
        for record in records {
            self.take(record);
        }
        Ok(())
    }

    /// Writes the journal anew, a line a clip, without those that are gone.
    pub(super) fn compact(&mut self, folder: &Path) -> Result<(), InferenceError> {
        let path = folder.join(JOURNAL);
        self.records
            .retain(|_, record| record.state != ClipState::Gone);
        // The newest commit stays known, or its segment would be taken for unfinished.
        if let Some(record) = self.records.values_mut().next_back() {
            record.commit = self.last_commit;
        }
        let records: Vec<ClipRecord> = self.records.values().cloned().collect();
        let lines = lines_of(&records, &path)?;
        write_whole(&path, &lines)?;
        self.whole = lines.len() as u64;
        Ok(())
    }
}

fn lines_of(records: &[ClipRecord], path: &Path) -> Result<Vec<u8>, InferenceError> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record).map_err(|source| InferenceError::Json {
            path: path.to_owned(),
            source,
        })?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Makes sure that a folder's entries are on disk, where a system can.
pub(super) fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str, commit: u64) -> ClipRecord {
        ClipRecord {
            key: ClipKey {
                source: 0,
                path: path.to_owned(),
                span_ms: None,
            },
            state: ClipState::Indexed,
            size: 1,
            modified_ms: 2,
            hash: "f".to_owned(),
            content: Some(commit as u32),
            seconds: 1.5,
            fault: None,
            commit,
        }
    }

    #[test]
    fn the_last_line_about_a_clip_counts_and_names_may_hold_anything() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::default();
        library
            .append(folder.path(), vec![record("a\nb \u{1f600}", 1)])
            .unwrap();
        library
            .append(
                folder.path(),
                vec![record("a\nb \u{1f600}", 2), record("c", 2)],
            )
            .unwrap();

        let read = Library::read(folder.path()).unwrap();

        let records: Vec<_> = read.records().cloned().collect();
        assert_eq!(records, [record("a\nb \u{1f600}", 2), record("c", 2)]);
        assert_eq!((read.last_commit(), read.contents()), (2, 3));
    }

    #[test]
    fn a_line_cut_anywhere_costs_itself_alone_and_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::default();
        library.append(folder.path(), vec![record("a", 1)]).unwrap();
        let path = folder.path().join(JOURNAL);
        let first = fs::read(&path).unwrap();
        library.append(folder.path(), vec![record("b", 2)]).unwrap();
        let both = fs::read(&path).unwrap();

        for length in first.len()..both.len() {
            fs::write(&path, &both[..length]).unwrap();
            let mut cut = Library::read(folder.path()).unwrap();
            assert_eq!(cut.records().len(), 1, "{length}");
            cut.append(folder.path(), vec![record("c", 2)]).unwrap();
            let read = Library::read(folder.path()).unwrap();
            let paths: Vec<_> = read.records().map(|record| &record.key.path).collect();
            assert_eq!(paths, ["a", "c"]);
        }
    }

    #[test]
    fn a_damaged_line_in_the_middle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::default();
        let both = vec![record("a", 1), record("b", 1)];
        library.append(folder.path(), both).unwrap();
        let path = folder.path().join(JOURNAL);
        let mut text = fs::read(&path).unwrap();
        text[3] = b'\0';
        fs::write(&path, text).unwrap();

        let error = Library::read(folder.path()).unwrap_err().to_string();

        assert!(
            error.contains("files.jsonl") && error.contains("line 1"),
            "{error}"
        );
    }

    #[test]
    fn compacting_forgets_what_is_gone_and_keeps_the_newest_commit() {
        let folder = tempfile::tempdir().unwrap();
        let mut library = Library::default();
        let gone = ClipRecord {
            state: ClipState::Gone,
            content: None,
            ..record("b", 9)
        };
        library
            .append(folder.path(), vec![record("a", 1), gone])
            .unwrap();

        library.compact(folder.path()).unwrap();

        let read = Library::read(folder.path()).unwrap();
        assert_eq!((read.records().len(), read.last_commit()), (1, 9));
    }
}
