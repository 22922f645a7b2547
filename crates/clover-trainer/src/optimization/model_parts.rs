//! Which parameters came with pre-trained encoders, and how deep in them they lie.
//!
//! The towers are the two encoders. What Clover puts on top of them, and inside them for its own purposes, is
//! new: the fusion encoder, the heads, what stands in for masked regions and words, and the transformer that
//! brings CLIP's frames together.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;

/// First names of the paths of the towers.
const TOWERS: [&str; 2] = ["video_encoder", "text_encoder"];
/// Names inside a tower that no pre-trained encoder has.
const NEW_IN_TOWERS: [&str; 3] = ["mask_token", "mask_embedding", "temporal"];
/// The lists of layers inside a tower.
const LISTS: [&str; 2] = ["blocks", "layers"];
/// What Burn calls a linear layer on the way to its parameters.
const LINEAR: &str = "Struct:Linear";
/// The learned temperature of a CLIP.
pub(super) const LOGIT_SCALE: &str = "logit_scale";

/// What a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelPart {
    /// A pre-trained encoder.
    Tower,
    /// What is put on top of the encoders, or into them for masking and pooling.
    New,
    /// The logarithm that similarities are scaled by.
    Temperature,
}

impl ModelPart {
    /// Of the parameter at `path`, such as `text_encoder.layers.0.attention.query.weight`.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let mut names = path.split('.');
        if path == LOGIT_SCALE {
            Self::Temperature
        } else if names.next().is_some_and(|first| TOWERS.contains(&first))
            && !names.any(|name| NEW_IN_TOWERS.contains(&name))
        {
            Self::Tower
        } else {
            Self::New
        }
    }
}

/// A parameter of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) part: ModelPart,
    /// Whether it is the matrix of a linear layer.
    pub(super) is_matrix: bool,
    /// In a tower, blocks from the parameter's own to the last: 1 in the last one, 0 behind it, and one more
    /// than there are in front of the first.
    pub(super) blocks_to_end: usize,
}

/// All parameters of a module, in its order, which is that of the forward pass.
pub(super) fn places<B: Backend, M: Module<B>>(module: &M) -> Vec<Place> {
    let mut walk = Walk::default();
    module.visit(&mut walk);
    let Walk { begun, found, .. } = walk;
    found
        .into_iter()
        .map(|(place, is_inside)| {
            let blocks = begun
                .get(tower(&place.path))
                .map_or(0, |(blocks, _)| *blocks);
            let is_behind = !is_inside && blocks > 0 && place.blocks_to_end == blocks;
            let blocks_to_end = match is_behind {
                true => 0,
                false => 1 + blocks - place.blocks_to_end,
            };
            Place {
                blocks_to_end,
                ..place
            }
        })
        .collect()
}

