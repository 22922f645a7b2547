//! A rendered benchmark: one moving shape a clip, and a sentence that says what it is.
//!
//! Colour, shape, size and direction all stand in the sentence, so that a model must see all four
//! to find the right clip. The files are real: animated GIFs, csv manifests and a vocabulary.
//!
//! [`benchmark`] is the same grown up: stories of several shapes, near-identical companions,
//! questions, and up to a million clips.

pub mod benchmark;
mod caption;
mod files;
mod gif;
mod render;
mod scene;
mod split;
mod vocabulary;
mod whole_file;

pub use caption::caption;
pub use files::{SyntheticFiles, write_synthetic_set};
pub use render::render;
pub use scene::{Attributes, Background, Color, Direction, Pattern, Scene, Shape, Size};
pub use split::{SyntheticClip, SyntheticSet, SyntheticSetConfig};
pub use vocabulary::vocabulary;
