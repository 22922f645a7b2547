//! `benchmark.json`: which benchmark a folder holds, and whether it is complete.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::config::BenchmarkConfig;
use super::lines::SplitCounts;
use crate::DataError;
use crate::synthetic::whole_file::write_renamed;

/// Grows when the same configuration would give other files.
const VERSION: usize = 1;

/// A record has a few hundred bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// What the splits have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchmarkCounts {
    /// Clips to train on.
    pub train: SplitCounts,
    /// Clips to choose a model by.
    pub validation: SplitCounts,
    /// Clips to report on.
    pub test: SplitCounts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: usize,
    configuration: BenchmarkConfig,
    complete: bool,
    counts: BenchmarkCounts,
}

/// Marks a folder as the benchmark's, or finds that it is; the counts are not known yet.
pub(super) fn claim(path: &Path, config: &BenchmarkConfig) -> Result<(), DataError> {
    let begun = text(path, config, None)?;
    match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            write_renamed(path, begun.as_bytes())
        }
        Err(source) => Err(DataError::Read {
            path: path.to_path_buf(),
            source,
        }),
        Ok(file) => {
            let other = || DataError::OtherBenchmark {
                path: path.to_path_buf(),
            };
            let mut found = String::new();
            file.take(MAX_BYTES)
                .read_to_string(&mut found)
                .map_err(|_| other())?;
            let found: Record = serde_json::from_str(&found).map_err(|_| other())?;
            // Both have been written and read: a share compares as it comes back from a file.
            let wanted: Record = serde_json::from_str(&begun).map_err(|_| other())?;
            let same =
                (found.version, found.configuration) == (wanted.version, wanted.configuration);
            if same { Ok(()) } else { Err(other()) }
        }
    }
}

/// Writes that all files of the benchmark are there.
pub(super) fn complete(
    path: &Path,
    config: &BenchmarkConfig,
    counts: BenchmarkCounts,
) -> Result<(), DataError> {
    write_renamed(path, text(path, config, Some(counts))?.as_bytes())
}

fn text(
    path: &Path,
    config: &BenchmarkConfig,
    counts: Option<BenchmarkCounts>,
) -> Result<String, DataError> {
    let record = Record {
        version: VERSION,
        configuration: *config,
        complete: counts.is_some(),
        counts: counts.unwrap_or_default(),
    };
    let text = serde_json::to_string_pretty(&record).map_err(|source| DataError::Write {
        path: path.to_path_buf(),
        source: source.into(),
    })?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_belongs_to_one_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("benchmark.json");
        let config = BenchmarkConfig {
            test_share: 0.1 + 0.2,
            ..BenchmarkConfig::default()
        };
        claim(&path, &config).unwrap();

        let again = claim(&path, &config);
        let other = claim(&path, &BenchmarkConfig { seed: 9, ..config });

        assert!(again.is_ok());
        let message = other.unwrap_err().to_string();
        assert!(message.contains("benchmark.json"), "{message}");
    }

    #[test]
    fn a_record_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("benchmark.json");
        for content in ["", "[1]", "\u{0}", &"[".repeat(100_000)] {
            fs::write(&path, content).unwrap();

            let error = claim(&path, &BenchmarkConfig::default()).unwrap_err();

            assert!(matches!(error, DataError::OtherBenchmark { .. }));
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
    }
}
