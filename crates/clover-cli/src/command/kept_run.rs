//! What a run's folder keeps, and what is given beside it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use clover_trainer::run::RunSummary;
use clover_trainer::{RunRecord, TrainerError};

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

/// A refusal to resume under other keys, with how a model is trained on under these: `from` is the option of a
/// new run.
pub(super) fn or_begin_anew(error: anyhow::Error, from: &str, folder: &Path) -> anyhow::Error {
    match error.downcast_ref() {
        Some(TrainerError::OtherRecipe { .. }) => anyhow!(
            "{error}; to train its model on with other keys, begin another run: `{from} {}` with another `--out`",
            folder.display()
        ),
        _ => error,
    }
}

/// The time of a run. It takes the place of epochs, and a run that is resumed keeps what was planned for it.
pub(super) fn time_of(
    given: Option<Duration>,
    kept: Option<Option<Duration>>,
    keys: &[String],
) -> Result<Option<Duration>> {
    let key = |argument: &String| argument.split('=').next().map(str::trim) == Some("epochs");
    ensure!(
        given.is_none() || !keys.iter().any(key),
        "--time plans the number of steps: leave `epochs` out"
    );
    match (given, kept) {
        (Some(given), Some(kept)) if kept != Some(given) => bail!(
            "--time: a run keeps the steps it was begun with; another time needs another --out"
        ),
        (given, kept) => Ok(given.or(kept.flatten())),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_other_keys_is_told_to_start_from_the_bundle() {
        let other = TrainerError::OtherRecipe {
            path: "run".into(),
            key: "epochs".to_owned(),
            recorded: "20".to_owned(),
            wanted: "30".to_owned(),
        };

        let told = or_begin_anew(other.into(), "--start-from", Path::new("run")).to_string();
        let another = or_begin_anew(anyhow!("full"), "--start-from", Path::new("run"));

        let parts = ["epochs is 20 there and 30 here", "`--start-from run`"];
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
        assert_eq!(another.to_string(), "full");
    }

    #[test]
    fn a_time_takes_the_place_of_epochs_and_stays() {
        let [short, long] = [60, 120].map(|seconds| Some(Duration::from_secs(seconds)));
        let keys = |key: &str| [key.to_owned()];

        assert_eq!(time_of(short, None, &keys("seed=1")).unwrap(), short);
        assert_eq!(time_of(None, Some(short), &keys("seed=1")).unwrap(), short);
        assert_eq!(time_of(short, Some(short), &[]).unwrap(), short);
        assert_eq!(time_of(None, None, &keys("epochs=3")).unwrap(), None);
        assert!(time_of(short, None, &keys("epochs = 3")).is_err());
        assert!(time_of(long, Some(short), &[]).is_err());
        assert!(time_of(short, Some(None), &[]).is_err());
    }
}
