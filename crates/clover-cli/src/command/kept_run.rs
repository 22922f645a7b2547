//! What a run's folder keeps, and what is given beside it.

use std::path::Path;

use anyhow::{Result, bail};
use clover_trainer::RunRecord;
use clover_trainer::run::RunSummary;

use crate::interrupt::Interrupted;
use crate::output::note;

/// What the folder of a run that is resumed keeps of it, if anything.
pub(super) fn kept_record(resume: bool, folder: &Path) -> Result<Option<RunRecord>> {
    match resume {
        true => Ok(RunRecord::read(folder)?),
        false => Ok(None),
    }
}

/// What a run that nothing is kept of must be given.
pub(super) fn of_a_new_run<T: Clone>(option: &str, given: &Option<T>, folder: &Path) -> Result<T> {
    match given {
        Some(given) => Ok(given.clone()),
        None => bail!(
            "{}: keeps nothing of a run to resume: {option} must be given",
            folder.display()
        ),
    }
}

/// What is given counts.
pub(super) fn replace<T: Clone>(kept: &mut T, given: &Option<T>) {
    if let Some(given) = given {
        kept.clone_from(given);
    }
}

/// Says that a run stopped early, if it did.
pub(super) fn note_early_stop<M, V>(summary: &RunSummary<M, V>, early_stopping: usize) {
    if let Some(step) = summary.stopped_early {
        note(&format!(
            "stopped early after step {step}: {early_stopping} measurements in a row without a better score"
        ));
    }
}

/// Says how a run of `command` ended after `step` steps; one that was interrupted has not succeeded.
pub(super) fn end(
    command: &str,
    folder: &Path,
    (finished, step): (bool, u64),
    max_steps: Option<u64>,
) -> Result<()> {
    let go_on = format!(
        "`clover {command} --out {} --resume` goes on",
        folder.display()
    );
    match max_steps {
        _ if finished => note("done"),
        Some(max) if step >= max => note(&format!("stopped after step {step}, as asked; {go_on}")),
        _ => bail!(Interrupted(format!("stopped after step {step}; {go_on}"))),
    }
    Ok(())
}
