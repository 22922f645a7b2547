use super::tests::{epoch, items, loader};
use super::*;

/// A batch as its readers see it together: what stands at each place.
type Shared = Vec<(Vec<Option<usize>>, Position)>;

fn config(batch_size: usize, readers: usize, reader: usize) -> LoaderConfig {
    LoaderConfig {
        share: BatchShare { reader, readers },
        ..LoaderConfig::training(batch_size, 3)
    }
}

fn shared(len: usize, broken: &[usize], readers: usize, start: Position) -> Shared {
    let mut together = Shared::new();
    for reader in 0..readers {
        let mut loader = loader(len, broken, config(5, readers, reader));
        let batches = loader.epoch(start).unwrap().map(Result::unwrap);
        for (number, batch) in batches.enumerate() {
            if number == together.len() {
                together.push((vec![None; batch.places.slots], batch.next));
            }
            let (places, next) = &mut together[number];
            assert_eq!((places.len(), *next), (batch.places.slots, batch.next));
            for (&place, (_, item)) in batch.places.taken.iter().zip(batch.samples) {
                assert!(places[place].replace(item).is_none(), "read twice");
            }
        }
    }
    together
}

#[test]
fn shares_make_up_the_batches_of_a_single_reader() {
    let whole = items(&mut loader(23, &[], config(5, 1, 0)), epoch(1));

    // Three shares of five places are uneven; of seven, two are empty.
    for readers in [2, 3, 7] {
        let found = shared(23, &[], readers, epoch(1));

        let found: Vec<Vec<_>> = found
            .into_iter()
            .map(|(places, _)| places.into_iter().flatten().collect())
            .collect();
        assert_eq!(found, whole, "{readers} readers");
    }
}

#[test]
fn a_broken_item_leaves_its_place_empty_and_moves_no_other() {
    let expected = shared(23, &[], 3, epoch(0));
    let broken = expected[1].0[3].unwrap();

    let mut found = shared(23, &[broken], 3, epoch(0));

    assert_eq!(found[1].0[3].take(), None);
    found[1].0[3] = Some(broken);
    assert_eq!(found, expected);
}

#[test]
fn shares_resume_between_batches() {
    let expected = shared(23, &[4, 9], 3, epoch(0));

    let found = shared(23, &[4, 9], 3, expected[1].1);

    assert_eq!(found, expected[2..]);
}

#[test]
fn fewer_items_than_a_batch_are_one_batch() {
    let found = shared(2, &[], 3, epoch(0));

    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0.iter().flatten().count(), 2);
}
