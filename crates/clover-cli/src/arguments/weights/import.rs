//! What `clover weights import` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clover_data::video::ChannelOrder;
use clover_inference::ClipImport;
use clover_model::clip::{Activation, FramePooling, TemporalPoolingConfig};
use clover_model::weights::Naming;

use crate::device::DeviceName;

/// Which colour comes first in a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Channels {
    /// Red, green, blue: public Video Swin, Swin and torchvision weights.
    Rgb,
    /// Blue, green, red: Clover as published, and every bundle.
    Bgr,
}

impl From<Channels> for ChannelOrder {
    fn from(channels: Channels) -> Self {
        match channels {
            Channels::Rgb => Self::Rgb,
            Channels::Bgr => Self::Bgr,
        }
    }
}

/// What the fusion encoder starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FusionFrom {
    /// The first layers of the text encoder, as published.
    Text,
    /// Random values.
    Nothing,
}

/// The function in the perceptrons of a CLIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClipActivation {
    /// LAION-2B, DataComp.
    Gelu,
    /// OpenAI, MetaCLIP, DFN, LAION-400M.
    QuickGelu,
}

/// How the frames of a clip become one embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pooling {
    /// The mean of their directions: CLIP as it is.
    Mean,
    /// The same with a transformer over the frames, which does nothing before it is trained.
    Temporal,
}

/// What is to be said of a CLIP that its files may not say.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClipOptions {
    /// Of a CLIP: the function in its perceptrons, where no `config.json` or `open_clip_config.json` beside the
    /// weights says it.
    #[arg(long, value_enum, requires = "clip")]
    pub(crate) activation: Option<ClipActivation>,
    /// Of a CLIP: the folder or file of its tokenizer; that beside the weights if not given.
    #[arg(long, requires = "clip", value_name = "PATH")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// Of a CLIP: how the frames of a clip become one embedding.
    #[arg(long, value_enum, requires = "clip", default_value = "mean")]
    pub(crate) pooling: Pooling,
}

impl ClipOptions {
    /// The import of such weights.
    pub(crate) fn import(&self, weights: PathBuf, frames: Option<usize>) -> ClipImport {
        let usual = ClipImport::new(weights);
        ClipImport {
            activation: self.activation.map(|activation| match activation {
                ClipActivation::Gelu => Activation::Gelu,
                ClipActivation::QuickGelu => Activation::QuickGelu,
            }),
            tokenizer: self.tokenizer.clone(),
            pooling: match self.pooling {
                Pooling::Mean => FramePooling::Mean,
                Pooling::Temporal => FramePooling::Temporal(TemporalPoolingConfig::new()),
            },
            frames: frames.unwrap_or(usual.frames),
            ..usual
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct ImportWeights {
    /// A Video Swin (published or torchvision's `swin3d`) or a 2-D Swin, which is inflated: `.pth`,
    /// `.pt`, `.bin`, `.safetensors`, an index of shards, or a folder with one of these.
    #[arg(long, requires = "text", required_unless_present_any = ["clover", "clip"])]
    pub(crate) video: Option<PathBuf>,
    /// A BERT in Hugging Face's form: its folder, or the file of weights in it.
    #[arg(long, requires = "video")]
    pub(crate) text: Option<PathBuf>,
    /// A checkpoint of the published implementation, pre-trained or fine-tuned, or another bundle's
    /// `model.safetensors`, instead of `--video` and `--text`.
    #[arg(long, conflicts_with_all = ["video", "text"])]
    pub(crate) clover: Option<PathBuf>,
    /// A CLIP instead: an archive of OpenAI's, a file of open_clip's, or a folder in Hugging Face's form.
    #[arg(long, conflicts_with_all = ["video", "text", "clover", "vocab", "answers", "channels", "naming", "window",
        "text_len", "text_positions", "text_heads", "fusion_from"])]
    pub(crate) clip: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) of_clip: ClipOptions,
    /// Folder for the bundle.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Word pieces, one a line; the `vocab.txt` beside the text weights if not given.
    #[arg(long)]
    pub(crate) vocab: Option<PathBuf>,
    /// The labels of a fine-tuned model that chooses from a list: an answer a line, or JSON. Without,
    /// such a head is left out.
    #[arg(long)]
    pub(crate) answers: Option<PathBuf>,
    /// Which colour the weights were trained to see first: rgb for `--video`, bgr for `--clover` if
    /// not given. Bundles see bgr; the first convolution is turned accordingly.
    #[arg(long, value_enum)]
    pub(crate) channels: Option<Channels>,
    /// What the fusion encoder starts from where no file has it.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) fusion_from: FusionFrom,
    /// Whose names the files follow, if that cannot be told from them: published, native,
    /// video-swin, torchvision or huggingface. For `--video`, or `--clover`.
    #[arg(long, value_parser = naming)]
    pub(crate) naming: Option<Naming>,
    /// Frames of a clip; tables of time positions of another length are resized.
    #[arg(long)]
    pub(crate) frames: Option<usize>,
    /// Height and width of a clip in pixels; tables of space positions are resized.
    #[arg(long)]
    pub(crate) image_size: Option<usize>,
    /// Extents of the attention windows, `8,7,7`; tables of relative positions are resized.
    #[arg(long, value_parser = window)]
    pub(crate) window: Option<[usize; 3]>,
    /// Word pieces of a text.
    #[arg(long)]
    pub(crate) text_len: Option<usize>,
    /// Rows of the table of text positions; it is cut or resized.
    #[arg(long)]
    pub(crate) text_positions: Option<usize>,
    /// Attention heads of the text encoder, if neither 64 channels wide nor told by a `config.json`.
    #[arg(long)]
    pub(crate) text_heads: Option<usize>,
    /// Fail if a parameter is missing or of another shape, or a weight unused. Of a CLIP, what it never has (the
    /// fusion encoder, tokens for what is masked) does not count.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Fail, by name, if a weight is infinite or no number.
    #[arg(long)]
    pub(crate) refuse_not_finite: bool,
    /// Seed of the parameters that no file has.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

fn naming(name: &str) -> Result<Naming, String> {
    let known = Naming::ALL.into_iter().find(|naming| naming.name() == name);
    known.ok_or_else(|| {
        let names = Naming::ALL.map(Naming::name);
        format!("there are {}", names.join(", "))
    })
}

fn window(extents: &str) -> Result<[usize; 3], String> {
    let parsed: Vec<usize> = extents
        .split(',')
        .map(|extent| extent.trim().parse().map_err(|error| format!("{error}")))
        .collect::<Result<_, String>>()?;
    match parsed[..] {
        [frames, height, width] if !parsed.contains(&0) && height == width => {
            Ok([frames, height, width])
        }
        _ => Err("three positive numbers, the last two equal, such as 8,7,7".to_owned()),
    }
}
