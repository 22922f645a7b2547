//! The metrics a model is judged by.

mod blocked;
mod bootstrap;
mod dual_softmax;
mod first_highest;
mod interval;
mod retrieval;
mod table;

pub use blocked::{Best, BlockedRanking};
pub use bootstrap::{Interval, RankIntervals, mean_interval, rank_intervals};
pub use dual_softmax::dual_softmax_ranks;
pub use first_highest::first_highest;
pub use interval::{seeds_interval, share_interval};
pub use retrieval::RetrievalMetrics;
pub use table::{EmbeddingTable, Storage};
