//! Starting values that depend on the seed alone.

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;

/// Draws every parameter of a module in its order.
///
/// Parameters are drawn at their first use, so without this they would depend on what is used
/// first, and on what else was drawn until then.
pub(crate) fn draw_parameters<B: Backend, M: Module<B>>(module: &M) {
    module.visit(&mut Draw);
}

struct Draw;

impl<B: Backend> ModuleVisitor<B> for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let _ = param.val();
    }
}
