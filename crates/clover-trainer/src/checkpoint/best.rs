//! The best model of a run, by validation: a folder of its own beside the last checkpoints.

use std::path::{Path, PathBuf};

use clover_data::files::remove_half_written;

use super::files::{remove_folder, sync, sync_files};
use super::{Checkpoints, rename, swap};
use crate::error::TrainerError;

const BEST: &str = "best";

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
        let partial = swap::partial(&best);
        remove_folder(&partial)?;
        let write = || {
            std::fs::create_dir_all(&partial).map_err(|source| TrainerError::Write {
                path: partial.clone(),
                source,
            })?;
            write(&partial)?;
            sync_files(&partial)?;
            sync(Some(&partial))
        };
        if let Err(error) = write() {
            let _ = remove_folder(&partial);
            return Err(error);
        }
        swap::swap_in(&best)?;
        Ok(best)
    }

    /// Makes a folder of files that were written one by one, each whole, as durable as they are, and
    /// removes what an earlier try that was killed left in it.
    pub(crate) fn finish_folder(folder: &Path) -> Result<(), TrainerError> {
        let remove = || {
            for entry in folder.read_dir()? {
                remove_half_written(&entry?.path())?;
            }
            Ok(())
        };
        remove().map_err(|source| TrainerError::Write {
            path: folder.to_owned(),
            source,
        })?;
        sync(folder.parent())
    }

    /// Takes back what a crash in the middle of [`replace_best`](Self::replace_best) left aside.
    pub(super) fn recover_best(&self) -> Result<(), TrainerError> {
        let best = self.best();
        let replaced = swap::replaced(&best);
        if replaced.exists() && !best.exists() {
            rename(&replaced, &best)?;
        }
        Ok(())
    }
}
