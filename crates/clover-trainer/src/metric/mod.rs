//! The figures a model is judged by.

mod blocked;
mod bootstrap;
mod dual_softmax;
mod multiple_choice;
mod retrieval;
mod scores;
mod table;

pub use blocked::{Best, BlockedRanking};
pub use bootstrap::{Interval, RankIntervals, mean_interval, rank_intervals};
pub use dual_softmax::dual_softmax_ranks;
pub(crate) use multiple_choice::first_highest;
pub use multiple_choice::{accuracy, multiple_choice_accuracy};
pub use retrieval::{RetrievalMetrics, ranking, text_to_video, video_to_text};
pub use table::{EmbeddingTable, Storage};
