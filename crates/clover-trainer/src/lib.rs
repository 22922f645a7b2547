//! Recipes, training, evaluation and reports for Clover.
//!
//! | module | concept |
//! |---|---|
//! | [`optimizer`], [`parameter_groups`] | AdamW by parameter path |
//! | [`trained_parts`], [`model_parts`], [`low_rank`] | how much of a model learns: all, some, or low-rank changes |
//! | [`temperature`] | what similarities are divided by in training |
//! | [`optimizer_step`] | of a batch's gradient to a new model |
//! | [`clipping`] | gradient clipping by global norm |
//! | [`micro_batching`] | how a batch is cut, and how much of it passes the model at once |
//! | [`precision`] | master weights in f32, the model in bf16 |
//! | [`starting_values`] | where an untrained model begins |
//! | [`schedule`] | cosine annealing with linear warm-up |
//! | [`checkpoint`] | what a run resumes from |
//! | [`metric`] | recall, rank and accuracy |
//! | [`recipe`] | what a run depends on but its data |
//! | [`run`] | what a run of any task tells, and how it ends |
//! | [`pretrain`] | the three objectives, and what a run of them is |
//! | [`devices`] | many devices and machines that train as one |
//! | [`finetune`] | tasks learned by a pre-trained model |
//! | [`evaluate`] | zero-shot retrieval, answers |
//! | [`ablation`] | the paper's comparison of objectives |
//! | [`task_items`] | what a task is learned from and measured on |
//! | [`report`] | every figure as JSON, and a page to look at |
//!
//! ```
//! use clover_trainer::metric::RetrievalMetrics;
//!
//! // Where the own clips of four sentences rank among ten, from zero.
//! let metrics = RetrievalMetrics::from_ranks(vec![0, 3, 0, 7], 10);
//! assert_eq!(metrics.recall_at_1, 50.0);
//! ```

pub mod ablation;
pub mod checkpoint;
mod cut_texts;
pub mod devices;
pub mod error;
pub mod evaluate;
pub mod finetune;
pub mod metric;
mod objective;
mod optimization;
pub mod pretrain;
pub mod recipe;
pub mod report;
pub mod run;
mod run_record;
pub mod task_items;
pub mod temperature;
mod trained_for;
mod unused_pieces;
mod whole_file;

pub use cut_texts::CutTexts;
pub use error::TrainerError;
pub use optimization::{
    clipping, low_rank, micro_batching, model_parts, optimizer, optimizer_step, parameter_groups,
    parameter_paths, precision, schedule, starting_values, trained_parts,
};
pub use run_record::RunRecord;
pub use unused_pieces::UnusedPieces;

#[cfg(test)]
pub(crate) use clover_test_backend::{TestAutodiffBackend, TestBackend};
