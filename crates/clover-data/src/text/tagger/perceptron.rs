//! An averaged perceptron that tags words by their neighbours.
//!
//! Collins, "Discriminative Training Methods for Hidden Markov Models" (EMNLP 2002), from left to
//! right without a search. Weights are whole numbers: training gives the same ones everywhere.

use std::collections::HashMap;
use std::hash::Hash;

use ahash::RandomState;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Word;
use super::verb_forms::VerbForms;
use crate::text::PartOfSpeech;

/// More passes over the training captions do not help in cross-validation.
const PASSES: usize = 5;

/// Trainings whose weights are added up: one alone depends on the order of its captions by more than
/// half a point of accuracy.
const ORDERS: u64 = 5;

/// One number a tag, in the order of [`PartOfSpeech`].
type Weights = [i32; PartOfSpeech::NAMES.len()];

type Table = HashMap<u64, Weights, RandomState>;

/// A sentence and its true tags.
pub(super) type Example<'a> = (Vec<Word<'a>>, Vec<PartOfSpeech>);

/// A trained tagger.
pub(super) struct Perceptron {
    weights: Table,
    /// The tags that a word had in training.
    seen: HashMap<String, Vec<PartOfSpeech>>,
}

impl Perceptron {
    /// Learns from sentences whose tags are known.
    pub(super) fn train(examples: &[Example<'_>]) -> Self {
        let mut seen: HashMap<String, Vec<PartOfSpeech>> = HashMap::new();
        for (word, tag) in examples
            .iter()
            .flat_map(|(words, tags)| words.iter().zip(tags))
        {
            seen.entry(word.text.to_owned()).or_default().push(*tag);
        }
        let mut all = Self {
            weights: Table::with_hasher(hasher()),
            seen,
        };
        for seed in 0..ORDERS {
            let weights = std::mem::replace(&mut all.weights, Table::with_hasher(hasher()));
            let learned = all.learn(examples, seed);
            all.weights = weights;
            for (feature, weights) in learned {
                add(all.weights.entry(feature).or_default(), &weights);
            }
        }
        all
    }

    /// The mean of the weights over all steps of one training, times the steps.
    fn learn(&mut self, examples: &[Example<'_>], seed: u64) -> Table {
        let mut order: Vec<&Example<'_>> = examples.iter().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // The sum over the steps is the last weight times them, less each change times those
        // before it.
        let mut late = Table::with_hasher(hasher());
        let mut step = 0;
        for _ in 0..PASSES {
            order.shuffle(&mut rng);
            for (words, truth) in &order {
                let mut tags: Vec<PartOfSpeech> = words.iter().map(|word| word.guess).collect();
                for at in 0..words.len() {
                    let features = features(words, &tags, at);
                    tags[at] = self.best(&words[at], &features);
                    step += 1;
                    if tags[at] == truth[at] {
                        continue;
                    }
                    for feature in features {
                        let now = self.weights.entry(feature).or_default();
                        let late = late.entry(feature).or_default();
                        for (tag, change) in [(truth[at], 1), (tags[at], -1)] {
                            now[tag as usize] += change;
                            late[tag as usize] -= change * step;
                        }
                    }
                }
            }
        }
        for (feature, weights) in self.weights.drain() {
            add(
                late.entry(feature).or_default(),
                &weights.map(|weight| weight * step),
            );
        }
        late
    }

    /// Tags a sentence.
    pub(super) fn tag(&self, words: &[Word<'_>]) -> Vec<PartOfSpeech> {
        let mut tags: Vec<PartOfSpeech> = words.iter().map(|word| word.guess).collect();
        for at in 0..words.len() {
            tags[at] = self.best(&words[at], &features(words, &tags, at));
        }
        tags
    }

    /// The tag of most points among those that the word may have.
    fn best(&self, word: &Word<'_>, features: &[u64]) -> PartOfSpeech {
        let mut points = Weights::default();
        for weights in features.iter().filter_map(|key| self.weights.get(key)) {
            add(&mut points, weights);
        }
        let seen = self.seen.get(word.text).map_or(&[][..], Vec::as_slice);
        let tags = PartOfSpeech::NAMES.map(|(_, tag)| tag).into_iter();
        tags.filter(|&tag| word.may_be(tag) || seen.contains(&tag))
            .max_by_key(|&tag| points[tag as usize])
            .unwrap_or(word.guess)
    }
}

/// What the weights of the word there are looked up by: its letters, what it may be, and its
/// neighbours, those before it with their tags.
fn features(words: &[Word<'_>], tags: &[PartOfSpeech], at: usize) -> [u64; 23] {
    let word = |offset: isize| {
        let place = at.checked_add_signed(offset);
        place.and_then(|at| words.get(at)).unwrap_or(&Word::EDGE)
    };
    let tag = |back: usize| at.checked_sub(back).map(|at| tags[at]);
    let before = tags[..at].iter().zip(words).rev();
    // What the noun group that ends here was opened by.
    let opener = before
        .clone()
        .map(|(tag, _)| tag)
        .find(|&&tag| !in_noun_group(tag));
    let verb = before.clone().find(|(tag, _)| is_verb(**tag));
    let verb = verb.map(|(_, verb)| verb.forms);
    let mut clause = before.take_while(|(tag, word)| !begins_clause(**tag, word.text));
    // A clause that has its verb seldom has another.
    let finite = clause.any(|(&tag, word)| is_verb(tag) && !word.forms.has(VerbForms::GERUND));
    let (this, last, next) = (word(0), word(-1), word(1));
    let forms = this.forms;
    [
        key((0, this.text)),
        key((1, this.guess)),
        key((2, this.trained, forms)),
        key((3, this.end(3))),
        key((4, this.end(2))),
        key((5, tag(1))),
        key((6, tag(1), forms)),
        key((7, tag(1), this.guess, forms)),
        key((8, tag(2), tag(1))),
        key((9, last.text)),
        key((10, last.text, forms)),
        key((11, next.text)),
        key((12, next.guess)),
        key((13, next.guess, forms)),
        key((14, tag(1), next.guess, forms)),
        key((15, next.forms, forms)),
        key((16, word(-2).text)),
        key((17, last.text, this.text)),
        key((18, next.guess, word(2).guess)),
        key((19, last.end(1), forms)),
        key((20, opener, last.end(1), forms)),
        key((21, verb, tag(1), forms)),
        key((22, finite, forms)),
    ]
}

fn in_noun_group(tag: PartOfSpeech) -> bool {
    use PartOfSpeech::{Adjective, Noun, ProperNoun};
    matches!(tag, Noun | ProperNoun | Adjective)
}

fn is_verb(tag: PartOfSpeech) -> bool {
    matches!(tag, PartOfSpeech::Verb | PartOfSpeech::Auxiliary)
}

fn begins_clause(tag: PartOfSpeech, word: &str) -> bool {
    use PartOfSpeech::{CoordinatingConjunction, Punctuation, SubordinatingConjunction};
    let joins = matches!(
        tag,
        SubordinatingConjunction | CoordinatingConjunction | Punctuation
    );
    joins || matches!(word, "who" | "which" | "that")
}

fn add(sum: &mut Weights, weights: &Weights) {
    let pairs = sum.iter_mut().zip(weights);
    pairs.for_each(|(sum, weight)| *sum += weight);
}

fn key(parts: impl Hash) -> u64 {
    hasher().hash_one(parts)
}

fn hasher() -> RandomState {
    RandomState::with_seeds(0, 0, 0, 0)
}
