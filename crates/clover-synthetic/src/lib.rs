//! A rendered benchmark of up to a million clips, in which nothing but the clip tells the answer.
//!
//! One to three shapes move, turn, appear and disappear, at the same time or one after the other;
//! captions tell it in many ways. Combinations of colour, shape, size and direction are held out
//! of training. The held-out splits consist of groups of five nearly identical clips: a first one
//! and four that differ from it in one attribute, in the order of events or in the direction of
//! time alone; where asked for, the clips to train on do, too. Questions and options are made of
//! the same differences.
//!
//! A clip follows from the seed and its number alone:
//!
//! ```
//! use clover_data::synthetic::benchmark::{Benchmark, BenchmarkConfig};
//!
//! let config = BenchmarkConfig { clips: 1_000_000, ..BenchmarkConfig::default() };
//! let benchmark = Benchmark::plan(&config)?;
//! let clip = benchmark.clip(999_999)?;
//!
//! assert_eq!(clip.file, "999/999999.gif");
//! assert_eq!(clip.scene.render(config.frames, config.size).len(), 16);
//! # Ok::<(), clover_data::DataError>(())
//! ```

mod annotation;
mod choice;
mod clip;
mod combinations;
mod config;
mod family;
mod files;
mod grammar;
mod layout;
mod lines;
mod narration;
mod picture;
mod plot;
mod question;
mod record;
mod story;
mod words;
mod writing;

pub use annotation::Annotations;
pub use clip::{Benchmark, BenchmarkClip, Twin};
pub use config::{BenchmarkConfig, Split};
pub use files::{BenchmarkFiles, SplitFiles};
pub use layout::Place;
pub use lines::SplitCounts;
pub use picture::BenchmarkScene;
pub use question::{Question, QuestionKind, answers};
pub use record::BenchmarkCounts;
pub use story::{Action, Actor, Difference, Event, Speed, Story};
pub use words::benchmark_vocabulary;
pub use writing::write_benchmark;
