use super::*;
use crate::dataset::{AnnotationError, Collated, RowFault, RowNumber};
use std::path::PathBuf;

/// Items whose sample is their number; the listed ones are broken.
pub(super) struct Numbers {
    len: usize,
    broken: Vec<usize>,
}

impl SampleSource for Numbers {
    type Sample = (u64, usize);
    type Batch = Vec<(u64, usize)>;

    fn len(&self) -> usize {
        self.len
    }

    fn name(&self, index: usize) -> String {
        format!("item {index}")
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        // Uneven work, so that workers overtake each other.
        if index.is_multiple_of(3) {
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        if self.broken.contains(&index) {
            return Err(AnnotationError::Row {
                path: PathBuf::from("pairs.csv"),
                row: RowNumber::Line(index),
                source: RowFault::Missing { key: "caption" },
            }
            .into());
        }
        assert!(index < 1_000, "a reader that panics");
        Ok((epoch, index))
    }

    fn collate(&self, samples: Vec<(u64, usize)>) -> Vec<(u64, usize)> {
        samples
    }
}

pub(super) fn loader(len: usize, broken: &[usize], config: LoaderConfig) -> BatchLoader<Numbers> {
    let broken = broken.to_vec();
    BatchLoader::new(Numbers { len, broken }, config).unwrap()
}

pub(super) fn items(loader: &mut BatchLoader<Numbers>, start: Position) -> Vec<Vec<usize>> {
    let epoch = loader.epoch(start).unwrap();
    epoch
        .map(|batch| {
            batch
                .unwrap()
                .samples
                .iter()
                .map(|&(_, item)| item)
                .collect()
        })
        .collect()
}

pub(super) fn epoch(number: u64) -> Position {
    Position {
        epoch: number,
        item: 0,
    }
}

#[test]
fn the_order_does_not_depend_on_the_number_of_workers() {
    let read = |workers| {
        let config = LoaderConfig {
            workers,
            ..LoaderConfig::training(4, 11)
        };
        items(&mut loader(40, &[3, 17], config), epoch(2))
    };

    let alone = read(1);

    assert_eq!(alone.len(), 9);
    assert_eq!(alone, read(3));
    assert_eq!(alone, read(8));
}

#[test]
fn every_epoch_has_another_order_of_the_same_items() {
    let mut loader = loader(30, &[], LoaderConfig::training(5, 1));

    let mut first = items(&mut loader, epoch(0)).concat();
    let mut second = items(&mut loader, epoch(1)).concat();

    assert_ne!(first, second);
    first.sort_unstable();
    second.sort_unstable();
    assert_eq!(first, (0..30).collect::<Vec<_>>());
    assert_eq!(first, second);
}

#[test]
fn a_resumed_epoch_goes_on_where_it_stopped() {
    let mut whole = loader(23, &[4, 9], LoaderConfig::training(4, 5));
    let mut positions = Vec::new();
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for batch in whole.epoch(epoch(3)).unwrap() {
        let batch = batch.unwrap();
        positions.push(batch.next);
        batches.push(batch.samples.iter().map(|&(_, item)| item).collect());
    }

    for (at, position) in positions.into_iter().enumerate() {
        let mut resumed = loader(23, &[4, 9], LoaderConfig::training(4, 5));

        assert_eq!(items(&mut resumed, position), batches[at + 1..]);
    }
}

#[test]
fn training_drops_what_does_not_fill_a_batch() {
    let mut loader = loader(10, &[], LoaderConfig::training(4, 0));

    let batches = items(&mut loader, epoch(0));

    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
    assert_eq!(loader.batches_per_epoch(), 2);
}

#[test]
fn a_dataset_smaller_than_a_batch_is_one_batch() {
    let mut loader = loader(3, &[1], LoaderConfig::training(8, 0));

    let batches = items(&mut loader, epoch(0));

    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
    assert_eq!(loader.batches_per_epoch(), 1);
}

#[test]
fn evaluation_keeps_the_order_and_the_rest() {
    let mut loader = loader(5, &[2], LoaderConfig::evaluation(3));

    assert_eq!(items(&mut loader, epoch(0)), [vec![0, 1, 3], vec![4]]);
}

#[test]
fn a_broken_item_is_named_once() {
    let mut loader = loader(30, &[7], LoaderConfig::training(4, 0));

    items(&mut loader, epoch(0));
    items(&mut loader, epoch(1));

    assert_eq!(loader.skipped().len(), 1);
    assert_eq!(loader.skipped()[0].name, "item 7");
    assert!(
        loader.skipped()[0].reason.contains("line 7"),
        "{:?}",
        loader.skipped()
    );
}

#[test]
fn too_many_broken_items_stop_the_loader() {
    let broken: Vec<usize> = (0..100).filter(|item| item % 10 != 0).collect();
    let mut loader = loader(100, &broken, LoaderConfig::evaluation(4));

    let results: Vec<_> = loader.epoch(epoch(0)).unwrap().collect();

    let error = results.last().unwrap().as_ref().unwrap_err();
    assert!(
        matches!(
            error,
            DataError::TooManyFailures {
                failed: 18,
                read: 20,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("item 19"), "{error}");
}

#[test]
fn a_small_dataset_of_broken_items_only_is_an_error() {
    // Even where every share of failures is allowed.
    for max_failed_share in [0.5, 1.0] {
        let config = LoaderConfig {
            max_failed_share,
            ..LoaderConfig::training(2, 0)
        };
        let mut loader = loader(3, &[0, 1, 2], config);

        let results: Vec<_> = loader.epoch(epoch(0)).unwrap().collect();

        assert_eq!(results.len(), 1);
        assert!(results[0].is_err());
    }
}

#[test]
fn a_reader_that_panics_costs_its_item() {
    let mut loader = loader(1_002, &[], LoaderConfig::evaluation(600));

    let read = items(&mut loader, epoch(0)).concat();

    assert_eq!(read.len(), 1_000);
    assert_eq!(loader.skipped().len(), 2);
    assert_eq!(loader.skipped()[0].name, "item 1000");
}

#[test]
fn leaving_an_epoch_early_ends_its_workers() {
    let mut loader = loader(500, &[], LoaderConfig::training(2, 0));

    let mut batches = loader.epoch(epoch(0)).unwrap();
    let first = batches.next().unwrap().unwrap();
    drop(batches);

    // Dropping joins the threads; a second epoch then starts afresh.
    assert_eq!(first.next, Position { epoch: 0, item: 2 });
    assert_eq!(items(&mut loader, epoch(0)).len(), 250);
}

#[test]
fn unusable_configurations_are_refused() {
    let new = |len, config| {
        BatchLoader::new(
            Numbers {
                len,
                broken: vec![],
            },
            config,
        )
    };
    let share = LoaderConfig {
        max_failed_share: -0.1,
        ..LoaderConfig::evaluation(1)
    };

    assert!(matches!(
        new(0, LoaderConfig::evaluation(1)),
        Err(DataError::EmptyDataset)
    ));
    assert!(matches!(
        new(1, LoaderConfig::evaluation(0)),
        Err(DataError::OutOfRange { .. })
    ));
    assert!(matches!(new(1, share), Err(DataError::NotAShare { .. })));
}

/// Items of which the first waits until all others were read.
struct SlowFirst {
    others: std::sync::Mutex<usize>,
    all_read: std::sync::Condvar,
    len: usize,
}

impl SampleSource for SlowFirst {
    type Sample = usize;
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        self.len
    }

    fn name(&self, index: usize) -> String {
        format!("item {index}")
    }

    fn read(&self, _epoch: u64, index: usize) -> Result<usize, DataError> {
        let mut others = self.others.lock().unwrap();
        if index > 0 {
            *others += 1;
            self.all_read.notify_all();
            return Ok(*others);
        }
        // Where the others wait for this one, it is read without them after a while.
        let wait = std::time::Duration::from_secs(20);
        let (others, _) = self
            .all_read
            .wait_timeout_while(others, wait, |others| *others < self.len - 1)
            .unwrap();
        Ok(*others)
    }

    fn collate(&self, samples: Vec<usize>) -> Vec<usize> {
        samples
    }
}

#[test]
fn a_slow_item_holds_up_one_thread_alone() {
    let source = SlowFirst {
        others: std::sync::Mutex::new(0),
        all_read: std::sync::Condvar::new(),
        len: 6,
    };
    let config = LoaderConfig {
        workers: 2,
        prefetch_batches: 2,
        ..LoaderConfig::evaluation(3)
    };
    let mut loader = BatchLoader::new(source, config).unwrap();

    let batches = loader.epoch(Position::default()).unwrap();
    let read: Vec<usize> = batches.flat_map(|batch| batch.unwrap().samples).collect();

    // The first is handed out first, though all others were read before it.
    assert_eq!(read, [5, 1, 2, 3, 4, 5]);
}

/// Items that take too long from the third on.
struct Slow;

impl SampleSource for Slow {
    type Sample = usize;
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        10
    }

    fn name(&self, index: usize) -> String {
        format!("item {index}")
    }

    fn read(&self, _epoch: u64, index: usize) -> Result<usize, DataError> {
        match index {
            0..3 => Ok(index),
            _ => Err(DataError::TooSlow {
                path: self.name(index).into(),
                seconds: 120.0,
            }),
        }
    }

    fn collate(&self, samples: Vec<usize>) -> Vec<usize> {
        samples
    }
}

#[test]
fn an_item_that_the_clock_stops_ends_the_epoch_by_name() {
    let mut loader = BatchLoader::new(Slow, LoaderConfig::evaluation(2)).unwrap();

    let batches: Vec<_> = loader.epoch(Position::default()).unwrap().collect();

    assert!(batches[0].is_ok() && batches.len() == 2);
    let error = batches[1].as_ref().unwrap_err().to_string();
    assert!(error.starts_with("item 3: decoding took longer"), "{error}");
    assert!(loader.skipped().is_empty());
}

#[test]
fn the_next_batch_is_put_together_while_one_is_used() {
    let (sender, collated) = std::sync::mpsc::channel();
    let source = Collated {
        source: Numbers {
            len: 9,
            broken: vec![4],
        },
        collate: move |samples: Vec<(u64, usize)>| {
            let items: Vec<usize> = samples.into_iter().map(|(_, item)| item).collect();
            // Nobody listens to the last ones any more.
            let _ = sender.send((items.clone(), std::thread::current().id()));
            items
        },
    };
    let mut loader = BatchLoader::new(source, LoaderConfig::evaluation(3)).unwrap();
    let mut batches = loader.epoch(epoch(0)).unwrap();

    let first = batches.next().unwrap().unwrap();

    let wait = std::time::Duration::from_secs(20);
    let [one, two] = [(); 2].map(|()| collated.recv_timeout(wait).unwrap());
    assert_eq!((&first.samples, first.next.item), (&one.0, 3));
    assert_ne!(two.1, std::thread::current().id());
    // What is ahead has no part in what is told of.
    assert!(batches.skipped().is_empty());
    let second = batches.next().unwrap().unwrap();
    assert_eq!((second.samples, second.next.item), (two.0, 7));
    assert_eq!(batches.skipped().len(), 1);
}

#[test]
#[should_panic(expected = "samples that do not fit")]
fn a_panic_while_samples_are_put_together_is_one_of_the_caller() {
    let source = Collated {
        source: Numbers {
            len: 9,
            broken: Vec::new(),
        },
        collate: |samples: Vec<(u64, usize)>| {
            assert!(samples.is_empty(), "samples that do not fit");
        },
    };
    let mut loader = BatchLoader::new(source, LoaderConfig::evaluation(3)).unwrap();

    let _panics = loader.epoch(epoch(0)).unwrap().next();
}
