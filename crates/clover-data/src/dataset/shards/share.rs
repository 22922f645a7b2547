//! What each of several processes reads of one data set.

use std::ops::Range;

use super::super::source::SampleSource;
use super::error::ShardError;
use crate::DataError;

/// One of `world` processes that train together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The process, from zero.
    pub rank: usize,
    /// The number of processes.
    pub world: usize,
}

/// The items of one process.
///
/// Every process has the same number of items, so all have the same number of batches while no
/// item is broken. A process that finds broken items has fewer: a loop over several processes asks
/// all of them whether there is another batch.
#[derive(Debug, Clone)]
pub struct Shared<S> {
    source: S,
    items: Vec<usize>,
    stretches: Vec<Range<usize>>,
}

impl Share {
    /// Takes the share of this process: every `world`-th shard, or every `world`-th sample where
    /// there are fewer shards than processes.
    ///
    /// The ends of larger shares fill the smaller ones up, so that all are equal; fewer than
    /// `world` items belong to nobody.
    ///
    /// # Errors
    ///
    /// When there is no such process, or fewer items than processes.
    pub fn of<S: SampleSource>(self, source: S) -> Result<Shared<S>, DataError> {
        let Self { rank, world } = self;
        if rank >= world {
            return Err(ShardError::NoSuchPart {
                what: "rank",
                number: rank,
                of: world,
            }
            .into());
        }
        if source.len() < world {
            return Err(ShardError::TooFewSamples {
                samples: source.len(),
                world,
            }
            .into());
        }
        let all = source.stretches();
        let items = if all.len() < world {
            let items = (rank..source.len()).step_by(world);
            items.take(source.len() / world).collect()
        } else {
            self.stretches_in_turn(&all, source.len() / world)
        };
        Ok(Shared {
            stretches: stretches_of(&items, &all),
            source,
            items,
        })
    }

    /// Whole stretches in turn, `size` items in all: what a share has too many goes to those that
    /// have too few, in the order of the ranks.
    fn stretches_in_turn(self, stretches: &[Range<usize>], size: usize) -> Vec<usize> {
        let dealt = |rank| {
            stretches
                .iter()
                .skip(rank)
                .step_by(self.world)
                .cloned()
                .flatten()
        };
        let missing = |rank| size.saturating_sub(dealt(rank).count());
        let before: usize = (0..self.rank).map(missing).sum();
        let surplus = (0..self.world).flat_map(|rank| dealt(rank).skip(size));
        let mut items: Vec<usize> = dealt(self.rank).take(size).collect();
        items.extend(surplus.skip(before).take(missing(self.rank)));
        items
    }
}

/// Where the items go over from one of the source's stretches to another.
fn stretches_of(items: &[usize], all: &[Range<usize>]) -> Vec<Range<usize>> {
    let number = |item: usize| all.partition_point(|stretch| stretch.end <= item);
    let mut start = 0;
    items
        .chunk_by(|&one, &next| number(one) == number(next))
        .map(|part| {
            let stretch = start..start + part.len();
            start = stretch.end;
            stretch
        })
        .collect()
}

impl<S> Shared<S> {
    /// The data set that is shared.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The items of this process, by their number in the whole data set.
    pub fn items(&self) -> &[usize] {
        &self.items
    }
}

impl<S: SampleSource> SampleSource for Shared<S> {
    type Sample = S::Sample;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn name(&self, index: usize) -> String {
        self.source.name(self.items[index])
    }

    fn stretches(&self) -> Vec<Range<usize>> {
        self.stretches.clone()
    }

    fn read(&self, epoch: u64, index: usize) -> Result<Self::Sample, DataError> {
        self.source.read(epoch, self.items[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stretches of these lengths.
    struct Stretches(Vec<usize>);

    impl SampleSource for Stretches {
        type Sample = usize;

        fn len(&self) -> usize {
            self.0.iter().sum()
        }

        fn name(&self, index: usize) -> String {
            index.to_string()
        }

        fn stretches(&self) -> Vec<Range<usize>> {
            let mut start = 0;
            let stretch = |len: &usize| {
                start += len;
                start - len..start
            };
            self.0.iter().map(stretch).collect()
        }

        fn read(&self, _epoch: u64, index: usize) -> Result<usize, DataError> {
            Ok(index)
        }
    }

    fn shares(lengths: &[usize], world: usize) -> Vec<Shared<Stretches>> {
        let share = |rank| Share { rank, world }.of(Stretches(lengths.to_vec()));
        (0..world).map(|rank| share(rank).unwrap()).collect()
    }

    fn items(shares: &[Shared<Stretches>]) -> Vec<Vec<usize>> {
        shares.iter().map(|share| share.items().to_vec()).collect()
    }

    #[test]
    fn ranks_take_whole_shards_in_turn() {
        let shares = shares(&[3, 2, 2, 3], 2);

        assert_eq!(items(&shares), [[0, 1, 2, 5, 6], [3, 4, 7, 8, 9]]);
        assert_eq!(shares[0].stretches(), [0..3, 3..5]);
        assert_eq!(shares[1].read(0, 2).unwrap(), 7);
        assert_eq!(shares[1].name(4), "9");
    }

    #[test]
    fn larger_shares_fill_smaller_ones_up() {
        let shares = shares(&[4, 4, 4], 2);

        assert_eq!(items(&shares), [[0, 1, 2, 3, 8, 9], [4, 5, 6, 7, 10, 11]]);
        assert_eq!(shares[1].stretches(), [0..4, 4..6]);
    }

    #[test]
    fn samples_are_shared_where_there_are_fewer_shards_than_ranks() {
        let shares = shares(&[4, 3], 3);

        assert_eq!(items(&shares), [[0, 3], [1, 4], [2, 5]]);
        assert_eq!(
            shares[0].stretches(),
            std::iter::once(0..2).collect::<Vec<_>>()
        );
        assert_eq!(shares[1].stretches(), [0..1, 1..2]);
    }

    #[test]
    fn shares_are_disjoint_equal_and_nearly_everything() {
        for world in 1..9 {
            for lengths in [
                vec![50; 16],
                vec![50, 49, 1, 200, 3, 50, 50, 60],
                vec![97, 1, 3],
            ] {
                let shares = items(&shares(&lengths, world));
                let all: usize = lengths.iter().sum();

                let mut seen = shares.concat();
                seen.sort_unstable();
                seen.dedup();

                assert!(shares.iter().all(|share| share.len() == all / world));
                assert_eq!(seen.len(), all / world * world);
            }
        }
    }

    #[test]
    fn ranks_that_cannot_be_are_refused() {
        let of = |rank, world| Share { rank, world }.of(Stretches(vec![2])).is_err();

        assert!(of(2, 2) && of(0, 0) && of(0, 3));
        assert!(!of(1, 2));
    }
}
