//! From files on disk to samples: manifests, what a sample is, and the loader that reads ahead.

mod annotation;
mod answer_vocabulary;
mod caption;
mod clip_reading;
mod items;
mod loader;
mod pairs;
mod pickle;
mod pretraining;
mod randomness;
mod retrieval;
mod rows;
mod skipped;
mod source;
mod text_length;
mod workers;

pub use annotation::{AnnotationFormat, ConvertRequest, Converted, convert, detect};
pub use answer_vocabulary::AnswerVocabulary;
pub use caption::{MAX_CAPTION_BYTES, MAX_CAPTION_WORDS};
pub use clip_reading::ClipReading;
pub use items::{
    Caption, Items, ItemsFile, ItemsTask, MultipleChoiceItem, OpenEndedItem, RetrievalItem,
    TaggedCaption, check_relative, read_items, write_items,
};
pub use loader::{BatchLoader, EpochBatches, EpochOrder, LoadedBatch, LoaderConfig, Position};
pub use pairs::{Pair, PairsManifest};
pub use pickle::{Pickle, PickleError, PickleFault};
pub use pretraining::{PretrainingDataset, PretrainingDatasetConfig, PretrainingSample};
pub use randomness::Randomness;
pub use retrieval::{RetrievalDataset, RetrievalDatasetConfig, RetrievalSample};
pub use rows::{AnnotationError, RowFault, RowNumber, UnsafePath};
pub use skipped::SkippedItem;
pub use source::SampleSource;
