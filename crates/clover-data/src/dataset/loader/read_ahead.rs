//! Batches put together on a thread of their own, while those before them are used.
//!
//! Which items make a batch depends on which can be read, and on nothing else: what is made of broken
//! items is up to whoever uses the batches, and happens in their order.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::{BatchPlaces, EpochOrder, LoadedBatch, LoaderConfig, Position};
use crate::DataError;
use crate::dataset::in_order::OrderedQueue;
use crate::dataset::source::SampleSource;
use crate::dataset::workers::Workers;

/// A batch and what became of the items that were read for it.
pub(super) struct ReadBatch<B> {
    /// The number of each item, in the order it was read, and why it is left out.
    pub(super) items: Vec<(usize, Option<DataError>)>,
    /// Nothing where the samples that are left at the end of an epoch make no batch.
    pub(super) batch: Option<LoadedBatch<B>>,
    /// Whether no batch follows.
    pub(super) last: bool,
}

/// The thread that puts batches together, and those that read for it.
pub(super) struct ReadAhead<S: SampleSource> {
    batches: Option<Receiver<ReadBatch<S::Batch>>>,
    thread: Option<JoinHandle<()>>,
    workers: Workers<S::Sample>,
}

/// What the thread works with.
pub(super) struct Collator<S: SampleSource> {
    pub(super) source: Arc<S>,
    pub(super) config: LoaderConfig,
    /// The items of all readers.
    pub(super) order: std::vec::IntoIter<usize>,
    pub(super) at: Position,
    pub(super) batches_before: bool,
}

/// What the workers read.
type Queue<S> = OrderedQueue<Result<<S as SampleSource>::Sample, DataError>>;

/// A batch while its items are read.
struct Draft<T> {
    samples: Vec<T>,
    places: BatchPlaces,
    items: Vec<(usize, Option<DataError>)>,
}

impl<S: SampleSource> ReadAhead<S> {
    /// Begins with what the workers read of the order.
    pub(super) fn start(
        workers: Workers<S::Sample>,
        collator: Collator<S>,
    ) -> Result<Self, DataError> {
        // One batch waits in the hands of the thread; the samples of the next ones are with the workers.
        let (sender, batches) = sync_channel(0);
        let queue = Arc::clone(workers.queue());
        let thread = std::thread::Builder::new()
            .name("clover-data-batches".to_owned())
            .spawn(move || collator.run(&queue, &sender))
            .map_err(|source| DataError::Worker { source })?;
        Ok(Self {
            batches: Some(batches),
            thread: Some(thread),
            workers,
        })
    }

    /// The next batch; nothing after the last.
    pub(super) fn next(&mut self) -> Option<ReadBatch<S::Batch>> {
        let read = self.batches.as_ref()?.recv();
        if read.is_err()
            && let Some(Err(panic)) = self.thread.take().map(JoinHandle::join)
        {
            // Samples that do not fit together are a mistake of the program.
            resume_unwind(panic);
        }
        read.ok()
    }
}

impl<S: SampleSource> Drop for ReadAhead<S> {
    fn drop(&mut self) {
        self.batches = None;
        self.workers.queue().stop();
        if let Some(thread) = self.thread.take() {
            // There is nobody to tell of a panic while dropping.
            let _ended = thread.join();
        }
    }
}

impl<S: SampleSource> Collator<S> {
    fn run(mut self, queue: &Queue<S>, batches: &SyncSender<ReadBatch<S::Batch>>) {
        loop {
            let batch = match self.config.share.is_whole() {
                true => self.whole_batch(queue),
                false => self.share_of_batch(queue),
            };
            let last = batch.last;
            if batches.send(batch).is_err() || last {
                return;
            }
        }
    }

    fn whole_batch(&mut self, queue: &Queue<S>) -> ReadBatch<S::Batch> {
        let mut draft = Draft::new();
        while draft.places.slots < self.config.batch_size {
            if !self.read_item(queue, draft.places.slots, &mut draft) {
                let wanted = self.wants_partial() && !draft.samples.is_empty();
                return self.finish(draft, wanted, true);
            }
            draft.places.slots = draft.samples.len();
        }
        self.finish(draft, true, false)
    }

    /// The share of the next batch; perhaps no sample, if all of them are broken.
    fn share_of_batch(&mut self, queue: &Queue<S>) -> ReadBatch<S::Batch> {
        let mut draft = Draft::new();
        let slots = self.order.len().min(self.config.batch_size);
        let full = slots == self.config.batch_size;
        if slots == 0 || !(full || self.wants_partial()) {
            return self.finish(draft, false, true);
        }
        let own = self.config.share.places(slots);
        for place in 0..slots {
            if !own.contains(&place) {
                let _others = self.order.next();
                self.at.item += 1;
            } else if !self.read_item(queue, place, &mut draft) {
                return self.finish(draft, false, true);
            }
        }
        draft.places.slots = slots;
        self.finish(draft, true, false)
    }

    /// Whether a batch that is not full is used: in evaluation, and where there would be none otherwise.
    fn wants_partial(&self) -> bool {
        self.config.order == EpochOrder::InOrder || !self.batches_before
    }

    /// The next item of the order, which is to stand at `place`; false at the end, and after an item that
    /// the clock stopped.
    fn read_item(&mut self, queue: &Queue<S>, place: usize, draft: &mut Draft<S::Sample>) -> bool {
        let Some((index, read)) = self.order.next().zip(queue.next()) else {
            return false;
        };
        self.at.item += 1;
        match read {
            Ok(sample) => {
                draft.samples.push(sample);
                draft.places.taken.push(place);
                draft.items.push((index, None));
                true
            }
            Err(error) => {
                let goes_on = !matches!(error, DataError::TooSlow { .. });
                draft.items.push((index, Some(error)));
                goes_on
            }
        }
    }

    fn finish(&mut self, draft: Draft<S::Sample>, wanted: bool, last: bool) -> ReadBatch<S::Batch> {
        self.batches_before |= wanted;
        ReadBatch {
            items: draft.items,
            batch: wanted.then(|| LoadedBatch {
                samples: self.source.collate(draft.samples),
                places: draft.places,
                next: self.at,
            }),
            last,
        }
    }
}

impl<T> Draft<T> {
    fn new() -> Self {
        Self {
            samples: Vec::new(),
            places: BatchPlaces::default(),
            items: Vec::new(),
        }
    }
}
