//! What a run writes down, and tells, as it goes.

use std::path::PathBuf;

use clover_data::dataset::SkippedItem;
use clover_inference::NeutralTexts;

use super::metrics_file::{self, Measured, MetricsFile};
use super::validation_record::ValidationRecord;
use super::{Observe, RunEvent, Scored};
use crate::TrainerError;
use crate::checkpoint::Validated;

/// The files that grow with a run; none where it leaves nothing behind, or another device writes.
pub(super) struct Records<M, V> {
    steps: Option<MetricsFile<M>>,
    validation: Option<ValidationRecord<V>>,
    /// `metrics.jsonl` and `validation.jsonl`.
    paths: [Option<PathBuf>; 2],
    /// Broken videos and images that were told of.
    reported: [usize; 2],
}

/// The best measurement, all steps, and all measurements.
type Closed<M, V> = (Option<V>, Vec<M>, Vec<V>);

impl<M: Measured, V: Scored> Records<M, V> {
    /// No file.
    pub(super) fn none() -> Self {
        Self {
            steps: None,
            validation: None,
            paths: [None, None],
            reported: [0; 2],
        }
    }

    /// Opens the files of a run that has done `done` steps; what was written later is cut off. There is
    /// a `validation.jsonl` only where the model is measured. `notice` is told of damaged lines.
    pub(super) fn open(
        steps: PathBuf,
        validation: Option<PathBuf>,
        (done, before): (u64, Validated),
        notice: &mut dyn FnMut(String),
    ) -> Result<Self, TrainerError> {
        let record = validation.as_deref();
        let record = record.map(|path| ValidationRecord::open(path, before, notice));
        Ok(Self {
            validation: record.transpose()?,
            steps: Some(MetricsFile::open(&steps, done, notice)?),
            paths: [Some(steps), validation],
            reported: [0; 2],
        })
    }

    pub(super) fn append(&mut self, metrics: &M) -> Result<(), TrainerError> {
        self.steps
            .as_mut()
            .map_or(Ok(()), |file| file.append(metrics))
    }

    /// Tells of the items found broken since the last call.
    pub(super) fn report_skipped(
        &mut self,
        skipped: [&[SkippedItem]; 2],
        observe: &mut Observe<'_, M, V>,
    ) {
        for (skipped, reported) in skipped.into_iter().zip(&mut self.reported) {
            for item in skipped.get(*reported..).unwrap_or_default() {
                let _ = observe(RunEvent::Skipped(item));
            }
            *reported = skipped.len().max(*reported);
        }
    }

    /// Items told of so far.
    pub(super) fn skipped(&self) -> usize {
        self.reported.iter().sum()
    }

    /// What a checkpoint keeps of the records, all of whose lines are on the disk afterwards.
    pub(super) fn state(&self) -> Result<Validated, TrainerError> {
        self.steps.as_ref().map_or(Ok(()), MetricsFile::sync)?;
        let record = self.validation.as_ref();
        record.map_or(Ok(Validated::default()), ValidationRecord::state)
    }

    /// The captions of the last measurement.
    pub(super) fn neutral(&self) -> Option<&NeutralTexts> {
        self.validation.as_ref()?.neutral()
    }

    /// Whether measurements are written down.
    pub(super) fn measures(&self) -> bool {
        self.validation.is_some()
    }

    /// The step of the last measurement.
    pub(super) fn last_measured(&self) -> Option<u64> {
        self.validation.as_ref()?.last()
    }

    /// Measurements since the best one.
    pub(super) fn since_best(&self) -> usize {
        let record = self.validation.as_ref();
        record.map_or(0, ValidationRecord::since_best)
    }

    /// Whether this measurement is the best so far; of equal ones the first is.
    pub(super) fn is_best(&self, metrics: &V) -> bool {
        let record = self.validation.as_ref();
        record.is_some_and(|record| record.is_best(metrics))
    }

    pub(super) fn add(
        &mut self,
        metrics: V,
        neutral: Option<NeutralTexts>,
    ) -> Result<(), TrainerError> {
        match &mut self.validation {
            Some(record) => record.add(metrics, neutral),
            None => Ok(()),
        }
    }

    /// What was written down, also before a resume.
    pub(super) fn close(self) -> Result<Closed<M, V>, TrainerError> {
        let [steps, validations] = self.paths;
        Ok((
            self.validation.and_then(ValidationRecord::into_best),
            steps.map_or(Ok(Vec::new()), |path| metrics_file::read(&path))?,
            validations.map_or(Ok(Vec::new()), |path| metrics_file::read(&path))?,
        ))
    }
}
