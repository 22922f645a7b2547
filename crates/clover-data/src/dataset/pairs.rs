//! The pairs manifest: which clip belongs to which caption.
//!
//! A csv or tsv file whose header names its columns, or json: an object a line, or one list; each may
//! be packed by gzip. The columns `path` and `caption` also go by the names that other programs give
//! them ([`ManifestColumns`]), in capitals or not. A column `tags` may hold the universal
//! part-of-speech tags of the caption's words, separated by whitespace (in json also a list), words
//! being what whitespace separates; `start` and `end`, in seconds or as `hh:mm:ss.ms`, name the part of a
//! video that is meant. Other columns and keys are left alone; relative paths start at
//! the manifest's folder.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::items::{Caption, TaggedCaption, check_caption, span_of};
use super::rows::{BROKEN, Header, Records, RowFault, RowNumber, TableStyle, each_row};
use crate::DataError;
use crate::video::Span;

/// What the column of paths is called, the usual name first.
const PATH_NAMES: [&str; 10] = [
    "path",
    "video",
    "file",
    "filepath",
    "file_path",
    "filename",
    "file_name",
    "video_path",
    "image",
    "image_path",
];

/// What the column of captions is called, the usual name first.
const CAPTION_NAMES: [&str; 5] = ["caption", "text", "title", "sentence", "name"];

const TAGS_NAME: &str = "tags";

/// What the columns of a span's start and end are called.
const START_NAMES: &[&str] = &["start", "start_time", "start_timestamp", "begin"];
const END_NAMES: &[&str] = &["end", "end_time", "end_timestamp"];

/// Extensions of manifests, before a `.gz`.
const EXTENSIONS: [&str; 5] = ["csv", "tsv", "json", "jsonl", "ndjson"];

/// What the column of videos is called in tables of moments, whose videos have names without extensions.
pub(super) const MOMENT_VIDEO: &str = "video_id";

/// Which columns hold what, where their names do not tell.
///
/// Unless chosen, the path is the first there is of `path`, `video`, `file`, `filepath`,
/// `file_path`, `filename`, `file_name`, `video_path`, `image` and `image_path`, and the caption of
/// `caption`, `text`, `title`, `sentence` and `name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestColumns {
    /// The column or key of paths.
    pub path: Option<String>,
    /// The column or key of captions.
    pub caption: Option<String>,
    /// What stands between two fields of a table; by default a tab in `.tsv` files, and in others
    /// a comma, a semicolon or a tab.
    pub separator: Option<u8>,
}

/// A row as any of the formats has it.
struct Row<'a> {
    path: &'a str,
    caption: &'a str,
    tags: Option<Vec<String>>,
    span: Option<Span>,
}

/// Which columns of a table hold what.
struct Places {
    path: usize,
    caption: usize,
    tags: Option<usize>,
    /// Of the start and the end of a span.
    times: [Option<usize>; 2],
}

/// A usable row: its path as it stands there, the span that is meant, and its caption.
pub(super) type Pair<'a> = ((&'a str, Option<Span>), Caption);

/// What is told of every row by its number.
pub(super) type TakePair<'t> = dyn FnMut(RowNumber, Result<Pair<'_>, RowFault>) + 't;

impl ManifestColumns {
    /// Tells whether nothing was chosen.
    pub(super) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The first of a row's names that stands for a path, and for a caption.
    fn find<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> [Option<usize>; 2] {
        let place = |known: &[&str]| first_of(known, names.clone());
        let choose = |chosen: &Option<String>, usual| match chosen {
            Some(chosen) => place(&[chosen.trim()]),
            None => place(usual),
        };
        [
            choose(&self.path, &PATH_NAMES),
            choose(&self.caption, &CAPTION_NAMES),
        ]
    }

