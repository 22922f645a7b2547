//! Published annotation files, each read as it is, and turned into the project's own form.
//!
//! [`convert`] reads any of the formats of [`AnnotationFormat`], which are told apart by content.

mod captions_by_video;
mod cc3m;
mod clip_names;
mod coco;
mod convert;
mod detect;
mod didemo;
mod fields;
mod format;
mod lsmdc;
mod moments;
mod msrvtt;
mod msrvtt_choice;
mod other_file;
mod pairs_manifest;
mod pickled;
mod reading;
mod tgif;
mod three_splits;
mod video_list;
mod video_qa;
mod webvid;
mod youtube_mapping;

pub(super) use convert::convert_to_table;
pub use convert::{ConvertRequest, Converted, convert};
use detect::detect;
pub use format::AnnotationFormat;

#[cfg(test)]
mod hostile_files;
#[cfg(test)]
mod real_files;
#[cfg(test)]
mod sample;
