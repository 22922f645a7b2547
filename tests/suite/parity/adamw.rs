//! `adamw.safetensors`: five steps of the optimizer on the recorded batch.

use burn::module::Module;
use burn::optim::GradientsParams;
use clover_model::Noise;
use clover_model::weights::{self, Naming, UNUSED_BY_DESIGN};
use clover_trainer::clipping::clip_by_global_norm;
use clover_trainer::optimizer::{Optimizer, OptimizerConfig};
use clover_trainer::parameter_groups::ParameterRules;
use clover_trainer::pretrain::PretrainingObjective;
use serde_json::Value;

use super::deviation::{Deviations, norm};
use super::fixture::{Fixture, fixtures};
use super::pretraining::{self, RecordedBatch, named_terms, recorded_batch};
use crate::TestAutodiffBackend;

const FILE: &str = "adamw.safetensors";
const BOUND: f64 = 1e-4;

/// Compares the terms of one step with a manifest entry.
fn compare_terms(deviations: &mut Deviations, step: usize, terms: &[(&str, f64)], about: &Value) {
    for (name, term) in terms {
        let recorded = about[*name].as_f64().unwrap();
        deviations.number(&format!("step {step} {name}"), *term, recorded, BOUND);
    }
}

fn compare_decay(about: &Value, optimizer: &Optimizer<TestAutodiffBackend>, names: &[String]) {
    let listed = about["no_decay"].as_array().unwrap();
    for native in names {
        // Burn's words for the parameters of a norm, which the groups go by.
        let words = native
            .replace(".gamma", ".weight")
            .replace(".beta", ".bias");
        let published = weights::published_name(&words, names).unwrap();
        let recorded = listed.iter().any(|name| name.as_str() == Some(&published));
        let found = optimizer.group_of(native).weight_decay <= 0.0;
        assert_eq!(found, recorded, "does {published} stay undecayed?");
    }
}

fn compare_five_steps(fixture: &Fixture, deviations: &mut Deviations) {
    let device = Default::default();
    let about = fixture.about(FILE);
    let settings = &about["optimiser"];
    let setting = |key: &str| settings[key].as_f64().unwrap();
    let batch = fixture.read(pretraining::FILE);
    let mut clover = fixture.clover::<TestAutodiffBackend>(&device);
    let mut optimizer = OptimizerConfig::new(setting("weight_decay"), ParameterRules::Pretraining)
        .init::<TestAutodiffBackend>();
    let names: Vec<_> = weights::tensors(&clover, Naming::Native).unwrap();
    let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
    compare_decay(about, &optimizer, &names);

    let steps = about["steps"].as_array().unwrap();
    for step in 0..=steps.len() {
        let RecordedBatch { input, labels } = recorded_batch(&batch, &device);
        let output = clover.forward_pretraining(input, &mut Noise::quiet());
        let losses = PretrainingObjective::default().forward(output, labels);
        let Some(recorded) = steps.get(step) else {
            let terms = named_terms(&losses);
            compare_terms(deviations, step, &terms, &about["after_step5"]);
            break;
        };
        compare_terms(deviations, step, &named_terms(&losses), recorded);
        let gradients = GradientsParams::from_grads(losses.total().backward(), &clover);
        let (gradients, norm) = clip_by_global_norm::<TestAutodiffBackend, _>(
            &clover,
            gradients,
            setting("clip_max_norm"),
        );
        let recorded_norm = recorded["grad_norm_before_clip"].as_f64().unwrap();
        deviations.number(
            &format!("step {step} gradient norm"),
            norm,
            recorded_norm,
            BOUND,
        );
        clover = optimizer.step(setting("lr"), clover, gradients);
    }
    compare_parameters(fixture, deviations, &clover);
}

fn compare_parameters<M: Module<TestAutodiffBackend>>(
    fixture: &Fixture,
    deviations: &mut Deviations,
    clover: &M,
) {
    let about = fixture.about(FILE);
    let recorded = fixture.read(FILE);
    let sensitive = about["rounding_sensitive"]["relative_difference"]
        .as_object()
        .unwrap();
    let norms = about["param_norms_after5"].as_object().unwrap();
    let found = weights::tensors(clover, Naming::Published).unwrap();
    for (name, data) in &found {
        if sensitive.contains_key(name) {
            continue;
        }
        let values: Vec<f32> = data.to_vec().unwrap();
        let length = norm(values.iter().map(|value| f64::from(*value)));
        let recorded_norm = norms[name].as_f64().unwrap();
        deviations.number(&format!("norm of {name}"), length, recorded_norm, BOUND);
        let full = format!("after5.{name}");
        if recorded.names().any(|recorded| *recorded == full) {
            deviations.relative(&full, &values, &recorded.values(&full), BOUND);
        }
    }
    for name in norms.keys() {
        let by_design = UNUSED_BY_DESIGN
            .iter()
            .any(|unused| name.starts_with(unused));
        assert!(
            by_design || found.iter().any(|(found, _)| found == name),
            "{name} not compared"
        );
    }
}

#[test]
fn five_steps_of_adamw_equal_the_published_ones() {
    for fixture in fixtures() {
        let mut deviations = Deviations::of(&fixture.name(), FILE);

        compare_five_steps(&fixture, &mut deviations);

        deviations.finish();
    }
}
