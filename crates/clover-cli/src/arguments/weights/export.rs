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

/// Whose names a CLIP's weights are written under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClipNames {
    /// OpenAI's code: a file of weights.
    Openai,
    /// open_clip: the same names, with `open_clip_config.json`.
    OpenClip,
    /// transformers of Hugging Face: a folder for `CLIPModel`.
    Huggingface,
}

impl From<ClipNames> for ExportFormat {
    fn from(names: ClipNames) -> Self {
        match names {
            ClipNames::Openai => Self::OpenAi,
            ClipNames::OpenClip => Self::OpenClip,
            ClipNames::Huggingface => Self::HuggingFaceClip,
        }
    }
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
    #[arg(long, value_enum, required_unless_present = "clip")]
    pub(crate) format: Option<Format>,
    /// Of a bundle with CLIP's encoders: whose CLIP. What was learned beside the two encoders is left out.
    #[arg(long, value_enum, conflicts_with_all = ["format", "channels"], value_name = "NAMES")]
    pub(crate) clip: Option<ClipNames>,
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
