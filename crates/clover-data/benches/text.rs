//! How fast captions become masked rows of token ids, on one thread.
//!
//! `cargo bench -p clover-data --bench text`; the captions are the tagged ones of `gold/`, the
//! vocabulary is made of their words and of single letters.

#![expect(
    clippy::expect_used,
    reason = "the bench makes its own vocabulary and shares"
)]

use std::collections::BTreeSet;

use clover_data::masking::{TextMasker, TextMasking};
use clover_data::text::{PartOfSpeechTagger, Tokenizer, parse_tagged_sentence};
use divan::Bencher;
use divan::counter::ItemsCount;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const GOLD: &str = include_str!("../gold/held_out.txt");

/// Tokens of a text, as published.
const TEXT_LEN: usize = 30;

fn main() {
    divan::main();
}

fn captions() -> Vec<String> {
    let words = |line| {
        let tokens = parse_tagged_sentence(line)?;
        let words: Vec<_> = tokens.into_iter().map(|token| token.text).collect();
        Some(words.join(" "))
    };
    GOLD.lines().filter_map(words).collect()
}

/// Two words of three are in the vocabulary; the third is cut into letters.
fn tokenizer(captions: &[String]) -> Tokenizer {
    let words: BTreeSet<&str> = captions.iter().flat_map(|text| text.split(' ')).collect();
    let known = words.iter().enumerate().filter(|(at, _)| at % 3 > 0);
    let known: BTreeSet<String> = known.map(|(_, word)| (*word).to_owned()).collect();
    let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned);
    let ordinary: BTreeSet<String> = known.into_iter().chain(letters).collect();
    let lines: Vec<String> = special.into_iter().chain(ordinary).collect();
    Tokenizer::from_vocab_lines(lines.iter().map(String::as_str), "vocab.txt")
        .expect("the vocabulary has all special tokens")
}

#[divan::bench]
fn tag(bencher: Bencher<'_, '_>) {
    let captions = captions();
    let tagger = PartOfSpeechTagger::new();
    let count = ItemsCount::new(captions.len());
    bencher.counter(count).bench_local(|| {
        for caption in &captions {
            let words: Vec<&str> = caption.split(' ').collect();
            divan::black_box(tagger.tag(&words));
        }
    });
}

#[divan::bench]
fn encode_only(bencher: Bencher<'_, '_>) {
    let captions = captions();
    let tokenizer = tokenizer(&captions);
    let count = ItemsCount::new(captions.len());
    bencher.counter(count).bench_local(|| {
        for caption in &captions {
            divan::black_box(tokenizer.encode(caption, TEXT_LEN).ok());
        }
    });
}

#[divan::bench(args = ["semantic", "whole-word", "random-token"])]
fn encode_and_mask(bencher: Bencher<'_, '_>, name: &str) {
    let captions = captions();
    let tokenizer = tokenizer(&captions);
    let masking = match name {
        "semantic" => TextMasking::Semantic { ratio: 0.3 },
        "whole-word" => TextMasking::WholeWord { ratio: 0.3 },
        _ => TextMasking::RandomToken { probability: 0.15 },
    };
    let masker = TextMasker::new(masking).expect("shares are shares");
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let count = ItemsCount::new(captions.len());
    bencher.counter(count).bench_local(|| {
        for caption in &captions {
            if let Ok(encoding) = tokenizer.encode(caption, TEXT_LEN) {
                divan::black_box(masker.mask(&encoding, None, &tokenizer, &mut rng));
            }
        }
    });
}
