//! Looks whether the index has changed, and reads it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clover_inference::{InferenceError, VideoIndex};

use crate::state::State;

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// What changes with the index: its settings, its journal, what was measured of it.
const FILES: [&str; 3] = ["index.toml", "files.jsonl", "calibration.json"];

/// Length and time of each file.
type Stamp = [Option<(u64, SystemTime)>; 3];

/// Watches an index for ever.
pub(crate) async fn watch_index(folder: PathBuf, state: Arc<State>) {
    let mut known = stamp(&folder);
    let mut last = known;
    loop {
        tokio::time::sleep(EVERY).await;
        let now = stamp(&folder);
        // Not while it is being written.
        let rests = now == last;
        last = now;
        if now == known || !rests {
            continue;
        }
        known = now;
        let (folder, state) = (folder.clone(), Arc::clone(&state));
        let reloaded = tokio::task::spawn_blocking(move || reload(&folder, &state)).await;
        if let Ok(Err(error)) = reloaded {
            tracing::warn!(%error, "the index is left as it was");
        }
    }
}

fn reload(folder: &Path, state: &State) -> Result<(), InferenceError> {
    let old = Arc::clone(&state.catalog().index);
    let mut index = VideoIndex::open(folder)?;
    if !index.settings().is_like(old.settings()) {
        tracing::warn!("the index was built anew with another bundle: start the server again");
        return Ok(());
    }
    if old.inverted_file().is_some() {
        index.read_inverted_file()?;
    }
    state.replace_index(&Arc::new(index));
    Ok(())
}

fn stamp(folder: &Path) -> Stamp {
    FILES.map(|file| {
        let about = fs::metadata(folder.join(file)).ok()?;
        Some((about.len(), about.modified().ok()?))
    })
}
