//! Why an annotation file, or a request to convert one, cannot be used.

use std::path::PathBuf;

use super::super::annotation::AnnotationFormat;
use super::fault::{RowFault, RowNumber};
use clover_pickle::PickleError;

/// Why an annotation file, or a request to convert one, cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationError {
    /// A row cannot be used.
    #[error("{path}: {row} cannot be used")]
    Row {
        /// The file.
        path: PathBuf,
        /// The row.
        row: RowNumber,
        /// Why.
        source: RowFault,
    },

    /// A file that should be JSON is not.
    #[error("{path}: is not the JSON it should be")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },

    /// A file is larger than any of its kind.
    #[error("{path}: {bytes} bytes are too many, at most {limit} are read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size read.
        limit: u64,
    },

    /// No known format looks like the file.
    #[error("{path}: its format is not recognised; name it")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },

    /// It is no annotation file.
    #[error("{path}: is {what}")]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// What it is, and where it belongs.
        what: &'static str,
    },

    /// No format has this name.
    #[error("there is no annotation format {name:?}; there are: {known}")]
    UnknownFormatName {
        /// The name.
        name: String,
        /// The names there are.
        known: String,
    },

    /// A format needs another file.
    #[error("{path}: the format {format} needs {needed}")]
    Needs {
        /// The annotation file.
        path: PathBuf,
        /// Its format.
        format: AnnotationFormat,
        /// What is missing.
        needed: &'static str,
    },

    /// An option was given that the format has no use for.
    #[error("the format {format} has no use for {option}")]
    UnusedOption {
        /// The format.
        format: AnnotationFormat,
        /// The option.
        option: &'static str,
    },

    /// The file has several splits, and none was chosen.
    #[error("{path}: has several splits; choose one when converting it: --split {found}")]
    ChooseSplit {
        /// The file.
        path: PathBuf,
        /// Its splits, separated by bars.
        found: String,
    },

    /// The file does not have the split asked for.
    #[error("{path}: has no split {wanted:?}; its splits are: {found}")]
    UnknownSplit {
        /// The file.
        path: PathBuf,
        /// The split asked for.
        wanted: String,
        /// Its splits, separated by commas.
        found: String,
    },

    /// A pattern for the paths of clips cannot be filled in.
    #[error("the clip pattern {pattern:?} {reason}; its placeholders are: {known}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: &'static str,
        /// The placeholders that can be filled in, separated by commas.
        known: String,
    },

    /// An extension is more than letters and digits.
    #[error("{extension:?} is not a file extension")]
    Extension {
        /// The extension.
        extension: String,
    },

    /// A pickle is broken, or more than plain data.
    #[error("{path}: the pickle cannot be read")]
    Pickle {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PickleError,
    },

    /// A vocabulary has an answer twice.
    #[error("{path}: {row} repeats the answer {answer:?}")]
    RepeatedAnswer {
        /// The file.
        path: PathBuf,
        /// The second place.
        row: RowNumber,
        /// The answer.
        answer: String,
    },

    /// The numbers of a vocabulary have a gap or a double.
    #[error(
        "{path}: the answer {answer:?} has the number {index}, twice or beyond {count} answers"
    )]
    AnswerNumber {
        /// The file.
        path: PathBuf,
        /// The answer.
        answer: String,
        /// Its number.
        index: u64,
        /// The number of answers.
        count: usize,
    },

    /// A vocabulary has no answer or far too many.
    #[error("{path}: {found} answers are not between 1 and {largest}")]
    AnswerCount {
        /// The file.
        path: PathBuf,
        /// The number of answers.
        found: usize,
        /// The most allowed.
        largest: usize,
    },

    /// A line of the mapping from numbers to videos cannot be used.
    #[error("{path}: line {line} is not a name and a different vid number")]
    Mapping {
        /// The file.
        path: PathBuf,
        /// The line, counted from one.
        line: usize,
    },
}
