//! The files of a benchmark that are not lines about clips: where each is, which benchmark a folder
//! holds, and the vocabulary.
//!
//! ```text
//! benchmark.json  vocab.txt  answers.txt
//! clips/000/000123.gif
//! train/       retrieval.jsonl  multiple_choice.jsonl  open_ended.jsonl  pairs.csv
//! validation/  the same, and negatives.jsonl  pair_tests.jsonl
//! test/        the same, and negatives.jsonl  pair_tests.jsonl
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use serde::{Deserialize, Serialize};

use crate::SyntheticError;
use crate::attributes::attribute_names;
use crate::config::{BenchmarkConfig, Split};
use crate::phrases::caption_words;
use crate::question::{answers, question_forms};

/// Grows when the same configuration would give other files.
const VERSION: usize = 3;

/// A record has a few hundred bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// The first lines of a vocabulary, as BERT has them.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Characters that stand for themselves, so that an unknown word is spelled and not lost.
const PUNCTUATION: &str = ".,!?'\"-:;()";

/// The files of one split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFiles {
    /// The folder they are in.
    pub folder: PathBuf,
    /// Clips with their captions.
    pub retrieval: PathBuf,
    /// Questions with options.
    pub multiple_choice: PathBuf,
    /// Questions with an answer of the closed list.
    pub open_ended: PathBuf,
    /// A clip and a caption a row, to pre-train on.
    pub pairs: PathBuf,
    /// Which clips differ in a single respect, and in which; nothing where one trains.
    pub negatives: Option<PathBuf>,
    /// Clips told truly and with one word changed, as questions with two options and the `skill` that
    /// tells them apart; nothing where one trains.
    pub pair_tests: Option<PathBuf>,
}

/// The files of a benchmark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchmarkFiles {
    /// The configuration and the counts.
    pub record: PathBuf,
    /// The folder of clips; the annotations name clips below it.
    pub clips: PathBuf,
    /// The WordPiece vocabulary.
    pub vocabulary: PathBuf,
    /// The closed list of answers, one a line.
    pub answers: PathBuf,
    /// Clips to train on.
    pub train: SplitFiles,
    /// Clips to choose a model by.
    pub validation: SplitFiles,
    /// Clips to report on.
    pub test: SplitFiles,
}

impl BenchmarkFiles {
    /// The files of the benchmark in a folder, whether they exist or not.
    pub fn in_folder(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let [train, validation, test] = Split::ALL.map(|split| {
            let folder = folder.join(split.name());
            let measured = |file: &str| (split != Split::Train).then(|| folder.join(file));
            SplitFiles {
                retrieval: folder.join("retrieval.jsonl"),
                multiple_choice: folder.join("multiple_choice.jsonl"),
                open_ended: folder.join("open_ended.jsonl"),
                pairs: folder.join("pairs.csv"),
                negatives: measured("negatives.jsonl"),
                pair_tests: measured("pair_tests.jsonl"),
                folder,
            }
        });
        Self {
            record: folder.join("benchmark.json"),
            clips: folder.join("clips"),
            vocabulary: folder.join("vocab.txt"),
            answers: folder.join("answers.txt"),
            train,
            validation,
            test,
        }
    }

    /// The files of one split.
    pub fn split(&self, split: Split) -> &SplitFiles {
        match split {
            Split::Train => &self.train,
            Split::Validation => &self.validation,
            Split::Test => &self.test,
        }
    }
}

/// The lines of a WordPiece vocabulary with every word of a caption, a question or an answer: special
/// tokens, the words, then single characters and their continuations.
pub fn vocabulary() -> Vec<String> {
    let answers = answers();
    let phrases = question_forms().chain(attribute_names());
    let words = phrases.flat_map(str::split_whitespace);
    let words = words.filter(|word| !word.starts_with('{'));
    let mut words: BTreeSet<&str> = words.chain(caption_words()).collect();
    words.extend(answers.iter().flat_map(|answer| answer.split_whitespace()));

    let characters = || ('a'..='z').chain('0'..='9');
    let mut lines = SPECIAL_TOKENS.map(str::to_owned).to_vec();
    lines.extend(words.iter().map(|&word| word.to_owned()));
    let letters = characters().map(String::from);
    lines.extend(letters.filter(|letter| !words.contains(letter.as_str())));
    lines.extend(characters().map(|character| format!("##{character}")));
    lines.extend(PUNCTUATION.chars().map(String::from));
    lines
}

