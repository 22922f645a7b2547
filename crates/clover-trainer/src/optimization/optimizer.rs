//! AdamW with parameter groups.
//!
//! Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (ICLR 2019). The arithmetic is
//! that of `clover-kernels`, in one pass where Burn's takes many; what is added here are the groups
//! of [`ParameterRules`], and a state that is keyed by parameter path, so that it fits a model that
//! was loaded again under new parameter ids.

mod state;
#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests;

use std::collections::BTreeMap;

use burn::config::Config;
use burn::module::{AutodiffModule, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn::tensor::backend::AutodiffBackend;
use clover_kernels::AdamWUpdate;
use clover_losses::LARGEST_SCALE;

use super::low_rank::LowRank;
use super::model_parts::ModelPart;
use crate::error::TrainerError;
use crate::parameter_groups::{ParameterGroup, ParameterRules};
use state::Moments;

/// Configuration to create an [`Optimizer`] using the [init function](OptimizerConfig::init).
#[derive(Config, Debug)]
pub struct OptimizerConfig {
    /// Decoupled weight decay of the parameters that decay.
    pub weight_decay: f64,
    /// The path-specific entry of the recipe.
    pub rules: ParameterRules,
    /// What the learning rate of an answer head is multiplied by, in question answering.
    #[config(default = 10.0)]
    pub answer_head_multiplier: f64,
    /// What the learning rate of the pre-trained encoders, and of a learned temperature, is multiplied by.
    #[config(default = 1.0)]
    pub tower_multiplier: f64,
    /// Decay of the running mean of gradients.
    #[config(default = 0.9)]
    pub beta_1: f32,
    /// Decay of the running mean of squared gradients.
    #[config(default = 0.98)]
    pub beta_2: f32,
    /// Added to the root of the second moment.
    #[config(default = 1e-8)]
    pub epsilon: f32,
}

/// AdamW whose state is keyed by parameter path.
///
/// Should be created with [`OptimizerConfig`].
#[derive(Debug)]
pub struct Optimizer<B: AutodiffBackend> {
    config: OptimizerConfig,
    moments: BTreeMap<String, Moments<B::InnerBackend>>,
}

impl OptimizerConfig {
    /// Initializes a new [`Optimizer`] without any state.
    ///
    /// What is trained gets the backward passes of
    /// [`register_autodiff`](clover_kernels::register_autodiff).
    pub fn init<B: AutodiffBackend>(&self) -> Optimizer<B> {
        clover_kernels::register_autodiff::<B>();
        Optimizer {
            config: self.clone(),
            moments: BTreeMap::new(),
        }
    }
}

impl<B: AutodiffBackend> Optimizer<B> {
    /// Updates every parameter that has a gradient; the others are left untouched, undecayed.
    ///
    /// # Panics
    ///
    /// Panics if a parameter changed its shape since the last step.
    pub fn step<M: AutodiffModule<B>>(
        &mut self,
        learning_rate: f64,
        module: M,
        mut gradients: GradientsParams,
    ) -> M {
        self.step_of_part(learning_rate, module, &mut gradients)
    }

    /// As [`step`](Self::step), of one of several modules that gradients belong to.
    pub(super) fn step_of_part<M: AutodiffModule<B>>(
        &mut self,
        learning_rate: f64,
        module: M,
        gradients: &mut GradientsParams,
    ) -> M {
        module.map(&mut Step {
            optimizer: self,
            gradients,
            learning_rate,
            path: Vec::new(),
        })
    }

    /// What the parameter at `path` is trained with.
    pub fn group_of(&self, path: &str) -> ParameterGroup {
        let config = &self.config;
        let group = config
            .rules
            .group_of(path, config.weight_decay, config.answer_head_multiplier);
        let by_part = match ModelPart::of(path) {
            ModelPart::Tower | ModelPart::Temperature => config.tower_multiplier,
            ModelPart::New => 1.0,
        };
        ParameterGroup {
            learning_rate_multiplier: group.learning_rate_multiplier * by_part,
            ..group
        }
    }

    /// The state, to be stored: `{path}.moment_1`, `{path}.moment_2` in the parameter's shape, and
    /// `{path}.steps`, one integer, for every parameter that was ever updated.
    pub fn state_tensors(&self) -> Vec<(String, TensorData)> {
        self.moments
            .iter()
            .flat_map(|(path, moments)| moments.to_tensors(path))
            .collect()
    }

    /// Replaces the state by one from [`state_tensors`](Self::state_tensors).
    ///
    /// # Errors
    ///
    /// Names the first tensor that is missing, belongs to no parameter of `module`, or differs from
    /// it in shape; the state is then unchanged.
    pub fn load_state<M: AutodiffModule<B>>(
        &mut self,
        module: &M,
        tensors: Vec<(String, TensorData)>,
    ) -> Result<(), TrainerError> {
        self.moments = state::read::<B, M>(module, tensors)?;
        Ok(())
    }

    /// As [`load_state`](Self::load_state), where low-rank changes of the module learn as well.
    pub(crate) fn load_state_with<M: AutodiffModule<B>>(
        &mut self,
        module: &M,
        low_rank: Option<&LowRank<B>>,
        tensors: Vec<(String, TensorData)>,
    ) -> Result<(), TrainerError> {
        let Some(low_rank) = low_rank else {
            return self.load_state(module, tensors);
        };
        let (pairs, others) = tensors
            .into_iter()
            .partition(|(name, _)| name.starts_with(LowRank::<B>::PATHS));
        self.load_state(module, others)?;
        self.moments.extend(state::read::<B, _>(low_rank, pairs)?);
        Ok(())
    }
}

struct Step<'a, B: AutodiffBackend> {
    optimizer: &'a mut Optimizer<B>,
    gradients: &'a mut GradientsParams,
    learning_rate: f64,
    path: Vec<String>,
}

impl<B: AutodiffBackend> Step<'_, B> {
    /// One AdamW step of one parameter, on the backend without a graph.
    fn update<const D: usize>(
        &mut self,
        parameter: Tensor<B::InnerBackend, D>,
        gradient: Tensor<B::InnerBackend, D>,
    ) -> Tensor<B::InnerBackend, D> {
        let path = self.path.join(".");
        let group = self.optimizer.group_of(&path);
        let config = &self.optimizer.config;
        let update = AdamWUpdate {
            learning_rate: self.learning_rate * group.learning_rate_multiplier,
            weight_decay: group.weight_decay,
            beta_1: config.beta_1,
            beta_2: config.beta_2,
            epsilon: config.epsilon,
            steps: 0,
        };
        let moments = self.optimizer.moments.remove(&path);
        let moments =
            moments.unwrap_or_else(|| Moments::zeros(&gradient.dims(), &gradient.device()));

        let (parameter, moments) = moments.update(parameter, gradient, update);

        let parameter = match ModelPart::of(&path) {
            // As published: further steps would have to undo what is beyond the bound first.
            ModelPart::Temperature => parameter.clamp_max(LARGEST_SCALE.ln()),
            ModelPart::Tower | ModelPart::New => parameter,
        };
        self.optimizer.moments.insert(path, moments);
        parameter
    }
}

impl<B: AutodiffBackend> ModuleMapper<B> for Step<'_, B> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(gradient) = self.gradients.remove::<B::InnerBackend, D>(id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let require_grad = tensor.is_require_grad();
        let updated = Tensor::from_inner(self.update(tensor.inner(), gradient));
        Param::from_mapped_value(id, updated.set_require_grad(require_grad), mapper)
    }
}
