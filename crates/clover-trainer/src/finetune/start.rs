//! What a fine-tuning run starts from: a bundle, and the validation items.

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{BatchLoader, ClipTable, EpochOrder, LoaderConfig, SampleSource};
use clover_inference::Bundle;

use super::FinetuningPlan;
use crate::checkpoint::{DataFingerprint, ListFingerprint};
use crate::recipe::{Recipe, TaskRecipe};
use crate::run::{Loaders, TrainingData};
use crate::starting_values::draw_parameters;
use crate::{CutTexts, TrainerError};

/// What every task starts from.
pub(super) struct Start<B: AutodiffBackend> {
    pub(super) bundle: Bundle<B>,
    /// Fitted to the bundle.
    pub(super) recipe: TaskRecipe,
    pub(super) validation: Option<(ClipTable, ListFingerprint)>,
}

impl<B: AutodiffBackend> Start<B> {
    /// Reads the bundle and the validation items.
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
        if !bundle.untrained.is_empty() && !plan.recipe.task.is_retrieval() {
            // Here, so that every copy of the model has the same random values.
            draw_parameters(&bundle.clover);
        }
        let recipe = plan.recipe.fitted(&bundle.config, &bundle.preprocessing)?;
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

    /// Batches of items to learn from, which are those of a list but for its unusable rows.
    pub(super) fn training<S: SampleSource>(
        &self,
        items: S,
        list: &ClipTable,
    ) -> Result<TrainingData<S>, TrainerError> {
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
        let loaders = Loaders::One(Box::new(BatchLoader::new(items, config)?));
        let schedule = recipe.schedule(loaders.iterations_per_epoch());
        let mut data = TrainingData::new(loaders, schedule, list.skipped().to_vec());
        let tokenizer = &self.bundle.tokenizer;
        data.cut = CutTexts::of(list, recipe.question_form, tokenizer, recipe.text_len)?;
        Ok(data)
    }
}
