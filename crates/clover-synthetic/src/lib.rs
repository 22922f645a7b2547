//! A rendered benchmark of up to a million clips, in which nothing but the clip tells the answer.
//!
//! One to three shapes move, turn, appear and disappear, at the same time or one after the other;
//! captions tell it in many ways, and some say how many there are. Combinations of colour, shape,
//! size and direction are held out of training. The held-out splits consist of groups of five
//! nearly identical clips: a first one and four that differ from it in one attribute, in the order
//! of events or in the direction of time alone; where asked for, the clips to train on do, too.
//! Questions and options are made of the same differences. Pair tests tell a held-out clip truly
//! and once more with one word changed.
//!
//! [`BenchmarkConfig::one_shape`] is the easiest: one shape that moves once. What is written are
//! files, and files are all that other crates get: animated GIFs, lists of captions and questions,
//! a vocabulary. A clip follows from the seed and its number alone:
//!
//! ```
//! use clover_synthetic::{Benchmark, BenchmarkConfig};
//!
//! let config = BenchmarkConfig { clips: 1_000_000, ..BenchmarkConfig::default() };
//! let frames = Benchmark::plan(&config)?.frames(999_999)?;
//!
//! assert_eq!((frames.len(), frames[0].len()), (16, 64 * 64 * 3));
//! # Ok::<(), clover_synthetic::SyntheticError>(())
//! ```

mod annotation;
mod attributes;
mod caption;
mod clip;
mod combinations;
mod config;
mod drawing;
mod error;
mod family;
mod files;
mod layout;
mod pair_test;
mod phrases;
mod question;
mod randomness;
mod story;
mod writing;

pub use clip::Benchmark;
pub use config::{BenchmarkConfig, Split, Stories};
pub use error::SyntheticError;
pub use files::{BenchmarkFiles, SplitFiles, vocabulary};
pub use writing::write_benchmark;
