//! What an index was made with: its `index.toml`.

use std::io;
use std::path::{Path, PathBuf};

use clover_data::files::read_regular;
use serde::{Deserialize, Serialize};

use super::source::LibrarySource;
use super::windows::WindowSettings;
use crate::InferenceError;
use crate::bundle::{bundle_checksum, read_config, write_whole};

/// The version of the folder's form that this code writes and reads.
pub const INDEX_FORMAT: u32 = 2;

pub(super) const SETTINGS: &str = "index.toml";
/// Many times what settings need.
const MAX_BYTES: u64 = 16 << 20;

/// How a row is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowPrecision {
    /// Half precision: half the disk and memory, and similarities within 0.001.
    #[default]
    F16,
    /// Single precision, as the model computes on the CPU.
    F32,
}

/// What an index was made with; a row is comparable only to rows made with the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexSettings {
    /// [`INDEX_FORMAT`].
    pub format: u32,
    /// The checksum of the bundle's files ([`bundle_checksum`](crate::bundle_checksum)).
    pub bundle_checksum: String,
    /// Where that bundle lay.
    pub bundle: PathBuf,
    /// Numbers in a row.
    pub dim: usize,
    /// How a row is stored.
    pub rows: RowPrecision,
    /// How videos are cut into windows.
    pub windows: WindowSettings,
    /// The folders, lists and shards that were indexed. Entries are never taken out: files name theirs
    /// by its place.
    #[serde(default)]
    pub sources: Vec<LibrarySource>,
}

/// What is read first: other versions may have other keys.
#[derive(Deserialize)]
struct FormatAlone {
    format: u32,
}

/// Whether a folder is an index.
#[must_use]
pub fn is_index(folder: &Path) -> bool {
    folder.join(SETTINGS).is_file()
}

impl IndexSettings {
    /// Those of a new index: half precision, eight-second windows, and no source yet.
    ///
    /// # Errors
    ///
    /// The folder is no bundle.
    pub fn of_bundle(bundle: &Path) -> Result<Self, InferenceError> {
        let file = |source| InferenceError::File {
            path: bundle.to_owned(),
            source,
        };
        Ok(Self {
            format: INDEX_FORMAT,
            bundle_checksum: bundle_checksum(bundle)?,
            bundle: bundle.canonicalize().map_err(file)?,
            dim: read_config(bundle)?.embedding(),
            rows: RowPrecision::default(),
            windows: WindowSettings::default(),
            sources: Vec::new(),
        })
    }

    /// Reads the settings of an index.
    ///
    /// # Errors
    ///
    /// The folder is no index, or one of another format version.
    pub fn read(folder: &Path) -> Result<Self, InferenceError> {
        let path = folder.join(SETTINGS);
        let failed = |source| InferenceError::File {
            path: path.clone(),
            source,
        };
        let text = read_regular(&path, MAX_BYTES).map_err(failed)?;
        let text = String::from_utf8(text).map_err(|error| failed(io::Error::other(error)))?;
        let broken = |source| InferenceError::Toml {
            path: path.clone(),
            source: Box::new(source),
        };
        let FormatAlone { format } = toml::from_str(&text).map_err(broken)?;
        if format != INDEX_FORMAT {
            return Err(InferenceError::Configuration {
                path,
                reason: format!(
                    "is an index of format {format}, and this program reads {INDEX_FORMAT}; \
                     build it anew with `clover index`"
                ),
            });
        }
        let settings: Self = toml::from_str(&text).map_err(broken)?;
        match settings.fault() {
            None => Ok(settings),
            Some(reason) => Err(InferenceError::Configuration {
                path,
                reason: reason.to_owned(),
            }),
        }
    }

    /// Writes the settings, whole or not at all.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), InferenceError> {
        let path = folder.join(SETTINGS);
        let text =
            toml::to_string_pretty(self).map_err(|source| InferenceError::Configuration {
                path: path.clone(),
                reason: source.to_string(),
            })?;
        write_whole(&path, text.as_bytes())
    }

    /// Whether rows of both can stand in one index.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.fits(other, Path::new("")).is_ok()
    }

    /// Whether rows that are made with other settings can stand beside those of this index.
    ///
    /// # Errors
    ///
    /// They cannot; what differs is named.
    pub(crate) fn fits(&self, wanted: &Self, folder: &Path) -> Result<(), InferenceError> {
        let reason = if self.bundle_checksum != wanted.bundle_checksum {
            format!(
                "was made with the bundle {} ({}), and this is {} ({}): their rows cannot be compared. \
                 Build the index anew (`--rebuild`), or name another folder",
                self.bundle.display(),
                short(&self.bundle_checksum),
                wanted.bundle.display(),
                short(&wanted.bundle_checksum)
            )
        } else if (self.dim, self.rows) != (wanted.dim, wanted.rows) {
            format!(
                "has rows of {} numbers in {:?}, and {} in {:?} are wanted",
                self.dim, self.rows, wanted.dim, wanted.rows
            )
        } else if self.windows != wanted.windows {
            format!(
                "has windows of {} every {}; other windows need the index to be built anew (`--rebuild`)",
                seconds(self.windows.window_ms),
                seconds(self.windows.stride_ms)
            )
        } else {
            return Ok(());
        };
        Err(InferenceError::OtherIndex {
            index: folder.to_owned(),
            reason,
        })
    }

    fn fault(&self) -> Option<&'static str> {
        if !(1..=1 << 16).contains(&self.dim) {
            return Some("dim is not between 1 and 65,536");
        }
        self.windows.fault()
    }
}

/// Enough of a checksum to tell two apart.
fn short(checksum: &str) -> &str {
    checksum.get(..12).unwrap_or(checksum)
}

fn seconds(ms: u64) -> String {
    format!("{} s", ms as f64 / 1000.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::index) fn settings(dim: usize) -> IndexSettings {
        IndexSettings {
            format: INDEX_FORMAT,
            bundle_checksum: "abc".to_owned(),
            bundle: PathBuf::from("bundle"),
            dim,
            rows: RowPrecision::F32,
            windows: WindowSettings::default(),
            sources: Vec::new(),
        }
    }

    #[test]
    fn settings_read_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let settings = IndexSettings {
            sources: vec![LibrarySource {
                videos: Some(PathBuf::from("/videos")),
                ..LibrarySource::of("/list.csv")
            }],
            ..settings(4)
        };

        settings.write(folder.path()).unwrap();

        assert!(is_index(folder.path()));
        assert_eq!(IndexSettings::read(folder.path()).unwrap(), settings);
    }

    #[test]
    fn an_index_of_another_version_is_refused_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SETTINGS);
        std::fs::write(&path, "format = 7\nnew_key = 1\n").unwrap();

        let error = IndexSettings::read(folder.path()).unwrap_err().to_string();

        assert!(
            error.contains("format 7") && error.contains(SETTINGS),
            "{error}"
        );
    }

    #[test]
    fn impossible_numbers_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for broken in [
            IndexSettings {
                dim: 0,
                ..settings(4)
            },
            IndexSettings {
                windows: WindowSettings {
                    stride_ms: 0,
                    ..WindowSettings::default()
                },
                ..settings(4)
            },
        ] {
            broken.write(folder.path()).unwrap();
            assert!(IndexSettings::read(folder.path()).is_err(), "{broken:?}");
        }
    }
}
