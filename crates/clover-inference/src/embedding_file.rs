//! Embeddings in a file that other programs read, written row by row as they come.
//!
//! | extension | content |
//! |---|---|
//! | `.npy` | NumPy's array format, version 1.0: one array `[rows, dim]` |
//! | `.safetensors` | one tensor `embeddings` `[rows, dim]` |
//! | `.jsonl` | a line a row: `{"name": "..", "embedding": [..]}` |
//!
//! The headers of the first two say how many rows follow. Room for them is left at the start and filled at
//! the end, so that no more than a row is held in memory. The names of their rows lie beside them, a line
//! each, in `out.names.txt` for `out.npy`.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use half::f16;
use serde::Serialize;

use crate::InferenceError;
use crate::partial_file::PartialFile;

/// Bytes before the rows: a multiple of 64, as NumPy wants, with room for the largest numbers.
const HEADER: usize = 256;
/// NumPy's signature and the version of its format.
const NPY: &[u8; 8] = b"\x93NUMPY\x01\x00";
/// Beside `out.npy` lies `out.names.txt`.
const NAMES: &str = "names.txt";

/// How a file of embeddings is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddingFormat {
    /// NumPy's array format.
    Npy,
    /// A tensor named `embeddings`.
    Safetensors,
    /// A JSON object a line.
    Jsonl,
}

/// How many bits a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddingPrecision {
    /// As computed.
    F32,
    /// Half of the size; off by less than a thousandth.
    F16,
}

/// A file of embeddings that is being written. Until it is [finished](Self::finish), a file that was there
/// before stays whole; one that is dropped leaves nothing behind.
#[derive(Debug)]
pub struct EmbeddingFile {
    format: EmbeddingFormat,
    precision: EmbeddingPrecision,
    rows: usize,
    dim: usize,
    values: PartialFile,
    /// None where the names stand beside the values.
    names: Option<PartialFile>,
}

/// A row as a line of JSON.
#[derive(Serialize)]
struct Line<'r> {
    name: &'r str,
    embedding: &'r [f32],
}

impl EmbeddingFormat {
    /// The format that a file's extension names.
    ///
    /// # Errors
    ///
    /// It names none.
    pub fn of(path: &Path) -> Result<Self, InferenceError> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("safetensors") => Ok(Self::Safetensors),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            _ => Err(InferenceError::Option {
                option: "out",
                reason: format!(
                    "{}: embeddings are written as .npy, .safetensors or .jsonl",
                    path.display()
                ),
            }),
        }
    }
}

impl EmbeddingFile {
    /// Begins a file in the format that its extension names.
    ///
    /// # Errors
    ///
    /// The extension names no format, or the file cannot be written.
    pub fn create(path: &Path, precision: EmbeddingPrecision) -> Result<Self, InferenceError> {
        let format = EmbeddingFormat::of(path)?;
        let mut values = PartialFile::create(path)?;
        let names = match format {
            EmbeddingFormat::Jsonl => None,
            EmbeddingFormat::Npy | EmbeddingFormat::Safetensors => {
                values.write(|file| file.write_all(&[0; HEADER]))?;
                Some(PartialFile::create(&path.with_extension(NAMES))?)
            }
        };
        Ok(Self {
            format,
            precision,
            rows: 0,
            dim: 0,
            values,
            names,
        })
    }

    /// Rows written so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Where the names of the rows lie, if beside the file.
    #[must_use]
    pub fn names(&self) -> Option<&Path> {
        self.names.as_ref().map(PartialFile::path)
    }

    /// Adds a row. In a file of names, a line break within one becomes a blank.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    ///
    /// # Panics
    ///
    /// Panics if the row has another width than the first.
    pub fn push(&mut self, name: &str, row: &[f32]) -> Result<(), InferenceError> {
        if self.rows == 0 {
            self.dim = row.len();
        }
        assert_eq!(
            row.len(),
            self.dim,
            "embedding file: rows of different widths"
        );
        let halves = || row.iter().map(|&value| f16::from_f32(value));
        match (self.format, self.precision) {
            (EmbeddingFormat::Jsonl, EmbeddingPrecision::F32) => self.push_line(name, row)?,
            (EmbeddingFormat::Jsonl, EmbeddingPrecision::F16) => {
                let rounded: Vec<f32> = halves().map(f16::to_f32).collect();
                self.push_line(name, &rounded)?;
            }
            (_, EmbeddingPrecision::F32) => {
                let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
                self.values.write(|file| file.write_all(&bytes))?;
            }
            (_, EmbeddingPrecision::F16) => {
                let bytes: Vec<u8> = halves().flat_map(f16::to_le_bytes).collect();
                self.values.write(|file| file.write_all(&bytes))?;
            }
        }
        if let Some(names) = &mut self.names {
            let name = name.replace(['\n', '\r'], " ");
            names.write(|file| writeln!(file, "{name}"))?;
        }
        self.rows += 1;
        Ok(())
    }

    fn push_line(&mut self, name: &str, embedding: &[f32]) -> Result<(), InferenceError> {
        self.values.write(|file| {
            serde_json::to_writer(&mut *file, &Line { name, embedding })?;
            file.write_all(b"\n")
        })
    }

    /// Fills the header, brings all to the disk, and gives the files their names.
    ///
    /// # Errors
    ///
    /// There is no row, or a file cannot be written.
    pub fn finish(mut self) -> Result<(), InferenceError> {
        if self.rows == 0 {
            return Err(InferenceError::NoEmbeddings {
                path: self.values.path().to_owned(),
            });
        }
        let header = match self.format {
            EmbeddingFormat::Npy => Some(self.npy_header()),
            EmbeddingFormat::Safetensors => Some(self.safetensors_header()),
            EmbeddingFormat::Jsonl => None,
        };
        if let Some(header) = header {
            self.values.write(|file| {
                file.seek(SeekFrom::Start(0))?;
                file.write_all(&header)
            })?;
        }
        // Names first: values without names are worse than names without values.
        if let Some(names) = self.names {
            names.finish()?;
        }
        self.values.finish()
    }

    /// Signature, version, length of the text, and a Python dictionary, padded with blanks to a line end.
    fn npy_header(&self) -> Vec<u8> {
        let kind = match self.precision {
            EmbeddingPrecision::F32 => "<f4",
            EmbeddingPrecision::F16 => "<f2",
        };
        let text = format!(
            "{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}, {}), }}",
            self.rows, self.dim
        );
        let room = HEADER - NPY.len() - 2;
        let mut header = NPY.to_vec();
        header.extend((room as u16).to_le_bytes());
        header.extend(format!("{text:<width$}\n", width = room - 1).into_bytes());
        header
    }

    /// The length of the text, and JSON padded with blanks, which the format allows.
    fn safetensors_header(&self) -> Vec<u8> {
        let (kind, bytes) = match self.precision {
            EmbeddingPrecision::F32 => ("F32", 4),
            EmbeddingPrecision::F16 => ("F16", 2),
        };
        let text = format!(
            r#"{{"embeddings":{{"dtype":"{kind}","shape":[{},{}],"data_offsets":[0,{}]}}}}"#,
            self.rows,
            self.dim,
            self.rows * self.dim * bytes
        );
        let room = HEADER - 8;
        let mut header = (room as u64).to_le_bytes().to_vec();
        header.extend(format!("{text:<room$}").into_bytes());
        header
    }
}

#[cfg(test)]
mod tests;
