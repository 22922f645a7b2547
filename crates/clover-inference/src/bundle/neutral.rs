//! Texts that have nothing to do with a library in particular.
//!
//! How a model scores them against a library is what other scores are measured by.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use clover_data::dataset::Randomness;
use clover_data::text::WordPieceTokenizer;
use rand::seq::IndexedRandom;

use super::files::write_whole;
use crate::InferenceError;

/// Some captions of a bundle's training, a line each.
const NEUTRAL: &str = "neutral_texts.txt";
/// How many are enough.
const TEXTS: usize = 256;
/// Words of a text that is drawn.
const WORDS: usize = 5;
/// Shorter pieces are seldom words.
const SHORTEST_WORD: usize = 3;

/// The neutral texts of a bundle: captions of its training, or, of a bundle that has none, words of its
/// vocabulary drawn at random.
///
/// # Errors
///
/// The file cannot be read.
pub fn neutral_texts(
    folder: &Path,
    tokenizer: &WordPieceTokenizer,
) -> Result<Vec<String>, InferenceError> {
    let path = folder.join(NEUTRAL);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            return Ok(lines.take(TEXTS).map(str::to_owned).collect());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(InferenceError::File { path, source }),
    }
    let pieces = tokenizer.vocabulary().pieces();
    let is_word = |piece: &&String| {
        piece.chars().count() >= SHORTEST_WORD && piece.chars().all(char::is_alphabetic)
    };
    let words: Vec<&String> = pieces.iter().filter(is_word).collect();
    let texts = (0..TEXTS as u64).map(|number| {
        let mut rng = Randomness::new(0).for_item(0, number);
        let chosen = (0..WORDS).filter_map(|_| words.choose(&mut rng));
        chosen
            .map(|word| word.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    });
    Ok(texts.filter(|text| !text.is_empty()).collect())
}

/// Keeps some captions of a bundle's training beside it.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_neutral_texts<'t>(
    folder: &Path,
    captions: impl IntoIterator<Item = &'t str>,
) -> Result<(), InferenceError> {
    let lines = captions.into_iter().take(TEXTS);
    let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n");
    write_whole(&folder.join(NEUTRAL), lines.collect::<String>().as_bytes())
}