    /// What an object says.
    fn pair<'a>(&self, object: &'a Map<String, Value>) -> Result<Pair<'a>, RowFault> {
        let names = object.keys().map(String::as_str);
        let [path, caption] = self.find(names.clone());
        let times = [START_NAMES, END_NAMES]
            .map(|known| object.values().nth(first_of(known, names.clone())?));
        let row = Row {
            path: text(object, path, "path")?,
            caption: text(object, caption, "caption")?,
            tags: tags(object)?,
            span: span_of(times[0], times[1])?,
        };
        row.pair()
    }
}

/// The place of the first of the known names that is among `names`.
fn first_of<'a>(known: &[&str], names: impl Iterator<Item = &'a str> + Clone) -> Option<usize> {
    known.iter().find_map(|known| {
        let mut names = names.clone();
        names.position(|name| name.eq_ignore_ascii_case(known))
    })
}

/// Tells whether a table with these columns, or an object with these keys, is of pairs.
pub(super) fn names_pairs<'a>(names: impl Iterator<Item = &'a str> + Clone) -> bool {
    ManifestColumns::default()
        .find(names)
        .iter()
        .all(Option::is_some)
}

/// Tells whether such a table or object is of moments of videos: `video_id`, a span and a caption.
pub(super) fn names_moments<'a>(names: impl Iterator<Item = &'a str> + Clone) -> bool {
    [&[MOMENT_VIDEO], &CAPTION_NAMES[..], START_NAMES, END_NAMES]
        .iter()
        .all(|known| first_of(known, names.clone()).is_some())
}

/// Reads a manifest; the extension of its name, before a `.gz`, tells the format (csv, tsv, json, jsonl,
/// ndjson). Paths are relative to the manifest's folder, or absolute.
///
/// A row without path, with an empty or endless caption, or that cannot be parsed is handed over as its
/// fault.
///
/// # Errors
///
/// When the file cannot be read, has another extension, or lacks a column.
pub(super) fn each_pair(
    path: &Path,
    columns: &ManifestColumns,
    take: &mut TakePair<'_>,
) -> Result<(), DataError> {
    let mut reading = Reading {
        path,
        columns,
        take,
    };
    let comma = [
        TableStyle::CSV,
        TableStyle::SEMICOLONS,
        TableStyle::QUOTED_TABS,
    ];
    match (extension(path).as_deref(), columns.separator) {
        (Some("csv" | "tsv"), Some(separator)) => {
            reading.read_table(&[TableStyle::quoted(separator)])
        }
        (Some("csv"), None) => reading.read_table(&comma),
        (Some("tsv"), None) => reading.read_table(&[TableStyle::QUOTED_TABS]),
        (Some("json" | "jsonl" | "ndjson"), _) => reading.read_json(),
        _ => Err(DataError::UnknownManifest {
            path: path.to_path_buf(),
        }),
    }
}

/// Tells whether a name ends as those of manifests do.
pub(super) fn is_named_as_manifest(path: &Path) -> bool {
    let extension = extension(path);
    extension.is_some_and(|extension| EXTENSIONS.contains(&&*extension))
}

/// The extension of a name, or what stands before a `.gz`.
fn extension(path: &Path) -> Option<String> {
    let lowered = |path: &Path| Some(path.extension()?.to_str()?.to_ascii_lowercase());
    match lowered(path)? {
        packed if packed == "gz" => lowered(Path::new(path.file_stem()?)),
        extension => Some(extension),
    }
}

struct Reading<'a, 't> {
    path: &'a Path,
    columns: &'a ManifestColumns,
    take: &'a mut TakePair<'t>,
}

impl Reading<'_, '_> {
    fn read_table(&mut self, styles: &[TableStyle]) -> Result<(), DataError> {
        let (mut records, places) = self.open_table(styles)?;
        while let Some((line, record)) = records.next_record()? {
            let number = RowNumber::Line(line);
            match record {
                Ok(record) => (self.take)(number, places.pair(&record)),
                Err(fault) => (self.take)(number, Err(fault)),
            }
        }
        Ok(())
    }

