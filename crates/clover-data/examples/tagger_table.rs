//! How well the part-of-speech tagger does on captions tagged by hand.
//!
//! `cargo run -p clover-data --example tagger_table` scores the held-out gold captions, `... -- FILE`
//! a file of the same form (`a/DET dog/NOUN runs/VERB`), with every word it got wrong.

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::fs;

use clover_data::text::{PartOfSpeechTagger, TagScores, parse_tagged_sentence};

const HELD_OUT: &str = include_str!("../gold/held_out.txt");

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args()
        .nth(1)
        .map(fs::read_to_string)
        .transpose()?;
    let tagger = PartOfSpeechTagger::new();
    let mut scores = TagScores::default();
    for line in file.as_deref().unwrap_or(HELD_OUT).lines() {
        let truth = parse_tagged_sentence(line).ok_or(format!("not tagged: {line}"))?;
        let words: Vec<&str> = truth.iter().map(|token| token.text.as_str()).collect();
        let given = tagger.tag(&words);
        scores.add(&truth, &given);
        // Looking at the errors of the held-out captions would make them part of development.
        if file.is_some() {
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
