//! Measuring the model so far, and keeping the best.

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use clover_inference::Embedder;

use super::{Observe, PretrainingEvent, Records, Run};
use crate::TrainerError;

impl<B: AutodiffBackend> Run<'_, B> {
    /// Measures on the validation list, if there is one and this step has not been measured.
    pub(super) fn validate(
        &self,
        epoch: u64,
        records: &mut Records,
        observe: &mut Observe<'_>,
    ) -> Result<(), TrainerError> {
        let Some((list, record)) = &mut records.validation else {
            return Ok(());
        };
        if record.last() == Some(self.step) {
            return Ok(());
        }
        let recipe = &self.plan.recipe;
        let embedder = Embedder::new(
            self.clover.valid(),
            self.tokenizer.clone(),
            recipe.preprocessing(&self.config),
            self.device.clone(),
        )
        .with_limits(recipe.limits.clone());
        let reading = (recipe.workers, recipe.max_failed_share);
        let place = (self.step, epoch);
        let (metrics, neutral) = list.measure(&embedder, reading, place, |done, total| {
            let _ = observe(PretrainingEvent::Validating { done, total });
        })?;
        let best = record.is_best(&metrics);
        if best {
            self.save_best(&metrics, &neutral)?;
        }
        record.add(metrics.clone(), Some(neutral))?;
        let _ = observe(PretrainingEvent::Validated {
            metrics: &metrics,
            best,
        });
        Ok(())
    }
}
