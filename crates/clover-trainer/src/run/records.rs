//! What a run writes down, and tells, as it goes.

use std::path::PathBuf;

use clover_data::dataset::SkippedItem;

use super::metrics_file::{self, Measured, MetricsFile};
use super::{Observe, RunEvent, Scored};
use crate::TrainerError;

/// The files that grow with a run; none where it leaves nothing behind, or another device writes.
pub(super) struct Records<M, V> {
    steps: Option<MetricsFile<M>>,
    validation: Option<ValidationRecord<V>>,
    /// `metrics.jsonl` and `validation.jsonl`.
    paths: [Option<PathBuf>; 2],
    /// Broken videos and images that were told of.
    reported: [usize; 2],
}

/// What was measured on the validation items.
struct ValidationRecord<V> {
    file: MetricsFile<V>,
    best: Option<V>,
    last: Option<u64>,
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

    /// Opens the files of a run that has done `done` steps; what was written later is dropped. There is
    /// a `validation.jsonl` only where the model is measured.
    pub(super) fn open(
        steps: PathBuf,
        validation: Option<PathBuf>,
        done: u64,
    ) -> Result<Self, TrainerError> {
        let record = validation
            .clone()
            .map(|path| ValidationRecord::open(path, done));
        Ok(Self {
            steps: Some(MetricsFile::open(&steps, done)?),
            validation: record.transpose()?,
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

    /// Whether measurements are written down.
    pub(super) fn measures(&self) -> bool {
        self.validation.is_some()
    }

    /// The step of the last measurement.
    pub(super) fn last_measured(&self) -> Option<u64> {
        self.validation.as_ref()?.last
    }

    /// Whether this measurement is the best so far; of equal ones the first is.
    pub(super) fn is_best(&self, metrics: &V) -> bool {
        let record = self.validation.as_ref();
        is_better(metrics, record.and_then(|record| record.best.as_ref()))
    }

    pub(super) fn add(&mut self, metrics: V) -> Result<(), TrainerError> {
        match &mut self.validation {
            Some(record) => record.add(metrics),
            None => Ok(()),
        }
    }

    /// What was written down, also before a resume.
    pub(super) fn close(self) -> Result<Closed<M, V>, TrainerError> {
        let [steps, validations] = self.paths;
        Ok((
            self.validation.and_then(|record| record.best),
            steps.map_or(Ok(Vec::new()), |path| metrics_file::read(&path))?,
            validations.map_or(Ok(Vec::new()), |path| metrics_file::read(&path))?,
        ))
    }
}

impl<V: Scored> ValidationRecord<V> {
    fn open(path: PathBuf, steps: u64) -> Result<Self, TrainerError> {
        let file = MetricsFile::open(&path, steps)?;
        let lines: Vec<V> = metrics_file::read(&path)?;
        let mut best = None;
        for line in &lines {
            if is_better(line, best.as_ref()) {
                best = Some(line.clone());
            }
        }
        Ok(Self {
            file,
            best,
            last: lines.last().map(Measured::step),
        })
    }

    fn add(&mut self, metrics: V) -> Result<(), TrainerError> {
        self.file.append(&metrics)?;
        self.last = Some(metrics.step());
        if is_better(&metrics, self.best.as_ref()) {
            self.best = Some(metrics);
        }
        Ok(())
    }
}

fn is_better<V: Scored>(metrics: &V, best: Option<&V>) -> bool {
    best.is_none_or(|best| metrics.score() > best.score())
}
