//! What a run resumes from, written so that a crash never costs more than the last one.
//!
//! A checkpoint is one folder, `step-00000123`:
//!
//! | file | content |
//! |---|---|
//! | `model.safetensors` | the model's parameters |
//! | `optimizer.safetensors` | [`Optimizer::state_tensors`](crate::optimizer::Optimizer::state_tensors) |
//! | `state.json` | [`CheckpointState`] |
//! | `checksums.json` | length and CRC-32 of each of the others |
//!
//! The best model by validation is kept apart, in `best`. All of it is written beside its final place,
//! flushed to the disk, and only then exchanged for what is there. Reading verifies every file, and falls
//! back to the checkpoint before where one is damaged. What a crash left on the way is taken back where
//! it is whole and nothing else is, and removed where it is not needed.

mod best;
mod files;
mod fingerprint;
mod optimizer_file;
mod swap;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use clover_data::dataset::MixturePosition;
use serde::{Deserialize, Serialize};

pub use crate::error::RefusedCheckpoint;
use crate::error::TrainerError;
pub(crate) use best::{last_bundle, replace_last_bundle, settle_last_bundle};
use clover_inference::NeutralTexts;
use files::{read_verified, remove_folder, write_files};
pub use fingerprint::{DataFingerprint, ListFingerprint};

/// The format written, and the only one read.
pub const FORMAT_VERSION: u32 = 4;

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const STATE: &str = "state.json";
const FOLDER_PREFIX: &str = "step-";

/// Everything a run resumes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// A safetensors file of the model's parameters; stored as it is.
    pub model: Vec<u8>,
    /// The optimizer's state by name.
    pub optimizer: Vec<(String, TensorData)>,
    /// Where the run stands.
    pub state: CheckpointState,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointState {
    /// The checkpoint format, [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Optimizer steps done; names the folder.
    pub step: u64,
    /// Where the loaders go on.
    pub position: MixturePosition,
    /// The seed of the run.
    pub seed: u64,
    /// The data of the run.
    pub data: DataFingerprint,
    /// The caller's recipe.
    pub recipe: serde_json::Value,
    /// What was measured on the validation list until then.
    pub validated: Validated,
}

/// What a run has measured on its validation list.
///
/// It stands in the checkpoint and not in `validation.jsonl` alone, which can be damaged: a worse model
/// would then replace the best one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Validated {
    /// The step of the last measurement.
    pub last: Option<u64>,
    /// The best model's line of `validation.jsonl`.
    pub best: Option<serde_json::Value>,
    /// Measurements since that one.
    #[serde(default)]
    pub since_best: usize,
    /// The captions that were measured last, for the bundle.
    pub neutral: Option<NeutralTexts>,
}

/// A checkpoint that was found, and newer ones that could not be used.
#[derive(Debug)]
pub struct LoadedCheckpoint {
    /// The newest checkpoint that is whole.
    pub checkpoint: Checkpoint,
    /// Its folder, which may lie aside: see [`Checkpoints::settle`].
    pub path: PathBuf,
    /// Newer checkpoints, newest first, and why each was refused.
    pub refused: Vec<RefusedCheckpoint>,
}

impl LoadedCheckpoint {
    /// What a user should know of how it was found.
    pub fn notices(&self) -> impl Iterator<Item = String> {
        let aside = swap::place_of(&self.path).map(|place| {
            format!(
                "{} was left aside by a crash and is put back as {}",
                self.path.display(),
                place.display()
            )
        });
        self.refused.iter().map(ToString::to_string).chain(aside)
    }
}

/// The checkpoints of one run, in one folder.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    keep_last: usize,
}

impl Checkpoints {
    /// Checkpoints in `folder`, of which saving keeps the last `keep_last`, and always the one just
    /// saved.
    pub fn new(folder: impl Into<PathBuf>, keep_last: usize) -> Self {
        Self {
            folder: folder.into(),
            keep_last: keep_last.max(1),
        }
    }

