//! The questions of the benchmark: a short fine-tuning of a pre-trained bundle, and its accuracy.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::module::AutodiffModule;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::StackedClips;
use clover_data::dataset::{
    AnswerVocabulary, Answered, Candidates, ClipReading, ClipTable, ItemsTask,
    MultipleChoiceDataset, OpenEndedDataset, SampleReading, SampleSource, SkippedItem, Stack,
};
use clover_data::text::QuestionForm;
use clover_inference::Bundle;
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::materialize_parameters;
use clover_model::tasks::{MultipleChoiceModel, OpenEndedModel};

use super::cell::{AblationFiles, AblationLists, CellEvent};
use crate::TrainerError;
use crate::evaluate::{
    AnswerScores, MeasureSettings, QuestionAccuracy, QuestionSource, TaskMetrics, measure_answers,
};
use crate::finetune::{FineTuningSettings, fine_tune};
use crate::recipe::{AblationRecipe, FinetuningRecipe, as_seen_by};
use crate::starting_values::from_seed;

/// What a task gave, with the items left out; nothing when it was broken off.
type Outcome = Option<(QuestionAccuracy, Vec<SkippedItem>)>;

type Observe<'o> = &'o mut dyn FnMut(CellEvent<'_>) -> ControlFlow<()>;

/// Where the questions are, and who answers them.
pub(super) struct Questions<'q> {
    pub(super) recipe: &'q AblationRecipe,
    pub(super) files: &'q AblationFiles,
    pub(super) bundle: &'q Path,
    pub(super) seed: u64,
}

/// What a list is read for.
#[derive(Clone, Copy)]
enum Split {
    Train,
    Test,
}

/// A task with its data.
struct Task<'t, M, S> {
    name: &'static str,
    recipe: &'t FinetuningRecipe,
    model: M,
    train: S,
    test: S,
}

