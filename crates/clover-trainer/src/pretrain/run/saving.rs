//! What a run leaves behind: checkpoints, the best model, and the last one.

use std::path::{Path, PathBuf};

use burn::tensor::backend::AutodiffBackend;
use clover_inference::{NeutralTexts, write_bundle};
use clover_model::weights::{self, Naming};
use serde::Serialize;

use super::{Observe, PretrainingEvent, Records, Run};
use crate::TrainerError;
use crate::checkpoint::{Checkpoint, CheckpointState, Checkpoints, FORMAT_VERSION};
use crate::pretrain::same_recipe::recipe_value;
use crate::pretrain::validation::ValidationMetrics;
use crate::report::write_whole;

/// Which model of a run a bundle holds: its `trained.json`.
#[derive(Serialize)]
struct Trained<'m> {
    /// `last` or `best`.
    model: &'static str,
    /// Optimizer steps done.
    step: u64,
    /// What it was the best by.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation: Option<&'m ValidationMetrics>,
}

impl<B: AutodiffBackend> Run<'_, B> {
    pub(super) fn save(
        &self,
        records: &Records,
        observe: &mut Observe<'_>,
    ) -> Result<(), TrainerError> {
        if !self.peer.is_first() {
            return Ok(());
        }
        let path = self.checkpoints.save(&Checkpoint {
            model: weights::to_bytes(&self.clover, Naming::Native)?,
            optimizer: self.training.optimizer.state_tensors(),
            state: CheckpointState {
                format_version: FORMAT_VERSION,
                step: self.step,
                position: self.position,
                seed: self.plan.recipe.seed,
                data: self.data.clone(),
                recipe: recipe_value(&self.plan.recipe, &self.plan.folder)?,
                validated: records.state()?,
            },
        })?;
        let _ = observe(PretrainingEvent::Saved(&path));
        Ok(())
    }

    /// Keeps the model as the best one, with its figures.
    pub(super) fn save_best(
        &self,
        metrics: &ValidationMetrics,
        neutral: &NeutralTexts,
    ) -> Result<(), TrainerError> {
        let trained = Trained {
            model: "best",
            step: self.step,
            validation: Some(metrics),
        };
        let write = |folder: &Path| self.write_model(folder, &trained, neutral);
        self.checkpoints.replace_best(write).map(drop)
    }

    /// Writes the model as it is into `bundle`.
    pub(super) fn write_last_bundle(
        &self,
        neutral: &NeutralTexts,
    ) -> Result<PathBuf, TrainerError> {
        let folder = self.path("bundle");
        if !self.peer.is_first() {
            return Ok(folder);
        }
        let trained = Trained {
            model: "last",
            step: self.step,
            validation: None,
        };
        self.write_model(&folder, &trained, neutral)?;
        Checkpoints::finish_folder(&folder)?;
        Ok(folder)
    }

    fn write_model(
        &self,
        folder: &Path,
        trained: &Trained<'_>,
        neutral: &NeutralTexts,
    ) -> Result<(), TrainerError> {
        let preprocessing = self.plan.recipe.preprocessing(&self.config);
        let (config, tokenizer) = (&self.config, &self.tokenizer);
        write_bundle(folder, config, &self.clover, tokenizer, &preprocessing)?;
        neutral.write(folder)?;
        write_json(&folder.join("trained.json"), trained)
    }
}

/// Writes a small file, whole or not at all.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), TrainerError> {
    let text = serde_json::to_vec_pretty(value).map_err(|source| TrainerError::Json {
        path: path.to_owned(),
        source,
    })?;
    write_whole(path, &text)
}
