//! Clips that were read a moment ago: questions about one clip follow each other, and it is decoded once for all.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand_chacha::ChaCha8Rng;

use crate::DataError;
use crate::video::{NormalizedClip, Span};

/// Clips that are kept: as many as several threads may be at, while they read what follows each other.
const KEPT: usize = 4;

/// The clips that were read last.
#[derive(Debug, Default)]
pub(super) struct RecentClips(Mutex<VecDeque<(ClipKey, Arc<Slot>)>>);

/// What two readings that give the same have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClipKey {
    /// The file or folder.
    pub(super) path: PathBuf,
    /// The part of it that is read.
    pub(super) span: Option<Span>,
    /// The epoch, and the row whose random numbers are drawn.
    pub(super) draw: (u64, usize),
}

/// A clip, and the random numbers that come after those it was read with.
pub(super) type ReadClip = (NormalizedClip, ChaCha8Rng);

/// Nothing until it is read; whoever else wants it waits for that.
type Slot = Mutex<Option<ReadClip>>;

impl RecentClips {
    /// The clip of this key: a copy, or from `read`. What fails is kept by nobody.
    pub(super) fn get(
        &self,
        key: ClipKey,
        read: impl FnOnce() -> Result<ReadClip, DataError>,
    ) -> Result<ReadClip, DataError> {
        let slot = self.slot(key);
        let mut slot = locked(&slot);
        if let Some(known) = &*slot {
            return Ok(known.clone());
        }
        let clip = read()?;
        *slot = Some(clip.clone());
        Ok(clip)
    }

    fn slot(&self, key: ClipKey) -> Arc<Slot> {
        let mut slots = locked(&self.0);
        if let Some((_, slot)) = slots.iter().find(|(known, _)| *known == key) {
            return Arc::clone(slot);
        }
        let slot = Arc::<Slot>::default();
        slots.push_front((key, Arc::clone(&slot)));
        slots.truncate(KEPT);
        slot
    }
}

/// What a thread left that panicked is whole: it is written in one go.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
