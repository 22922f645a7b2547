//! Where a run begins: with a new model, or with its last checkpoint.

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::MixturePosition;
use clover_data::text::WordPieceTokenizer;
use clover_model::CloverConfig;
use clover_model::weights::{self, Naming};

use super::{Observe, PretrainingEvent, PretrainingPlan, Run, peers, starting};
use crate::TrainerError;
use crate::checkpoint::{Checkpoint, Checkpoints, DataFingerprint};
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
        std::fs::create_dir_all(&plan.folder).map_err(|source| TrainerError::Write {
            path: plan.folder.clone(),
            source,
        })?;
        let clover = peers::one_at_a_time(|| {
            B::seed(device, plan.recipe.seed);
            starting::model::<B>(plan, &config, device, observe)
        })?;
        let mut run = Self {
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
        };
        run.restore(observe)?;
        if peer.is_first() {
            run.checkpoints.recover_best()?;
        }
        run.set_out_together()?;
        run.forget_divergence()?;
        Ok(run)
    }

    fn restore(&mut self, observe: &mut Observe<'_>) -> Result<(), TrainerError> {
        let Some(loaded) = self.checkpoints.latest()? else {
            return Ok(());
        };
        if !self.plan.resume {
            return Err(TrainerError::FolderInUse {
                folder: self.plan.folder.clone(),
            });
        }
        for refused in &loaded.refused {
            let _ = observe(PretrainingEvent::CheckpointRefused {
                reason: refused.to_string(),
            });
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
        let report = weights::from_bytes(&mut self.clover, model, Naming::Native)?;
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
        Ok(())
    }
}
