//! Why a server cannot be started.

use std::io;
use std::path::PathBuf;

use clover_inference::InferenceError;

/// A server cannot be started, or has to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The index or its bundle cannot be used.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// An option cannot be used.
    #[error("{option}: {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong, and what to do instead.
        reason: String,
    },
    /// A file or folder cannot be used.
    #[error("{path}: cannot be used", path = path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address cannot be listened at.
    #[error("{address}: cannot be listened at")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The operating system gives no threads.
    #[error("no thread can be started")]
    Threads(#[source] io::Error),
}
