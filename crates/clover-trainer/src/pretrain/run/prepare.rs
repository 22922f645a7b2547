//! Where a run begins: with a new model, or with its last checkpoint.

use std::path::PathBuf;

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::MixturePosition;
use clover_data::files::FolderLock;
use clover_data::text::WordPieceTokenizer;
use clover_model::CloverConfig;
use clover_model::weights::{self, Naming};

use super::{Observe, PretrainingEvent, PretrainingPlan, Run, peers, starting};
use crate::TrainerError;
use crate::checkpoint::{Checkpoint, Checkpoints, DataFingerprint, Validated};
use crate::devices::Peer;
use crate::pretrain::same_recipe::{check_recipe, recipe_value};
use crate::pretrain::step::PretrainingStep;

impl<'p, B: AutodiffBackend> Run<'p, B> {
    /// A new model, or the one of the last checkpoint.
    pub(super) fn prepare(
        plan: &'p PretrainingPlan,
        config: CloverConfig,
        tokenizer: WordPieceTokenizer,
        data: DataFingerprint,
        (peer, device): (&'p Peer<B::InnerBackend>, &B::Device),
        observe: &mut Observe<'_>,
    ) -> Result<Self, TrainerError> {
        // Other devices read what the first one writes.
        let lock = peer.is_first().then(|| FolderLock::take(&plan.folder));
        let clover = peers::one_at_a_time(|| {
            B::seed(device, plan.recipe.seed);
            starting::model::<B>(plan, &config, device, observe)
        })?;
        let mut run = Self {
            _lock: lock.transpose()?,
            plan,
            config,
            tokenizer,
            data,
            peer,
            device: device.clone(),
            clover,
            training: PretrainingStep {
                objective: plan.recipe.objective().init(),
                optimizer: plan.recipe.optimizer().init(),
                clip_norm: plan.recipe.clip_norm,
                loss_limit: plan.recipe.loss_limit,
                precision: plan.recipe.precision,
            },
            checkpoints: Checkpoints::new(
                plan.folder.join("checkpoints"),
                plan.recipe.keep_checkpoints,
            ),
            step: 0,
            position: MixturePosition::default(),
            validated: Validated::default(),
        };
        let loaded = run.restore(observe)?;
        run.set_out_together()?;
        // Only now has every device read its checkpoint.
        if peer.is_first() {
            run.checkpoints.settle(loaded.as_deref())?;
        }
        run.forget_divergence()?;
        Ok(run)
    }

    /// Goes on from the last checkpoint; where that lies.
    fn restore(&mut self, observe: &mut Observe<'_>) -> Result<Option<PathBuf>, TrainerError> {
        let Some(loaded) = self.checkpoints.latest()? else {
            return Ok(None);
        };
        if !self.plan.resume {
            return Err(TrainerError::FolderInUse {
                folder: self.plan.folder.clone(),
            });
        }
        for reason in loaded.notices() {
            let _ = observe(PretrainingEvent::CheckpointRefused { reason });
        }
        let Checkpoint {
            model,
            optimizer,
            state,
        } = loaded.checkpoint;
        check_recipe(
            &loaded.path,
            &state.recipe,
            &recipe_value(&self.plan.recipe, &loaded.path)?,
        )?;
        self.data.check(&state.data, &loaded.path)?;
        let report = weights::from_bytes(&mut self.clover, &model, Naming::Native)?;
        if !report.is_complete() {
            return Err(TrainerError::IncompleteWeights {
                path: loaded.path,
                report: report.to_string(),
            });
        }
        self.training
            .optimizer
            .load_state(&self.clover, optimizer)?;
        self.step = state.step;
        self.position = state.position;
        self.validated = state.validated;
        Ok(Some(loaded.path))
    }
}
