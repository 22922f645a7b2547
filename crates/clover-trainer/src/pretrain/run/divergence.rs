//! `diverged.json`: what a run that had to stop was doing.

use std::fs;
use std::io::ErrorKind;

use burn::tensor::backend::AutodiffBackend;
use serde::Serialize;

use super::Run;
use super::saving::write_json;
use crate::TrainerError;
use crate::pretrain::training_data::StepKind;

const FILE: &str = "diverged.json";

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

impl<B: AutodiffBackend> Run<'_, B> {
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
        let _ = write_json(&self.path(FILE), &divergence);
    }

    /// Removes what an earlier part of the run wrote: this part has not diverged.
    pub(super) fn forget_divergence(&self) -> Result<(), TrainerError> {
        let path = self.path(FILE);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                Err(TrainerError::Write { path, source })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
