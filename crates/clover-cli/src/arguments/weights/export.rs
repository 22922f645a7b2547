//! What `clover weights export` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clover_inference::ExportFormat;

use super::import::Channels;
use crate::device::DeviceName;

/// Whose form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The PyTorch code released with Clover.
    Published,
    /// A `swin3d` of torchvision, and a BERT of Hugging Face with its word head.
    #[value(name = "torchvision+huggingface")]
    TorchvisionAndHuggingFace,
    /// Our own parameter paths.
    Native,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Published => Self::Published,
            Format::TorchvisionAndHuggingFace => Self::TorchvisionAndHuggingFace,
            Format::Native => Self::Native,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ExportWeights {
    /// The bundle.
    pub(crate) bundle: PathBuf,
    /// Whose names and layout.
    #[arg(long, value_enum)]
    pub(crate) format: Format,
    /// Folder for the safetensors files.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Which colour the weights will see first; the first convolution is turned accordingly. rgb
    /// for torchvision if not given, and else the bundle's.
    #[arg(long, value_enum)]
    pub(crate) channels: Option<Channels>,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}