    /// The first style in which the header has the columns.
    fn open_table(&self, styles: &[TableStyle]) -> Result<(Records, Places), DataError> {
        let mut missing = None;
        for &style in styles {
            let mut records = Records::open(self.path, style)?;
            let header = records.header(self.path)?;
            if header.names().all(str::is_empty) {
                return Err(DataError::EmptyFile {
                    path: self.path.to_path_buf(),
                });
            }
            let error = match self.columns.find(header.names()) {
                [Some(path), Some(caption)] => {
                    return Ok((records, Places::new(&header, [path, caption])));
                }
                [None, _] => header.lacks(self.columns.path.as_deref().unwrap_or("path")),
                [_, None] => header.lacks(self.columns.caption.as_deref().unwrap_or("caption")),
            };
            // That of a header with one of the two tells more.
            let has_columns = header.names().nth(1).is_some();
            if missing.is_none() || has_columns {
                missing = Some(error);
            }
        }
        Err(missing.unwrap_or(DataError::EmptyDataset))
    }

    fn read_json(&mut self) -> Result<(), DataError> {
        each_row(self.path, &mut |number, value| match value {
            Ok(Value::Object(object)) => (self.take)(number, self.columns.pair(&object)),
            Ok(_) => (self.take)(number, Err(RowFault::NotAnObject)),
            Err(fault) => (self.take)(number, Err(fault)),
        })
    }
}

impl Places {
    fn new(header: &Header, [path, caption]: [usize; 2]) -> Self {
        Self {
            path,
            caption,
            tags: first_of(&[TAGS_NAME], header.names()),
            times: [START_NAMES, END_NAMES].map(|known| first_of(known, header.names())),
        }
    }

    /// What a row of the table says.
    fn pair<'a>(&self, record: &'a [String]) -> Result<Pair<'a>, RowFault> {
        let field = |column: usize| record.get(column).map_or("", String::as_str);
        let times = self.times.map(|place| Some(Value::from(field(place?))));
        let row = Row {
            path: field(self.path),
            caption: field(self.caption),
            // Rows of a table all have the column, whether they have tags or not.
            tags: self
                .tags
                .map(field)
                .map(split_tags)
                .filter(|tags| !tags.is_empty()),
            span: span_of(times[0].as_ref(), times[1].as_ref())?,
        };
        row.pair()
    }
}

impl<'a> Row<'a> {
    fn pair(self) -> Result<Pair<'a>, RowFault> {
        let file = self.path.trim();
        let key = "path";
        if file.is_empty() {
            return Err(RowFault::Missing { key });
        }
        if file.contains(BROKEN) {
            return Err(RowFault::BrokenText { key });
        }
        let text = self.caption.to_owned();
        let caption = match self.tags {
            Some(tags) => Caption::Tagged(TaggedCaption { text, tags }),
            None => Caption::Plain(text),
        };
        Ok(((file, self.span), check_caption(caption)?))
    }
}

/// The text at a place among the keys.
fn text<'a>(
    object: &'a Map<String, Value>,
    place: Option<usize>,
    key: &'static str,
) -> Result<&'a str, RowFault> {
    let wanted = "a text";
    match place.and_then(|place| object.values().nth(place)) {
        None | Some(Value::Null) => Err(RowFault::Missing { key }),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(RowFault::WrongKind { key, wanted }),
    }
}

/// Tags as a sentence or as a list.
fn tags(object: &Map<String, Value>) -> Result<Option<Vec<String>>, RowFault> {
    let (key, wanted) = (TAGS_NAME, "a text or a list of texts");
    let tag = |tag: &Value| tag.as_str().map(str::to_owned);
    let tags = match object.get(TAGS_NAME) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(tags)) => Some(split_tags(tags)),
        Some(Value::Array(tags)) => tags.iter().map(tag).collect(),
        Some(_) => None,
    };
    tags.map(Some).ok_or(RowFault::WrongKind { key, wanted })
}

fn split_tags(tags: &str) -> Vec<String> {
    tags.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
