//! From files on disk to samples: manifests, what a sample is, and the loader that reads ahead.

mod annotation;
mod answer_vocabulary;
mod captioned;
mod clip_dataset;
mod clip_reading;
mod clip_rows;
mod clip_table;
mod collection;
mod epoch_order;
mod in_order;
mod items;
mod loader;
mod mixture;
mod multiple_choice;
mod open_ended;
mod pack;
mod pairs;
mod pretraining;
mod randomness;
mod recent_clips;
mod rows;
mod shards;
mod skipped;
mod source;
mod split;
mod stacking;
mod workers;

pub(crate) use in_order::{Threads, in_order};

pub use clover_pickle::{PickleError, PickleFault};

pub use annotation::{AnnotationFormat, ConvertRequest, Converted, convert};
pub use answer_vocabulary::AnswerVocabulary;
pub use captioned::{Captioned, CaptionedDataset, CaptionedSample};
pub use clip_dataset::{ClipDataset, Preparation, PreparedRow, SampleReading};
pub use clip_reading::ClipReading;
pub use clip_table::{ClipRow, ClipTable, Texts};
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
pub use multiple_choice::{Candidates, MultipleChoiceDataset, MultipleChoiceSample};
pub use open_ended::{Answered, OpenEndedDataset, OpenEndedSample};
pub use pack::{PACKED_FRAMES, PackConfig, PackFrames, PackProgress, PackSummary, Part, pack};
pub use pairs::ManifestColumns;
pub use pretraining::{Masked, PretrainingDataset, PretrainingSample};
pub use randomness::Randomness;
pub use rows::{AnnotationError, RowFault, RowNumber, UnsafePath};
pub use shards::{ShardError, ShardOptions, ShardSet};
pub use skipped::SkippedItem;
pub use source::{Collated, SampleSource};
pub use split::write_pairs;
pub use stacking::{Batch, Batched, Stack, batched};