/// What a split has of everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SplitCounts {
    pub(crate) clips: usize,
    /// Captions of all clips together.
    pub(crate) captions: usize,
    pub(crate) multiple_choice: usize,
    pub(crate) open_ended: usize,
    /// Clips that differ from another in a single respect.
    pub(crate) negatives: usize,
    /// Sentences that are to be told from others; a folder that was made before there were any goes on.
    #[serde(default)]
    pub(crate) pair_tests: usize,
}

/// What all splits have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BenchmarkCounts {
    pub(crate) train: SplitCounts,
    pub(crate) validation: SplitCounts,
    pub(crate) test: SplitCounts,
}

/// `benchmark.json`: which benchmark a folder holds, and whether it is complete.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: usize,
    configuration: BenchmarkConfig,
    complete: bool,
    counts: BenchmarkCounts,
}

/// Marks a folder as the benchmark's, or finds that it is; the counts are not known yet.
pub(crate) fn claim(path: &Path, config: &BenchmarkConfig) -> Result<(), SyntheticError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return record(path, config, None),
        Err(source) => {
            return Err(SyntheticError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    let found = serde_json::from_reader(file.take(MAX_BYTES)).ok();
    // Both have been written and read: a share compares as it comes back from a file.
    let wanted = serde_json::to_string(config).and_then(|text| serde_json::from_str(&text));
    let wanted: Option<BenchmarkConfig> = wanted.ok();
    let same = |found: &Record| (found.version, Some(found.configuration)) == (VERSION, wanted);
    match found.filter(same) {
        Some(_) => Ok(()),
        None => Err(SyntheticError::OtherBenchmark {
            path: path.to_owned(),
        }),
    }
}

/// Writes which benchmark it is; with counts, all its files are there.
pub(crate) fn record(
    path: &Path,
    config: &BenchmarkConfig,
    counts: Option<BenchmarkCounts>,
) -> Result<(), SyntheticError> {
    let record = Record {
        version: VERSION,
        configuration: *config,
        complete: counts.is_some(),
        counts: counts.unwrap_or_default(),
    };
    let text = serde_json::to_string_pretty(&record);
    let text = text.map_err(|source| write_failed(path, source.into()))?;
    write_whole(path, &(text + "\n"))
}

/// Writes a file that is whole or absent.
pub(crate) fn write_whole(path: &Path, text: &str) -> Result<(), SyntheticError> {
    let write = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(text.as_bytes())?;
        file.commit()
    };
    write().map_err(|source| write_failed(path, source))
}

pub(crate) fn write_failed(path: &Path, source: std::io::Error) -> SyntheticError {
    SyntheticError::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fs;

    #[test]
    fn a_folder_belongs_to_one_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("benchmark.json");
        let config = BenchmarkConfig {
            test_share: 0.1 + 0.2,
            ..BenchmarkConfig::default()
        };
        claim(&path, &config).unwrap();

        let again = claim(&path, &config);
        let other = claim(&path, &BenchmarkConfig { seed: 9, ..config });

        assert!(again.is_ok());
        let message = other.unwrap_err().to_string();
        assert!(message.contains("benchmark.json"), "{message}");
    }

    #[test]
    fn a_record_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("benchmark.json");
        for content in ["", "[1]", "\u{0}", &"[".repeat(100_000)] {
            fs::write(&path, content).unwrap();

            let error = claim(&path, &BenchmarkConfig::default()).unwrap_err();

            assert!(matches!(error, SyntheticError::OtherBenchmark { .. }));
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }

    #[test]
    fn no_piece_of_the_vocabulary_stands_twice_and_no_form_is_among_them() {
        let lines = vocabulary();

        let different: HashSet<_> = lines.iter().collect();

        assert_eq!(different.len(), lines.len());
        assert!(lines.iter().all(|line| !line.contains(['{', '}'])));
        assert!(lines.iter().any(|line| line == "disappears"));
    }
}
