//! The learning-rate range test on a small run.

use std::ops::ControlFlow;

use clover_trainer::pretrain::{LearningRateCurve, PretrainingEvent, find_learning_rate};

use crate::TestAutodiffBackend;
use crate::small_run::{SmallData, recipe};

const STEPS: u64 = 40;

fn test_until(data: &SmallData, last: u64, loss_limit: f64) -> LearningRateCurve {
    let mut plan = data.plan(recipe(), "rates");
    plan.recipe.loss_limit = loss_limit;
    let device = Default::default();
    let curve = find_learning_rate::<TestAutodiffBackend>(&plan, STEPS, &device, &mut |event| {
        match event {
            PretrainingEvent::Started { total_steps, .. } => assert_eq!(total_steps, STEPS),
            PretrainingEvent::Saved(path) => panic!("{} was saved", path.display()),
            PretrainingEvent::Step(metrics) if metrics.step >= last => {
                return ControlFlow::Break(());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert!(!plan.folder.exists());
    curve.unwrap()
}

#[test]
fn the_rate_grows_until_the_loss_diverges_and_nothing_is_kept() {
    let data = SmallData::rendered(12);

    let curve = test_until(&data, STEPS + 1, 1e9);

    assert!(curve.finished);
    let rates: Vec<f64> = curve
        .points
        .iter()
        .map(|point| point.learning_rate)
        .collect();
    assert!((rates[0] - 1e-7).abs() < 1e-12);
    let factor = 1e7_f64.powf(1.0 / (STEPS - 1) as f64);
    let grows = |pair: &[f64]| (pair[1] / pair[0] / factor - 1.0).abs() < 1e-9;
    assert!(rates.windows(2).all(grows), "{rates:?}");
    let whole = rates.len() as u64 == STEPS;
    assert!(whole || curve.diverged, "{} steps", rates.len());
    // So few and so different batches need not fall anywhere.
    let is_tried = |rate: f64| rates[1..rates.len() - 1].contains(&rate);
    assert!(
        curve.suggested.is_none_or(is_tried),
        "{:?}",
        curve.suggested
    );
}

#[test]
fn a_test_that_is_broken_off_is_not_finished_and_one_whose_loss_explodes_is() {
    let data = SmallData::rendered(12);

    let broken_off = test_until(&data, 3, 1e9);
    let exploded = test_until(&data, STEPS + 1, 0.5);

    assert!(!broken_off.finished && broken_off.points.len() == 3);
    assert!(exploded.finished && exploded.diverged);
    assert_eq!((exploded.points.len(), exploded.suggested), (0, None));
}
