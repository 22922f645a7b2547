//! What a run writes down, and tells, as it goes.

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::SkippedItem;

use super::{Observe, PretrainingEvent, Run};
use crate::TrainerError;
use crate::pretrain::metrics_file::MetricsFile;
use crate::pretrain::step::StepMetrics;
use crate::pretrain::validation::{Validation, ValidationRecord};

/// The files that grow with a run.
pub(super) struct Records {
    pub(super) steps: MetricsFile<StepMetrics>,
    pub(super) validation: Option<(Validation, ValidationRecord)>,
    /// Broken videos and images that were told of.
    reported: [usize; 2],
}

impl Records {
    pub(super) fn open<B: AutodiffBackend>(
        run: &Run<'_, B>,
        validation: Option<Validation>,
    ) -> Result<Self, TrainerError> {
        let record = |list| {
            let record = ValidationRecord::open(&run.path("validation.jsonl"), run.step)?;
            Ok::<_, TrainerError>((list, record))
        };
        Ok(Self {
            steps: MetricsFile::open(&run.path("metrics.jsonl"), run.step)?,
            validation: validation.map(record).transpose()?,
            reported: [0; 2],
        })
    }

    /// Tells of the items found broken since the last call.
    pub(super) fn report_skipped(
        &mut self,
        skipped: [&[SkippedItem]; 2],
        observe: &mut Observe<'_>,
    ) {
        for (skipped, reported) in skipped.into_iter().zip(&mut self.reported) {
            for item in skipped.get(*reported..).unwrap_or_default() {
                let _ = observe(PretrainingEvent::Skipped(item));
            }
            *reported = skipped.len().max(*reported);
        }
    }

    /// Items told of so far.
    pub(super) fn skipped(&self) -> usize {
        self.reported.iter().sum()
    }
}
