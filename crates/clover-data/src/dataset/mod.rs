//! From files on disk to samples: manifests, what a sample is, and the loader that reads ahead.

mod caption;
mod clip_reading;
mod items;
mod loader;
mod pairs;
mod pretraining;
mod randomness;
mod retrieval;
mod skipped;
mod source;
mod text_length;
mod workers;

pub use caption::{MAX_CAPTION_BYTES, MAX_CAPTION_WORDS};
pub use clip_reading::ClipReading;
pub use items::{Caption, MultipleChoiceItem, OpenEndedItem, RetrievalItem, TaggedCaption};
pub use loader::{BatchLoader, EpochBatches, EpochOrder, LoadedBatch, LoaderConfig, Position};
pub use pairs::{Pair, PairsManifest};
pub use pretraining::{PretrainingDataset, PretrainingDatasetConfig, PretrainingSample};
pub use randomness::Randomness;
pub use retrieval::{RetrievalDataset, RetrievalDatasetConfig, RetrievalSample};
pub use skipped::SkippedItem;
pub use source::SampleSource;
