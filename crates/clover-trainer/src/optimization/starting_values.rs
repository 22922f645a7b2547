//! Where the parameters of an untrained model begin.

use std::sync::{Mutex, PoisonError};

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use clover_model::materialize_parameters;
use serde::{Deserialize, Serialize};

/// The deviation of the encoders' linear weights as published.
const PUBLISHED_DEVIATION: f64 = 0.02;

/// How the encoders' weights are drawn in a run from nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartingWeights {
    /// With a deviation of 0.02, as published: right for the width of BERT-base, and there soon
    /// replaced by those of trained encoders.
    #[default]
    Published,
    /// With a deviation of 1 over the root of the layer's inputs, so that a narrow layer passes on
    /// as much of its input as a wide one; and the fusion encoder's token types with 0.02, so that
    /// they do not drown what they are added to.
    ByWidth,
}

/// The RNG of a CPU backend is a static of its crate (`burn-ndarray`, `burn-flex`), so it belongs to the
/// whole process; nothing but starting values is drawn from it.
static RNG: Mutex<()> = Mutex::new(());

/// Draws starting values from the seed alone, while no other run of this process, and no other device of
/// the same run, draws.
pub(crate) fn from_seed<B: Backend, T>(
    seed: u64,
    device: &B::Device,
    draw: impl FnOnce() -> T,
) -> T {
    let _turn = RNG.lock().unwrap_or_else(PoisonError::into_inner);
    B::seed(device, seed);
    draw()
}

impl StartingWeights {
    /// A module as it starts: drawn, in its order, and scaled.
    pub(crate) fn draw<B: Backend, M: Module<B>>(self, module: M) -> M {
        materialize_parameters(&module);
        match self {
            Self::Published => module,
            Self::ByWidth => module.map(&mut ByWidth::default()),
        }
    }
}

/// Scales what was drawn with the published deviation, or with a larger one.
#[derive(Default)]
struct ByWidth {
    path: Vec<String>,
}

impl ByWidth {
    fn is_inside(&self, names: &[&str]) -> bool {
        self.path.iter().any(|name| names.contains(&name.as_str()))
    }

    /// Whether this is the weight of a linear layer inside a block of an encoder, or between the
    /// stages of the video encoder. The layers around the blocks, and the heads, are drawn by their
    /// width as published.
    fn is_linear(&self) -> bool {
        self.is_inside(&["video_encoder", "text_encoder", "fusion_encoder"])
            && self.is_inside(&["blocks", "layers", "reduction"])
    }

    /// Whether these are the rows that tell text and video tokens apart in the fusion encoder.
    /// Published, they have a deviation of 1. Tokens of trained encoders are larger; those of
    /// untrained ones would vanish beside it in the norm that follows.
    fn is_token_type(&self) -> bool {
        self.is_inside(&["fusion_encoder"]) && self.is_inside(&["token_type"])
    }

    /// What a matrix with this number of rows is multiplied with; `[input, output]` where it is
    /// linear.
    fn factor(&self, rows: usize) -> Option<f64> {
        if self.path.last().is_none_or(|name| name != "weight") {
            None
        } else if self.is_linear() {
            Some(1.0 / (PUBLISHED_DEVIATION * (rows as f64).sqrt()))
        } else if self.is_token_type() {
            Some(PUBLISHED_DEVIATION)
        } else {
            None
        }
    }
}

impl<B: Backend> ModuleMapper<B> for ByWidth {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let [rows, _] = param.dims()[..] else {
            return param;
        };
        let Some(factor) = self.factor(rows) else {
            return param;
        };
        param.map(|weight| {
            let is_trained = weight.is_require_grad();
            let scaled = (weight * factor).detach();
            if is_trained {
                scaled.require_grad()
            } else {
                scaled
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::TestAutodiffBackend;
    use burn::module::{AutodiffModule, ModuleVisitor};
    use clover_model::weights::{Naming, tensors};
    use clover_model::{Clover, CloverConfig};

    fn drawn(weights: StartingWeights) -> Clover<TestAutodiffBackend> {
        let device = Default::default();
        <TestAutodiffBackend as Backend>::seed(&device, 5);
        let config = CloverConfig::tiny(30).with_image_size(28).with_frames(2);
        weights.draw(config.init(&device))
    }

    fn values(weights: StartingWeights) -> HashMap<String, Vec<f32>> {
        let tensors = tensors(&drawn(weights).valid(), Naming::Native).unwrap();
        let values = tensors.into_iter();
        values
            .map(|(name, data)| (name, data.to_vec().unwrap()))
            .collect()
    }

    #[test]
    fn narrow_layers_start_wider_where_asked_and_nothing_else_does() {
        let published = values(StartingWeights::Published);
        let by_width = values(StartingWeights::ByWidth);

        let blocks = [
            ("video_encoder.stages.0.blocks.0.mlp.fc1.weight", 32.0),
            ("text_encoder.layers.1.feed_forward.outer.weight", 512.0),
            ("video_encoder.stages.0.merging.reduction.weight", 128.0),
            ("fusion_encoder.layers.0.attention.query.weight", 128.0),
        ];
        let by_inputs = |(name, inputs)| (name, 1.0 / (0.02 * f32::sqrt(inputs)));
        let token_type = ("fusion_encoder.embeddings.token_type.weight", 0.02);
        for (name, factor) in blocks.map(by_inputs).into_iter().chain([token_type]) {
            for (narrow, wide) in published[name].iter().zip(&by_width[name]) {
                assert!(
                    (wide - factor * narrow).abs() <= 1e-6 * wide.abs(),
                    "{name}"
                );
            }
        }
        let scaled = |name: &&String| published[*name] != by_width[*name];
        let scaled: Vec<&String> = published.keys().filter(scaled).collect();
        // Four matrices a block of the video encoder, one a merging, six a layer of the others.
        assert_eq!(scaled.len(), (4 * 8 + 3) + 6 * (2 + 3) + 1, "{scaled:?}");
    }

    #[test]
    fn what_was_scaled_still_learns() {
        struct Learns(usize);
        impl ModuleVisitor<TestAutodiffBackend> for Learns {
            fn visit_float<const D: usize>(
                &mut self,
                param: &Param<Tensor<TestAutodiffBackend, D>>,
            ) {
                assert!(param.val().is_require_grad());
                self.0 += 1;
            }
        }
        let mut learns = Learns(0);

        drawn(StartingWeights::ByWidth).visit(&mut learns);

        assert!(learns.0 > 100);
    }
}