    /// Writes a checkpoint and returns its folder; older ones beyond the number kept are removed.
    ///
    /// A checkpoint of the same step is replaced.
    ///
    /// # Errors
    ///
    /// Fails if a file cannot be written, or the optimizer holds a tensor of a type that is not
    /// stored. Checkpoints saved before are then still there.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<PathBuf, TrainerError> {
        let path = self.folder.join(folder_name(checkpoint.state.step));
        let optimizer = optimizer_file::encode(&path.join(OPTIMIZER), &checkpoint.optimizer)?;
        let state = to_json(&path.join(STATE), &checkpoint.state)?;
        let files = [
            (MODEL, checkpoint.model.as_slice()),
            (OPTIMIZER, &optimizer),
            (STATE, &state),
        ];
        swap::replace(&path, |folder| write_files(folder, &files))?;
        self.prune(checkpoint.state.step)?;
        Ok(path)
    }

    /// Reads the newest checkpoint that is whole, or `None` where there never was one. One that a crash
    /// left aside counts where there is none in its place.
    ///
    /// # Errors
    ///
    /// Fails if the folder cannot be listed, or there are checkpoints and none of them is whole.
    pub fn latest(&self) -> Result<Option<LoadedCheckpoint>, TrainerError> {
        let mut refused = Vec::new();
        for path in self.candidates()? {
            match read(&path) {
                Ok(checkpoint) => {
                    return Ok(Some(LoadedCheckpoint {
                        checkpoint,
                        path,
                        refused,
                    }));
                }
                // Half a folder is what a crash leaves.
                Err(_) if swap::place_of(&path).is_some() => {}
                Err(reason) => refused.push(RefusedCheckpoint { path, reason }),
            }
        }
        if refused.is_empty() {
            return Ok(None);
        }
        Err(TrainerError::NoUsableCheckpoint {
            folder: self.folder.clone(),
            refused,
        })
    }

    /// Puts in its place what a crash left aside and the run goes on from, `loaded`, or its best model;
    /// and removes all else that a crash left: folders that were written by half, or replaced, and
    /// checkpoints beyond the number kept.
    ///
    /// # Errors
    ///
    /// Fails if a folder cannot be renamed or removed.
    pub fn settle(&self, loaded: Option<&Path>) -> Result<(), TrainerError> {
        if let Some(aside) = loaded
            && let Some(place) = swap::place_of(aside)
        {
            remove_folder(&place)?;
            rename(aside, &place)?;
        }
        swap::settle(&self.best())?;
        for name in self.names()? {
            let path = self.folder.join(name);
            if swap::place_of(&path).is_some() {
                remove_folder(&path)?;
            }
        }
        let place =
            loaded.map(|loaded| swap::place_of(loaded).unwrap_or_else(|| loaded.to_owned()));
        let name = place.as_deref().and_then(Path::file_name);
        match name.and_then(|name| name.to_str()).and_then(step_of) {
            Some(step) => self.prune(step),
            None => Ok(()),
        }
    }

    /// Removes all but the last; `saved` stays even where damaged ones with a higher step exist.
    fn prune(&self, saved: u64) -> Result<(), TrainerError> {
        let others = self.steps()?.into_iter().filter(|&step| step != saved);
        for step in others.skip(self.keep_last - 1) {
            remove_folder(&self.folder.join(folder_name(step)))?;
        }
        Ok(())
    }

    /// The steps of all checkpoints in their places, newest first.
    fn steps(&self) -> Result<Vec<u64>, TrainerError> {
        let names = self.names()?;
        let mut steps: Vec<_> = names.iter().filter_map(|name| step_of(name)).collect();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    /// Folders that may be checkpoints: newest first, and of one step the one in its place before those
    /// aside, of which the partial one was written last.
    fn candidates(&self) -> Result<Vec<PathBuf>, TrainerError> {
        let mut candidates = Vec::new();
        for name in self.names()? {
            let path = self.folder.join(&name);
            let aside = swap::place_of(&path);
            let place = aside.as_ref().unwrap_or(&path).file_name();
            if let Some(step) = place.and_then(|name| name.to_str()).and_then(step_of) {
                candidates.push((Reverse(step), aside.is_some(), path));
            }
        }
        candidates.sort();
        Ok(candidates.into_iter().map(|(.., path)| path).collect())
    }

    /// What is in the folder; names that are not UTF-8 are none of ours.
    fn names(&self) -> Result<Vec<String>, TrainerError> {
        let unreadable = |source| TrainerError::Read {
            path: self.folder.clone(),
            source,
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(unreadable)?.file_name().into_string());
        }
        Ok(names)
    }
}

fn read(path: &Path) -> Result<Checkpoint, TrainerError> {
    let mut files = read_verified(path, [STATE, OPTIMIZER, MODEL])?;
    let [state, optimizer, model] = &mut files;
    let state = parse_state(&path.join(STATE), state)?;
    Ok(Checkpoint {
        model: std::mem::take(model),
        optimizer: optimizer_file::decode(&path.join(OPTIMIZER), optimizer)?,
        state,
    })
}

fn parse_state(path: &Path, bytes: &[u8]) -> Result<CheckpointState, TrainerError> {
    let json = |source| TrainerError::Json {
        path: path.to_owned(),
        source,
    };
    /// The version is read by itself first: another format may have other fields.
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let Version { format_version } = serde_json::from_slice(bytes).map_err(json)?;
    if format_version != FORMAT_VERSION {
        return Err(TrainerError::CheckpointVersion {
            path: path.to_owned(),
            version: format_version,
            known: FORMAT_VERSION,
        });
    }
    serde_json::from_slice(bytes).map_err(json)
}

fn to_json<T: Serialize>(path: &Path, value: &T) -> Result<Vec<u8>, TrainerError> {
    serde_json::to_vec_pretty(value).map_err(|source| TrainerError::Json {
        path: path.to_owned(),
        source,
    })
}

fn rename(from: &Path, to: &Path) -> Result<(), TrainerError> {
    fs::rename(from, to).map_err(|source| TrainerError::Write {
        path: to.to_owned(),
        source,
    })
}

fn folder_name(step: u64) -> String {
    format!("{FOLDER_PREFIX}{step:08}")
}

/// The step of a checkpoint's folder; `None` for any other name.
fn step_of(name: &str) -> Option<u64> {
    let step = name.strip_prefix(FOLDER_PREFIX)?.parse().ok()?;
    (folder_name(step) == name).then_some(step)
}
