//! `clover embed`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clover_inference::EmbeddingPrecision;

use super::data::ClipLists;
use crate::device::DeviceName;

#[derive(Args, Debug)]
pub(crate) struct Embed {
    /// The model.
    pub(crate) bundle: PathBuf,
    /// Clips: videos and images, folders of them, manifests, annotation files, shards.
    #[arg(required_unless_present = "texts")]
    pub(crate) clips: Vec<PathBuf>,
    /// Texts, a line each; `-` for standard input. Their rows come before those of clips.
    #[arg(long, value_name = "FILE")]
    pub(crate) texts: Option<PathBuf>,
    /// Where the embeddings go: `.npy` or `.safetensors`, with the names of the rows in `.names.txt`
    /// beside it, or `.jsonl` with both.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Bits of a value.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) precision: Precision,
    #[command(flatten)]
    pub(crate) lists: ClipLists,
    /// Threads that read clips; all cores if not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Fail when more than this share of a list's clips is broken.
    #[arg(long, default_value_t = 0.5)]
    pub(crate) max_failed_share: f64,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

/// Bits of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Precision {
    /// 32, as computed.
    #[default]
    F32,
    /// 16: half of the size, off by less than a thousandth.
    F16,
}

impl From<Precision> for EmbeddingPrecision {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F16 => Self::F16,
        }
    }
}
