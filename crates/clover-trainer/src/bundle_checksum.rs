//! Which weights a bundle holds, in a few letters; and which task it was trained for.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use clover_data::files::open_regular;
use serde::{Deserialize, Serialize};

use crate::TrainerError;

/// The files whose bytes tell one bundle from another.
const FILES: [&str; 3] = ["config.json", "model.safetensors", "answers.json"];
const TRAINED: &str = "trained.json";

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// The checksum of the weights of a bundle.
pub(crate) fn bundle_checksum(folder: &Path) -> Result<String, TrainerError> {
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; CHUNK];
    for name in FILES {
        let path = folder.join(name);
        let failed = |source| TrainerError::Read {
            path: path.clone(),
            source,
        };
        let mut file = match open_regular(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                read => hasher.update(&buffer[..read]),
            }
        }
    }
    Ok(format!("{:08x}", hasher.finalize()))
}

/// Which model of which run a bundle holds: its `trained.json`.
#[derive(Serialize)]
pub(crate) struct Trained<V> {
    /// `last` or `best`.
    pub(crate) model: String,
    /// Optimizer steps done.
    pub(crate) step: u64,
    /// The kind of task; absent where a bundle was pre-trained only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    /// What it was the best by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
    /// What was measured then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validation: Option<V>,
}

/// What evaluation asks of it.
#[derive(Deserialize)]
struct TrainedFor {
    #[serde(default)]
    task: Option<String>,
}

impl<V: Serialize> Trained<V> {
    pub(crate) fn write(&self, folder: &Path) -> Result<(), TrainerError> {
        let path = folder.join(TRAINED);
        let text = serde_json::to_vec_pretty(self).map_err(|source| TrainerError::Json {
            path: path.clone(),
            source,
        })?;
        crate::whole_file::write_whole(&path, &text)
    }
}

/// Whether a bundle was fine-tuned, by its own account.
pub(crate) fn is_fine_tuned(folder: &Path) -> bool {
    let text = fs::read(folder.join(TRAINED)).unwrap_or_default();
    serde_json::from_slice::<TrainedFor>(&text).is_ok_and(|trained| trained.task.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_weights_are_another_bundle() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.safetensors"), "one").unwrap();
        let first = bundle_checksum(folder.path()).unwrap();

        fs::write(folder.path().join("model.safetensors"), "two").unwrap();

        assert_ne!(bundle_checksum(folder.path()).unwrap(), first);
    }

    #[test]
    fn a_bundle_says_whether_it_was_fine_tuned() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TRAINED), r#"{"model":"last","step":3}"#).unwrap();
        assert!(!is_fine_tuned(folder.path()));
        let trained = Trained {
            model: "best".to_owned(),
            step: 3,
            task: Some("retrieval".to_owned()),
            score: Some(1.0),
            validation: Some("recalls"),
        };

        trained.write(folder.path()).unwrap();

        assert!(is_fine_tuned(folder.path()));
    }
}
