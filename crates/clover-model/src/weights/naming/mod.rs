//! Whose names a file follows, and which of our parameters each name stands for.

mod clover;
mod hugging_face;
pub(super) mod rule;
mod torchvision;
pub(super) mod wrapping;

pub use clover::{UNUSED_BY_DESIGN, native_name, published_name};

use std::fmt;

use super::WeightError;
use wrapping::{by_itself, uncompiled, unwrapped};

/// Whose names, and whose layout of linear weights, a file follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Naming {
    /// The PyTorch code released with Clover: `backbone.layers.0.blocks.1.attn.qkv.weight`.
    Published,
    /// Our parameter paths: `video_encoder.stages.0.blocks.1.attention.qkv.weight`.
    Native,
    /// Video Swin, or the 2-D Swin it is inflated from, as their authors publish them:
    /// `layers.0.blocks.1.attn.qkv.weight`, with or without `backbone.` in front.
    VideoSwin,
    /// torchvision's `swin3d_t`, `swin3d_s` and `swin3d_b`: `features.0.1.attn.qkv.weight`.
    Torchvision,
    /// BERT in Hugging Face's `transformers`, with or without `bert.` in front:
    /// `encoder.layer.0.attention.self.query.weight`.
    HuggingFace,
}

/// What a name of a file stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// One of our parameters.
    Parameter(String),
    /// A second copy of a parameter, for files that have no other: the parameter, and what stands
    /// for it.
    Substitute(String),
    /// What is computed, not learned, or belongs to an optimizer.
    NoParameter,
    /// Nothing that the model has a place for.
    Unknown,
}

impl Naming {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Published,
        Self::Native,
        Self::VideoSwin,
        Self::Torchvision,
        Self::HuggingFace,
    ];

    /// What it is called on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Native => "native",
            Self::VideoSwin => "video-swin",
            Self::Torchvision => "torchvision",
            Self::HuggingFace => "huggingface",
        }
    }

    /// Tells from the names in a file whose they are.
    ///
    /// # Errors
    ///
    /// They are nobody's that is known here.
    pub fn detect<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, WeightError> {
        let mut found = None;
        let mut first = None;
        for name in names {
            first.get_or_insert(name);
            for part in unwrapped(&uncompiled(name)) {
                match Self::gives_away(part) {
                    // Whole models contain what is also a model by itself.
                    Some(whole @ (Self::Published | Self::Native)) => return Ok(whole),
                    Some(naming) => {
                        found.get_or_insert(naming);
                    }
                    None => {}
                }
            }
        }
        found.ok_or_else(|| WeightError::UnknownNaming {
            example: first.unwrap_or_default().to_owned(),
        })
    }

    fn gives_away(name: &str) -> Option<Self> {
        let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
        if begins(&["text_backbone.", "multimodal_backbone.", "ssl_head."]) {
            Some(Self::Published)
        } else if begins(&[
            "video_encoder.stages.",
            "text_encoder.layers.",
            "video_encoder.vision.",
            "text_encoder.text.",
            "fusion_encoder.",
        ]) {
            Some(Self::Native)
        } else if name.starts_with("features.") && name.contains(".attn.qkv.") {
            Some(Self::Torchvision)
        } else if name.starts_with("layers.") && name.contains(".attn.qkv.") {
            Some(Self::VideoSwin)
        } else if begins(&["encoder.layer.", "embeddings.word_embeddings."]) {
            Some(Self::HuggingFace)
        } else {
            None
        }
    }

    /// What a name means, whatever it is wrapped in.
    pub(super) fn meaning(self, name: &str) -> Meaning {
        if self == Self::Native {
            return Meaning::Parameter(name.to_owned());
        }
        let name = uncompiled(name);
        if by_itself(&name) {
            return Meaning::NoParameter;
        }
        unwrapped(&name)
            .map(|part| self.meaning_unwrapped(part))
            .find(|meaning| *meaning != Meaning::Unknown)
            .unwrap_or(Meaning::Unknown)
    }

    fn meaning_unwrapped(self, name: &str) -> Meaning {
        let published = match self {
            Self::Published | Self::Native => Some(name.to_owned()),
            Self::VideoSwin => Some(format!("backbone.{name}")),
            Self::Torchvision => torchvision::to_published(name),
            Self::HuggingFace => hugging_face::to_published(name),
        };
        let Some(published) = published else {
            return Meaning::Unknown;
        };
        if let Some(path) = native_name(&published) {
            return Meaning::Parameter(path);
        }
        match published.as_str() {
            // The bias of the word head also stands beside its decoder, to which it is tied.
            "mlm_head.predictions.bias" => Meaning::Substitute("mlm_head.decoder.bias".to_owned()),
            _ => Meaning::Unknown,
        }
    }

    /// What this naming calls one of our parameters, if it has it; `all` are the paths of the model.
    #[must_use]
    pub fn name_of(self, path: &str, all: &[String]) -> Option<String> {
        match self {
            Self::Native => Some(path.to_owned()),
            Self::Published => published_name(path, all),
            Self::VideoSwin => published_name(path, all)?
                .strip_prefix("backbone.")
                .map(str::to_owned),
            Self::Torchvision => torchvision::from_published(&published_name(path, all)?),
            Self::HuggingFace => hugging_face::from_published(&published_name(path, all)?),
        }
    }

    /// Whether linear weights are `[output, input]`, as in PyTorch.
    pub(super) fn transposes(self) -> bool {
        self != Self::Native
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
