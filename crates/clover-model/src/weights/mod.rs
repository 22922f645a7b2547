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

mod error;
mod export;
pub mod file;
mod import;
mod layout;
mod naming;
mod other_shape;
mod report;
mod resample;
mod sizes;
mod source;

pub use error::WeightError;
pub use export::{Export, tensors, to_bytes, write_file};
pub use file::{StoredTensor, WeightFile};
pub use import::{Import, ImportOptions};
pub use naming::{Naming, UNUSED_BY_DESIGN, native_name, published_name};
pub use report::{Resized, ShapeMismatch, WeightReport};
pub use sizes::SizeHints;
pub use source::{BytesSource, TensorSource};

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
    read(module, &WeightFile::open(path)?, naming).map_err(|error| error.in_file(path))
}

/// Reads weights from the bytes of a safetensors file into a module.
///
/// # Errors
///
/// The bytes are not valid safetensors, or hold tensors of a type that is no float.
pub fn from_bytes<B: Backend, M: Module<B>>(
    module: &mut M,
    bytes: &[u8],
    naming: Naming,
) -> Result<WeightReport, WeightError> {
    read(module, &BytesSource::new(bytes)?, naming)
}

fn read<B: Backend, M: Module<B>>(
    module: &mut M,
    source: &dyn TensorSource,
    naming: Naming,
) -> Result<WeightReport, WeightError> {
    let mut import = Import::new(ImportOptions::default());
    import.add(source, naming);
    // Tensors are handles: the copy costs nothing, and stays whole where reading fails.
    *module = import.fill(module.clone())?;
    import.finish()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Clover, CloverConfig, TestBackend};
    use burn::module::{ModuleMapper, Param};
    use burn::tensor::TensorData;
    use safetensors::{Dtype, tensor::TensorView};

    fn clover(seed: u64) -> Clover<TestBackend> {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, seed);
        let config = CloverConfig::tiny(40).with_image_size(28).with_frames(2);
        config.init(&device)
    }

    fn serialized(named: &[(String, TensorData)]) -> Vec<u8> {
        let views = named.iter().map(|(name, data)| {
            let shape = data.shape.to_vec();
            (name, TensorView::new(Dtype::F32, shape, data.as_bytes()).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }

    /// Adds one to every weight.
    struct Raised;

    impl ModuleMapper<TestBackend> for Raised {
        fn map_float<const D: usize>(
            &mut self,
            weight: Param<Tensor<TestBackend, D>>,
        ) -> Param<Tensor<TestBackend, D>> {
            weight.map(|weight| weight + 1.0)
        }
    }

    #[test]
    fn both_namings_give_the_same_bits_back() {
        for naming in [Naming::Published, Naming::Native] {
            let original = clover(1);
            let bytes = to_bytes(&original, naming).unwrap();
            // Seeds alone would not do: chance belongs to the process, and other tests seed it, too.
            let mut copy = clover(2).map(&mut Raised);
            assert!(to_bytes(&copy, naming).unwrap() != bytes);

            let report = from_bytes(&mut copy, &bytes, naming).unwrap();

            assert!(report.is_complete() && report.unused.is_empty(), "{report}");
            assert!(to_bytes(&copy, naming).unwrap() == bytes);
        }
    }

    #[test]
    fn missing_unused_and_misshapen_weights_are_named() {
        let original = clover(1);
        let mut named = tensors(&original, Naming::Published).unwrap();
        named.retain(|(name, _)| name != "backbone.norm.bias");
        named.push(("itm_head.weight".to_owned(), TensorData::from([1.0_f32])));
        for (name, data) in &mut named {
            if name == "backbone.norm.weight" {
                *data = TensorData::from([1.0_f32, 2.0]);
            }
        }
        let bytes = serialized(&named);

        let report = from_bytes(&mut clover(2), &bytes, Naming::Published).unwrap();

        assert!(!report.is_complete());
        assert_eq!(report.missing, ["video_encoder.norm.beta"]);
        assert_eq!(report.unused, ["itm_head.weight"]);
        let [mismatch] = &report.mismatched[..] else {
            panic!("{report}")
        };
        assert_eq!(mismatch.name, "backbone.norm.weight");
        assert_eq!(
            (&mismatch.expected[..], &mismatch.found[..]),
            (&[256][..], &[2][..])
        );
    }

    #[test]
    fn a_truncated_file_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut.safetensors");
        let bytes = to_bytes(&clover(1), Naming::Native).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();

        let error = read_file(&mut clover(2), &path, Naming::Native).unwrap_err();

        assert!(error.to_string().contains("cut.safetensors"), "{error}");
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");

        write_file(&clover(1), &path, Naming::Published).unwrap();

        let report = read_file(&mut clover(2), &path, Naming::Published).unwrap();
        assert!(report.is_complete(), "{report}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "temporary file left behind"
        );
    }
}
