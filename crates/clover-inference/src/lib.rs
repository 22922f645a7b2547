//! From a file to an embedding: the one way, for evaluation, search and every other use.
//!
//! A number in a report and a result on a screen come from the same code: an [`Embedder`] reads
//! clips and texts as the model was trained to see them ([`Preprocessing`]) and returns embeddings
//! of unit length. A [`Bundle`] is the folder that holds a trained model and all it needs.

mod ask;
mod attention;
mod bundle;
mod embedder;
mod embedding_file;
mod error;
mod export;
mod frame_strip;
mod import;
mod index;
mod partial_file;
mod preprocessing;
mod search;
mod text_batch;

pub use ask::{AnswerPrompt, AnsweredBy, Answerer, ClipAnswers, RankedAnswer};
pub use attention::{AttentionMap, AttentionOverlay, HEAT_COLORS};
pub use bundle::{
    Answers, Bundle, FusionPart, NeutralTexts, bundle_checksum, bundle_preprocessing, bundle_sizes,
    has_checksums, start_from_bundle, write_bundle,
};
pub use embedder::{EmbeddedBatch, EmbeddedClip, Embedder, EmbeddingTime, Embeddings};
pub use embedding_file::{EmbeddingFile, EmbeddingFormat, EmbeddingPrecision};
pub use error::InferenceError;
pub use export::{BundleExport, ExportFormat, ExportedFile};
pub use frame_strip::{clip_strip, frame_strip};
pub use import::{BundleImport, ClipImport, ImportedBundle, WeightPath};
pub use index::{
    ClipKey, ClipRecord, ClipState, INDEX_FORMAT, IndexEvent, IndexProgress, IndexSettings,
    IndexSource, IndexWriter, InvertedFile, Library, LibrarySource, RowKey, RowPrecision,
    UpdateOptions, UpdateSummary, VideoIndex, WindowRow, WindowSettings, is_index,
};
pub use preprocessing::Preprocessing;
pub use search::{
    Calibration, FoundMoment, RERANKED, SearchQuery, SearchResult, Searcher, index_clips,
    ready_index,
};

#[cfg(test)]
pub(crate) use clover_test_backend::TestBackend;
