//! Videos and still images side by side, as pre-training takes them: one batch of each an iteration.
//!
//! Huang et al., "Clover" (CVPR 2023): WebVid and CC3M. An epoch has the length of the longer loader; the shorter one is restarted with another order as often as needed, and goes on
//! where it is in the next epoch. In the released code both steps of an iteration take the image
//! batch once the shorter loader has been restarted, so that videos are not seen any more until the
//! epoch ends; that is taken for a slip and not repeated.

use serde::{Deserialize, Serialize};

use super::loader::{BatchLoader, BatchPlaces, EpochBatches, LoadedBatch, Position};
use super::skipped::SkippedItem;
use super::source::SampleSource;
use crate::DataError;

/// Two loaders that are read from in turn.
#[derive(Debug)]
pub struct Mixture<V, I> {
    videos: BatchLoader<V>,
    images: BatchLoader<I>,
}

/// A place between two iterations, at which a run can be resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MixturePosition {
    /// Where the loader of videos goes on.
    pub videos: Position,
    /// Where the loader of images goes on.
    pub images: Position,
}

/// What one iteration takes.
#[derive(Debug)]
pub struct MixedBatch<V, I> {
    /// The videos.
    pub videos: V,
    /// The images.
    pub images: I,
    /// Where the videos stand, and the images.
    pub places: [BatchPlaces; 2],
    /// Where to resume after this iteration.
    pub next: MixturePosition,
}

/// The iterations of one epoch; ends after the first error.
#[derive(Debug)]
pub struct MixedBatches<'a, V: SampleSource, I: SampleSource> {
    videos: Side<'a, V>,
    images: Side<'a, I>,
    longer: Longer,
    ended: bool,
}

/// What an iteration of two sources takes, while there is one.
type Read<V, I> = Option<MixedBatch<<V as SampleSource>::Batch, <I as SampleSource>::Batch>>;

/// Which loader makes the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Longer {
    Videos,
    Images,
}

/// A loader and where it is.
#[derive(Debug)]
struct Side<'a, S: SampleSource> {
    /// Gone only after an error.
    batches: Option<EpochBatches<'a, S>>,
    at: Position,
}

impl<V: SampleSource, I: SampleSource> Mixture<V, I> {
    /// Mixes two loaders.
    pub fn new(videos: BatchLoader<V>, images: BatchLoader<I>) -> Self {
        Self { videos, images }
    }

    /// The loader of videos.
    pub fn videos(&self) -> &BatchLoader<V> {
        &self.videos
    }

    /// The loader of images.
    pub fn images(&self) -> &BatchLoader<I> {
        &self.images
    }

    /// Iterations an epoch has when nothing is broken.
    pub fn iterations_per_epoch(&self) -> usize {
        let videos = self.videos.batches_per_epoch();
        videos.max(self.images.batches_per_epoch())
    }

    /// The number of the epoch that a place is in: that of the longer loader.
    pub fn epoch_of(&self, position: MixturePosition) -> u64 {
        match self.longer() {
            Longer::Videos => position.videos.epoch,
            Longer::Images => position.images.epoch,
        }
    }

    /// Where the epoch after that of `position` begins, once there are no more iterations.
    pub fn next_epoch(&self, position: MixturePosition) -> MixturePosition {
        let mut next = position;
        match self.longer() {
            Longer::Videos => next.videos = after(position.videos),
            Longer::Images => next.images = after(position.images),
        }
        next
    }

    /// Every item found broken so far, videos first.
    pub fn skipped(&self) -> impl Iterator<Item = &SkippedItem> {
        self.videos.skipped().iter().chain(self.images.skipped())
    }

    /// The iterations of the epoch at `start`, from there on; reading begins at once.
    ///
    /// # Errors
    ///
    /// When the worker threads cannot be started.
    pub fn epoch(&mut self, start: MixturePosition) -> Result<MixedBatches<'_, V, I>, DataError> {
        Ok(MixedBatches {
            longer: self.longer(),
            videos: Side::start(&mut self.videos, start.videos)?,
            images: Side::start(&mut self.images, start.images)?,
            ended: false,
        })
    }

    fn longer(&self) -> Longer {
        if self.videos.batches_per_epoch() >= self.images.batches_per_epoch() {
            Longer::Videos
        } else {
            Longer::Images
        }
    }
}

fn after(position: Position) -> Position {
    Position {
        epoch: position.epoch + 1,
        item: 0,
    }
}

impl<'a, S: SampleSource> Side<'a, S> {
    fn start(loader: &'a mut BatchLoader<S>, at: Position) -> Result<Self, DataError> {
        Ok(Self {
            batches: Some(loader.epoch(at)?),
            at,
        })
    }

    /// The next batch of this epoch of the loader.
    fn next(&mut self) -> Result<Option<LoadedBatch<S::Batch>>, DataError> {
        let batch = self.batches.as_mut().and_then(Iterator::next).transpose()?;
        if let Some(batch) = &batch {
            self.at = batch.next;
        }
        Ok(batch)
    }

    /// The next batch of this epoch of the loader, or else the first of its next one.
    fn next_or_restart(&mut self) -> Result<Option<LoadedBatch<S::Batch>>, DataError> {
        if let Some(batch) = self.next()? {
            return Ok(Some(batch));
        }
        let Some(batches) = self.batches.take() else {
            return Ok(None);
        };
        self.at = after(self.at);
        self.batches = Some(batches.restart(self.at)?);
        // An epoch from its start has a batch or ends with an error.
        self.next()
    }

    fn skipped(&self) -> &[SkippedItem] {
        self.batches.as_ref().map_or(&[], EpochBatches::skipped)
    }
}

impl<V: SampleSource, I: SampleSource> MixedBatches<'_, V, I> {
    /// Every video and every image found broken so far, also in earlier epochs.
    pub fn skipped(&self) -> [&[SkippedItem]; 2] {
        [self.videos.skipped(), self.images.skipped()]
    }

    fn read(&mut self) -> Result<Read<V, I>, DataError> {
        // The longer side first: at its end, nothing is taken from the other.
        let (videos, images) = match self.longer {
            Longer::Videos => match self.videos.next()? {
                Some(videos) => (Some(videos), self.images.next_or_restart()?),
                None => (None, None),
            },
            Longer::Images => match self.images.next()? {
                Some(images) => (self.videos.next_or_restart()?, Some(images)),
                None => (None, None),
            },
        };
        Ok(videos.zip(images).map(|(videos, images)| MixedBatch {
            videos: videos.samples,
            images: images.samples,
            places: [videos.places, images.places],
            next: MixturePosition {
                videos: videos.next,
                images: images.next,
            },
        }))
    }
}

impl<V: SampleSource, I: SampleSource> Iterator for MixedBatches<'_, V, I> {
    type Item = Result<MixedBatch<V::Batch, I::Batch>, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.read().transpose();
        self.ended = !matches!(batch, Some(Ok(_)));
        batch
    }
}

#[cfg(test)]
mod tests;
