//! Why a row cannot be used, and which row it is.

use std::fmt;
use std::path::PathBuf;
use std::str::Utf8Error;

/// Where a row stands, counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowNumber {
    /// The line of a text file.
    Line(usize),
    /// The entry of a list.
    Entry(usize),
}

/// A path that does not stay below the folder it is relative to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {path:?} {reason}")]
pub struct UnsafePath {
    /// The path, or its beginning.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Why a row cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowFault {
    /// A text was cut in the middle of a character.
    #[error("its {key} has half of a surrogate pair or bytes that are not UTF-8")]
    BrokenText {
        /// The key.
        key: &'static str,
    },

    /// Its span is none.
    #[error("its start and end are no span")]
    Span(#[source] serde_json::Error),

    /// A moment of a video cannot be used; the others may be.
    #[error("its moment {number}, of {video:?}")]
    Moment {
        /// The video.
        video: String,
        /// The moment, counted from one.
        number: usize,
        /// Why.
        source: Box<Self>,
    },

    /// Two lists that belong together are of different lengths.
    #[error("its {first} and its {second} are not equally many")]
    Lengths {
        /// The key of one list.
        first: &'static str,
        /// The key of the other.
        second: &'static str,
    },

    /// It is not UTF-8.
    #[error("it is not text")]
    NotText(#[source] Utf8Error),

    /// It is not JSON, or not an item of the project's own form.
    #[error("it is not the JSON it should be")]
    NotJson(#[source] serde_json::Error),

    /// It is a number or a list where an object belongs.
    #[error("it is not an object")]
    NotAnObject,

    /// It is longer than any row.
    #[error("it has more than {limit} bytes")]
    TooLong {
        /// The most bytes allowed.
        limit: usize,
    },

    /// A quoted field never ends.
    #[error("it opens a quote that is not closed")]
    UnclosedQuote,

    /// It has too few or too many columns.
    #[error("it has {found} columns, not {wanted}")]
    Columns {
        /// The columns found.
        found: usize,
        /// The numbers of columns known.
        wanted: &'static str,
    },

    /// A key or a column is not there.
    #[error("it has no {key}")]
    Missing {
        /// The key.
        key: &'static str,
    },

    /// A value is of another kind.
    #[error("its {key} is not {wanted}")]
    WrongKind {
        /// The key.
        key: &'static str,
        /// What belongs there.
        wanted: &'static str,
    },

    /// A text is longer than any.
    #[error("its {key} has more than {words} words or {bytes} bytes")]
    TextTooLong {
        /// The key.
        key: &'static str,
        /// The most words allowed.
        words: usize,
        /// The most bytes allowed.
        bytes: usize,
    },

    /// There are too few or too many of something.
    #[error("it has {found} {key}, not {smallest} to {largest}")]
    Count {
        /// What is counted.
        key: &'static str,
        /// How many there are.
        found: usize,
        /// The fewest allowed.
        smallest: usize,
        /// The most allowed.
        largest: usize,
    },

    /// The right answer is none of the options.
    #[error("its answer is number {answer}, its options are {options}")]
    Answer {
        /// The number of the answer, as the row counts.
        answer: u64,
        /// The number of options.
        options: usize,
    },

    /// An answer is a number and nobody said what it stands for.
    #[error("its answer is a number, which needs the vocabulary of answers")]
    NeedsVocabulary,

    /// A name is not in the file that should explain it.
    #[error("{file} does not know {name:?}")]
    Unknown {
        /// The name.
        name: String,
        /// The file.
        file: PathBuf,
    },

    /// The name of a clip does not end in its time span.
    #[error("its clip {clip:?} does not end in a time span")]
    NoTimeSpan {
        /// The name.
        clip: String,
    },

    /// A sentence has no blank to fill in, or several.
    #[error("its sentence has {found} blanks, not one")]
    Blanks {
        /// The blanks found.
        found: usize,
    },

    /// It has five columns, as the rows of a blind test.
    #[error("it has no sentence, as the rows of the blind test")]
    Blind,

    /// The path of its clip leaves the folder of clips.
    #[error(transparent)]
    UnsafePath(#[from] UnsafePath),

    /// It belongs to another task than the rows before it.
    #[error("it is a {found} item among {first} items")]
    OtherTask {
        /// The task of the row.
        found: &'static str,
        /// The task of the rows before it.
        first: &'static str,
    },

    /// A caption has more or fewer tags than words.
    #[error("its caption has {tags} tags for {words} words")]
    Tags {
        /// The tags.
        tags: usize,
        /// The words.
        words: usize,
    },

    /// Nothing is said about a video that a list names.
    #[error("the video {video:?} is not annotated")]
    NotAnnotated {
        /// The video.
        video: String,
    },

    /// An entry of a pickle refers to itself or to far too much.
    #[error("it cannot be written out")]
    Pickle(#[source] clover_pickle::PickleError),
}

impl fmt::Display for RowNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(formatter, "line {number}"),
            Self::Entry(number) => write!(formatter, "entry {number}"),
        }
    }
}
