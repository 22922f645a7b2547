//! Reading and writing weights as safetensors, under the published implementation's parameter
//! names or under our own paths.
//!
//! The published names are those of the PyTorch code released with Clover. Linear weights are
//! transposed on the way (PyTorch keeps `[output, input]`, Burn `[input, output]`). Nothing is ever
//! guessed: the [`WeightReport`] names what was applied, what the file did not have, and what the
//! model had no place for.
//!
//! ```no_run
//! use clover_model::{CloverConfig, weights::{self, Naming}};
//! use burn_ndarray::NdArray;
//!
//! let mut clover = CloverConfig::base(30_522).init::<NdArray>(&Default::default());
//! let report = weights::read_file(&mut clover, "clover.safetensors".as_ref(), Naming::Published)?;
//! assert!(report.is_complete(), "{report}");
//! # Ok::<(), clover_model::weights::WeightError>(())
//! ```

mod clover;
mod error;
mod export;
mod file;
mod inventory;
mod report;

pub use clover::{UNUSED_BY_DESIGN, native_name, published_name};
pub use error::WeightError;
pub use export::{tensors, to_bytes, write_file};
pub use file::{FileFault, StoredTensor, UnreadableTensor, WeightFile};
pub use inventory::{Inventory, ListedFile, ListedPart, ListedTensor};
pub use report::{ShapeMismatch, WeightReport};

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use burn::module::{Module, ParamId};
use burn::prelude::*;
use burn::tensor::{DType, TensorData};
use burn_store::{
    ApplyError, ApplyResult, IdentityAdapter, ModuleAdapter, ModuleSnapshot, PyTorchToBurnAdapter,
    TensorSnapshot,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// Whose names, and whose layout of linear weights, a file follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The PyTorch code released with Clover: `backbone.layers.0.blocks.1.attn.qkv.weight`.
    Published,
    /// Our parameter paths: `video_encoder.stages.0.blocks.1.attention.qkv.weight`.
    Native,
}

/// Reads weights from a safetensors file into a module.
///
/// # Errors
///
/// The file cannot be read or is not valid safetensors. Names and shapes that do not fit are not an
/// error but part of the report.
pub fn read_file<B: Backend, M: Module<B>>(
    module: &mut M,
    path: &Path,
    naming: Naming,
) -> Result<WeightReport, WeightError> {
    let bytes = fs::read(path).map_err(|source| WeightError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    from_bytes(module, &bytes, naming).map_err(|error| error.in_file(path))
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
    let file = SafeTensors::deserialize(bytes).map_err(WeightError::malformed)?;
    let mut unused = Vec::new();
    let mut found_as = HashMap::new();
    let mut snapshots = Vec::new();
    for (name, view) in file.iter() {
        let path = match naming {
            Naming::Published => native_name(name),
            Naming::Native => Some(name.to_owned()),
        };
        match path {
            Some(path) => {
                snapshots.push(snapshot(&path, tensor_data(name, &view)?));
                found_as.insert(path, name.to_owned());
            }
            None => unused.push(name.to_owned()),
        }
    }

    let adapter: Box<dyn ModuleAdapter> = match naming {
        Naming::Published => Box::new(PyTorchToBurnAdapter),
        Naming::Native => Box::new(IdentityAdapter),
    };
    let result = module.apply(snapshots, None, Some(adapter), false);
    report(result, &found_as, unused)
}

fn report(
    result: ApplyResult,
    found_as: &HashMap<String, String>,
    mut unused: Vec<String>,
) -> Result<WeightReport, WeightError> {
    let in_file = |path: &String| found_as.get(path).unwrap_or(path).clone();
    unused.extend(result.unused.iter().map(in_file));
    unused.sort();
    let mut mismatched = Vec::new();
    for error in result.errors {
        match error {
            ApplyError::ShapeMismatch {
                path,
                expected,
                found,
            } => {
                mismatched.push(ShapeMismatch {
                    name: in_file(&path),
                    expected: expected.to_vec(),
                    found: found.to_vec(),
                });
            }
            other => return Err(WeightError::malformed(other)),
        }
    }
    Ok(WeightReport {
        applied: result.applied.iter().map(in_file).collect(),
        missing: result.missing.into_iter().map(|(path, _)| path).collect(),
        unused,
        mismatched,
    })
}

fn snapshot(path: &str, data: TensorData) -> TensorSnapshot {
    let path = path.split('.').map(str::to_owned).collect();
    TensorSnapshot::from_data(data, path, Vec::new(), ParamId::new())
}

/// Parameters are trained in 32-bit floats, whatever the file stores.
fn tensor_data(name: &str, view: &TensorView<'_>) -> Result<TensorData, WeightError> {
    let dtype = match view.dtype() {
        Dtype::F64 => DType::F64,
        Dtype::F32 => DType::F32,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        other => {
            return Err(WeightError::NotAFloat {
                name: name.to_owned(),
                found: format!("{other:?}"),
            });
        }
    };
    let data = TensorData::from_bytes_vec(view.data().to_vec(), view.shape().to_vec(), dtype);
    Ok(data.convert::<f32>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clover, CloverConfig, TestBackend};
    use burn::module::{ModuleMapper, Param};

    fn clover(seed: u64) -> Clover<TestBackend> {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, seed);
        let config = CloverConfig::tiny(40).with_image_size(28).with_frames(2);
        config.init(&device)
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
        let bytes = export::serialize(&named).unwrap();

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
