//! Writing weights.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use burn::module::Module;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn_store::{BurnToPyTorchAdapter, IdentityAdapter, ModuleAdapter, ModuleSnapshot};
use safetensors::{Dtype, tensor::TensorView};

use super::{Naming, WeightError, published_name};

/// The weights of a module by name, in 32-bit floats, in the layout of `naming`.
///
/// # Errors
///
/// A tensor cannot be read back from its device.
pub fn tensors<B: Backend, M: Module<B>>(
    module: &M,
    naming: Naming,
) -> Result<Vec<(String, TensorData)>, WeightError> {
    let adapter: Box<dyn ModuleAdapter> = match naming {
        Naming::Published => Box::new(BurnToPyTorchAdapter),
        Naming::Native => Box::new(IdentityAdapter),
    };
    let snapshots = module.collect(None, Some(adapter), false);
    let paths: Vec<_> = snapshots
        .iter()
        .map(burn_store::TensorSnapshot::full_path)
        .collect();
    snapshots
        .iter()
        .zip(&paths)
        .map(|(snapshot, path)| {
            let name = match naming {
                Naming::Published => published_name(path, &paths).unwrap_or_else(|| path.clone()),
                Naming::Native => path.clone(),
            };
            let data = snapshot.to_data().map_err(|error| {
                WeightError::malformed(io::Error::other(format!("{name}: {error:?}")))
            })?;
            Ok((name, data.convert::<f32>()))
        })
        .collect()
}

/// The weights of a module as the bytes of a safetensors file.
///
/// # Errors
///
/// A tensor cannot be read back from its device.
pub fn to_bytes<B: Backend, M: Module<B>>(
    module: &M,
    naming: Naming,
) -> Result<Vec<u8>, WeightError> {
    serialize(&tensors(module, naming)?)
}

/// Writes the weights of a module to a safetensors file: to a temporary name beside it first,
/// synced, then renamed, so that a reader never meets half a file.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_file<B: Backend, M: Module<B>>(
    module: &M,
    path: &Path,
    naming: Naming,
) -> Result<(), WeightError> {
    let bytes = to_bytes(module, naming)?;
    let unwritable = |source| WeightError::Unwritable {
        path: path.to_owned(),
        source,
    };
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".partial");
    let mut file = File::create(&temporary).map_err(unwritable)?;
    file.write_all(&bytes)
        .and_then(|()| file.sync_all())
        .map_err(unwritable)?;
    fs::rename(&temporary, path).map_err(unwritable)
}

pub(super) fn serialize(named: &[(String, TensorData)]) -> Result<Vec<u8>, WeightError> {
    let mut views = Vec::with_capacity(named.len());
    for (name, data) in named {
        let view = TensorView::new(Dtype::F32, data.shape.to_vec(), data.as_bytes())
            .map_err(WeightError::malformed)?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize(views, None).map_err(WeightError::malformed)
}
