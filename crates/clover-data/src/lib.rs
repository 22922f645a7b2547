//! Videos, captions, masks and batches for Clover.
//!
//! Everything that can fail happens while a sample is read: decoding, tokenizing, masking. A
//! broken item is skipped by name and counted, never replaced; a batch only stacks what was read
//! and moves it to the device.
//!
//! - [`text`]: WordPiece tokens, word groups, question texts;
//! - [`masking`]: hidden words and the hidden region of a clip;
//! - [`dataset`]: manifests, samples, and the loader that reads ahead;
//! - [`batch`]: samples stacked into tensors;
//! - [`video`]: decoding, choosing frames, preparing pixels;
//! - [`files`]: one writer a folder, files written whole, and only regular ones read;
//! - [`check`]: reading a whole collection once, to name what is broken.
//!
//! ```
//! use clover_data::text::Tokenizer;
//!
//! let lines = "[PAD] [UNK] [CLS] [SEP] [MASK] a red circle moves up".split(' ');
//! let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt")?;
//! let encoding = tokenizer.encode("A red circle moves up", 8)?;
//!
//! assert_eq!(encoding.attention_mask, [1, 1, 1, 1, 1, 1, 1, 0]);
//! assert_eq!(encoding.words.len(), 5);
//! # Ok::<(), clover_data::DataError>(())
//! ```

pub mod batch;
mod caught_panic;
pub mod check;
pub mod dataset;
mod error;
pub mod files;
pub mod masking;
pub mod text;
pub mod video;

pub use caught_panic::{catch_panic, panics_are_caught};
pub use error::DataError;

#[cfg(test)]
pub(crate) use clover_test_backend::TestBackend;