fn tower(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

#[derive(Default)]
struct Walk {
    names: Vec<String>,
    containers: Vec<String>,
    /// Of each tower, the blocks begun so far, and the path of the last.
    begun: HashMap<String, (usize, String)>,
    /// Each parameter with the blocks begun until then, and whether it lies in one.
    found: Vec<(Place, bool)>,
}

impl Walk {
    /// The path of the block that a path lies in.
    fn block(&self) -> Option<String> {
        let list = self
            .names
            .iter()
            .rposition(|name| LISTS.contains(&&**name))?;
        let block = self.names.get(..list + 2)?;
        Some(block.join("."))
    }
}

impl<B: Backend> ModuleVisitor<B> for Walk {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.push(name.to_owned());
        self.containers.push(container.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.pop();
        self.containers.pop();
    }

    fn visit_float<const D: usize>(&mut self, _parameter: &Param<Tensor<B, D>>) {
        let path = self.names.join(".");
        let part = ModelPart::of(&path);
        let mut blocks = 0;
        let block = self.block().filter(|_| part == ModelPart::Tower);
        if part == ModelPart::Tower {
            let begun = self.begun.entry(tower(&path).to_owned()).or_default();
            if let Some(block) = &block
                && begun.1 != *block
            {
                *begun = (begun.0 + 1, block.clone());
            }
            blocks = begun.0;
        }
        let in_linear = self.containers.last().is_some_and(|kind| kind == LINEAR);
        let place = Place {
            is_matrix: D == 2 && in_linear && path.ends_with(".weight"),
            path,
            part,
            blocks_to_end: blocks,
        };
        self.found.push((place, block.is_some()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use clover_model::CloverConfig;
    use clover_model::clip::{FramePooling, TemporalPoolingConfig};

    fn of(config: &CloverConfig) -> Vec<Place> {
        places(&config.init::<TestBackend>(&Default::default()))
    }

    fn to_end(places: &[Place], path: &str) -> usize {
        let mut places = places.iter();
        places
            .find(|place| place.path == path)
            .unwrap()
            .blocks_to_end
    }

    #[test]
    fn what_came_with_the_encoders_is_told_from_what_is_new() {
        for (path, part) in [
            (
                "text_encoder.layers.0.attention.query.weight",
                ModelPart::Tower,
            ),
            (
                "video_encoder.patch_embedding.projection.bias",
                ModelPart::Tower,
            ),
            ("video_encoder.mask_token.token", ModelPart::New),
            (
                "fusion_encoder.layers.0.attention.query.weight",
                ModelPart::New,
            ),
            ("mlm_head.decoder.weight", ModelPart::New),
            ("logit_scale", ModelPart::Temperature),
        ] {
            assert_eq!(ModelPart::of(path), part, "{path}");
        }
    }

    #[test]
    fn every_parameter_of_a_clip_belongs_to_one_part() {
        let mut config = CloverConfig::clip_nano(30);
        if let clover_model::video_encoder::VideoEncoderConfig::Clip(clip) = &mut config.video {
            clip.pooling = FramePooling::Temporal(TemporalPoolingConfig::new().with_layers(1));
        }
        let places = of(&config);

        for (path, part, blocks) in [
            ("video_encoder.vision.patches.weight", ModelPart::Tower, 3),
            (
                "video_encoder.vision.blocks.0.qkv.weight",
                ModelPart::Tower,
                2,
            ),
            (
                "video_encoder.vision.blocks.1.outer.bias",
                ModelPart::Tower,
                1,
            ),
            (
                "video_encoder.vision.projection.weight",
                ModelPart::Tower,
                0,
            ),
            ("text_encoder.text.pieces.weight", ModelPart::Tower, 3),
            ("text_encoder.text.blocks.1.qkv.weight", ModelPart::Tower, 1),
            ("text_encoder.text.last_norm.gamma", ModelPart::Tower, 0),
        ] {
            let place = places.iter().find(|place| place.path == path);
            let place = place.unwrap_or_else(|| panic!("{path} is not among {places:#?}"));
            assert_eq!((place.part, place.blocks_to_end), (part, blocks), "{path}");
        }
        let new = |place: &&Place| place.part == ModelPart::New;
        for part in [
            "mask_token",
            "mask_embedding",
            "temporal",
            "fusion_encoder",
            "mlm_head",
        ] {
            assert!(
                places
                    .iter()
                    .filter(new)
                    .any(|place| place.path.contains(part)),
                "{part}"
            );
        }
        let of_temperature = |place: &&Place| place.part == ModelPart::Temperature;
        assert_eq!(places.iter().filter(of_temperature).count(), 1);
        let paths: std::collections::HashSet<_> = places.iter().map(|place| &place.path).collect();
        assert_eq!(paths.len(), places.len());
    }

    #[test]
    fn blocks_are_counted_from_the_end_over_all_stages() {
        // Two blocks in each of four stages, and two layers of BERT.
        let places = of(&CloverConfig::tiny(30));

        for (path, blocks) in [
            ("video_encoder.norm.gamma", 0),
            ("video_encoder.stages.3.blocks.1.mlp.fc1.weight", 1),
            ("video_encoder.stages.3.blocks.0.mlp.fc1.weight", 2),
            ("video_encoder.stages.2.merging.reduction.weight", 3),
            ("video_encoder.stages.0.blocks.0.norm1.gamma", 8),
            ("video_encoder.patch_embedding.norm.gamma", 9),
            ("text_encoder.layers.1.attention.query.weight", 1),
            ("text_encoder.embeddings.word.weight", 3),
        ] {
            assert_eq!(to_end(&places, path), blocks, "{path}");
        }
    }
}
