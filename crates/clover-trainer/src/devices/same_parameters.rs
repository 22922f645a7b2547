//! The first peer's parameters for all.

use burn::module::{AutodiffModule, ModuleMapper, Param};
use burn::prelude::*;
use burn::tensor::DType;
use burn::tensor::backend::AutodiffBackend;

use super::{DevicesError, Peer};

/// The module with the parameters of rank 0, to the bit.
///
/// # Errors
///
/// As [`Peer::sum`].
pub(crate) fn same_parameters<B: AutodiffBackend, M: AutodiffModule<B>>(
    peer: &Peer<B::InnerBackend>,
    module: M,
) -> Result<M, DevicesError> {
    let mut take = Take { peer, failed: None };
    let module = module.map(&mut take);
    take.failed.map_or(Ok(module), Err)
}

struct Take<'p, B: Backend> {
    peer: &'p Peer<B>,
    failed: Option<DevicesError>,
}

impl<B: AutodiffBackend> ModuleMapper<B> for Take<'_, B::InnerBackend> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        if self.failed.is_some() {
            return param;
        }
        param.map(|value| {
            let (learns, own) = (value.is_require_grad(), value.inner());
            let (shape, dtype) = (own.dims(), own.dtype());
            let mut flat = own.reshape([-1_isize]).cast(DType::F32);
            if !self.peer.is_first() {
                flat = flat.zeros_like();
            }
            let taken = self.peer.sum(flat.clone()).unwrap_or_else(|error| {
                self.failed = Some(error);
                flat
            });
            Tensor::from_inner(taken.reshape(shape).cast(dtype)).set_require_grad(learns)
        })
    }
}
