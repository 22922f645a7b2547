//! What can be wrong with shards, and with a request to read or write them.

use std::path::PathBuf;

use super::super::rows::{RowFault, UnsafePath};

/// What can be wrong with shards, and with a request to read or write them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// A shard cannot be read to its end.
    #[error("{path}: at byte {offset}, {fault}; the rest is left out")]
    Broken {
        /// The shard.
        path: PathBuf,
        /// Where in the shard.
        offset: u64,
        /// What is wrong there.
        fault: &'static str,
    },

    /// A member cannot be used.
    #[error("{path}: the member {member:?} {fault}")]
    Member {
        /// The shard.
        path: PathBuf,
        /// The member's name, or its beginning.
        member: String,
        /// What is wrong with it.
        fault: &'static str,
    },

    /// A member's name leaves the folder it would be unpacked into.
    #[error("{path}: a member cannot be used")]
    UnsafeMember {
        /// The shard.
        path: PathBuf,
        /// Why.
        source: UnsafePath,
    },

    /// A sample cannot be used.
    #[error("{path}/{key}: {fault}")]
    Sample {
        /// The shard.
        path: PathBuf,
        /// The sample.
        key: String,
        /// What is wrong with it.
        fault: &'static str,
    },

    /// A sample's text cannot be used.
    #[error("{path}/{key}: its text cannot be used")]
    Text {
        /// The shard.
        path: PathBuf,
        /// The sample.
        key: String,
        /// Why.
        source: RowFault,
    },

    /// Whoever wrote the shard could not fetch the sample.
    #[error("{path}/{key}: its status is {status:?}")]
    Status {
        /// The shard.
        path: PathBuf,
        /// The sample.
        key: String,
        /// The status and the message, or their beginning.
        status: String,
    },

    /// A folder or a list holds no shards.
    #[error("{path}: holds no .tar file")]
    NoShards {
        /// The folder.
        path: PathBuf,
    },

    /// A pattern of shard names cannot be expanded.
    #[error("{pattern:?} {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: &'static str,
    },

    /// No sample of all shards can be used.
    #[error("no sample of {shards} shards can be used, {skipped} were skipped; the first: {first}")]
    NoUsableSample {
        /// The number of shards.
        shards: usize,
        /// The number of samples and members that were skipped.
        skipped: usize,
        /// The first of them.
        first: String,
    },

    /// A share of a data set, or a part of a job, does not exist.
    #[error("there is no {what} {number} of {of}, counted from zero")]
    NoSuchPart {
        /// What is counted.
        what: &'static str,
        /// Its number.
        number: usize,
        /// How many there are.
        of: usize,
    },

    /// A folder was begun with another configuration.
    #[error("{path}: {key} is {found} there, and {wanted} now")]
    OtherConfiguration {
        /// The recorded configuration.
        path: PathBuf,
        /// What differs.
        key: String,
        /// What is recorded.
        found: String,
        /// What was asked for.
        wanted: String,
    },

    /// A recorded configuration cannot be read.
    #[error("{path}: is not the record of a pack")]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}
