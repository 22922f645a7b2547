//! A list of clips as the user names it: a folder, a list, shards, or one clip.

use std::path::Path;

use anyhow::Result;
use clover_data::dataset::{ClipTable, ConvertRequest};
use clover_inference::LibrarySource;

use crate::arguments::ClipLists;
use crate::progress::{advance, bar};

/// Whether shards are named by a pattern, which is no file.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['{', '*'])
}

/// Rows that are looked for where none could be read.
const LOOKED_FOR: usize = 20;

/// Where the clips of a list were looked for, if none of the first is there; otherwise nothing.
pub(super) fn where_looked(clips: &ClipTable) -> String {
    let mut first = 0..clips.len().min(LOOKED_FOR);
    if first.is_empty() || first.any(|row| clips.file(row).exists()) {
        return String::new();
    }
    let folder = Path::new(".").join(clips.folder());
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    format!(
        "; looked in {}; `--videos` names another folder",
        folder.display()
    )
}

/// What `path` names, and how it is read.
pub(super) fn source(lists: &ClipLists, path: &Path) -> LibrarySource {
    let mut source = LibrarySource::of(path);
    source.videos.clone_from(&lists.videos);
    source.list = ConvertRequest {
        split: lists.split.clone(),
        ..lists.reading.request(path)
    };
    source
}

/// Opens the clips of a source; reading the headers of shards is shown.
pub(super) fn open_clips(source: &LibrarySource) -> Result<ClipTable> {
    let scan = bar("reading the list", 0);
    let table = source.open(&|done, total| advance(&scan, done, total));
    scan.finish_and_clear();
    Ok(table?)
}
