//! How well the part-of-speech tagger does on captions tagged by hand.
//!
//! `cargo run -p clover-data --example tagger_table` scores the held-out half of the gold captions
//! (lines with even numbers), `... -- development` the other half and further captions for
//! development, with every word it got wrong, and `... -- FILE` all of a file of the same form
//! (`a/DET dog/NOUN runs/VERB`).

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::fs;

use clover_data::text::{PartOfSpeechTagger, TagScores, parse_tagged_sentence};

const GOLD: &str = include_str!("../gold/captions.txt");
const DEVELOPMENT: &str = include_str!("../gold/development.txt");

fn main() -> Result<(), Box<dyn Error>> {
    let asked = std::env::args().nth(1);
    let half = |rest: usize| GOLD.lines().skip(1 - rest).step_by(2).collect::<Vec<_>>();
    let file;
    let lines: Vec<&str> = match asked.as_deref() {
        None => half(0),
        Some("development") => half(1).into_iter().chain(DEVELOPMENT.lines()).collect(),
        Some(path) => {
            file = fs::read_to_string(path)?;
            file.lines().collect()
        }
    };
    let tagger = PartOfSpeechTagger::new();
    let mut scores = TagScores::default();
    for line in lines {
        let truth = parse_tagged_sentence(line).ok_or(format!("not tagged: {line}"))?;
        let words: Vec<&str> = truth.iter().map(|token| token.text.as_str()).collect();
        let given = tagger.tag(&words);
        scores.add(&truth, &given);
        // Looking at the errors of the held-out half would make it part of development.
        if asked.is_some() {
            for (token, given) in truth.iter().zip(given).filter(|(t, g)| t.tag != *g) {
                let (word, tag) = (&token.text, token.tag);
                println!(
                    "{tag:>5} taken for {given:<5}  {word:<12} {}",
                    words.join(" ")
                );
            }
        }
    }
    println!("{scores}");
    Ok(())
}
