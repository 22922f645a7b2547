//! Writing weights, one tensor after another.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;
use burn::module::Module;
use burn::prelude::*;
use burn::tensor::TensorData;
use burn_store::{ModuleSnapshot, TensorSnapshot};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::import::FIRST_KERNELS;
use super::layout::transposed;
use super::other_shape::with_colours_reversed;
use super::{Naming, WeightError};
use crate::tasks::AnswerHead;

/// The weights of modules on their way to a file.
#[derive(Default)]
pub struct Export {
    tensors: Vec<Exported>,
    /// Parameters that the naming has no name for.
    left_out: Vec<String>,
}

/// A parameter that is read from its device when it is written.
struct Exported {
    name: String,
    shape: Vec<usize>,
    transposes: bool,
    reverses_colours: bool,
    snapshot: TensorSnapshot,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Export")
            .field("tensors", &self.tensors.len())
            .field("left_out", &self.left_out)
            .finish_non_exhaustive()
    }
}

impl Export {
    /// The weights of a module under the names of `naming`.
    #[must_use]
    pub fn of<B: Backend, M: Module<B>>(module: &M, naming: Naming) -> Self {
        let mut export = Self::default();
        export.add(module, naming);
        export
    }

    /// Adds the weights of a further module.
    pub fn add<B: Backend, M: Module<B>>(&mut self, module: &M, naming: Naming) {
        let snapshots = module.collect(None, None, false);
        let paths: Vec<_> = snapshots.iter().map(TensorSnapshot::full_path).collect();
        for (snapshot, path) in snapshots.into_iter().zip(&paths) {
            let Some(name) = naming.name_of(path, &paths) else {
                self.left_out.push(path.clone());
                continue;
            };
            let mut shape = snapshot.shape.to_vec();
            let is_linear = snapshot.module_type().as_deref() == Some("Struct:Linear");
            let transposes = naming.transposes() && is_linear && shape.len() == 2;
            if transposes {
                shape.reverse();
            }
            self.tensors.push(Exported {
                name,
                shape,
                transposes,
                reverses_colours: false,
                snapshot,
            });
        }
    }

    /// Adds the head of a fine-tuned model.
    pub fn add_answers<B: Backend>(&mut self, head: &AnswerHead<B>, naming: Naming) {
        match head {
            AnswerHead::OpenEnded(head) => self.add(head, naming),
            AnswerHead::MultipleChoice(head) => self.add(head, naming),
        }
    }

    /// The same with the first convolution turned from blue, green, red to red, green, blue, or
    /// back.
    #[must_use]
    pub fn with_colours_reversed(mut self) -> Self {
        for tensor in &mut self.tensors {
            let path = tensor.snapshot.full_path();
            tensor.reverses_colours ^= FIRST_KERNELS.contains(&&*path);
        }
        self
    }

    /// Paths of the parameters that have no name there.
    #[must_use]
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The names of the tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.iter().map(|tensor| tensor.name.as_str())
    }

    /// How many tensors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Writes a safetensors file, whole or not at all.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), WeightError> {
        let unwritable = |source| WeightError::Unwritable {
            path: path.to_owned(),
            source,
        };
        let mut file = BufWriter::new(AtomicWriteFile::open(path).map_err(unwritable)?);
        self.write_to(&mut file, path)?;
        let file = file
            .into_inner()
            .map_err(|error| unwritable(error.into_error()))?;
        file.commit().map_err(unwritable)
    }

    /// The bytes of a safetensors file.
    ///
    /// # Errors
    ///
    /// A tensor cannot be read back from its device.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WeightError> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes, Path::new("memory"))?;
        Ok(bytes)
    }

    /// The tensors by name, in 32-bit floats.
    pub(super) fn into_tensors(self) -> Result<Vec<(String, TensorData)>, WeightError> {
        let tensors = self.tensors.into_iter();
        tensors
            .map(|tensor| {
                let values = tensor.values()?;
                Ok((tensor.name, TensorData::new(values, tensor.shape)))
            })
            .collect()
    }

    fn write_to(&self, out: &mut impl Write, path: &Path) -> Result<(), WeightError> {
        let unwritable = |source| WeightError::Unwritable {
            path: path.to_owned(),
            source,
        };
        let mut ordered: Vec<_> = self.tensors.iter().collect();
        ordered.sort_by(|a, b| a.name.cmp(&b.name));
        let header = header(&ordered)?;
        out.write_all(&(header.len() as u64).to_le_bytes())
            .and_then(|()| out.write_all(&header))
            .map_err(unwritable)?;
        for tensor in ordered {
            let data = TensorData::new(tensor.values()?, tensor.shape.clone());
            out.write_all(data.as_bytes()).map_err(unwritable)?;
        }
        Ok(())
    }
}

impl Exported {
    fn values(&self) -> Result<Vec<f32>, WeightError> {
        let failed = |what: String| {
            WeightError::malformed(io::Error::other(format!("{}: {what}", self.name)))
        };
        let data = self
            .snapshot
            .to_data()
            .map_err(|error| failed(format!("{error:?}")))?;
        let values = data.convert::<f32>().into_vec::<f32>();
        let mut values = values.map_err(|error| failed(format!("{error:?}")))?;
        if self.reverses_colours {
            with_colours_reversed(&mut values, &self.shape);
        }
        Ok(match self.shape[..] {
            [rows, columns] if self.transposes => transposed(&values, [columns, rows]),
            _ => values,
        })
    }
}

/// Length and place of each tensor; blanks fill it to whole eights, so that the values behind it are
/// aligned in memory.
fn header(tensors: &[&Exported]) -> Result<Vec<u8>, WeightError> {
    let mut end = 0;
    let infos = tensors.iter().map(|tensor| {
        let start = end;
        end += 4 * tensor.shape.iter().product::<usize>();
        let info = TensorInfo {
            dtype: Dtype::F32,
            shape: tensor.shape.clone(),
            data_offsets: (start, end),
        };
        (tensor.name.clone(), info)
    });
    // What `transformers` asks for before it reads a file.
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(format), infos.collect()).map_err(WeightError::malformed)?;
    let mut header = serde_json::to_vec(&metadata).map_err(WeightError::malformed)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    Ok(header)
}

/// The weights of a module by name, in 32-bit floats, in the layout of `naming`.
///
/// # Errors
///
/// A tensor cannot be read back from its device.
pub fn tensors<B: Backend, M: Module<B>>(
    module: &M,
    naming: Naming,
) -> Result<Vec<(String, TensorData)>, WeightError> {
    Export::of(module, naming).into_tensors()
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
    Export::of(module, naming).to_bytes()
}

/// Writes the weights of a module to a safetensors file, whole or not at all.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_file<B: Backend, M: Module<B>>(
    module: &M,
    path: &Path,
    naming: Naming,
) -> Result<(), WeightError> {
    Export::of(module, naming).write(path)
}
