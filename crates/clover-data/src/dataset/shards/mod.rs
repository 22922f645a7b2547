//! WebDataset shards: tar files that hold a clip, its caption and what is known of it side by side.
//!
//! As img2dataset and video2dataset write them: the members of a sample share a key, which is their
//! path up to the first dot of the file name, or up to the last where only that tells what they are.
//! `{key}.mp4` (or `.jpg`, `.webm`, `.gif`, ..) is the
//! clip, `{key}.000.jpg`, `{key}.001.jpg`, .. are the frames of one, `{key}.txt` is the caption and
//! `{key}.json` an object that may hold captions, a question, `status` and anything else.
//!
//! Only headers are read to build the index; a sample is then read from where it lies.

mod error;
mod files;
mod gathering;
mod index;
mod list;
mod member_name;
mod members;
mod pax;
mod sample;
mod set;
#[cfg(test)]
mod tar_files;

pub use error::ShardError;
pub(super) use sample::{MAX_TEXT_BYTES, Refusal, texts_of};
pub use set::{ShardOptions, ShardSet};
#[cfg(test)]
pub(crate) use tar_files::tar_of;
