//! The lines of the annotation files, clip by clip.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::clip::BenchmarkClip;
use super::story::Difference;
use crate::DataError;
use crate::dataset::Caption;

/// From a split's folder to the folder of clips.
const TO_CLIPS: &str = "../clips/";

/// The header of a pairs manifest.
pub(super) const PAIRS_HEADER: &[u8] = b"path,caption\n";

/// What a split has of everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitCounts {
    /// Clips.
    pub clips: usize,
    /// Captions of all clips together.
    pub captions: usize,
    /// Questions with options.
    pub multiple_choice: usize,
    /// Questions with an answer of the closed list.
    pub open_ended: usize,
    /// Clips that differ from another in a single respect.
    pub negatives: usize,
}

/// Lines of the files of one split.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) retrieval: Vec<u8>,
    pub(super) multiple_choice: Vec<u8>,
    pub(super) open_ended: Vec<u8>,
    pub(super) pairs: Vec<u8>,
    pub(super) negatives: Vec<u8>,
    pub(super) counts: SplitCounts,
}

/// A line about two clips that are nearly identical.
#[derive(Serialize)]
struct Negative<'a> {
    clip: &'a str,
    twin: &'a str,
    differs: Difference,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<usize>,
}

impl SplitCounts {
    /// Adds what another part has.
    pub(super) fn add(&mut self, other: &Self) {
        self.clips += other.clips;
        self.captions += other.captions;
        self.multiple_choice += other.multiple_choice;
        self.open_ended += other.open_ended;
        self.negatives += other.negatives;
    }
}

impl Lines {
    /// Adds the lines of a clip; `twin` is the file of the clip it is nearly identical to, where
    /// that is listed, and `path` what an error calls the files.
    pub(super) fn push(
        &mut self,
        clip: &BenchmarkClip,
        twin: Option<&str>,
        path: &Path,
    ) -> Result<(), DataError> {
        push_json(&mut self.retrieval, &clip.annotations.retrieval, path)?;
        for item in &clip.annotations.multiple_choice {
            push_json(&mut self.multiple_choice, item, path)?;
        }
        for item in &clip.annotations.open_ended {
            push_json(&mut self.open_ended, item, path)?;
        }
        for caption in clip
            .annotations
            .retrieval
            .captions
            .iter()
            .map(Caption::text)
        {
            // Neither the captions nor the names hold a comma or a quote.
            let row = format!("{TO_CLIPS}{},{caption}\n", clip.file);
            self.pairs.extend_from_slice(row.as_bytes());
        }
        if let (Some(differs), Some(twin)) = (clip.twin, twin) {
            let negative = Negative {
                clip: &clip.file,
                twin,
                differs: differs.difference,
                actor: differs.actor,
            };
            push_json(&mut self.negatives, &negative, path)?;
        }
        self.counts.add(&SplitCounts {
            clips: 1,
            captions: clip.annotations.retrieval.captions.len(),
            multiple_choice: clip.annotations.multiple_choice.len(),
            open_ended: clip.annotations.open_ended.len(),
            negatives: usize::from(twin.is_some()),
        });
        Ok(())
    }
}

fn push_json<T: Serialize>(lines: &mut Vec<u8>, item: &T, path: &Path) -> Result<(), DataError> {
    serde_json::to_writer(&mut *lines, item).map_err(|source| DataError::Write {
        path: path.to_path_buf(),
        source: source.into(),
    })?;
    lines.push(b'\n');
    Ok(())
}
