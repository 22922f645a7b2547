//! Which task a bundle was trained for.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::TrainerError;

const TRAINED: &str = "trained.json";

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
