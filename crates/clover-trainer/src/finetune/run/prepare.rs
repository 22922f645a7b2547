//! Where a run begins: with a bundle, or with its last checkpoint.

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{
    BatchLoader, ClipTable, EpochOrder, LoaderConfig, Position, SampleSource,
};
use clover_inference::{Bundle, bundle_checksum};
use clover_model::weights::{self, Naming};

use super::learner::Learner;
use super::{FinetuningEvent, FinetuningPlan, ObserveFinetuning, Run};
use crate::checkpoint::{Checkpoint, Checkpoints, DataFingerprint, ListFingerprint};
use crate::finetune::FineTuningStep;
use crate::pretrain::same_recipe::{check_recipe, recipe_value};
use crate::recipe::{Recipe, TaskRecipe};
use crate::starting_values::draw_parameters;
use crate::{RunRecord, TrainerError};

/// What every task starts from.
pub(super) struct Start<B: AutodiffBackend> {
    pub(super) bundle: Bundle<B>,
    /// Fitted to the bundle.
    pub(super) recipe: TaskRecipe,
    pub(super) validation: Option<(ClipTable, ListFingerprint)>,
}

impl<B: AutodiffBackend> Start<B> {
    /// Reads the bundle and the validation items, and seeds what is drawn after.
    pub(super) fn of(plan: &FinetuningPlan, device: &B::Device) -> Result<Self, TrainerError> {
        plan.recipe.validate()?;
        plan.recipe.precision.check::<B>(device)?;
        let validation = plan.validation.as_ref();
        let validation = validation.map(|items| {
            let table = items.open_for(&plan.recipe)?;
            let fingerprint = ListFingerprint::of_table(&table, &items.request.annotation);
            Ok::<_, TrainerError>((table, fingerprint))
        });
        let validation = validation.transpose()?;
        let bundle = Bundle::<B>::read(&plan.bundle, device)?;
        let recipe = plan.recipe.fitted(&bundle.config, &bundle.preprocessing)?;
        // Heads drawn after this depend on the seed alone.
        B::seed(device, recipe.seed);
        Ok(Self {
            bundle,
            recipe,
            validation,
        })
    }

    /// What a resumed run must find again. The answers are part of the vocabulary.
    pub(super) fn fingerprint(&self, data: ListFingerprint, answers: &[String]) -> DataFingerprint {
        let pieces = self.bundle.tokenizer.vocabulary().pieces();
        let words: Vec<&str> = pieces.iter().chain(answers).map(String::as_str).collect();
        DataFingerprint {
            videos: data,
            images: None,
            vocabulary: ListFingerprint::of(&words),
            validation: self.validation.as_ref().map(|(_, list)| list.clone()),
        }
    }

    /// Batches of items to learn from.
    pub(super) fn loader<S: SampleSource>(&self, items: S) -> Result<BatchLoader<S>, TrainerError> {
        let recipe = &self.recipe;
        let config = LoaderConfig {
            order: EpochOrder::ShuffledByGroup {
                seed: recipe.seed,
                size: recipe.group_size,
            },
            workers: recipe.workers,
            max_failed_share: recipe.max_failed_share,
            ..LoaderConfig::training(recipe.batch_size, recipe.seed)
        };
        Ok(BatchLoader::new(items, config)?)
    }
}

impl<'p, B: AutodiffBackend, L: Learner<B>> Run<'p, B, L> {
    /// A new run, or one that goes on from its last checkpoint.
    pub(super) fn prepare(
        plan: &'p FinetuningPlan,
        recipe: TaskRecipe,
        (learner, model): (L, L::Model),
        data: DataFingerprint,
        device: &B::Device,
        observe: &mut ObserveFinetuning<'_>,
    ) -> Result<Self, TrainerError> {
        std::fs::create_dir_all(&plan.folder).map_err(|source| TrainerError::Write {
            path: plan.folder.clone(),
            source,
        })?;
        draw_parameters(&model);
        let mut recorded = recipe_value(&recipe, &plan.folder)?;
        if let Some(keys) = recorded.as_object_mut() {
            // Parts that are not trained come from it when the run ends.
            keys.insert("bundle".to_owned(), bundle_checksum(&plan.bundle)?.into());
        }
        let folder = plan.folder.join("checkpoints");
        let mut run = Self {
            training: FineTuningStep {
                optimizer: recipe.optimizer().init(),
                clip_norm: recipe.clip_norm,
                micro_batch: recipe.micro_batch,
                precision: recipe.precision,
            },
            checkpoints: Checkpoints::new(folder, recipe.keep_checkpoints),
            plan,
            recipe,
            recorded,
            learner,
            model,
            data,
            device: device.clone(),
            step: 0,
            position: Position::default(),
        };
        run.restore(observe)?;
        RunRecord::of_finetuning(plan).write()?;
        run.checkpoints.recover_best()?;
        Ok(run)
    }

    fn restore(&mut self, observe: &mut ObserveFinetuning<'_>) -> Result<(), TrainerError> {
        let Some(loaded) = self.checkpoints.latest()? else {
            return Ok(());
        };
        if !self.plan.resume {
            return Err(TrainerError::FolderInUse {
                folder: self.plan.folder.clone(),
            });
        }
        for refused in &loaded.refused {
            let reason = refused.to_string();
            let _ = observe(FinetuningEvent::CheckpointRefused { reason });
        }
        let Checkpoint {
            model,
            optimizer,
            state,
        } = loaded.checkpoint;
        check_recipe(&loaded.path, &state.recipe, &self.recorded)?;
        self.data.check(&state.data, &loaded.path)?;
        let report = weights::from_bytes(&mut self.model, model, Naming::Native)?;
        if !report.is_complete() {
            return Err(TrainerError::IncompleteWeights {
                path: loaded.path,
                report: report.to_string(),
            });
        }
        self.training.optimizer.load_state(&self.model, optimizer)?;
        self.step = state.step;
        self.position = state.position.videos;
        Ok(())
    }

    /// The model without a graph.
    pub(super) fn quiet_model(&self) -> super::learner::Inner<B, L::Model> {
        self.model.valid()
    }
}
