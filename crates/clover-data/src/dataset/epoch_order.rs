//! The order in which an epoch shows its items.

use std::ops::Range;

use rand::Rng;
use rand::seq::SliceRandom;

use super::randomness::Randomness;

/// The order of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochOrder {
    /// Training: another order every epoch, from this seed; full batches only, unless the epoch
    /// has fewer usable items than one batch.
    Shuffled {
        /// The seed of the run.
        seed: u64,
    },
    /// Training on what lies together on disk: the stretches of the source (its shards) are
    /// shuffled, then each item is drawn from the next `buffer` ones, so that reading stays nearly
    /// sequential. Where the buffer holds all items, the order is that of [`Shuffled`](Self::Shuffled);
    /// batches are as there.
    ShuffledByShard {
        /// The seed of the run.
        seed: u64,
        /// Items that are mixed; as many as several shards have is a good choice.
        buffer: usize,
    },
    /// Training where items that follow each other in the source belong together, such as clips that
    /// differ in one respect and tell a model in a batch what it overlooks: each `size` of them keep
    /// their order, and these groups are shuffled. Batches as in [`Shuffled`](Self::Shuffled); a group
    /// may lie across two.
    ShuffledByGroup {
        /// The seed of the run.
        seed: u64,
        /// Items of a group; 0 counts as 1.
        size: usize,
    },
    /// Evaluation: the order of the source, and a smaller last batch.
    InOrder,
}

impl EpochOrder {
    /// The items of an epoch, all of them, once each.
    pub(super) fn items(
        self,
        epoch: u64,
        len: usize,
        stretches: impl FnOnce() -> Vec<Range<usize>>,
    ) -> Vec<usize> {
        let mut items: Vec<usize> = (0..len).collect();
        match self {
            Self::Shuffled { seed } => items.shuffle(&mut Randomness::new(seed).for_order(epoch)),
            Self::ShuffledByShard { seed, buffer } if buffer >= len => {
                items.shuffle(&mut Randomness::new(seed).for_order(epoch));
            }
            Self::ShuffledByShard { seed, buffer } => {
                let mut rng = Randomness::new(seed).for_order(epoch);
                let mut stretches = stretches();
                stretches.shuffle(&mut rng);
                items = draw_from_buffer(stretches.into_iter().flatten(), buffer, &mut rng);
            }
            Self::ShuffledByGroup { seed, size } => {
                let mut groups: Vec<&[usize]> = items.chunks(size.max(1)).collect();
                groups.shuffle(&mut Randomness::new(seed).for_order(epoch));
                items = groups.concat();
            }
            Self::InOrder => {}
        }
        items
    }
}

/// Draws from a buffer that is filled up from `items` after each draw.
fn draw_from_buffer(
    items: impl Iterator<Item = usize>,
    size: usize,
    rng: &mut impl Rng,
) -> Vec<usize> {
    let mut buffer = Vec::new();
    let mut drawn = Vec::new();
    for item in items {
        if buffer.len() < size.max(1) {
            buffer.push(item);
        } else {
            let place = rng.random_range(0..buffer.len());
            drawn.push(std::mem::replace(&mut buffer[place], item));
        }
    }
    buffer.shuffle(rng);
    drawn.extend(buffer);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretches() -> Vec<Range<usize>> {
        (0..20).map(|shard| shard * 50..(shard + 1) * 50).collect()
    }

    fn order(seed: u64, epoch: u64, buffer: usize) -> Vec<usize> {
        EpochOrder::ShuffledByShard { seed, buffer }.items(epoch, 1_000, stretches)
    }

    #[test]
    fn every_item_comes_once_whatever_the_buffer() {
        for buffer in [0, 1, 7, 100, 5_000] {
            let mut items = order(1, 2, buffer);
            items.sort_unstable();

            assert_eq!(items, (0..1_000).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_buffer_that_holds_all_mixes_as_a_list_is_mixed() {
        let list = EpochOrder::Shuffled { seed: 1 }.items(2, 1_000, Vec::new);

        assert_eq!(order(1, 2, 1_000), list);
        assert_ne!(order(1, 2, 999), list);
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_only() {
        assert_eq!(order(1, 2, 100), order(1, 2, 100));
        assert_ne!(order(1, 2, 100), order(1, 3, 100));
        assert_ne!(order(1, 2, 100), order(2, 2, 100));
    }

    #[test]
    fn a_group_stays_together_and_its_place_changes() {
        let order =
            |epoch| EpochOrder::ShuffledByGroup { seed: 1, size: 5 }.items(epoch, 103, Vec::new);
        let items = order(0);

        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..103).collect::<Vec<_>>());
        let breaks = items.windows(2).filter(|two| two[1] != two[0] + 1).count();
        assert!((15..=20).contains(&breaks), "{items:?}");
        assert_ne!(items, order(1));
    }

    #[test]
    fn a_group_of_one_is_an_item() {
        let order = |order: EpochOrder| order.items(3, 100, Vec::new);

        for size in [0, 1] {
            assert_eq!(
                order(EpochOrder::ShuffledByGroup { seed: 1, size }),
                order(EpochOrder::Shuffled { seed: 1 })
            );
        }
    }

    #[test]
    fn no_more_shards_are_read_from_at_once_than_the_buffer_spans() {
        let items = order(3, 0, 100);

        // A shard is entered 100 items before its first draw at most; its last item leaves late
        // only by chance.
        for window in items.chunks(25) {
            let mut shards: Vec<usize> = window.iter().map(|item| item / 50).collect();
            shards.sort_unstable();
            shards.dedup();
            assert!(shards.len() <= 10, "{shards:?}");
        }
    }

    #[test]
    fn a_buffer_of_one_keeps_the_order_within_a_shard() {
        let items = order(4, 0, 1);

        for shard in items.chunks(50) {
            assert!(shard.windows(2).all(|two| two[1] == two[0] + 1));
        }
        assert_ne!(items, (0..1_000).collect::<Vec<_>>());
    }
}
