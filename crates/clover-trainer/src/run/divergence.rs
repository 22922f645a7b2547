//! `diverged.json`: what a run that had to stop was doing; `diverged-{rank}.json` of other devices than
//! the first.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use burn::tensor::backend::AutodiffBackend;
use clover_data::files::remove_half_written;
use serde::Serialize;

use super::{Run, StepKind, Task};
use crate::TrainerError;
use crate::whole_file::write_whole;

/// The step that could not be made.
#[derive(Serialize)]
struct Divergence<'e> {
    step: u64,
    kind: StepKind,
    /// What was wrong: `loss` or `gradient`.
    what: &'static str,
    /// The loss, where it is a number.
    loss: Option<f64>,
    reason: String,
    /// The samples of the batch.
    names: &'e [String],
}

impl<B: AutodiffBackend, T: Task<B>> Run<'_, B, T> {
    /// Each device knows its own share of the batch.
    fn divergence_file(&self) -> Option<PathBuf> {
        let name = match self.peer.rank() {
            0 => "diverged.json".to_owned(),
            rank => format!("diverged-{rank}.json"),
        };
        let folder = self.plan.folder.as_ref();
        folder.map(|folder| folder.path.join(name))
    }

    /// Writes the step down if it diverged; the error itself matters more than the file.
    pub(super) fn note_divergence(&self, error: &TrainerError, kind: StepKind) {
        let (step, what, loss, names) = match error {
            TrainerError::Exploded {
                step, loss, names, ..
            } => (*step, "loss", Some(*loss), names),
            TrainerError::Diverged { step, what, names } => (*step, *what, None, names),
            _ => return,
        };
        let divergence = Divergence {
            step,
            kind,
            what,
            loss,
            reason: error.to_string(),
            names,
        };
        let text = serde_json::to_vec_pretty(&divergence);
        if let Some((path, text)) = self.divergence_file().zip(text.ok()) {
            let _ = write_whole(&path, &text);
        }
    }

    /// Removes what an earlier part of the run wrote: this part has not diverged.
    pub(super) fn forget_divergence(&self) -> Result<(), TrainerError> {
        let Some(path) = self.divergence_file() else {
            return Ok(());
        };
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => remove_half_written(&path),
        };
        removed.map_err(|source| TrainerError::Write { path, source })
    }
}
