//! What the commands about files of weights take.

mod export;
mod import;

use std::path::PathBuf;

pub(crate) use export::{ExportWeights, Format};
pub(crate) use import::{ClipOptions, FusionFrom, ImportWeights};

use clap::{Args, Subcommand};

#[derive(Subcommand, Debug)]
pub(crate) enum Weights {
    /// Make a model bundle of a Video Swin and a BERT, of a CLIP, or of a whole Clover.
    Import(Box<ImportWeights>),
    /// Write a bundle's weights under the names of other programs.
    Export(ExportWeights),
    /// Say what a file of weights holds: names, shapes, types, parameters of each part, bytes.
    Inspect(InspectWeights),
    /// Get weights from the Hugging Face Hub into its ordinary cache.
    #[cfg_attr(not(feature = "fetch"), command(hide = true))]
    Fetch(FetchWeights),
}

#[derive(Args, Debug)]
pub(crate) struct InspectWeights {
    /// A checkpoint of PyTorch (`.pth`, `.pt`, `.bin`), a `.safetensors` file, an index of shards
    /// (`.index.json`), or a folder with one of these.
    pub(crate) weights: PathBuf,
    /// Names are grouped into parts by this many of their words.
    #[arg(long, default_value_t = 2)]
    pub(crate) depth: usize,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct FetchWeights {
    /// The repository: `owner/name`.
    pub(crate) repository: String,
    /// A file of the repository; its weights (whatever form they have) with their configuration and tokenizer if
    /// not given.
    #[arg(long)]
    pub(crate) file: Vec<String>,
    /// A branch, a tag or a commit.
    #[arg(long, default_value = "main")]
    pub(crate) revision: String,
    /// Take what the cache holds and connect nowhere.
    #[arg(long)]
    pub(crate) offline: bool,
}
