//! A list of clips as the user names it: a folder, a list, shards, or one clip.

use std::path::Path;

use anyhow::Result;
use clover_data::dataset::{ClipTable, ConvertRequest};

use crate::arguments::ClipLists;
use crate::progress::bar;

/// Whether shards are named by a pattern, which is no file.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['{', '*'])
}

/// Opens what `path` names; reading the headers of shards is shown.
pub(super) fn open_clips(lists: &ClipLists, path: &Path) -> Result<ClipTable> {
    let scan = bar("reading shards", 0);
    let request = ConvertRequest {
        split: lists.split.clone(),
        ..lists.reading.request(path)
    };
    let table = ClipTable::open_as(&request, lists.videos.as_deref(), &|done, total| {
        scan.set_length(total as u64);
        scan.set_position(done as u64);
    });
    scan.finish_and_clear();
    Ok(table?)
}
