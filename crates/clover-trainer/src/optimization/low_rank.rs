//! Low-rank adaptation: a large matrix learns a change of few numbers.
//!
//! Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (ICLR 2022), section 4.1. Beside each
//! matrix `W` of the towers, which stays as it is, are two thin ones:
//!
//! ```text
//! W' = W + (alpha / r) A B         W: [input, output]   A: [input, r]   B: [r, output]
//! dA = (alpha / r) dW' B^T         dB = (alpha / r) A^T dW'
//! ```
//!
//! `B` starts at zero, so the first step is made from the model as it was. No layer knows of it: a step works
//! on a copy of the model with `W'` in the place of `W`, and the gradient of `W'`, whatever micro-batches and
//! devices it was added up over, is brought to `A` and `B` by the chain rule.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Distribution, TensorData};

use super::model_parts::{ModelPart, places};
use crate::TrainerError;

/// `alpha`: a change weighs the same whatever its rank, once the learning rate suits one.
const ALPHA: f64 = 16.0;
/// What the names of stored pairs begin with.
const STORED: &str = "low_rank";

/// The changes of all matrices of the towers.
#[derive(Module, Debug)]
pub struct LowRank<B: Backend> {
    pairs: Vec<Pair<B>>,
}

/// The change of one matrix.
#[derive(Module, Debug)]
struct Pair<B: Backend> {
    a: Param<Tensor<B, 2>>,
    b: Param<Tensor<B, 2>>,
    /// The path of the matrix.
    path: String,
}

impl<B: Backend> Pair<B> {
    fn scale(&self) -> f64 {
        let [_, rank] = self.a.dims();
        ALPHA / rank as f64
    }

    /// `(alpha / r) A B`.
    fn change(&self) -> Tensor<B, 2> {
        self.a.val().matmul(self.b.val()) * self.scale()
    }
}

impl<B: AutodiffBackend> LowRank<B> {
    /// What the paths of the pairs' parameters begin with.
    pub(super) const PATHS: &str = "pairs.";

    /// A pair for each matrix of the towers, drawn at random: of no effect before the first step.
    #[must_use]
    pub fn of<M: Module<B>>(model: &M, rank: usize, device: &B::Device) -> Self {
        let mut shapes = Shapes::default();
        model.visit(&mut shapes);
        let pairs = places(model)
            .into_iter()
            .zip(shapes.0)
            .filter(|(place, _)| place.part == ModelPart::Tower && place.is_matrix);
        let pairs = pairs.map(|(place, shape)| {
            let (rows, columns) = (shape[0], shape[1]);
            let rank = rank.min(rows).min(columns);
            // As linear layers are drawn in the published code.
            let bound = (rows as f64).powf(-0.5);
            let a = Tensor::random([rows, rank], Distribution::Uniform(-bound, bound), device);
            Pair {
                a: Param::from_tensor(a),
                b: Param::from_tensor(Tensor::zeros([rank, columns], device)),
                path: place.path,
            }
        });
        Self {
            pairs: pairs.collect(),
        }
    }

    /// The model with the changed matrices in their places, which learn.
    #[must_use]
    pub fn applied<M: Module<B>>(&self, model: M) -> M {
        model.map(&mut Apply {
            pairs: self.by_path(),
            at: Vec::new(),
        })
    }

    /// Replaces the gradients of the changed matrices by those of the pairs.
    #[must_use]
    pub fn gradients<M: Module<B>>(
        &self,
        model: &M,
        mut gradients: GradientsParams,
    ) -> GradientsParams {
        let mut ids = Ids::default();
        model.visit(&mut ids);
        for pair in &self.pairs {
            let id = ids.found.get(&pair.path);
            let gradient = id.and_then(|id| gradients.remove::<B::InnerBackend, 2>(*id));
            let Some(gradient) = gradient else {
                continue;
            };
            let (a, b) = (pair.a.val().inner(), pair.b.val().inner());
            let scale = pair.scale();
            gradients.register(pair.a.id, gradient.clone().matmul(b.transpose()) * scale);
            gradients.register(pair.b.id, a.transpose().matmul(gradient) * scale);
        }
        gradients
    }

    /// The pairs, to be stored: `low_rank.{path of the matrix}.a` and `.b`.
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, TensorData)> {
        let named = |pair: &Pair<B>| {
            let name = |which| format!("{STORED}.{}.{which}", pair.path);
            [
                (name("a"), pair.a.val().into_data()),
                (name("b"), pair.b.val().into_data()),
            ]
        };
        self.pairs.iter().flat_map(named).collect()
    }

    /// Takes its pairs out of stored tensors.
    ///
    /// # Errors
    ///
    /// Names the first tensor that is missing or of another shape.
    pub fn load(&mut self, tensors: &mut Vec<(String, TensorData)>) -> Result<(), TrainerError> {
        let (own, others) = std::mem::take(tensors)
            .into_iter()
            .partition(|(name, _)| name.starts_with(STORED));
        *tensors = others;
        let own: Vec<(String, TensorData)> = own;
        let mut own: HashMap<String, TensorData> = own.into_iter().collect();
        for pair in &mut self.pairs {
            let Pair { a, b, path } = pair;
            for (param, which) in [(a, "a"), (b, "b")] {
                let name = format!("{STORED}.{path}.{which}");
                let expected = param.dims();
                let data = match own.remove(&name) {
                    None => return Err(TrainerError::MissingOptimizerTensor { name }),
                    Some(data) if data.shape.as_slice() != expected => {
                        return Err(TrainerError::OptimizerTensorShape {
                            name,
                            shape: data.shape.to_vec(),
                            expected: expected.to_vec(),
                        });
                    }
                    Some(data) => data,
                };
                let (device, dtype) = (param.device(), data.dtype);
                let value = Tensor::from_data(data, (&device, dtype));
                *param = Param::initialized(param.id, value.require_grad());
            }
        }
        match own.into_keys().next() {
            Some(name) => Err(TrainerError::UnknownOptimizerTensor { name }),
            None => Ok(()),
        }
    }

    fn by_path(&self) -> HashMap<&str, &Pair<B>> {
        let pairs = self.pairs.iter();
        pairs.map(|pair| (pair.path.as_str(), pair)).collect()
    }
}

/// The shapes of all parameters of a module, in its order.
#[derive(Default)]
struct Shapes(Vec<Vec<usize>>);

impl<B: Backend> ModuleVisitor<B> for Shapes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.push(param.lazy_shape().to_vec());
    }
}

/// The ids of all parameters of a module, by path.
#[derive(Default)]
struct Ids {
    at: Vec<String>,
    found: HashMap<String, ParamId>,
}

impl<B: Backend> ModuleVisitor<B> for Ids {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.at.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.found.insert(self.at.join("."), param.id);
    }
}

struct Apply<'p, B: Backend> {
    pairs: HashMap<&'p str, &'p Pair<B>>,
    at: Vec<String>,
}

impl<B: AutodiffBackend> ModuleMapper<B> for Apply<'_, B> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.at.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let Some(pair) = self.pairs.get(self.at.join(".").as_str()) else {
            return param;
        };
        let change = pair.change().inner();
        // A leaf of its own: only a leaf has a gradient to ask for.
        param.map(|matrix| {
            let shape = matrix.dims();
            Tensor::from_inner(matrix.inner() + change.reshape(shape)).require_grad()
        })
    }
}

#[cfg(test)]
mod tests;
