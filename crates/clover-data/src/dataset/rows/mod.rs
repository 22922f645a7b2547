//! The rows of an annotation file, whatever its format: read within bounds, numbered, and with a
//! reason where one cannot be used.

mod error;
mod fault;
mod file;
mod json;
mod json_value;
mod lines;
mod python_json;
mod record;
mod splitter;

pub use error::AnnotationError;
pub use fault::{RowFault, RowNumber, UnsafePath};
pub(crate) use file::{Opened, open_regular};
pub(crate) use json::{Element, each_row, json_row, walk_json};
pub(crate) use lines::{Line, Lines, MAX_ROW_BYTES};
pub(crate) use python_json::{BROKEN, text_of};
pub(crate) use record::{Header, Records, TableStyle};
