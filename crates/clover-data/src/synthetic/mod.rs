//! A rendered benchmark: one moving shape a clip, and a sentence that says what it is.
//!
//! Colour, shape, size and direction all stand in the sentence, so that a model must see all four
//! to find the right clip. The files are real: animated GIFs, csv manifests and a vocabulary.

mod caption;
mod files;
mod render;
mod scene;
mod split;
mod vocabulary;

pub use caption::caption;
pub use files::{SyntheticFiles, write_synthetic_set};
pub use render::render;
pub use scene::{Attributes, Background, Color, Direction, Pattern, Scene, Shape, Size};
pub use split::{SyntheticClip, SyntheticSet, SyntheticSetConfig};
pub use vocabulary::vocabulary;
