//! `clover index`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use clover_data::video::Span;
use clover_inference::{RowPrecision, WindowSettings};

use super::data::ClipLists;
use super::embed::Precision;
use super::weights::ClipOptions;
use crate::device::DeviceName;

#[derive(Args, Debug)]
pub(crate) struct Index {
    /// Folders of videos, manifests, annotation files, shards, single clips; those that the index was made
    /// of if none is given.
    pub(crate) sources: Vec<PathBuf>,
    /// The index's folder, which is made if it is not there.
    #[arg(long)]
    pub(crate) index: PathBuf,
    /// The model; that of the index if not given.
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// A CLIP to make the index with, as `clover weights import --clip` takes it: its bundle is made beside the
    /// index once, and used again from then on.
    #[arg(long, conflicts_with = "bundle", value_name = "PATH")]
    pub(crate) clip: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) of_clip: ClipOptions,
    /// The length of a window, such as 8s; a video that is longer has a row for each, and one for all of
    /// it. 8s if not given.
    #[arg(long, value_name = "TIME")]
    window: Option<String>,
    /// From the start of a window to the start of the next. 4s if not given.
    #[arg(long, value_name = "TIME")]
    stride: Option<String>,
    /// Windows also begin and end where the image changes at once.
    #[arg(long)]
    shots: bool,
    /// Bits of a stored value.
    #[arg(long, value_enum)]
    pub(crate) precision: Option<Precision>,
    /// Clips to pass over, as a pattern of their paths below the folder: `drafts/**`, `*.gif`.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// Go on looking for new, changed and removed clips until interrupted.
    #[arg(long)]
    pub(crate) follow: bool,
    /// How often to look, with `--follow`.
    #[arg(long, default_value = "10s", value_name = "TIME")]
    every: String,
    /// Afterwards drop what is kept of clips that are gone.
    #[arg(long)]
    pub(crate) compact: bool,
    /// Afterwards sort all rows into lists for `clover search --approximate`. Worth its time beyond a million
    /// rows.
    #[arg(long)]
    pub(crate) approximate: bool,
    /// Build the index anew beside the old one, and then put it in its place.
    #[arg(long, conflicts_with_all = ["follow", "compact"])]
    pub(crate) rebuild: bool,
    /// Only say what is in the index, and which clips could not be read.
    #[arg(long, conflicts_with_all = ["sources", "follow", "compact", "rebuild", "approximate"])]
    pub(crate) status: bool,
    #[command(flatten)]
    pub(crate) lists: ClipLists,
    /// Threads that read clips; all cores if not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

impl Index {
    /// How videos are cut: what is given, and otherwise `usual`.
    pub(crate) fn windows(&self, usual: WindowSettings) -> Result<WindowSettings> {
        let mut windows = usual;
        if let Some(window) = &self.window {
            windows.window_ms = milliseconds("--window", window)?;
            if self.stride.is_none() {
                windows.stride_ms = windows.window_ms / 2;
            }
        }
        if let Some(stride) = &self.stride {
            windows.stride_ms = milliseconds("--stride", stride)?;
        }
        windows.shots |= self.shots;
        match windows.fault() {
            Some(fault) => bail!("--window and --stride: {fault}"),
            None => Ok(windows),
        }
    }

    /// How often `--follow` looks.
    pub(crate) fn every(&self) -> Result<std::time::Duration> {
        Ok(std::time::Duration::from_millis(milliseconds(
            "--every",
            &self.every,
        )?))
    }
}

impl From<Precision> for RowPrecision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F16 => Self::F16,
        }
    }
}

/// A length of time: `8s`, `8`, `0.5s`, `1:30`.
fn milliseconds(option: &str, text: &str) -> Result<u64> {
    let figure = text.trim().strip_suffix('s').unwrap_or(text.trim());
    // From the start of a video so far.
    match Span::parse("0", figure) {
        Ok(span) => Ok(span.end()),
        Err(_) => {
            bail!("{option}: {text:?} is no length of time; write seconds, such as 8s or 0.5s")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn index(words: &[&str]) -> Index {
        let line = ["clover", "index", "--index", "i"].iter().chain(words);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Index(index) => *index,
            _ => panic!("another command"),
        }
    }

    #[test]
    fn windows_are_those_of_the_index_where_none_are_given() {
        let usual = WindowSettings {
            window_ms: 5_000,
            stride_ms: 2_000,
            shots: true,
        };

        assert_eq!(index(&[]).windows(usual).unwrap(), usual);
        let given = index(&["--window", "3s"]).windows(usual).unwrap();
        assert_eq!(
            (given.window_ms, given.stride_ms, given.shots),
            (3_000, 1_500, true)
        );
        let given = index(&["--window", "1:00", "--stride", "0.5s"])
            .windows(usual)
            .unwrap();
        assert_eq!((given.window_ms, given.stride_ms), (60_000, 500));
    }

    #[test]
    fn impossible_times_are_refused_by_name() {
        let usual = WindowSettings::default();
        let error = |words: &[&str]| index(words).windows(usual).unwrap_err().to_string();

        assert!(error(&["--window", "soon"]).starts_with("--window: \"soon\""));
        assert!(error(&["--stride=-1"]).starts_with("--stride: "));
        assert!(error(&["--window", "2s", "--stride", "3s"]).contains("stride"));
    }
}
