//! The pairs manifest: which clip belongs to which caption.
//!
//! A csv or tsv file with the columns `path` and `caption`, found by their names in the header, or
//! a jsonl file with one object a line. A column `tags` may hold the universal part-of-speech tags
//! of the caption's words, separated by blanks (in jsonl also a list), words being what blanks
//! separate. Other columns and keys are left alone; relative paths start at the manifest's folder.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::items::{Caption, TaggedCaption, check_caption};
use super::rows::RowFault;
use super::skipped::SkippedItem;
use crate::DataError;

const PATH_COLUMN: &str = "path";
const CAPTION_COLUMN: &str = "caption";
const TAGS_COLUMN: &str = "tags";

/// A clip and its caption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The video or image file.
    pub path: PathBuf,
    /// What is said about it, with tags where the manifest has them.
    pub caption: Caption,
    /// The line of the manifest, counted from one.
    pub line: usize,
}

/// The usable pairs of a manifest, and the rows that were not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairsManifest {
    /// The pairs in the order of the file.
    pub pairs: Vec<Pair>,
    /// The rows that were left out.
    pub skipped: Vec<SkippedItem>,
}

/// A row of a jsonl manifest; a missing key is the row's error, not the file's.
#[derive(Deserialize)]
struct JsonRow {
    path: String,
    caption: String,
    #[serde(default)]
    tags: Option<JsonTags>,
}

/// Tags as a sentence or as a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum JsonTags {
    Joined(String),
    List(Vec<String>),
}

/// A row as any of the formats has it.
struct Row<'a> {
    path: &'a str,
    caption: &'a str,
    tags: Option<Vec<String>>,
}

impl Pair {
    /// What reports call the pair: its file.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }
}

impl PairsManifest {
    /// Reads a manifest; the ending of its name tells the format (csv, tsv, jsonl, ndjson).
    ///
    /// A row without path, with an empty or endless caption, or that cannot be parsed is skipped
    /// and listed by file and line.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, has another ending, lacks a column, or has no usable row.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let ending = path.extension().and_then(|ending| ending.to_str());
        let file = File::open(path).map_err(|source| DataError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let manifest = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => Self::read_table(file, b',', path),
            Some("tsv") => Self::read_table(file, b'\t', path),
            Some("jsonl" | "ndjson") => Self::read_json_lines(file, path),
            _ => Err(DataError::UnknownManifest {
                path: path.to_path_buf(),
            }),
        }?;
        if manifest.pairs.is_empty() {
            return Err(DataError::NoUsableRow {
                path: path.to_path_buf(),
                skipped: manifest.skipped.len(),
                first: manifest
                    .skipped
                    .first()
                    .map_or_else(|| "it has no rows".to_owned(), |item| item.reason.clone()),
            });
        }
        Ok(manifest)
    }

    fn read_table(file: impl Read, delimiter: u8, path: &Path) -> Result<Self, DataError> {
        let broken = |source| DataError::Manifest {
            path: path.to_path_buf(),
            source,
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(file);
        let header = reader.byte_headers().map_err(broken)?.clone();
        let path_column = find_column(&header, PATH_COLUMN, path)?;
        let caption_column = find_column(&header, CAPTION_COLUMN, path)?;
        let tags_column = find_column(&header, TAGS_COLUMN, path).ok();

        let mut manifest = Self::default();
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(broken)? {
            let line = record.position().map_or(0, csv::Position::line) as usize;
            let field = |column: usize| {
                std::str::from_utf8(record.get(column).unwrap_or_default()).map_err(|source| {
                    DataError::RowNotText {
                        path: path.to_path_buf(),
                        line,
                        source,
                    }
                })
            };
            let row = || {
                let tags = tags_column.map(field).transpose()?;
                Ok(Row {
                    path: field(path_column)?,
                    caption: field(caption_column)?,
                    // Rows of a table all have the column, whether they have tags or not.
                    tags: tags.map(split_tags).filter(|tags| !tags.is_empty()),
                })
            };
            manifest.push(row().and_then(|row| pair(row, path, line)), path, line);
        }
        Ok(manifest)
    }

    fn read_json_lines(file: impl Read, path: &Path) -> Result<Self, DataError> {
        let mut manifest = Self::default();
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            let read = reader.read_until(b'\n', &mut bytes);
            let read = read.map_err(|source| DataError::Read {
                path: path.to_path_buf(),
                source,
            })?;
            if read == 0 {
                break;
            }
            let text = strip_byte_order_mark(&bytes);
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let row = serde_json::from_slice::<JsonRow>(text)
                .map_err(|source| DataError::JsonRow {
                    path: path.to_path_buf(),
                    line,
                    source,
                })
                .and_then(|row| {
                    let tags = row.tags.map(|tags| match tags {
                        JsonTags::Joined(tags) => split_tags(&tags),
                        JsonTags::List(tags) => tags,
                    });
                    let (file, caption) = (&row.path, &row.caption);
                    let row = Row {
                        path: file,
                        caption,
                        tags,
                    };
                    pair(row, path, line)
                });
            manifest.push(row, path, line);
        }
        Ok(manifest)
    }

    fn push(&mut self, row: Result<Pair, DataError>, path: &Path, line: usize) {
        match row {
            Ok(pair) => self.pairs.push(pair),
            Err(error) => {
                let name = format!("{}: line {line}", path.display());
                self.skipped.push(SkippedItem::new(name, &error));
            }
        }
    }
}

fn split_tags(tags: &str) -> Vec<String> {
    tags.split_whitespace().map(str::to_owned).collect()
}

fn pair(row: Row<'_>, manifest: &Path, line: usize) -> Result<Pair, DataError> {
    let unusable = |source| DataError::Row {
        path: manifest.to_path_buf(),
        line,
        source,
    };
    let file = row.path.trim();
    if file.is_empty() {
        return Err(unusable(RowFault::Missing { key: PATH_COLUMN }));
    }
    let text = row.caption.to_owned();
    let caption = match row.tags {
        Some(tags) => Caption::Tagged(TaggedCaption { text, tags }),
        None => Caption::Plain(text),
    };
    let caption = check_caption(caption).map_err(unusable)?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    // Joining an absolute path gives that path.
    Ok(Pair {
        path: folder.join(file),
        caption,
        line,
    })
}

fn find_column(
    header: &csv::ByteRecord,
    column: &'static str,
    path: &Path,
) -> Result<usize, DataError> {
    let names: Vec<_> = header
        .iter()
        .map(|name| String::from_utf8_lossy(strip_byte_order_mark(name)))
        .map(|name| name.trim().to_owned())
        .collect();
    names
        .iter()
        .position(|name| name == column)
        .ok_or_else(|| DataError::MissingColumn {
            path: path.to_path_buf(),
            column,
            found: names.join(", "),
        })
}

/// Spreadsheet programs put a mark in front of the first column's name.
fn strip_byte_order_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests;
