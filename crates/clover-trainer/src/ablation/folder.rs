//! What a comparison has on disk.
//!
//! ```text
//! recipe.json                      what everything in the folder was made with
//! benchmark/                       the data
//! runs/baseline-0/                 a row with a seed while it runs: checkpoints, bundle, log
//! results/baseline-0.json          its metrics, once it is done
//! ablation.md .json .svg           the table, of the results there are
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use clover_data::files::{FolderLock, read_regular};

use super::cell::{Cell, CellResult};
use super::summary::AblationSummary;
use crate::TrainerError;
use crate::recipe::AblationRecipe;
use crate::run::resume_check::check_keys;
use crate::whole_file::write_whole;

/// Many times what a result needs.
const MAX_BYTES: u64 = 256 << 20;
/// Keys that may change between two parts of a comparison: what was measured stays as it is.
const FREE_KEYS: [&str; 9] = [
    "rows",
    "seeds",
    "pretraining.workers",
    "pretraining.checkpoint_every",
    "pretraining.keep_checkpoints",
    "pretraining.micro_batch",
    "pretraining.micro_batches_at_once",
    "pretraining.gradient_checkpointing",
    "pretraining.limits.max_seconds",
];

/// The folder of a comparison, to which nobody else writes meanwhile.
#[derive(Debug)]
pub struct AblationFolder {
    root: PathBuf,
    _lock: FolderLock,
}

impl AblationFolder {
    /// Creates the folder, or goes on in it.
    ///
    /// # Errors
    ///
    /// It holds a comparison with another recipe, whose first differing key is named, another process
    /// works on it, or it cannot be written.
    pub fn claim(root: &Path, recipe: &AblationRecipe) -> Result<Self, TrainerError> {
        let folder = Self {
            _lock: FolderLock::take(root)?,
            root: root.to_owned(),
        };
        for inner in ["runs", "results"] {
            create(&root.join(inner))?;
        }
        let path = root.join("recipe.json");
        let json = |source| TrainerError::Json {
            path: path.clone(),
            source,
        };
        let wanted = serde_json::to_value(recipe).map_err(json)?;
        if path.exists() {
            let recorded = serde_json::from_slice(&read(&path)?).map_err(json)?;
            check_keys(&path, (&recorded, &wanted), &FREE_KEYS, "")?;
        } else {
            write_whole(&path, &serde_json::to_vec_pretty(&wanted).map_err(json)?)?;
        }
        Ok(folder)
    }

    /// Where the data are.
    #[must_use]
    pub fn benchmark(&self) -> PathBuf {
        self.root.join("benchmark")
    }

    /// Where a cell keeps its run.
    #[must_use]
    pub fn run(&self, cell: Cell) -> PathBuf {
        self.root.join("runs").join(cell.to_string())
    }

    /// The metrics of a cell, if it is done.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn result(&self, cell: Cell) -> Result<Option<CellResult>, TrainerError> {
        let path = self.result_path(cell);
        if !path.exists() {
            return Ok(None);
        }
        serde_json::from_slice(&read(&path)?)
            .map(Some)
            .map_err(|source| TrainerError::Json { path, source })
    }

    /// Keeps the metrics of a cell, whole or not at all; its checkpoints are then removed.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn keep(&self, result: &CellResult) -> Result<(), TrainerError> {
        let path = self.result_path(result.cell());
        write_json(&path, result)?;
        let checkpoints = self.run(result.cell()).join("checkpoints");
        match fs::remove_dir_all(&checkpoints) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(TrainerError::Write {
                    path: checkpoints,
                    source,
                })
            }
            _ => Ok(()),
        }
    }

    /// Writes `ablation.md`, `ablation.json` and `ablation.svg`.
    ///
    /// # Errors
    ///
    /// A file cannot be written or the figure not be drawn.
    pub fn write_summary(&self, summary: &AblationSummary) -> Result<(), TrainerError> {
        write_json(&self.root.join("ablation.json"), summary)?;
        let markdown = summary.markdown();
        write_whole(&self.root.join("ablation.md"), markdown.as_bytes())?;
        write_whole(&self.root.join("ablation.svg"), summary.svg()?.as_bytes())
    }

    fn result_path(&self, cell: Cell) -> PathBuf {
        self.root.join("results").join(format!("{cell}.json"))
    }
}

fn create(folder: &Path) -> Result<(), TrainerError> {
    fs::create_dir_all(folder).map_err(|source| TrainerError::Write {
        path: folder.to_owned(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TrainerError> {
    read_regular(path, MAX_BYTES).map_err(|source| TrainerError::Read {
        path: path.to_owned(),
        source,
    })
}

fn write_json<T: serde::Serialize>(path: &Path, value: &T) -> Result<(), TrainerError> {
    let text = serde_json::to_vec_pretty(value).map_err(|source| TrainerError::Json {
        path: path.to_owned(),
        source,
    })?;
    write_whole(path, &text)
}
