//! Reading and writing weights: Clover's own, and those it starts from.
//!
//! A file may follow the names of the PyTorch code released with Clover, those of Video Swin, 2-D
//! Swin or torchvision, those of BERT in Hugging Face's `transformers`, or our own paths
//! ([`Naming`]). Linear weights are transposed on the way (PyTorch keeps `[output, input]`, Burn
//! `[input, output]`). Nothing is ever guessed: the [`WeightReport`] names what was applied, what the
//! file did not have, what the model had no place for, and what was brought to another shape.
//!
//! ```no_run
//! use clover_model::weights::{Import, ImportOptions, Naming, SizeHints, WeightFile};
//! use burn_ndarray::NdArray;
//!
//! let video = WeightFile::open("swin_base_patch244_window877_kinetics400_22k.pth".as_ref())?;
//! let text = WeightFile::open("bert-base-uncased/model.safetensors".as_ref())?;
//! let mut import = Import::new(ImportOptions {
//!     fusion_layers_from_text: 3,
//!     // Video Swin learned on red, green, blue; Clover reads blue, green, red.
//!     reverse_colours: true,
//!     ..ImportOptions::default()
//! });
//! import.add(&video, Naming::VideoSwin);
//! import.add(&text, Naming::HuggingFace);
//! let config = import.sizes(SizeHints::default())?;
//! let clover = import.fill(config.init::<NdArray>(&Default::default()))?;
//! println!("{}", import.finish()?);
//! # let _ = clover;
//! # Ok::<(), clover_model::weights::WeightError>(())
//! ```

mod clip;
mod error;
mod export;
mod file;
mod import;
mod inventory;
mod layout;
mod naming;
mod other_shape;
mod report;
mod resample;
mod sizes;
mod source;

pub use clip::{ClipHints, ClipNaming, ClipSource, clip_tensors};
pub use error::WeightError;
pub use export::{Export, tensors, to_bytes, write_file};
pub use file::{FileFault, StoredTensor, UnreadableTensor, WeightFile};
pub use import::{Import, ImportOptions};
pub use inventory::{Inventory, ListedFile, ListedPart, ListedTensor};
pub use naming::{Naming, UNUSED_BY_DESIGN, native_name, published_name};
pub use report::{Resized, ShapeMismatch, WeightReport};
pub use sizes::SizeHints;
pub use source::TensorSource;

use std::path::Path;

use burn::module::Module;
use burn::prelude::*;

/// Reads weights from a file into a module.
///
/// # Errors
///
/// The file cannot be read or is damaged. Names and shapes that do not fit are not an error but part
/// of the report.
pub fn read_file<B: Backend, M: Module<B>>(
    module: &mut M,
    path: &Path,
    naming: Naming,
) -> Result<WeightReport, WeightError> {
    read(module, &WeightFile::open(path)?, naming)
}

/// Reads weights from the bytes of a file into a module.
///
/// # Errors
///
/// As of [`WeightFile::from_bytes`], or a tensor is of a type that is no float.
pub fn from_bytes<B: Backend, M: Module<B>>(
    module: &mut M,
    bytes: Vec<u8>,
    naming: Naming,
) -> Result<WeightReport, WeightError> {
    read(module, &WeightFile::from_bytes(bytes)?, naming)
}

fn read<B: Backend, M: Module<B>>(
    module: &mut M,
    file: &WeightFile,
    naming: Naming,
) -> Result<WeightReport, WeightError> {
    let mut import = Import::new(ImportOptions::default());
    import.add(file, naming);
    // Tensors are handles: the copy costs nothing, and stays whole where reading fails.
    *module = import.fill(module.clone())?;
    import.finish()
}

#[cfg(test)]
mod tests;
