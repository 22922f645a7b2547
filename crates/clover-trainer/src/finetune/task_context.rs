//! What the tasks have in common: the bundle a run starts from, how items are read, and how a trained
//! model is measured and written.

use std::path::Path;

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{
    BatchLoader, Batched, ClipTable, EpochOrder, LoaderConfig, SampleSource, Stack, batched,
};
use clover_data::text::Tokenizer;
use clover_inference::{Answers, Bundle, FusionPart, Preprocessing};
use clover_model::tasks::AnswerHead;
use clover_model::{Clover, CloverConfig, Noise, materialize_parameters};

use super::{FinetuningPlan, FinetuningValidation};
use crate::checkpoint::{DataFingerprint, ListFingerprint};
use crate::evaluate::{MeasureSettings, Measured};
use crate::metric::Storage;
use crate::micro_batching::MicroBatching;
use crate::recipe::{Recipe, TaskRecipe};
use crate::run::{Loaders, TimeBudget, TrainingData, left_over};
use crate::task_items::TaskReading;
use crate::{CutTexts, TrainerError};

/// What every task starts from, and keeps.
pub(super) struct TaskContext<B: AutodiffBackend> {
    /// The plan's name for the task.
    pub(super) name: String,
    /// The bundle's model, for the parts that are not trained.
    pub(super) clover: Clover<B::InnerBackend>,
    pub(super) config: CloverConfig,
    pub(super) tokenizer: Tokenizer,
    preprocessing: Preprocessing,
    /// Fitted to the bundle.
    pub(super) recipe: TaskRecipe,
    /// The time of the run, reading included.
    pub(super) time: Option<TimeBudget>,
    /// The validation items, what their split is called, and what a resumed run must find again.
    pub(super) validation: Option<ClipTable>,
    split: String,
    validation_list: Option<ListFingerprint>,
    /// What the bundle comes without.
    untrained: Vec<FusionPart>,
}

impl<B: AutodiffBackend> TaskContext<B> {
    /// Reads the bundle and the validation items; also returns the model to train.
    pub(super) fn of(
        plan: &FinetuningPlan,
        device: &B::Device,
    ) -> Result<(Self, Clover<B>), TrainerError> {
        let time = plan.time.map(TimeBudget::from_now);
        plan.recipe.validate()?;
        plan.recipe.precision.check::<B>(device)?;
        let items = plan.validation.as_ref();
        let validation = items
            .map(|items| items.open_for(&plan.recipe))
            .transpose()?;
        let validation_list = items
            .zip(validation.as_ref())
            .map(|(items, table)| ListFingerprint::of_table(table, &items.request.annotation));
        let bundle = Bundle::<B>::read(&plan.bundle, device)?;
        if !bundle.untrained.is_empty() && !plan.recipe.task.is_retrieval() {
            // Here, so that every copy of the model has the same random values.
            materialize_parameters(&bundle.clover);
        }
        let context = Self {
            name: plan.name.clone(),
            clover: bundle.clover.valid(),
            recipe: plan.recipe.fitted(&bundle.config, &bundle.preprocessing)?,
            time,
            config: bundle.config,
            tokenizer: bundle.tokenizer,
            preprocessing: bundle.preprocessing,
            validation,
            split: items.map_or_else(String::new, |items| items.split.clone()),
            validation_list,
            untrained: bundle.untrained,
        };
        Ok((context, bundle.clover))
    }

    /// What a resumed run must find again. The answers are part of the vocabulary.
    pub(super) fn fingerprint(&self, data: ListFingerprint, answers: &[String]) -> DataFingerprint {
        let pieces = self.tokenizer.vocabulary().pieces();
        let words: Vec<&str> = pieces.iter().chain(answers).map(String::as_str).collect();
        DataFingerprint {
            videos: data,
            images: None,
            vocabulary: ListFingerprint::of(&words),
            validation: self.validation_list.clone(),
            pair_tests: None,
        }
    }

