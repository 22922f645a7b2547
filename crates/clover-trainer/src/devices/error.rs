//! What can go wrong between devices.

/// Devices cannot train together, or no longer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevicesError {
    /// A peer did not answer in time.
    #[error("{peer} did not answer within {seconds} s")]
    Silent {
        /// Which.
        peer: String,
        /// The bound.
        seconds: u64,
    },

    /// A peer is gone.
    #[error("{peer} is lost: {reason}")]
    Lost {
        /// Which.
        peer: String,
        /// What was seen of it.
        reason: String,
    },

    /// The first node has ended the run.
    #[error("{peer} has ended the run: {reason}")]
    Told {
        /// Which.
        peer: String,
        /// In its words.
        reason: String,
    },

    /// Another device of this process has failed; its own error says why.
    #[error("another device of this process ended the run")]
    Ended,

    /// The engine refused.
    #[error("burn-collective: {reason}")]
    Engine {
        /// In its words.
        reason: String,
    },

    /// A node's address cannot be used.
    #[error("{address}: {reason}")]
    Address {
        /// The address.
        address: String,
        /// Why.
        reason: String,
    },

    /// There is no such node.
    #[error("node {node} was asked for, but there are {nodes} nodes")]
    NoSuchNode {
        /// The one asked for, from zero.
        node: usize,
        /// How many there are.
        nodes: usize,
    },

    /// The tensor service cannot be started.
    #[error("the service of this node cannot be started")]
    Service {
        /// Why.
        source: std::io::Error,
    },

    /// Peers set out on different runs.
    #[error("the {what} of {peer} differs from that of rank 0")]
    Disagree {
        /// What differs.
        what: String,
        /// Whose.
        peer: String,
    },

    /// Every item of a batch is broken.
    #[error("no item of the batch could be read on any device")]
    NothingRead,

    /// There are more peers than pairs in a batch.
    #[error("{peers} devices cannot share batches of {batch_size}")]
    TooManyPeers {
        /// How many.
        peers: usize,
        /// The recipe's `batch_size`.
        batch_size: usize,
    },
}
