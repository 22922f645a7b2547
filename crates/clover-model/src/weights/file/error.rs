//! Why a file is refused.

use std::io;
use std::path::Path;

use clover_pickle::PickleError;

use crate::weights::WeightError;

/// Why a file is refused as weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileFault {
    /// The operating system refused to read.
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    /// It is a device, a pipe or the like.
    #[error("it is no ordinary file")]
    NotAFile,
    /// It has no bytes.
    #[error("it is empty")]
    Empty,
    /// A server answered with a page instead of the file.
    #[error("it looks like a web page, not like weights: was the download refused?")]
    WebPage,
    /// Git keeps large files elsewhere and puts a note in their place.
    #[error("it is a pointer of git-lfs, not the file itself: run `git lfs pull`")]
    LfsPointer,
    /// It is something else that can be named.
    #[error("it is {kind}, which holds no weights that can be read here")]
    OtherKind {
        /// What it is.
        kind: &'static str,
    },
    /// It is nothing known.
    #[error("it is neither a checkpoint of PyTorch, nor safetensors, nor an index of shards")]
    Unknown,
    /// A folder has no weights.
    #[error("the folder has none of {looked_for}")]
    NoneInFolder {
        /// What was looked for.
        looked_for: String,
    },
    /// A folder has several files of weights, none with a usual name.
    #[error("the folder has several files of weights, say which: {}", names.join(", "))]
    SeveralInFolder {
        /// Their names.
        names: Vec<String>,
    },

    /// It ends before what it says it holds.
    #[error("{what} needs {needed} bytes, and the file has {found}: is it cut short?")]
    Truncated {
        /// What reaches beyond the end.
        what: String,
        /// Up to which byte it reaches.
        needed: u64,
        /// The bytes of the file.
        found: u64,
    },
    /// A part of it is larger than any of its kind.
    #[error("{what} has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// The part.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The largest that is read.
        limit: u64,
    },
    /// The header of safetensors or an index is not what it should be.
    #[error("its {what} is broken")]
    Json {
        /// Header or index.
        what: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The bytes behind a safetensors header are not all accounted for.
    #[error("bytes {from} to {to} of the values belong to no tensor, or to two")]
    Gap {
        /// Where the stretch begins.
        from: u64,
        /// Where it ends.
        to: u64,
    },

    /// The archive itself is broken.
    #[error("its zip archive is broken: {reason}")]
    Zip {
        /// What is wrong.
        reason: &'static str,
    },
    /// An entry of the archive is broken, or of a form that PyTorch does not write.
    #[error("the archive's entry {entry:?} {reason}")]
    Entry {
        /// The entry.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Bytes do not have the checksum that was stored with them.
    #[error("{what} is damaged: its bytes do not have the stored checksum")]
    Checksum {
        /// The tensor or the entry.
        what: String,
    },
    /// A zip archive that is no checkpoint.
    #[error("the zip archive has no `data.pkl`: it was not written by PyTorch's `save`")]
    NoPickle,
    /// Written on a machine of the other byte order.
    #[error("its numbers are stored with the most significant byte first, which is not read")]
    BigEndian,
    /// The pickle is broken or refused.
    #[error("its pickle is refused")]
    Pickle(#[from] PickleError),
    /// Nested values would become far more than the file.
    #[error("its shared or nested values would become far more than the file")]
    Sharing,
    /// A whole Python object was saved.
    #[error("it is an object of `{class}`, not a dict of tensors: save the model's `state_dict()`")]
    WholeObject {
        /// Its class, or what would have made it.
        class: String,
    },
    /// The list of storages of the old form does not fit the pickle.
    #[error("its list of storages does not fit its tensors")]
    Storages,

    /// Two tensors have one name.
    #[error("two tensors are named `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// What is said about a tensor makes no sense.
    #[error("tensor `{name}`: {reason}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// There are no tensors.
    #[error("it holds no tensors")]
    NoTensors,
    /// There is no tensor of this name.
    #[error("it holds no tensor `{name}`")]
    NoSuchTensor {
        /// The name that was asked for.
        name: String,
    },

    /// An index names something that is no file beside it.
    #[error("the index names {shard:?}, which is no file beside it")]
    ShardElsewhere {
        /// What it names.
        shard: String,
    },
    /// A shard lacks what the index says it holds.
    #[error("{shard} has no tensor `{name}`, though the index says so")]
    NotInShard {
        /// The shard.
        shard: String,
        /// The tensor.
        name: String,
    },
    /// A shard is an index itself.
    #[error("it is an index of shards where the tensors should be")]
    NestedIndex,
}

impl FileFault {
    pub(super) fn in_file(self, path: &Path) -> WeightError {
        let path = path.to_owned();
        match self {
            Self::Unreadable(source) => WeightError::Unreadable { path, source },
            source => WeightError::Refused { path, source },
        }
    }
}
