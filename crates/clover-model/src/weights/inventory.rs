//! What a file of weights holds, part by part.

use std::collections::BTreeMap;
use std::fmt;

use super::WeightFile;

/// Bytes of a value in memory: all are read as 32-bit floats.
const VALUE_BYTES: u64 = 4;

/// What a file of weights holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Inventory {
    /// The files.
    pub files: Vec<ListedFile>,
    /// The tensors in the file's order.
    pub tensors: Vec<ListedTensor>,
    /// The parts, by name.
    pub parts: Vec<ListedPart>,
    /// Names of tensors that cannot be read, with their types.
    pub unreadable: Vec<(String, String)>,
    /// Python classes and functions that were met beside the tensors, and left alone.
    pub other_objects: Vec<String>,
    /// Values of floating-point tensors.
    pub parameters: u64,
    /// Bytes of all tensors as stored.
    pub bytes: u64,
    /// Bytes of the parameters when they are read.
    pub memory: u64,
}

/// One of the files.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ListedFile {
    /// Where it is.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
}

/// A tensor.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ListedTensor {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its type as stored.
    pub dtype: &'static str,
    /// Its bytes as stored.
    pub bytes: u64,
}

/// The tensors whose names begin alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ListedPart {
    /// How they begin.
    pub name: String,
    /// How many there are.
    pub tensors: u64,
    /// Values of the floating-point ones.
    pub parameters: u64,
    /// Bytes of all as stored.
    pub bytes: u64,
}

impl Inventory {
    /// Lists what a file holds; parts are named by the first `depth` words of a name, but never by
    /// the last.
    #[must_use]
    pub fn of(file: &WeightFile, depth: usize) -> Self {
        let mut parts = BTreeMap::new();
        let mut tensors = Vec::with_capacity(file.entries().len());
        for entry in file.entries() {
            let name = part_name(&entry.name, depth);
            let part: &mut ListedPart = parts.entry(name).or_default();
            let is_parameter = entry.dtype.is_float();
            part.tensors += 1;
            part.bytes = part.bytes.saturating_add(entry.bytes());
            if is_parameter {
                part.parameters = part.parameters.saturating_add(entry.elements());
            }
            tensors.push(ListedTensor {
                name: entry.name.clone(),
                shape: entry.shape.clone(),
                dtype: entry.dtype.name(),
                bytes: entry.bytes(),
            });
        }
        let named = |(name, part): (&str, ListedPart)| ListedPart {
            name: name.to_owned(),
            ..part
        };
        let parts: Vec<_> = parts.into_iter().map(named).collect();
        let sum = |of: fn(&ListedPart) -> u64| parts.iter().map(of).fold(0, u64::saturating_add);
        let parameters = sum(|part| part.parameters);
        let bytes = sum(|part| part.bytes);
        let unreadable = file.unreadable().iter();
        Self {
            files: file.files().map(ListedFile::of).collect(),
            tensors,
            unreadable: unreadable
                .map(|tensor| (tensor.name.clone(), tensor.stored_as.clone()))
                .collect(),
            other_objects: file.other_objects().map(str::to_owned).collect(),
            parameters,
            bytes,
            memory: parameters.saturating_mul(VALUE_BYTES),
            parts,
        }
    }
}

impl ListedFile {
    fn of((path, bytes): (&std::path::Path, u64)) -> Self {
        Self {
            path: path.display().to_string(),
            bytes,
        }
    }
}

/// The first words of a name without its last one, and at least one.
fn part_name(name: &str, depth: usize) -> &str {
    let words = name.matches('.').count().clamp(1, depth.max(1));
    let end = name.match_indices('.').nth(words - 1);
    end.map_or(name, |(end, _)| &name[..end])
}

impl fmt::Display for Inventory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ListedFile { path, bytes } in &self.files {
            writeln!(formatter, "{path}: {bytes} bytes")?;
        }
        for tensor in &self.tensors {
            writeln!(
                formatter,
                "  {} {:?} {}, {} bytes",
                tensor.name, tensor.shape, tensor.dtype, tensor.bytes
            )?;
        }
        for (name, stored_as) in &self.unreadable {
            writeln!(formatter, "  {name}: cannot be read, stored as {stored_as}")?;
        }
        for part in &self.parts {
            writeln!(
                formatter,
                "{}: {} parameters in {} tensors, {} bytes",
                part.name, part.parameters, part.tensors, part.bytes
            )?;
        }
        if !self.other_objects.is_empty() {
            writeln!(
                formatter,
                "beside the tensors, left alone: {}",
                self.other_objects.join(", ")
            )?;
        }
        write!(
            formatter,
            "{} parameters in {} tensors, {} bytes as stored, {} in memory",
            self.parameters,
            self.tensors.len(),
            self.bytes,
            self.memory
        )
    }
}

#[cfg(test)]
mod tests {
    use super::part_name;

    #[test]
    fn a_part_is_the_beginning_of_a_name_and_never_all_of_it() {
        for (name, depth, part) in [
            ("encoder.layer.0.weight", 2, "encoder.layer"),
            ("encoder.layer.0.weight", 1, "encoder"),
            ("encoder.layer.0.weight", 0, "encoder"),
            ("encoder.layer.0.weight", 9, "encoder.layer.0"),
            ("norm.weight", 2, "norm"),
            ("mask_token", 2, "mask_token"),
        ] {
            assert_eq!(part_name(name, depth), part, "{name} {depth}");
        }
    }
}
