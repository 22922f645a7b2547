use std::collections::BTreeMap;

use burn::module::{Module, ParamId};
use clover_model::{Clover, CloverConfig};

use super::*;
use crate::TestAutodiffBackend;

type Ndarray = burn_ndarray::NdArray<f32>;

#[test]
fn a_backend_without_bf16_is_refused_by_the_key() {
    let device = Default::default();

    let error = Precision::Bf16.check::<Ndarray>(&device).unwrap_err();

    let message = error.to_string();
    assert!(message.contains("precision"), "{message}");
    assert!(message.contains("ndarray"), "{message}");
    Precision::F32.check::<Ndarray>(&device).unwrap();
    Precision::Bf16
        .check::<burn_flex::Flex>(&Default::default())
        .unwrap();
}

/// Type, id and whether it learns, by path.
#[derive(Default)]
struct Kinds {
    path: Vec<String>,
    found: BTreeMap<String, (DType, ParamId, bool)>,
}

type Flex = burn::backend::Autodiff<burn_flex::Flex>;

impl ModuleVisitor<Flex> for Kinds {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Flex, D>>) {
        let value = param.val();
        let kind = (value.dtype(), param.id, value.is_require_grad());
        self.found.insert(self.path.join("."), kind);
    }
}

fn kinds(clover: &Clover<Flex>) -> BTreeMap<String, (DType, ParamId, bool)> {
    let mut kinds = Kinds::default();
    clover.visit(&mut kinds);
    kinds.found
}

#[test]
fn the_copy_is_in_bf16_but_for_tables_and_learns_under_the_same_ids() {
    let clover = CloverConfig::tiny(50).init::<Flex>(&Default::default());

    let copy = kinds(&Precision::Bf16.working_copy(&clover));

    for (path, (dtype, id, _)) in kinds(&clover) {
        let table = path.contains("embeddings.word")
            || path.contains("embeddings.position")
            || path.contains("embeddings.segment")
            || path.contains("token_type")
            || path.ends_with("relative_position_bias_table");
        let expected = if table { DType::F32 } else { DType::BF16 };
        assert_eq!(dtype, DType::F32, "{path}");
        assert_eq!(copy[&path], (expected, id, true), "{path}");
    }
}

#[test]
fn in_f32_the_copy_is_the_model() {
    let clover = CloverConfig::tiny(50).init::<TestAutodiffBackend>(&Default::default());

    let copy = Precision::F32.working_copy(&clover);

    let [copy, before] = [copy.mlm_head, clover.mlm_head].map(|head| {
        let mut all = Vec::new();
        head.visit(&mut Values(&mut all));
        all
    });
    assert_eq!(copy, before);
}

struct Values<'a>(&'a mut Vec<f32>);

impl ModuleVisitor<TestAutodiffBackend> for Values<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<TestAutodiffBackend, D>>) {
        self.0.extend(param.val().into_data().iter::<f32>());
    }
}
