use super::*;
use crate::dataset::LoaderConfig;
use std::path::PathBuf;

/// Items whose sample is their epoch and number; the listed ones are broken.
struct Numbers {
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
        format!("item {index} of {}", self.len)
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        if self.broken.contains(&index) {
            return Err(DataError::EmptyFile {
                path: PathBuf::from(self.name(index)),
            });
        }
        Ok((epoch, index))
    }

    fn collate(&self, samples: Vec<(u64, usize)>) -> Vec<(u64, usize)> {
        samples
    }
}

fn loader(len: usize, broken: &[usize], batch: usize) -> BatchLoader<Numbers> {
    let broken = broken.to_vec();
    BatchLoader::new(Numbers { len, broken }, LoaderConfig::training(batch, 3)).unwrap()
}

type Samples = Vec<(u64, usize)>;
type Batch = MixedBatch<Vec<(u64, usize)>, Vec<(u64, usize)>>;

fn run(mixture: &mut Mixture<Numbers, Numbers>, start: MixturePosition) -> Vec<Batch> {
    mixture.epoch(start).unwrap().map(Result::unwrap).collect()
}

fn samples(batches: &[Batch]) -> Vec<[&Samples; 2]> {
    batches
        .iter()
        .map(|batch| [&batch.videos, &batch.images])
        .collect()
}

#[test]
fn the_shorter_side_is_restarted_in_another_order_and_the_longer_is_not() {
    let mut mixture = Mixture::new(loader(20, &[], 2), loader(6, &[], 2));

    let batches = run(&mut mixture, MixturePosition::default());

    assert_eq!((batches.len(), mixture.iterations_per_epoch()), (10, 10));
    let mut videos: Vec<_> = batches
        .iter()
        .flat_map(|batch| batch.videos.clone())
        .collect();
    videos.sort_unstable();
    assert_eq!(videos, (0..20).map(|item| (0, item)).collect::<Vec<_>>());
    // Three batches are an epoch of the images.
    let images: Vec<Vec<usize>> = batches
        .chunks(3)
        .enumerate()
        .map(|(epoch, batches)| {
            let images = batches.iter().flat_map(|batch| &batch.images);
            images
                .map(|&(shown_in, item)| {
                    assert_eq!(shown_in, epoch as u64);
                    item
                })
                .collect()
        })
        .collect();
    assert_ne!(images[0], images[1]);
    for mut epoch in images.into_iter().take(3) {
        epoch.sort_unstable();
        assert_eq!(epoch, [0, 1, 2, 3, 4, 5]);
    }
}

#[test]
fn either_side_may_be_the_longer_and_the_shorter_goes_on_in_the_next_epoch() {
    let mut mixture = Mixture::new(loader(4, &[], 2), loader(6, &[], 2));

    let first = run(&mut mixture, MixturePosition::default());
    let end = first[2].next;
    let start = mixture.next_epoch(end);
    let second = run(&mut mixture, start);

    assert_eq!((first.len(), second.len()), (3, 3));
    assert_eq!((mixture.epoch_of(end), mixture.epoch_of(start)), (0, 1));
    assert_eq!(start.videos, Position { epoch: 1, item: 2 });
    assert!(second[0].videos.iter().all(|&(epoch, _)| epoch == 1));
    assert!(second[1].videos.iter().all(|&(epoch, _)| epoch == 2));
    assert!(
        second
            .iter()
            .flat_map(|batch| &batch.images)
            .all(|&(epoch, _)| epoch == 1)
    );
}

#[test]
fn a_resumed_mixture_goes_on_where_it_stopped() {
    let new = || Mixture::new(loader(17, &[3, 9], 2), loader(7, &[1], 3));
    let whole = run(&mut new(), MixturePosition::default());

    for (at, batch) in whole.iter().enumerate() {
        let resumed = run(&mut new(), batch.next);

        assert_eq!(samples(&resumed), samples(&whole[at + 1..]));
    }
}

#[test]
fn a_shorter_side_of_broken_items_only_ends_with_an_error() {
    let mut mixture = Mixture::new(loader(20, &[], 2), loader(2, &[0, 1], 2));

    let results: Vec<_> = mixture.epoch(MixturePosition::default()).unwrap().collect();

    assert_eq!(results.len(), 1);
    assert!(results[0].is_err());
    assert_eq!(mixture.skipped().count(), 2);
}
