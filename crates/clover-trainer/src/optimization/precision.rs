//! Mixed precision: the model computes in 16 bits, everything that adds up stays in 32.
//!
//! Micikevicius et al., "Mixed Precision Training" (ICLR 2018), with bfloat16, whose range is that
//! of `f32`, so that no loss needs scaling. Parameters, optimizer state, sums of gradients and losses
//! are `f32`; each step works on a copy of the model in bfloat16, and its gradients are widened as
//! soon as they are there.

use std::marker::PhantomData;

use burn::module::{AutodiffModule, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::backend::AutodiffBackend;
use clover_model::materialize_parameters;
use serde::{Deserialize, Serialize};

use crate::TrainerError;

/// Tables that are looked up, not multiplied: the gradient of a row is a sum over all that met it,
/// and 8 bits lose count at 256.
const TABLES: [&str; 2] = ["Struct:Embedding", "relative_position_bias_table"];
/// A logarithm: 8 bits of it are a share of a hundredth of what it stands for.
const LOGARITHM: &str = "logit_scale";

/// What the model computes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32 bits throughout.
    #[default]
    F32,
    /// bfloat16, of which the losses and everything that adds up are excepted.
    Bf16,
}

impl Precision {
    /// Whether the device can compute so.
    ///
    /// # Errors
    ///
    /// It cannot; the recipe's key is named.
    pub fn check<B: Backend>(self, device: &B::Device) -> Result<(), TrainerError> {
        if self == Self::Bf16 && !B::supports_dtype(device, DType::BF16) {
            let backend = B::name(device);
            return Err(TrainerError::RecipeValue {
                key: "precision",
                reason: format!("the backend {backend} does not compute in bf16 on this device"),
            });
        }
        Ok(())
    }

    /// The model to compute a step with: its parameters keep their ids, and learn.
    #[must_use]
    pub fn working_copy<B: AutodiffBackend, M: AutodiffModule<B>>(self, master: &M) -> M {
        // A parameter that is not drawn yet would be drawn twice.
        materialize_parameters(master);
        match self {
            Self::F32 => master.clone(),
            Self::Bf16 => master.clone().map(&mut Narrow::default()),
        }
    }
}

/// The gradient of each parameter, of which those in 16 bits are widened to `f32`.
pub(crate) fn full_gradients<B: AutodiffBackend, M: AutodiffModule<B>>(
    gradients: B::Gradients,
    working: &M,
) -> GradientsParams {
    let mut widen = Widen::<B> {
        gradients: GradientsParams::from_grads(gradients, working),
        backend: PhantomData,
    };
    working.visit(&mut widen);
    widen.gradients
}

/// The same values in `f32`, where they are in 16 bits.
pub(crate) fn full_precision<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, D> {
    if is_half(tensor.dtype()) {
        tensor.cast(DType::F32)
    } else {
        tensor
    }
}

fn is_half(dtype: DType) -> bool {
    matches!(dtype, DType::BF16 | DType::F16)
}

#[derive(Default)]
struct Narrow {
    wide: usize,
}

impl<B: AutodiffBackend> ModuleMapper<B> for Narrow {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.wide += usize::from(stays_wide(name, container));
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.wide -= usize::from(stays_wide(name, container));
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        if self.wide > 0 {
            return param;
        }
        // Out of the graph and in again: a cast within it would make the copy no leaf, and no leaf
        // has a gradient to ask for.
        param.map(|value| {
            let learns = value.is_require_grad();
            Tensor::from_inner(value.inner().cast(DType::BF16)).set_require_grad(learns)
        })
    }
}

fn stays_wide(name: &str, container: &str) -> bool {
    TABLES.contains(&name) || TABLES.contains(&container) || name == LOGARITHM
}

struct Widen<B> {
    gradients: GradientsParams,
    backend: PhantomData<B>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Widen<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if !is_half(param.val().dtype()) {
            return;
        }
        if let Some(gradient) = self.gradients.remove::<B::InnerBackend, D>(param.id) {
            let gradient = full_precision(gradient);
            self.gradients.register(param.id, gradient);
        }
    }
}

#[cfg(test)]
mod tests;
