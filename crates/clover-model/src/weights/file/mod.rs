//! Files of weights, read one tensor at a time, and never believed.
//!
//! A file is recognised by its content: PyTorch's zip archives and the older form without a zip
//! (`.pth`, `.pt`, `.bin`), safetensors, an index of shards, or a folder with one of these. Opening
//! reads the names, shapes and types; every place and size that the file states is compared with the
//! file. Values are read when they are asked for, exactly the bytes that are needed. Nothing in a
//! pickle is executed.
//!
//! The files are read by position, not mapped: a mapped file that another program shortens kills the
//! process, and mapping cannot be had without unsafe code.

mod error;
mod folder;
mod json;
mod kind;
mod safetensors;
mod shards;
mod source;
mod stored;
mod torch;
mod zip;

pub use error::FileFault;
pub use stored::{StoredTensor, UnreadableTensor};

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;

use super::WeightError;
use kind::Kind;
use source::Source;
use stored::Location;

/// An open file of weights, or several that belong together.
#[derive(Debug)]
pub struct WeightFile {
    path: PathBuf,
    sources: Vec<Source>,
    entries: Vec<StoredTensor>,
    /// Where the values of each entry stand.
    locations: Vec<Location>,
    /// Which entry has a name.
    names: HashMap<String, usize>,
    unreadable: Vec<UnreadableTensor>,
    other_objects: BTreeSet<String>,
}

/// What one file holds.
#[derive(Debug, Default)]
struct Contents {
    tensors: Vec<(StoredTensor, Location)>,
    unreadable: Vec<UnreadableTensor>,
    other_objects: BTreeSet<String>,
}

impl WeightFile {
    /// Reads what a file, or a folder with one, holds, without its values.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is of no known kind, is damaged or cut short, or holds no tensors.
    pub fn open(path: &Path) -> Result<Self, WeightError> {
        let path = match path.is_dir() {
            true => folder::weights_in(path)?,
            false => path.to_owned(),
        };
        let mut file = Self {
            path: path.clone(),
            sources: Vec::new(),
            entries: Vec::new(),
            locations: Vec::new(),
            names: HashMap::new(),
            unreadable: Vec::new(),
            other_objects: BTreeSet::new(),
        };
        let source = Source::open(&path)?;
        let opened = kind::of(&source).and_then(|kind| match kind {
            Kind::Index => Ok(None),
            kind => contents(&source, kind).map(Some),
        });
        match opened.map_err(|fault| fault.in_file(&path))? {
            Some(contents) => file.add(source, contents)?,
            None => file.add_shards(&source)?,
        }
        match file.entries.is_empty() && file.unreadable.is_empty() {
            true => Err(FileFault::NoTensors.in_file(&path)),
            false => Ok(file),
        }
    }

    /// The file: of a folder the one that was found in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files that hold the values, and their sizes in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.sources
            .iter()
            .map(|source| (source.path(), source.length()))
    }

    /// Its tensors. Names within each other are joined by a dot.
    #[must_use]
    pub fn entries(&self) -> &[StoredTensor] {
        &self.entries
    }

    /// Tensors of types or forms that cannot be read: complex, quantized, sparse.
    #[must_use]
    pub fn unreadable(&self) -> &[UnreadableTensor] {
        &self.unreadable
    }

    /// Python classes and functions that the file names beside its tensors, as in a training
    /// program's settings. None of them was imported or called.
    pub fn other_objects(&self) -> impl Iterator<Item = &str> {
        self.other_objects.iter().map(String::as_str)
    }

    /// One tensor in 32-bit floats, its elements in row-major order.
    ///
    /// # Errors
    ///
    /// There is none of this name, it is no float, its bytes do not have their checksum, or the file
    /// cannot be read.
    pub fn data(&self, name: &str) -> Result<TensorData, WeightError> {
        let Some(&index) = self.names.get(name) else {
            return Err(self.absent(name));
        };
        let (entry, location) = (&self.entries[index], &self.locations[index]);
        let source = &self.sources[location.source];
        stored::floats(source, entry, location)
    }

    fn absent(&self, name: &str) -> WeightError {
        let unreadable = self.unreadable.iter().find(|tensor| tensor.name == name);
        match unreadable {
            Some(tensor) => WeightError::NotAFloat {
                name: name.to_owned(),
                found: tensor.stored_as.clone(),
            }
            .in_file(&self.path),
            None => FileFault::NoSuchTensor {
                name: name.to_owned(),
            }
            .in_file(&self.path),
        }
    }

    fn add(&mut self, source: Source, contents: Contents) -> Result<(), WeightError> {
        let path = source.path().to_owned();
        self.sources.push(source);
        for (entry, mut location) in contents.tensors {
            location.source = self.sources.len() - 1;
            let index = self.entries.len();
            if self.names.insert(entry.name.clone(), index).is_some() {
                return Err(FileFault::Duplicate { name: entry.name }.in_file(&path));
            }
            self.entries.push(entry);
            self.locations.push(location);
        }
        self.unreadable.extend(contents.unreadable);
        self.other_objects.extend(contents.other_objects);
        Ok(())
    }

    fn add_shards(&mut self, index: &Source) -> Result<(), WeightError> {
        let index = shards::Index::read(index).map_err(|fault| fault.in_file(&self.path))?;
        for shard in index.shards() {
            let path = self.path.with_file_name(shard);
            let source = Source::open(&path)?;
            let read = kind::of(&source).and_then(|kind| match kind {
                Kind::Index => Err(FileFault::NestedIndex),
                kind => contents(&source, kind),
            });
            let contents = read.map_err(|fault| fault.in_file(&path))?;
            index
                .compare(shard, &contents)
                .map_err(|fault| fault.in_file(&self.path))?;
            self.add(source, contents)?;
        }
        Ok(())
    }
}

fn contents(source: &Source, kind: Kind) -> Result<Contents, FileFault> {
    match kind {
        Kind::Safetensors => safetensors::contents(source),
        Kind::Zip => torch::archive_contents(source),
        Kind::LegacyTorch => torch::legacy_contents(source),
        Kind::Index => Err(FileFault::NestedIndex),
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod mutation_tests;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
