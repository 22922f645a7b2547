//! What each of several processes reads of one data set.

use std::ops::Range;

use super::super::source::SampleSource;
use super::error::ShardError;
use crate::DataError;

/// Whole shards are shared out unless more than one sample in this many would be left out.
const LEFT_OUT: usize = 20;

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
    /// there are fewer shards than processes or they are of too different sizes.
    ///
    /// The processes' items differ; up to a twentieth of all items, those at the end of the larger
    /// shares, belong to nobody.
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
        let items = self
            .whole_stretches(&all)
            .unwrap_or_else(|| self.single_items(source.len()));
        Ok(Shared {
            stretches: stretches_of(&items, &all),
            source,
            items,
        })
    }

    fn whole_stretches(self, stretches: &[Range<usize>]) -> Option<Vec<usize>> {
        let dealt = |rank| stretches.iter().skip(rank).step_by(self.world);
        let sizes = (0..self.world).map(|rank| dealt(rank).map(ExactSizeIterator::len).sum());
        let all: usize = stretches.iter().map(ExactSizeIterator::len).sum();
        let smallest: usize = sizes.min()?;
        let left_out = all - smallest * self.world;
        if left_out * LEFT_OUT > all {
            return None;
        }
        Some(dealt(self.rank).cloned().flatten().take(smallest).collect())
    }

    fn single_items(self, len: usize) -> Vec<usize> {
        let items = (self.rank..len).step_by(self.world);
        items.take(len / self.world).collect()
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
    fn samples_are_shared_where_whole_shards_would_leave_too_many_out() {
        // Two ranks with one shard each and one with two, or fewer shards than ranks.
        assert_eq!(
            items(&shares(&[4, 4, 4], 2)),
            [[0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9, 11]]
        );
        assert_eq!(items(&shares(&[7], 3)), [[0, 3], [1, 4], [2, 5]]);
        assert_eq!(shares(&[4, 4, 4], 2)[0].stretches(), [0..2, 2..4, 4..6]);
    }

    #[test]
    fn shares_are_disjoint_equal_and_nearly_everything() {
        for world in 1..9 {
            for lengths in [
                vec![50; 16],
                vec![50, 49, 48, 51, 50, 50, 50, 50],
                vec![97, 1, 3],
            ] {
                let shares = items(&shares(&lengths, world));
                let all: usize = lengths.iter().sum();

                let mut seen = shares.concat();
                seen.sort_unstable();
                seen.dedup();

                assert!(shares.iter().all(|share| share.len() == shares[0].len()));
                assert_eq!(seen.len(), shares[0].len() * world);
                assert!(seen.len() + all / LEFT_OUT + world > all);
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
