//! Named sizes, with their sources.

use std::fmt;
use std::str::FromStr;

use crate::CloverConfig;
use crate::clip::{Activation, ClipConfig, ClipTextConfig, ClipVisionConfig, FramePooling};
use crate::text_encoder::BertConfig;
use crate::video_encoder::VideoSwinConfig;

/// A named size of Clover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// [`CloverConfig::nano`].
    Nano,
    /// [`CloverConfig::tiny`].
    Tiny,
    /// [`CloverConfig::small`].
    Small,
    /// [`CloverConfig::base`].
    Base,
    /// [`CloverConfig::clip_nano`].
    ClipNano,
    /// [`CloverConfig::clip_tiny`].
    ClipTiny,
}

/// The name of no preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown preset `{name}`: there are nano, tiny, small, base, clip-nano and clip-tiny")]
pub struct UnknownPreset {
    /// What was asked for.
    pub name: String,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Nano,
        Self::Tiny,
        Self::Small,
        Self::Base,
        Self::ClipNano,
        Self::ClipTiny,
    ];

    /// The configuration of this size for a vocabulary.
    #[must_use]
    pub fn config(self, vocabulary: usize) -> CloverConfig {
        match self {
            Self::Nano => CloverConfig::nano(vocabulary),
            Self::Tiny => CloverConfig::tiny(vocabulary),
            Self::Small => CloverConfig::small(vocabulary),
            Self::Base => CloverConfig::base(vocabulary),
            Self::ClipNano => CloverConfig::clip_nano(vocabulary),
            Self::ClipTiny => CloverConfig::clip_tiny(vocabulary),
        }
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "nano" => Ok(Self::Nano),
            "tiny" => Ok(Self::Tiny),
            "small" => Ok(Self::Small),
            "base" => Ok(Self::Base),
            "clip-nano" => Ok(Self::ClipNano),
            "clip-tiny" => Ok(Self::ClipTiny),
            _ => Err(UnknownPreset {
                name: name.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nano => "nano",
            Self::Tiny => "tiny",
            Self::Small => "small",
            Self::Base => "base",
            Self::ClipNano => "clip-nano",
            Self::ClipTiny => "clip-tiny",
        })
    }
}

impl CloverConfig {
    /// The published model: Video Swin-B and BERT-base, 8 frames of 224 px.
    ///
    /// Liu et al. (CVPR 2022), table 1, with the window of 8 x 7 x 7; Devlin et al. (NAACL 2019).
    #[must_use]
    pub fn base(vocabulary: usize) -> Self {
        Self::new(
            VideoSwinConfig::new(128, vec![2, 2, 18, 2], vec![4, 8, 16, 32]).into(),
            BertConfig::new(vocabulary, 768, 12, 12, 3072).into(),
        )
    }

    /// For one GPU: Video Swin-T (Liu et al., CVPR 2022) and BERT-Small (Turc et al., "Well-Read
    /// Students Learn Better", 2019: 4 layers, 512 wide, 8 heads), 8 frames of 224 px.
    #[must_use]
    pub fn small(vocabulary: usize) -> Self {
        let mut config = Self::new(
            VideoSwinConfig::new(96, vec![2, 2, 6, 2], vec![3, 6, 12, 24]).into(),
            BertConfig::new(vocabulary, 512, 4, 8, 2048).into(),
        );
        // Video Swin-T's published rate.
        config.video.set_drop_path(0.1);
        config
    }

    /// For laptops: a Video Swin of one quarter of Swin-B's width (the head width of 32
    /// kept) and two blocks a stage, and BERT-Tiny (Turc et al., 2019: 2 layers, 128 wide, 2
    /// heads), 8 frames of 112 px.
    #[must_use]
    pub fn tiny(vocabulary: usize) -> Self {
        let mut config = Self::new(
            VideoSwinConfig::new(32, vec![2, 2, 2, 2], vec![1, 2, 4, 8]).into(),
            BertConfig::new(vocabulary, 128, 2, 2, 512).into(),
        )
        .with_image_size(112);
        // So few blocks are not regularised by leaving out every third.
        config.video.set_drop_path(0.1);
        config
    }

    /// For tests of a program around the model: every part is there, none is wide enough to learn
    /// much. A step takes milliseconds.
    #[must_use]
    pub fn nano(vocabulary: usize) -> Self {
        let mut config = Self::new(
            VideoSwinConfig::new(8, vec![2, 1, 1, 1], vec![1, 2, 2, 4])
                .with_window([2, 7, 7])
                .into(),
            BertConfig::new(vocabulary, 32, 1, 2, 64).into(),
        )
        .with_fusion_layers(1)
        .with_image_size(56);
        config.video.set_drop_path(0.1);
        config
    }

    /// CLIP's encoders, as small as [`nano`](Self::nano): 2 layers of 32 channels, 4 frames of 28 px in
    /// 7 x 7 patches.
    #[must_use]
    pub fn clip_nano(vocabulary: usize) -> Self {
        let vision = ClipVisionConfig::new(28, 4, 32, 2, 2, 32, Activation::Gelu);
        let text = ClipTextConfig::new(vocabulary, 77, 32, 2, 2, 32, Activation::Gelu);
        Self::clip(ClipConfig::new(vision, text), 4, FramePooling::Mean).with_fusion_layers(1)
    }

    /// CLIP's encoders, small enough to learn from nothing on a laptop: 4 layers of 128 channels for
    /// frames (8 of 56 px in 7 x 7 patches) and texts, embeddings of 64 numbers.
    #[must_use]
    pub fn clip_tiny(vocabulary: usize) -> Self {
        let vision = ClipVisionConfig::new(56, 8, 128, 4, 4, 64, Activation::Gelu);
        let text = ClipTextConfig::new(vocabulary, 77, 128, 4, 4, 64, Activation::Gelu);
        Self::clip(ClipConfig::new(vision, text), 8, FramePooling::Mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_found_by_the_name_they_show() {
        for preset in Preset::ALL {
            assert_eq!(preset.to_string().parse(), Ok(preset));
            assert_eq!(preset.config(100).validate(), Ok(()));
        }
    }

    #[test]
    fn an_unknown_preset_is_refused_by_name() {
        let error = "huge".parse::<Preset>().unwrap_err();

        assert_eq!(
            error.to_string(),
            "unknown preset `huge`: there are nano, tiny, small, base, clip-nano and clip-tiny"
        );
    }
}
