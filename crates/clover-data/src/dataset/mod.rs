//! From files on disk to samples: manifests, what a sample is, and the loader that reads ahead.

mod annotation;
mod answer_vocabulary;
mod clip_reading;
mod clip_texts;
mod epoch_order;
mod items;
mod loader;
mod mixture;
mod multiple_choice;
mod open_ended;
mod pack;
mod pair_source;
mod pairs;
mod pairs_file;
mod pretraining;
mod randomness;
mod retrieval;
mod rows;
mod shards;
mod skipped;
mod source;
mod text_length;
mod workers;

pub use clover_pickle::{PickleError, PickleFault};

pub use annotation::{AnnotationFormat, ConvertRequest, Converted, convert, detect};
pub use answer_vocabulary::AnswerVocabulary;
pub use clip_reading::ClipReading;
pub use clip_texts::{
    ClipTexts, ClipTextsConfig, ClipTextsDataset, ClipTextsSample, DrawnCaptions,
};
pub use epoch_order::EpochOrder;
pub use items::{
    Caption, Items, ItemsFile, ItemsTask, MAX_CAPTION_BYTES, MAX_CAPTION_WORDS, MultipleChoiceItem,
    OpenEndedItem, RetrievalItem, TaggedCaption, check_relative, read_items, write_item_lines,
    write_items,
};
pub use loader::{
    BatchLoader, BatchPlaces, BatchShare, EpochBatches, LoadedBatch, LoaderConfig, Position,
};
pub use mixture::{MixedBatch, MixedBatches, Mixture, MixturePosition};
pub use multiple_choice::{MultipleChoiceDataset, MultipleChoiceSample};
pub use open_ended::{OpenEndedDataset, OpenEndedSample, QuestionDatasetConfig};
pub use pack::{PACKED_FRAMES, PackConfig, PackFrames, PackProgress, PackSummary, Part, pack};
pub use pair_source::{PairSource, ReadPair};
pub use pairs::{ManifestColumns, Pair, PairsManifest};
pub use pairs_file::PairsFile;
pub use pretraining::{PretrainingDataset, PretrainingDatasetConfig, PretrainingSample};
pub use randomness::Randomness;
pub use retrieval::{RetrievalDataset, RetrievalDatasetConfig, RetrievalSample};
pub use rows::{AnnotationError, RowFault, RowNumber, UnsafePath};
pub use shards::{ShardError, ShardOptions, ShardSet, Share, Shared};
pub use skipped::SkippedItem;
pub use source::SampleSource;