    /// How items are read, in training or in validation.
    pub(super) fn reading(&self, trains: bool) -> TaskReading<'_> {
        TaskReading {
            recipe: &self.recipe,
            bundle: &self.preprocessing,
            tokenizer: &self.tokenizer,
            trains,
        }
    }

    /// Batches of items to learn from, which are those of a list but for its unusable rows.
    pub(super) fn training<S: SampleSource<Sample: Stack>>(
        &self,
        items: S,
        list: &ClipTable,
    ) -> Result<TrainingData<Batched<S>>, TrainerError> {
        let recipe = &self.recipe;
        let left_over = left_over(items.len(), recipe.batch_size);
        let config = LoaderConfig {
            order: EpochOrder::ShuffledByGroup {
                seed: recipe.seed,
                size: recipe.group_size,
            },
            workers: recipe.workers,
            max_failed_share: recipe.max_failed_share,
            ..LoaderConfig::training(recipe.batch_size, recipe.seed)
        };
        let in_micro_batches = recipe.is_in_micro_batches();
        let loader = BatchLoader::new(batched(items, in_micro_batches), config)?;
        let loaders = Loaders::One(Box::new(loader));
        let schedule = recipe.schedule(loaders.iterations_per_epoch());
        let mut data = TrainingData::new(loaders, schedule, list.skipped().to_vec());
        data.left_over = left_over;
        data.cut = CutTexts::of(list, recipe.question_form, &self.tokenizer, recipe.text_len)?;
        Ok(data)
    }

    /// How a batch of questions passes the model.
    pub(super) fn cut(&self) -> Result<MicroBatching, TrainerError> {
        match self.recipe.is_in_micro_batches() {
            true => MicroBatching::new(self.recipe.micro_batch, self.recipe.micro_batches_at_once),
            false => Ok(MicroBatching::default()),
        }
    }

    pub(super) fn settings(&self) -> MeasureSettings<'static> {
        MeasureSettings {
            workers: self.recipe.workers,
            max_failed_share: self.recipe.max_failed_share,
            seed: self.recipe.seed,
            dual_softmax: false,
            storage: Storage::F32,
            record: None,
        }
    }

    /// What is written down of a measurement after `step` steps.
    pub(super) fn measurement(
        &self,
        measured: Measured,
        (step, epoch): (u64, u64),
    ) -> FinetuningValidation {
        FinetuningValidation {
            step,
            epoch,
            split: self.split.clone(),
            score: measured.metrics.score(),
            metrics: measured.metrics,
            skipped: measured.skipped.len(),
        }
    }

    /// How the trained model looks at files.
    pub(super) fn test_preprocessing(&self) -> Preprocessing {
        self.recipe.preprocessing(&self.preprocessing)
    }

    /// Writes a bundle with these parts in place of those of the start.
    pub(super) fn write(
        &self,
        clover: Clover<B::InnerBackend>,
        answers: Option<(Answers, AnswerHead<B::InnerBackend>)>,
        folder: &Path,
    ) -> Result<(), TrainerError> {
        let mut untrained = self.untrained.clone();
        if answers.is_some() {
            // Answers come from the fusion encoder, which was trained for them.
            untrained.retain(|part| *part != FusionPart::Encoder);
        }
        let bundle = Bundle {
            config: self.config.clone(),
            clover,
            tokenizer: self.tokenizer.clone(),
            preprocessing: self.test_preprocessing(),
            answers,
            untrained,
        };
        Ok(bundle.write(folder)?)
    }
}

/// Each micro-batch of some samples with its noise and its share of them.
pub(super) fn micro_batches<'s, S>(
    samples: &'s [S],
    micro_batch: usize,
    noise: &'s Noise,
) -> impl Iterator<Item = (&'s [S], Noise, f64)> {
    let (all, mut first) = (samples.len(), 0);
    samples.chunks(micro_batch.max(1)).map(move |some| {
        let places = first..first + some.len();
        first = places.end;
        let share = some.len() as f64 / all as f64;
        (some, noise.part(places), share)
    })
}
