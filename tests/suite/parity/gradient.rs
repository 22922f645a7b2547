//! Gradients under the published names, compared by norm and, where recorded, in full.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_model::weights::{self, Naming, UNUSED_BY_DESIGN};
use serde_json::Value;

use super::deviation::{Deviations, norm};
use super::fixture::Recorded;

/// Relative to each parameter's gradient norm.
const BOUND: f64 = 1e-3;
/// For gradients that are mathematically zero, absolutely.
const ZERO: f64 = 1e-5;
/// They are zero because these add the same to every logit of a softmax: the key bias of attention
/// to all keys, the bias of the multiple-choice scorer to all candidates.
const WITHOUT_EFFECT: [&str; 2] = ["self.key.bias", "mc_vqa_classifier.4.bias"];

/// Replaces each parameter by its gradient, so that gradients can be exported as weights are.
pub(crate) struct IntoGradients<'g> {
    pub(crate) gradients: &'g GradientsParams,
}

impl<B: AutodiffBackend> ModuleMapper<B> for IntoGradients<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let gradient = self.gradients.get::<B::InnerBackend, D>(param.id);
        let (id, value, mapper) = param.consume();
        // Not-a-number marks a parameter without gradient.
        let gradient = gradient.map_or_else(
            || value.clone().detach().mul_scalar(0.0).add_scalar(f32::NAN),
            Tensor::from_inner,
        );
        Param::from_mapped_value(id, gradient, mapper)
    }
}

/// Gradients by published name, in the published layout; `None` where there is none.
pub(crate) fn by_published_name<B: AutodiffBackend, M: Module<B>>(
    module: M,
    gradients: &GradientsParams,
) -> Vec<(String, Option<Vec<f32>>)> {
    by_name(module, gradients, Naming::Published)
}

/// Gradients by name, in the layout that goes with it; `None` where there is none.
pub(crate) fn by_name<B: AutodiffBackend, M: Module<B>>(
    module: M,
    gradients: &GradientsParams,
    naming: Naming,
) -> Vec<(String, Option<Vec<f32>>)> {
    let module = module.map(&mut IntoGradients { gradients });
    let tensors = weights::tensors(&module, naming).unwrap();
    tensors
        .into_iter()
        .map(|(name, data)| {
            let values: Vec<f32> = data.to_vec().unwrap();
            let found = !values.iter().all(|value| value.is_nan());
            (name, found.then_some(values))
        })
        .collect()
}

/// Compares all gradients with recorded norms, and with recorded values named `{prefix}{name}`.
pub(crate) fn compare(
    deviations: &mut Deviations,
    gradients: &[(String, Option<Vec<f32>>)],
    norms: &Value,
    recorded: &Recorded,
    prefix: &str,
) {
    let norms = norms.as_object().unwrap();
    for (name, gradient) in gradients {
        let short = name
            .strip_prefix("backbone.")
            .filter(|_| !norms.contains_key(name));
        let recorded_norm = norms.get(short.unwrap_or(name)).and_then(Value::as_f64);
        let Some(gradient) = gradient else {
            let nothing = recorded_norm.is_none_or(|norm| norm == 0.0);
            assert!(nothing, "{name}: no gradient, recorded {recorded_norm:?}");
            continue;
        };
        let found = norm(gradient.iter().map(|value| f64::from(*value)));
        let recorded_norm = recorded_norm.unwrap_or(0.0);
        if WITHOUT_EFFECT.iter().any(|end| name.ends_with(end)) || recorded_norm == 0.0 {
            // Both small: then all recorded values are, too.
            deviations.absolute(&format!("norm of grad {name}"), found, 0.0, ZERO);
            deviations.absolute(&format!("recorded grad {name}"), recorded_norm, 0.0, ZERO);
            continue;
        }
        deviations.number(&format!("norm of grad {name}"), found, recorded_norm, BOUND);
        let full = format!("{prefix}{}", short.unwrap_or(name));
        if recorded.names().any(|recorded| *recorded == full) {
            let deviation_name = format!("grad {name}");
            deviations.relative(&deviation_name, gradient, &recorded.values(&full), BOUND);
        }
    }
    assert_all_compared(gradients, norms.iter(), prefix);
}

/// Every recorded gradient belongs to a parameter that was compared.
fn assert_all_compared<'n>(
    gradients: &[(String, Option<Vec<f32>>)],
    norms: impl Iterator<Item = (&'n String, &'n Value)>,
    prefix: &str,
) {
    for (name, norm) in norms {
        let by_design = UNUSED_BY_DESIGN
            .iter()
            .any(|unused| name.starts_with(unused));
        let here = gradients.iter().any(|(found, _)| {
            found == name || found.strip_prefix("backbone.") == Some(name.as_str())
        });
        assert!(
            here || by_design || norm.is_null(),
            "{prefix}{name} was not compared"
        );
    }
}
