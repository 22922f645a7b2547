//! Whose names a file follows, and which of our parameters each name stands for.

mod clover;
mod hugging_face;
mod rule;
mod torchvision;
mod wrapping;

pub use clover::{UNUSED_BY_DESIGN, native_name, published_name};

use std::fmt;

use super::WeightError;
use wrapping::{by_itself, unwrapped};

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
            for part in unwrapped(name) {
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
        if by_itself(name) {
            return Meaning::NoParameter;
        }
        unwrapped(name)
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
mod tests {
    use super::*;

    fn parameter(path: &str) -> Meaning {
        Meaning::Parameter(path.to_owned())
    }

    #[test]
    fn each_naming_is_told_from_its_names() {
        let cases = [
            (
                vec![
                    "module.backbone.layers.0.blocks.0.attn.qkv.weight",
                    "module.text_backbone.bert.x",
                ],
                Naming::Published,
            ),
            (
                vec![
                    "backbone.layers.0.blocks.0.attn.qkv.weight",
                    "cls_head.fc_cls.weight",
                ],
                Naming::VideoSwin,
            ),
            (
                vec!["model.layers.0.blocks.0.attn.qkv.bias"],
                Naming::VideoSwin,
            ),
            (vec!["features.0.0.attn.qkv.weight"], Naming::Torchvision),
            (
                vec!["bert.encoder.layer.0.output.dense.weight"],
                Naming::HuggingFace,
            ),
            (
                vec!["video_encoder.stages.0.blocks.0.norm1.gamma"],
                Naming::Native,
            ),
        ];

        for (names, naming) in cases {
            assert_eq!(Naming::detect(names.clone()).unwrap(), naming, "{names:?}");
        }
        let error = Naming::detect(["conv1.weight"]).unwrap_err();
        assert!(error.to_string().contains("conv1.weight"), "{error}");
    }

    #[test]
    fn wrapping_does_not_change_what_a_name_means() {
        let qkv = parameter("video_encoder.stages.1.blocks.0.attention.qkv.weight");
        for front in [
            "",
            "backbone.",
            "module.backbone.",
            "state_dict.backbone.",
            "model.",
            "state_dict.module.backbone.",
        ] {
            let name = format!("{front}layers.1.blocks.0.attn.qkv.weight");
            assert_eq!(Naming::VideoSwin.meaning(&name), qkv, "{name}");
        }
        let norm = parameter("text_encoder.layers.3.attention.norm.gamma");
        for name in [
            "bert.encoder.layer.3.attention.output.LayerNorm.gamma",
            "encoder.layer.3.attention.output.LayerNorm.weight",
        ] {
            assert_eq!(Naming::HuggingFace.meaning(name), norm, "{name}");
        }
    }

    #[test]
    fn buffers_and_optimizers_hold_no_parameters() {
        for name in [
            "backbone.layers.0.blocks.0.attn.relative_position_index",
            "layers.0.blocks.1.attn_mask",
            "optimizer.state.0.exp_avg",
            "bert.embeddings.position_ids",
        ] {
            for naming in [Naming::VideoSwin, Naming::HuggingFace, Naming::Published] {
                assert_eq!(naming.meaning(name), Meaning::NoParameter, "{name}");
            }
        }
    }

    #[test]
    fn stages_and_mergings_alternate_in_torchvision() {
        let cases = [
            (
                "features.4.17.mlp.3.weight",
                "video_encoder.stages.2.blocks.17.mlp.fc2.weight",
            ),
            (
                "features.5.reduction.weight",
                "video_encoder.stages.2.merging.reduction.weight",
            ),
            (
                "features.0.1.norm2.bias",
                "video_encoder.stages.0.blocks.1.norm2.beta",
            ),
            (
                "patch_embed.proj.weight",
                "video_encoder.patch_embedding.projection.weight",
            ),
            ("norm.weight", "video_encoder.norm.gamma"),
        ];

        for (name, path) in cases {
            assert_eq!(Naming::Torchvision.meaning(name), parameter(path));
            assert_eq!(
                Naming::Torchvision.name_of(path, &[]).as_deref(),
                Some(name)
            );
        }
        assert_eq!(Naming::Torchvision.meaning("head.weight"), Meaning::Unknown);
        assert_eq!(
            Naming::Torchvision.name_of("video_encoder.mask_token.token", &[]),
            None
        );
    }

    #[test]
    fn the_word_head_is_that_of_bert() {
        let cases = [
            (
                "cls.predictions.transform.LayerNorm.weight",
                "mlm_head.norm.gamma",
            ),
            ("cls.predictions.decoder.weight", "mlm_head.decoder.weight"),
            ("cls.predictions.bias", "mlm_head.decoder.bias"),
        ];

        for (name, path) in cases {
            assert_eq!(Naming::HuggingFace.meaning(name), parameter(path));
            assert_eq!(
                Naming::HuggingFace.name_of(path, &[]).as_deref(),
                Some(name)
            );
        }
        let tied = Meaning::Substitute("mlm_head.decoder.bias".to_owned());
        assert_eq!(
            Naming::HuggingFace.meaning("cls.predictions.decoder.bias"),
            tied
        );
    }
}
