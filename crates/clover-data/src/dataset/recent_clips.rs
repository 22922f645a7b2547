//! Clips that were read a moment ago: questions about one clip follow each other, and it is decoded once for all.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand_chacha::ChaCha8Rng;

use crate::DataError;
use crate::video::{NormalizedClip, Span};

/// Clips that are kept: with two questions a clip, 32 threads are at so many clips at the same time. A clip is in
/// bytes, 5 MB at 32 frames of 224 x 224 pixels.
const KEPT: usize = 16;

/// The clips that were read last.
#[derive(Debug, Default)]
pub(super) struct RecentClips(Mutex<VecDeque<(ClipKey, Arc<Mutex<Slot>>)>>);

/// What decides which frames and crops a reading gives.
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

/// One clip. It is locked while it is read for the first time: others that want it wait.
#[derive(Debug, Default)]
enum Slot {
    #[default]
    Unread,
    Read(Box<ReadClip>),
    /// It cannot be read. Each that wants it tries for itself, for an error of its own, and none waits for another.
    Failed,
}

impl RecentClips {
    /// A copy of the clip of this key, which is read if it is not kept.
    ///
    /// # Errors
    ///
    /// Those of `read`.
    pub(super) fn get(
        &self,
        key: ClipKey,
        read: impl FnOnce() -> Result<ReadClip, DataError>,
    ) -> Result<ReadClip, DataError> {
        let slot = self.slot(key);
        let mut slot = locked(&slot);
        match &*slot {
            Slot::Read(clip) => return Ok(ReadClip::clone(clip)),
            Slot::Failed => {
                drop(slot);
                return read();
            }
            Slot::Unread => {}
        }
        let clip = read();
        *slot = match &clip {
            Ok(clip) => Slot::Read(Box::new(clip.clone())),
            Err(_) => Slot::Failed,
        };
        clip
    }

    fn slot(&self, key: ClipKey) -> Arc<Mutex<Slot>> {
        let mut slots = locked(&self.0);
        if let Some((_, slot)) = slots.iter().find(|(known, _)| *known == key) {
            return Arc::clone(slot);
        }
        let slot = Arc::default();
        slots.push_front((key, Arc::clone(&slot)));
        slots.truncate(KEPT);
        slot
    }
}

/// A thread that panicked has changed nothing: values are written in one go.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn key(clip: usize) -> ClipKey {
        ClipKey {
            path: PathBuf::from("clip.mp4"),
            span: None,
            draw: (0, clip),
        }
    }

    fn clip(value: f32) -> ReadClip {
        let clip = NormalizedClip::new(vec![value], [1; 4]);
        (clip, ChaCha8Rng::seed_from_u64(0))
    }

    #[test]
    fn threads_that_want_one_clip_read_it_once() {
        let (recent, reads, together) =
            (RecentClips::default(), AtomicUsize::new(0), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    together.wait();
                    let read = recent.get(key(0), || {
                        reads.fetch_add(1, Ordering::SeqCst);
                        Ok(clip(1.0))
                    });
                    assert_eq!(read.unwrap().0, clip(1.0).0);
                });
            }
        });

        assert_eq!(reads.into_inner(), 1);
    }

    #[test]
    fn threads_that_want_a_broken_clip_read_it_at_the_same_time() {
        let (recent, together) = (RecentClips::default(), Barrier::new(3));
        let broken = || DataError::EmptyDataset;
        assert!(recent.get(key(0), || Err(broken())).is_err());

        // Each waits for the others while it reads.
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let read = recent.get(key(0), || {
                        together.wait();
                        Err(broken())
                    });
                    assert!(read.is_err());
                });
            }
        });
    }

    #[test]
    fn another_draw_is_another_clip_and_old_ones_are_forgotten() {
        let recent = RecentClips::default();
        let get = |number: usize, value: f32| recent.get(key(number), || Ok(clip(value))).unwrap();

        let first = get(0, 1.0);

        assert_ne!(get(1, 2.0).0, first.0);
        assert_eq!(get(0, 3.0).0, first.0);
        for number in 2..2 + KEPT {
            get(number, 4.0);
        }
        assert_eq!(get(0, 3.0).0, clip(3.0).0);
    }
}