impl Questions<'_> {
    pub(super) fn open_ended<B: AutodiffBackend>(
        &self,
        device: &B::Device,
        observe: Observe<'_>,
    ) -> Result<Outcome, TrainerError> {
        let recipe = &self.recipe.open_ended;
        let bundle = Bundle::<B>::read(self.bundle, device)?;
        let answers = AnswerVocabulary::read(&self.files.answers)?;
        let mut skipped = Vec::new();
        let answered = Answered::from_list(answers.clone());
        let mut dataset = |split| {
            let path = &self.lists(split).open_ended;
            let table = self.table(path, ItemsTask::OpenEnded, &mut skipped)?;
            let table = match split {
                // Nothing can be learned from the others.
                Split::Train => answered.answerable(&table),
                Split::Test => table,
            };
            let (tokenizer, answered) = (bundle.tokenizer.clone(), answered.clone());
            let reading = self.reading(&bundle, recipe, split)?;
            OpenEndedDataset::new(table, tokenizer, reading, answered).map_err(TrainerError::from)
        };
        let (train, test) = (dataset(Split::Train)?, dataset(Split::Test)?);
        let head = OpenEndedHeadConfig::new(bundle.config.text.width(), answers.len())
            .with_dropout(recipe.answer_head_dropout);
        let task = Task {
            name: "open-ended",
            recipe,
            model: OpenEndedModel::from_clover(bundle.clover, &head, device),
            train,
            test,
        };
        self.answer::<B, _, _>(task, skipped, device, observe)
    }

    pub(super) fn multiple_choice<B: AutodiffBackend>(
        &self,
        device: &B::Device,
        observe: Observe<'_>,
    ) -> Result<Outcome, TrainerError> {
        let recipe = &self.recipe.multiple_choice;
        let bundle = Bundle::<B>::read(self.bundle, device)?;
        let mut skipped = Vec::new();
        let mut dataset = |split| {
            let path = &self.lists(split).multiple_choice;
            let table = self.table(path, ItemsTask::MultipleChoice, &mut skipped)?;
            let candidates = Candidates::of(&table, QuestionForm::WithCandidate, 0);
            candidates.check(&table)?;
            let (tokenizer, reading) = (
                bundle.tokenizer.clone(),
                self.reading(&bundle, recipe, split)?,
            );
            MultipleChoiceDataset::new(table, tokenizer, reading, candidates)
                .map_err(TrainerError::from)
        };
        let (train, test) = (dataset(Split::Train)?, dataset(Split::Test)?);
        let head = MultipleChoiceHeadConfig::new(bundle.config.text.width())
            .with_dropout(recipe.answer_head_dropout);
        let task = Task {
            name: "multiple choice",
            recipe,
            model: MultipleChoiceModel::from_clover(bundle.clover, &head, device),
            train,
            test,
        };
        self.answer::<B, _, _>(task, skipped, device, observe)
    }

    fn lists(&self, split: Split) -> &AblationLists {
        match split {
            Split::Train => &self.files.train,
            Split::Test => &self.files.test,
        }
    }

    /// The questions of a file.
    fn table(
        &self,
        path: &Path,
        wanted: ItemsTask,
        skipped: &mut Vec<SkippedItem>,
    ) -> Result<ClipTable, TrainerError> {
        let table = ClipTable::open(path, Some(&self.files.clips), &|_, _| ())?;
        skipped.extend_from_slice(table.skipped());
        match table.task() == Some(wanted) {
            true => Ok(table),
            false => Err(TrainerError::OtherTask {
                path: path.to_owned(),
                wanted: wanted.name(),
            }),
        }
    }

    /// In training frames are drawn, otherwise they are always the same.
    fn reading<B: Backend>(
        &self,
        bundle: &Bundle<B>,
        recipe: &FinetuningRecipe,
        split: Split,
    ) -> Result<SampleReading, TrainerError> {
        let longest = bundle.config.text.longest_text();
        if recipe.text_len > longest {
            return Err(TrainerError::RecipeValue {
                key: "text_len",
                reason: format!("the model has {longest} positions"),
            });
        }
        Ok(SampleReading {
            clip: match split {
                Split::Train => {
                    let clip = self.recipe.pretraining.reading(&bundle.config).clip;
                    let pixels = as_seen_by(&bundle.preprocessing.pixels, clip.pixels);
                    ClipReading { pixels, ..clip }
                }
                Split::Test => bundle.preprocessing.clip_reading(),
            },
            text_len: recipe.text_len,
            seed: self.seed,
        })
    }

    fn answer<B, M, S>(
        &self,
        task: Task<'_, M, S>,
        mut skipped: Vec<SkippedItem>,
        device: &B::Device,
        observe: Observe<'_>,
    ) -> Result<Outcome, TrainerError>
    where
        B: AutodiffBackend,
        M: AutodiffModule<B, InnerModule: AnswerScores<B::InnerBackend>> + AnswerScores<B> + Sync,
        S: QuestionSource
            + SampleSource<Sample: Stack<Stacked = StackedClips>, Batch = StackedClips>,
    {
        from_seed::<B, _>(self.seed, device, || materialize_parameters(&task.model));
        let settings = FineTuningSettings {
            recipe: task.recipe,
            seed: self.seed,
            workers: self.recipe.pretraining.workers,
            max_failed_share: self.recipe.pretraining.max_failed_share,
        };
        let (name, total_steps) = (task.name, task.recipe.steps);
        let tuned = fine_tune::<B, M, S>(task.model, task.train, &settings, device, &mut |step| {
            observe(CellEvent::FineTuning {
                task: name,
                step,
                total_steps,
            })
        })?;
        if !tuned.finished {
            return Ok(None);
        }
        let _ = observe(CellEvent::Measuring(name));
        skipped.extend(tuned.skipped);
        let asking = MeasureSettings::new(settings.workers, settings.max_failed_share);
        let (model, asked) = (tuned.model.valid(), Arc::new(task.test));
        let measured = measure_answers(&model, asked, 1, &asking, device, &mut |_, _| ())?;
        skipped.extend(measured.skipped);
        match measured.metrics {
            TaskMetrics::Answers(metrics) => Ok(Some((metrics.accuracy, skipped))),
            TaskMetrics::Retrieval(_) => Err(TrainerError::NothingToEvaluate),
        }
    }
}
