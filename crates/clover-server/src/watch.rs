//! Looks whether the index has changed, and reads it again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clover_inference::VideoIndex;

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
        let reload = move || state.replace_index(VideoIndex::open(&folder)?);
        let reloaded = tokio::task::spawn_blocking(reload).await;
        if let Ok(Err(error)) = reloaded {
            tracing::warn!(%error, "the index is left as it was");
        }
    }
}

fn stamp(folder: &Path) -> Stamp {
    FILES.map(|file| {
        let about = fs::metadata(folder.join(file)).ok()?;
        Some((about.len(), about.modified().ok()?))
    })
}
