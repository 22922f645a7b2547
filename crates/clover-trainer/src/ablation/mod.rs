//! The paper's comparison of objectives: equal runs that differ in what they learn from.
//!
//! Clover, section 4.4. The rows are [`AblationRow`]s; a row with a seed is a [`Cell`], which is
//! pre-trained, measured and fine-tuned by itself, so that cells may run side by side
//! and a comparison goes on where it was interrupted: [`AblationFolder`] keeps what there is.

mod cell;
mod differences;
mod figure;
mod folder;
mod markdown;
mod questions;
mod summary;
#[cfg(test)]
mod tests;

pub use cell::{AblationFiles, AblationLists, Cell, CellEvent, CellResult, run_cell};
pub use differences::{Difference, Verdict};
pub use folder::AblationFolder;
pub use summary::{AblationSummary, RowSummary, SkillSummary, Spread};

pub use crate::recipe::AblationRow;
