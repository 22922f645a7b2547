//! What a run writes down, and tells, as it goes.

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::SkippedItem;
use clover_inference::NeutralTexts;

use super::{Observe, PretrainingEvent, Run};
use crate::TrainerError;
use crate::pretrain::metrics_file::MetricsFile;
use crate::pretrain::step::StepMetrics;
use crate::pretrain::validation::{Validation, ValidationRecord};

/// The files that grow with a run.
pub(super) struct Records {
    /// Only the first device writes.
    steps: Option<MetricsFile<StepMetrics>>,
    pub(super) validation: Option<(Validation, ValidationRecord)>,
    /// What was measured last of the validation list's captions.
    pub(super) neutral: Option<NeutralTexts>,
    /// Broken videos and images that were told of.
    reported: [usize; 2],
}

impl Records {
    pub(super) fn open<B: AutodiffBackend>(
        run: &Run<'_, B>,
        validation: Option<Validation>,
    ) -> Result<Self, TrainerError> {
        if !run.peer.is_first() {
            return Ok(Self {
                steps: None,
                validation: None,
                neutral: None,
                reported: [0; 2],
            });
        }
        let record = |list| {
            let record = ValidationRecord::open(&run.path("validation.jsonl"), run.step)?;
            Ok::<_, TrainerError>((list, record))
        };
        Ok(Self {
            steps: Some(MetricsFile::open(&run.path("metrics.jsonl"), run.step)?),
            validation: validation.map(record).transpose()?,
            neutral: None,
            reported: [0; 2],
        })
    }

    pub(super) fn append(&mut self, metrics: &StepMetrics) -> Result<(), TrainerError> {
        self.steps
            .as_mut()
            .map_or(Ok(()), |file| file.append(metrics))
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
