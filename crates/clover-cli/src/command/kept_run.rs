//! What a run's folder keeps, and what is given beside it.

use std::path::Path;

use anyhow::{Result, bail};

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
