//! The paths under which a module's parameters are trained and stored.

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;

/// The paths of all parameters of a module, in its order.
#[must_use]
pub fn parameter_paths<B: Backend, M: Module<B>>(module: &M) -> Vec<String> {
    let mut paths = Paths::default();
    module.visit(&mut paths);
    paths.found
}

#[derive(Default)]
struct Paths {
    at: Vec<String>,
    found: Vec<String>,
}

impl<B: Backend> ModuleVisitor<B> for Paths {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.at.pop();
    }

    fn visit_float<const D: usize>(&mut self, _parameter: &Param<Tensor<B, D>>) {
        self.found.push(self.at.join("."));
    }
}
