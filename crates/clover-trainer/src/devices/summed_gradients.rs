//! The gradients of all peers, added in one vector: few messages, whatever the number of tensors.

use std::collections::HashSet;

use burn::module::{AutodiffModule, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::backend::AutodiffBackend;

use super::{DevicesError, Peer};

/// The sum of all peers' gradients, and of a figure that travels with them.
///
/// A parameter without a gradient on any peer has none afterwards: the optimizer leaves it alone.
///
/// # Shapes
///
/// - figure: `[1]`
///
/// # Errors
///
/// As [`Peer::sum`].
pub(crate) fn sum_gradients<B: AutodiffBackend, M: AutodiffModule<B>>(
    peer: &Peer<B::InnerBackend>,
    module: &M,
    gradients: GradientsParams,
    figure: Tensor<B::InnerBackend, 1>,
) -> Result<(GradientsParams, Tensor<B::InnerBackend, 1>), DevicesError> {
    if peer.is_alone() {
        return Ok((gradients, figure));
    }
    let device = figure.device();
    let mut flat = Flatten::<B> {
        gradients,
        seen: HashSet::new(),
        values: vec![figure.cast(DType::F32)],
        learnt: Vec::new(),
        device: device.clone(),
    };
    module.visit(&mut flat);
    let learnt = Tensor::from_data(flat.learnt.as_slice(), (&device, DType::F32));
    let count = flat.learnt.len();
    flat.values.insert(0, learnt);
    let sum = peer.sum(Tensor::cat(flat.values, 0))?;
    let learnt = sum.clone().narrow(0, 0, count).into_data();
    let mut restored = Restore::<B> {
        gradients: GradientsParams::new(),
        seen: HashSet::new(),
        learnt: learnt.iter::<f32>().map(|peers| peers > 0.0).collect(),
        start: count + 1,
        sum,
    };
    module.visit(&mut restored);
    let figure = restored.sum.narrow(0, count, 1);
    Ok((restored.gradients, figure))
}

/// Every parameter's gradient in the order of the module, zeros where there is none.
struct Flatten<B: AutodiffBackend> {
    gradients: GradientsParams,
    seen: HashSet<ParamId>,
    values: Vec<Tensor<B::InnerBackend, 1>>,
    /// 1 for each parameter that has a gradient.
    learnt: Vec<f32>,
    device: B::Device,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Flatten<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        let gradient = self.gradients.remove::<B::InnerBackend, D>(param.id);
        self.learnt.push(f32::from(u8::from(gradient.is_some())));
        let len = param.lazy_shape().num_elements();
        self.values.push(match gradient {
            Some(gradient) => gradient.cast(DType::F32).reshape([len]),
            None => Tensor::zeros([len], (&self.device, DType::F32)),
        });
    }
}

struct Restore<B: AutodiffBackend> {
    gradients: GradientsParams,
    seen: HashSet<ParamId>,
    learnt: Vec<bool>,
    start: usize,
    sum: Tensor<B::InnerBackend, 1>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Restore<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        let shape = param.val().dims();
        let len = shape.iter().product();
        if self.learnt[self.seen.len() - 1] {
            let gradient = self.sum.clone().narrow(0, self.start, len);
            self.gradients.register(param.id, gradient.reshape(shape));
        }
        self.start += len;
    }
}
