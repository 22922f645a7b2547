//! Figures of many clips in a few numbers.

use std::collections::BTreeMap;

use serde::Serialize;

/// Values that are told apart; of more, the rest is counted together.
const MAX_VALUES: usize = 10_000;

/// What the values beyond that are called.
const OTHERS: &str = "others";

/// The smallest, mean and largest of many values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Spread {
    /// How many values there are.
    pub count: usize,
    /// The smallest of them.
    pub smallest: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest of them.
    pub largest: f64,
    /// Their sum.
    #[serde(skip)]
    pub(super) sum: f64,
}

impl Spread {
    /// All values together, where they add up to something.
    pub fn total(&self) -> f64 {
        self.sum
    }

    /// Takes another value into account.
    pub(super) fn take(&mut self, value: f64) {
        if self.count == 0 {
            (self.smallest, self.largest) = (value, value);
        }
        self.count += 1;
        self.smallest = self.smallest.min(value);
        self.largest = self.largest.max(value);
        self.sum += value;
        self.mean = self.sum / self.count as f64;
    }
}

/// A value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The value.
    pub value: String,
    /// How often it occurs.
    pub count: usize,
}

/// How often each of many values occurs.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(BTreeMap<String, usize>);

impl Counts {
    pub(super) fn count(&mut self, value: String) {
        let known = self.0.len() < MAX_VALUES || self.0.contains_key(&value);
        let value = if known { value } else { OTHERS.to_owned() };
        *self.0.entry(value).or_default() += 1;
    }

    /// The most frequent values first; those that occur equally often in the order of their names.
    pub(super) fn most_frequent(self, most: usize) -> Vec<Count> {
        let mut counts: Vec<Count> = self
            .0
            .into_iter()
            .map(|(value, count)| Count { value, count })
            .collect();
        counts.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        counts.truncate(most);
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_mean_between_its_ends() {
        let mut spread = Spread::default();
        for value in [4.0, 1.0, 7.0] {
            spread.take(value);
        }

        let whole = Spread {
            count: 3,
            smallest: 1.0,
            mean: 4.0,
            largest: 7.0,
            sum: 12.0,
        };
        assert_eq!(spread, whole);
    }

    #[test]
    fn the_most_frequent_value_comes_first() {
        let mut counts = Counts::default();
        for value in ["b", "a", "c", "c"] {
            counts.count(value.to_owned());
        }

        let values = counts.most_frequent(2);

        let values: Vec<_> = values
            .iter()
            .map(|count| (&*count.value, count.count))
            .collect();
        assert_eq!(values, [("c", 2), ("a", 1)]);
    }
}
