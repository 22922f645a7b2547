//! What can go wrong while a benchmark is drawn.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyntheticError {
    /// A number of the configuration is out of range.
    #[error("{key} is {value}, which is not between {smallest} and {largest}")]
    OutOfRange {
        /// The number's name.
        key: &'static str,
        /// What it is.
        value: f64,
        /// The smallest allowed.
        smallest: f64,
        /// The largest allowed.
        largest: f64,
    },

    /// A folder holds a benchmark of another configuration.
    #[error("{path}: belongs to another benchmark; choose another folder or its configuration")]
    OtherBenchmark {
        /// The record of the benchmark that is there.
        path: PathBuf,
    },

    /// A file could not be read.
    #[error("{path}: cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A file could not be written.
    #[error("{path}: cannot be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A clip could not be encoded.
    #[error("{name}: cannot be encoded")]
    Encode {
        /// The clip.
        name: String,
        /// Why.
        source: image::ImageError,
    },

    /// A thread that draws clips panicked.
    #[error("drawing clips panicked")]
    Panicked,
}
