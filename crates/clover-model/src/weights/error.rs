//! What can be wrong with a file of weights.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use super::{FileFault, WeightReport};

/// A file of weights could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The operating system refused to read.
    #[error("{path}: cannot read weights", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error("{path}: cannot write weights", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bytes are not the safetensors format, or are cut short.
    #[error("not valid safetensors")]
    Malformed {
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A weight is stored as something that is no float.
    #[error("weight `{name}` is stored as {found}, not as a float")]
    NotAFloat {
        /// Its name in the file.
        name: String,
        /// Its type in the file.
        found: String,
    },
    /// No known implementation names its parameters like this.
    #[error("names such as `{example}` belong to no known model")]
    UnknownNaming {
        /// The first name of the file.
        example: String,
    },
    /// The weights do not tell the sizes of their model.
    #[error("{reason}")]
    UnknownSizes {
        /// What is missing or odd.
        reason: String,
    },
    /// Weights hold infinities or values that are no numbers.
    #[error("not finite: {}", names.join(", "))]
    NotFinite {
        /// Their names in the file.
        names: Vec<String>,
    },
    /// Weights were missing or unused where none may be.
    #[error("not every weight found its place: {report}")]
    NotStrict {
        /// What was applied and what not.
        report: Box<WeightReport>,
    },
    /// A file is refused as weights.
    #[error("{path}: cannot be read as weights", path = path.display())]
    Refused {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: FileFault,
    },
    /// Any of the above, with the file it was found in.
    #[error("{path}: damaged weights", path = path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: Box<Self>,
    },
}

impl WeightError {
    pub(super) fn malformed(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Malformed {
            source: Box::new(source),
        }
    }

    pub(super) fn in_file(self, path: &Path) -> Self {
        Self::InFile {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }
}
