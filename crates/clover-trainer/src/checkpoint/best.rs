//! The models of a run that others use: the best by validation, beside the last checkpoints, and the last
//! one, in the run's own folder.

use std::path::{Path, PathBuf};

use super::{Checkpoints, swap};
use crate::error::TrainerError;

const BEST: &str = "best";
const LAST: &str = "bundle";

impl Checkpoints {
    /// The folder of the best model, whether there is one or not.
    #[must_use]
    pub fn best(&self) -> PathBuf {
        self.folder.join(BEST)
    }

    /// Replaces the best model by what `write` puts into the folder it is given: whole, or not at
    /// all.
    ///
    /// # Errors
    ///
    /// Fails if `write` does, or a file cannot be written; the one before is then still there.
    pub fn replace_best(
        &self,
        write: impl FnOnce(&Path) -> Result<(), TrainerError>,
    ) -> Result<PathBuf, TrainerError> {
        let best = self.best();
        swap::replace(&best, write)?;
        Ok(best)
    }
}

/// The folder of a run's last model, whether there is one or not.
pub(crate) fn last_bundle(run: &Path) -> PathBuf {
    run.join(LAST)
}

/// Replaces the last model of a run, as [`Checkpoints::replace_best`] does the best one.
pub(crate) fn replace_last_bundle(
    run: &Path,
    write: impl FnOnce(&Path) -> Result<(), TrainerError>,
) -> Result<(), TrainerError> {
    swap::replace(&last_bundle(run), write)
}

/// Takes back, or removes, what a crash in the middle of [`replace_last_bundle`] left aside.
pub(crate) fn settle_last_bundle(run: &Path) -> Result<(), TrainerError> {
    swap::settle(&last_bundle(run))
}
