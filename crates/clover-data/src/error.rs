//! What can go wrong while data is read or written.

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::dataset::RowFault;

/// An unreadable file, an unusable row, a vocabulary or a figure that cannot be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
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

    /// Somebody else writes to a folder.
    #[error("{folder}: {holder} is writing to it; wait for its end, or choose another folder")]
    FolderLocked {
        /// The folder.
        folder: PathBuf,
        /// Who, as its lock file says.
        holder: String,
    },

    /// An image could not be encoded.
    #[error("{name}: cannot be encoded")]
    Encode {
        /// The image.
        name: String,
        /// Why.
        source: image::ImageError,
    },

    /// A vocabulary file is far larger than any vocabulary.
    #[error("{path}: {bytes} bytes are too many for a vocabulary, at most {limit} are read")]
    VocabularyTooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size read.
        limit: u64,
    },

    /// A vocabulary lists a piece twice.
    #[error("{path}: line {line} repeats the piece {piece:?}")]
    RepeatedPiece {
        /// The file.
        path: PathBuf,
        /// The second line with the piece, counted from one.
        line: usize,
        /// The piece.
        piece: String,
    },

    /// A tokenizer's file is of a kind that is not read.
    #[error("{path}: is a tokenizer of {found}; WordPiece and CLIP's byte-level BPE are read")]
    OtherTokenizer {
        /// The file.
        path: PathBuf,
        /// What it is, as far as it says.
        found: String,
    },

    /// A vocabulary contradicts itself or its merges.
    #[error("{path}: {fault}")]
    OddVocabulary {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: String,
    },

    /// A folder has no tokenizer.
    #[error("{path}: has no vocab.txt, no tokenizer.json, and no vocab.json with merges.txt")]
    NoTokenizer {
        /// The folder.
        path: PathBuf,
    },

    /// A vocabulary lacks a special token.
    #[error("{path}: the vocabulary has no {token}{hint}")]
    MissingSpecialToken {
        /// The file.
        path: PathBuf,
        /// The token, as it must be spelled.
        token: String,
        /// What stands in its place, if anything.
        hint: &'static str,
    },

    /// A file about a tokenizer is not the JSON it should be.
    #[error("{path}: is not what a tokenizer's file should be")]
    TokenizerConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },

    /// The tokenizer's library failed.
    #[error("the tokenizer failed")]
    Tokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// A share or a probability is outside `[0, 1]`.
    #[error("{key} is {value}, which is not between 0 and 1")]
    NotAShare {
        /// What the figure is.
        key: &'static str,
        /// The figure.
        value: f64,
    },

    /// A manifest's format is unknown.
    #[error("{path}: a manifest's name ends in .csv, .tsv, .json, .jsonl or .ndjson")]
    UnknownManifest {
        /// The file.
        path: PathBuf,
    },

    /// A manifest lacks a column.
    #[error("{path}: has no column {column:?}; its columns are: {found}")]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column looked for.
        column: String,
        /// The columns found, separated by commas.
        found: String,
    },

    /// No row of a manifest can be used.
    #[error("{path}: has no usable row, {skipped} were skipped; the first reason: {first}")]
    NoUsableRow {
        /// The file.
        path: PathBuf,
        /// The number of rows that were skipped.
        skipped: usize,
        /// Why the first of them was.
        first: String,
    },

    /// A list has no row at all.
    #[error("{path}: has no rows")]
    NoRows {
        /// The file.
        path: PathBuf,
    },

    /// A figure of a dataset's configuration is out of range.
    #[error("{key} is {value}, which is not between {smallest} and {largest}")]
    OutOfRange {
        /// What the figure is.
        key: &'static str,
        /// The figure.
        value: usize,
        /// The smallest allowed.
        smallest: usize,
        /// The largest allowed.
        largest: usize,
    },

    /// A question has more or fewer candidates than it must have.
    #[error("{name} has {found} options where {expected} are expected")]
    CandidateCount {
        /// The question.
        name: String,
        /// Its candidates.
        found: usize,
        /// Those of the recipe, or of the first question.
        expected: usize,
    },

    /// A sentence to fill in has no blank, or several.
    #[error(
        "{name}: has {found} [MASK] among its first {text_len} word pieces, where one is needed"
    )]
    Blanks {
        /// The item.
        name: String,
        /// How many it has.
        found: usize,
        /// Pieces that were looked at.
        text_len: usize,
    },

    /// A dataset has no items.
    #[error("the dataset is empty")]
    EmptyDataset,

    /// A reading thread could not be started.
    #[error("a reading thread could not be started")]
    Worker {
        /// Why.
        source: std::io::Error,
    },

    /// Reading an item panicked.
    #[error("{name}: reading it panicked")]
    ReaderPanicked {
        /// The item.
        name: String,
    },

    /// Too large a share of the items read is broken.
    #[error("{failed} of {read} items read are broken; the last one found: {last}{hint}")]
    TooManyFailures {
        /// Reads that failed.
        failed: usize,
        /// All reads.
        read: usize,
        /// The name of the last broken item and what is wrong with it.
        last: String,
        /// What to do about it, where that is known.
        hint: &'static str,
    },

    /// A file has no bytes.
    #[error("{path}: is empty")]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },

    /// A file is neither a video nor an image that can be decoded.
    #[error(
        "{path}: is {found}; H.264 in mp4 or Matroska, VP9 in WebM, GIF, PNG, WebP and JPEG can be decoded"
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What its first bytes say.
        found: &'static str,
    },

    /// A figure of a video is above what may be spent on it.
    #[error("{path}: {what} is {found}, at most {limit} is decoded")]
    OverLimit {
        /// The file.
        path: PathBuf,
        /// What was counted.
        what: &'static str,
        /// The figure the file claims.
        found: u64,
        /// The largest allowed.
        limit: u64,
    },

    /// Decoding a video took too long. A run ends here: another time it might have been fast enough, and
    /// what is learned must not depend on it.
    #[error("{path}: decoding took longer than {seconds} s; take it out of its list")]
    TooSlow {
        /// The file.
        path: PathBuf,
        /// The time allowed.
        seconds: f64,
    },

    /// The structure of a video file contradicts itself.
    #[error("{path}: {fault}")]
    BrokenVideo {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: &'static str,
    },

    /// A box of an mp4 file cannot be read.
    #[error("{path}: a box of the mp4 file cannot be read")]
    Mp4Box {
        /// The file.
        path: PathBuf,
        /// Why.
        source: mp4_atom::Error,
    },

    /// A file is of a kind, or a video is coded in a way, that only FFmpeg knows.
    #[error(
        "{path}: {codec} is unknown to the built-in decoders, but not to FFmpeg: a program built with \
         `cargo build --release --features ffmpeg` reads it"
    )]
    UnknownCodec {
        /// The file.
        path: PathBuf,
        /// What the file calls it, or what it is.
        codec: String,
    },

    /// A frame that was asked for, or one it depends on, cannot be decoded.
    #[error("{path}: frame {frame} cannot be decoded")]
    Frame {
        /// The file.
        path: PathBuf,
        /// The frame, counted from zero.
        frame: usize,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// A span is none of the video's.
    #[error("{path}: the span cannot be taken")]
    Span {
        /// The file.
        path: PathBuf,
        /// Why.
        source: crate::video::SpanError,
    },

    /// Frames are to be chosen by time, and the video does not say when they are shown.
    #[error("{path}: does not say when its frames are shown, so none can be chosen by time")]
    NoFrameTimes {
        /// The file.
        path: PathBuf,
    },

    /// An image file cannot be decoded.
    #[error("{path}: the image cannot be decoded")]
    Image {
        /// The file.
        path: PathBuf,
        /// Why.
        source: image::ImageError,
    },

    /// A Matroska file contradicts itself.
    #[error("{path}: the Matroska file cannot be read")]
    Matroska {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// FFmpeg cannot read a file.
    #[error("{path}: FFmpeg cannot read it")]
    Ffmpeg {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    /// An annotation file, or a request to convert one, cannot be used.
    #[error(transparent)]
    Annotation(#[from] crate::dataset::AnnotationError),

    /// A share of a dataset's configuration is out of range.
    #[error("{key} is {value}, which is not between {smallest} and {largest}")]
    ShareOutOfRange {
        /// What the share is.
        key: &'static str,
        /// The share.
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

    /// Shards cannot be read or written as asked.
    #[error(transparent)]
    Shard(#[from] crate::dataset::ShardError),

    /// A row, or a whole list, has other texts than a task needs.
    #[error("{name}: has no {wanted}")]
    OtherTexts {
        /// What reports call the row, or the list.
        name: String,
        /// What it lacks.
        wanted: &'static str,
    },

    /// What stands beside a clip cannot be used.
    #[error("{path}: the text beside it cannot be used")]
    TextBeside {
        /// The clip.
        path: PathBuf,
        /// Why.
        source: RowFault,
    },

    /// A clip was not fetched, as the file beside it says.
    #[error("{path}: was not fetched: {status}")]
    NotFetched {
        /// The clip.
        path: PathBuf,
        /// What the file says.
        status: String,
    },

    /// A folder holds no clip.
    #[error("{path}: the folder holds no videos and no images, only {others} other files")]
    NoClips {
        /// The folder.
        path: PathBuf,
        /// Files that are neither, by the extensions of their names.
        others: usize,
    },
}

impl DataError {
    /// Whether a file is not there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == ErrorKind::NotFound)
    }
}
