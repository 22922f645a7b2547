//! What a run has measured on its validation list, and which model was the best.

use std::path::Path;

use clover_inference::NeutralTexts;

use super::Scored;
use super::metrics_file::MetricsFile;
use crate::TrainerError;
use crate::checkpoint::Validated;

/// The measurements of a run so far.
pub(super) struct ValidationRecord<M> {
    file: MetricsFile<M>,
    last: Option<u64>,
    best: Option<M>,
    since_best: usize,
    neutral: Option<NeutralTexts>,
}

impl<M: Scored> ValidationRecord<M> {
    /// Opens the record of a run that goes on from `before`; what was measured later is cut off, since
    /// it is measured again. `notice` is told of damaged lines.
    pub(super) fn open(
        path: &Path,
        before: Validated,
        notice: &mut dyn FnMut(String),
    ) -> Result<Self, TrainerError> {
        let best = before.best.map(serde_json::from_value).transpose();
        let best = best.map_err(|source| TrainerError::Json {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            file: MetricsFile::open(path, before.last.unwrap_or(0), notice)?,
            last: before.last,
            best,
            since_best: before.since_best,
            neutral: before.neutral,
        })
    }

    /// What a checkpoint keeps of it; all lines are on the disk afterwards.
    pub(super) fn state(&self) -> Result<Validated, TrainerError> {
        self.file.sync()?;
        let best = self.best.as_ref().map(serde_json::to_value).transpose();
        let best = best.map_err(|source| TrainerError::Json {
            path: self.file.path().to_owned(),
            source,
        })?;
        Ok(Validated {
            last: self.last,
            best,
            since_best: self.since_best,
            neutral: self.neutral.clone(),
        })
    }

    /// Whether these are the best so far; of equal ones the first is.
    pub(super) fn is_best(&self, metrics: &M) -> bool {
        let best = self.best.as_ref();
        best.is_none_or(|best| metrics.score() > best.score())
    }

    pub(super) fn add(
        &mut self,
        metrics: M,
        neutral: Option<NeutralTexts>,
    ) -> Result<(), TrainerError> {
        self.file.append(&metrics)?;
        self.last = Some(metrics.step());
        self.neutral = neutral;
        self.since_best += 1;
        if self.is_best(&metrics) {
            self.best = Some(metrics);
            self.since_best = 0;
        }
        Ok(())
    }

    /// The step of the last measurement.
    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    /// Measurements since the best one.
    pub(super) fn since_best(&self) -> usize {
        self.since_best
    }

    /// The captions measured last.
    pub(super) fn neutral(&self) -> Option<&NeutralTexts> {
        self.neutral.as_ref()
    }

    pub(super) fn into_best(self) -> Option<M> {
        self.best
    }
}
