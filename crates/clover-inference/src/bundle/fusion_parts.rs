//! The fusion encoder and the heads behind it, which comparing clips with texts does without.
//!
//! A bundle of weights that know no fusion, such as CLIP's, comes without them: what nobody trained is neither
//! stored nor asked.

use burn::module::Module;
use burn::prelude::*;
use clover_model::Clover;
use clover_model::fusion_encoder::FusionEncoder;
use clover_model::heads::{MlmHead, TextProjection, VideoProjection};
use clover_model::tasks::RetrievalModel;
use clover_model::weights::{Export, Naming, WeightFile};

use crate::InferenceError;

/// A part of Clover that a bundle may come without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FusionPart {
    /// The fusion encoder.
    Encoder,
    /// Embeds the fusion of masked video and complete text.
    MaskedVideoHead,
    /// Embeds the fusion of complete video and masked text.
    MaskedTextHead,
    /// Predicts masked words.
    MlmHead,
}

impl FusionPart {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Encoder,
        Self::MaskedVideoHead,
        Self::MaskedTextHead,
        Self::MlmHead,
    ];

    /// How its parameters' paths begin.
    fn prefix(self) -> &'static str {
        match self {
            Self::Encoder => "fusion_encoder.",
            Self::MaskedVideoHead => "fused_masked_video_head.",
            Self::MaskedTextHead => "fused_masked_text_head.",
            Self::MlmHead => "mlm_head.",
        }
    }

    /// Whether a parameter belongs to one of these parts.
    pub(crate) fn has(parts: &[Self], path: &str) -> bool {
        parts.iter().any(|part| path.starts_with(part.prefix()))
    }

    /// Those of which a bundle's file has nothing.
    pub(super) fn absent(file: &WeightFile) -> Vec<Self> {
        let has = |part: &Self| {
            let mut entries = file.entries().iter();
            entries.any(|entry| entry.name.starts_with(part.prefix()))
        };
        Self::ALL.into_iter().filter(|part| !has(part)).collect()
    }
}

/// Refuses what needs a part that nobody trained.
pub(crate) fn need_trained(
    untrained: &[FusionPart],
    needed: &[FusionPart],
) -> Result<(), InferenceError> {
    match needed.iter().any(|part| untrained.contains(part)) {
        true => Err(InferenceError::UntrainedFusion),
        false => Ok(()),
    }
}

/// The parts that are there, under the paths of a Clover.
#[derive(Module, Debug)]
struct TrainedParts<B: Backend> {
    fusion_encoder: Option<FusionEncoder<B>>,
    fused_masked_video_head: Option<VideoProjection<B>>,
    fused_masked_text_head: Option<TextProjection<B>>,
    mlm_head: Option<MlmHead<B>>,
}

/// The weights of a Clover but for its untrained parts, which are not drawn for it.
pub(crate) fn export_trained<B: Backend>(
    clover: &Clover<B>,
    untrained: &[FusionPart],
    naming: Naming,
) -> Export {
    if untrained.is_empty() {
        return Export::of(clover, naming);
    }
    let clover = clover.clone();
    let is_trained = |part| !untrained.contains(&part);
    let trained = TrainedParts {
        fusion_encoder: is_trained(FusionPart::Encoder).then(|| clover.fusion_encoder.clone()),
        fused_masked_video_head: is_trained(FusionPart::MaskedVideoHead)
            .then(|| clover.fused_masked_video_head.clone()),
        fused_masked_text_head: is_trained(FusionPart::MaskedTextHead)
            .then(|| clover.fused_masked_text_head.clone()),
        mlm_head: is_trained(FusionPart::MlmHead).then(|| clover.mlm_head.clone()),
    };
    let mut export = Export::of(&RetrievalModel::from(clover), naming);
    export.add(&trained, naming);
    export
}

#[cfg(test)]
mod tests {
    use super::super::tests::write as write_small;
    use super::*;
    use crate::{Bundle, TestBackend, start_from_bundle};
    use clover_data::video::ChannelOrder;

    #[test]
    fn what_nobody_trained_is_neither_stored_nor_used() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, device) = (folder.path(), Default::default());
        let config = write_small(folder);
        let mut bundle = Bundle::<TestBackend>::read(folder, &device).unwrap();
        assert!(bundle.untrained.is_empty());
        bundle.untrained = FusionPart::ALL.to_vec();

        bundle.write(folder).unwrap();

        let file = WeightFile::open(&folder.join("model.safetensors")).unwrap();
        assert_eq!(FusionPart::absent(&file), FusionPart::ALL);
        let read = Bundle::<TestBackend>::read(folder, &device).unwrap();
        assert_eq!(read.untrained, FusionPart::ALL);
        let needed = need_trained(&read.untrained, &[FusionPart::Encoder]);
        let refused = needed.unwrap_err().to_string();
        assert!(
            refused.contains("fusion encoder is not trained"),
            "{refused}"
        );
        let texts = ["a red circle".to_owned()];
        let embedded = |bundle: Bundle<TestBackend>| {
            let embedder = bundle.into_embedder(device);
            embedder.embed_texts(&texts).unwrap()
        };
        assert_eq!(embedded(read), embedded(bundle));
        let channels = ChannelOrder::default();
        let (_, report) =
            start_from_bundle::<TestBackend>(folder, &config, channels, &device).unwrap();
        let is_fusion = |path: &String| FusionPart::has(&FusionPart::ALL, path);
        assert!(!report.missing.is_empty() && report.missing.iter().all(is_fusion));
    }

    #[test]
    fn a_part_that_is_there_by_half_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, device) = (folder.path(), Default::default());
        write_small(folder);
        let bundle = Bundle::<TestBackend>::read(folder, &device).unwrap();
        let mut export = Export::of(&RetrievalModel::from(bundle.clover.clone()), Naming::Native);
        let half = TrainedParts {
            fusion_encoder: Some(bundle.clover.fusion_encoder),
            fused_masked_video_head: None,
            fused_masked_text_head: None,
            mlm_head: None,
        };
        export.add(&half, Naming::Native);
        let path = folder.join("model.safetensors");
        export.write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        // The first letter of one parameter's name in the header.
        let name = b"fusion_encoder.layers.0";
        let at = bytes
            .windows(name.len())
            .position(|part| part == name)
            .unwrap();
        let mut bytes = bytes;
        bytes[at + name.len() - 1] = b'9';
        std::fs::write(&path, bytes).unwrap();
        std::fs::remove_file(folder.join("checksums.txt")).unwrap();

        let error = Bundle::<TestBackend>::read(folder, &device).unwrap_err();

        assert!(
            error.to_string().contains("missing: fusion_encoder."),
            "{error}"
        );
    }
}
