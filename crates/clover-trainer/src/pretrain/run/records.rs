//! What a run writes down, and tells, as it goes.

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::SkippedItem;
use clover_inference::NeutralTexts;

use super::{Observe, PretrainingEvent, Run};
use crate::TrainerError;
use crate::checkpoint::Validated;
use crate::pretrain::metrics_file::MetricsFile;
use crate::pretrain::step::StepMetrics;
use crate::pretrain::validation::{Validation, ValidationMetrics};
use crate::pretrain::validation_record::ValidationRecord;

/// The files that grow with a run.
pub(super) struct Records {
    /// Only the first device writes.
    steps: Option<MetricsFile<StepMetrics>>,
    pub(super) validation: Option<(Validation, ValidationRecord<ValidationMetrics>)>,
    /// Broken videos and images that were told of.
    reported: [usize; 2],
}

impl Records {
    pub(super) fn open<B: AutodiffBackend>(
        run: &mut Run<'_, B>,
        validation: Option<Validation>,
        observe: &mut Observe<'_>,
    ) -> Result<Self, TrainerError> {
        if !run.peer.is_first() {
            return Ok(Self {
                steps: None,
                validation: None,
                reported: [0; 2],
            });
        }
        let mut notice = |reason| {
            let _ = observe(PretrainingEvent::CheckpointRefused { reason });
        };
        let before = std::mem::take(&mut run.validated);
        let path = run.path("validation.jsonl");
        let validation = validation.map(|list| {
            let record = ValidationRecord::open(&path, before, &mut notice)?;
            Ok::<_, TrainerError>((list, record))
        });
        let path = run.path("metrics.jsonl");
        Ok(Self {
            validation: validation.transpose()?,
            steps: Some(MetricsFile::open(&path, run.step, &mut notice)?),
            reported: [0; 2],
        })
    }

    pub(super) fn append(&mut self, metrics: &StepMetrics) -> Result<(), TrainerError> {
        self.steps
            .as_mut()
            .map_or(Ok(()), |file| file.append(metrics))
    }

    /// What a checkpoint keeps of the records, all of whose lines are on the disk afterwards.
    pub(super) fn state(&self) -> Result<Validated, TrainerError> {
        self.steps.as_ref().map_or(Ok(()), MetricsFile::sync)?;
        let record = self.validation.as_ref();
        record.map_or(Ok(Validated::default()), |(_, record)| record.state())
    }

    /// The captions of the last measurement.
    pub(super) fn neutral(&self) -> Option<&NeutralTexts> {
        self.validation.as_ref()?.1.neutral()
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
