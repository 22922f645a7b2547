//! Where the files of a benchmark are.
//!
//! ```text
//! benchmark.json  vocab.txt  answers.txt  answers.json
//! clips/000/000123.gif
//! train/       retrieval.jsonl  multiple_choice.jsonl  open_ended.jsonl  pairs.csv
//! validation/  the same, and negatives.jsonl
//! test/        the same, and negatives.jsonl
//! ```

use std::path::{Path, PathBuf};

use super::config::Split;

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
    pub answers_text: PathBuf,
    /// The same as an object from answer to number.
    pub answers_json: PathBuf,
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
        let [train, validation, test] = Split::ALL.map(|split| SplitFiles::below(folder, split));
        Self {
            record: folder.join("benchmark.json"),
            clips: folder.join("clips"),
            vocabulary: folder.join("vocab.txt"),
            answers_text: folder.join("answers.txt"),
            answers_json: folder.join("answers.json"),
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

impl SplitFiles {
    fn below(folder: &Path, split: Split) -> Self {
        let folder = folder.join(split.name());
        Self {
            retrieval: folder.join("retrieval.jsonl"),
            multiple_choice: folder.join("multiple_choice.jsonl"),
            open_ended: folder.join("open_ended.jsonl"),
            pairs: folder.join("pairs.csv"),
            negatives: (split != Split::Train).then(|| folder.join("negatives.jsonl")),
            folder,
        }
    }
}
