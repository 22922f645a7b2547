//! The tasks: which model each trains, and on what.

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::ClipTextsDataset;
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::tasks::{
    FillInTheBlankModel, MultipleChoiceModel, OpenEndedModel, RetrievalModel,
};

use super::kept::{Answering, Choosing, Comparing, Filling, Kept};
use super::prepare::Start;
use super::{FinetuningPlan, FinetuningSummary, ObserveFinetuning, Run, TrainingItems};
use crate::TrainerError;
use crate::recipe::TaskKind;
use crate::task_items::{TaskReading, answer_list};

/// Runs the task that the recipe names.
pub(super) fn run<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    start: Start<B>,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    match start.recipe.task {
        TaskKind::Retrieval | TaskKind::RankedChoice => compare(plan, start, device, observe),
        TaskKind::MultipleChoice => choose(plan, start, device, observe),
        TaskKind::OpenEnded | TaskKind::FillInTheBlank => answer(plan, start, device, observe),
    }
}

fn compare<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    start: Start<B>,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    let list = plan.data.pairs(start.recipe.captions)?;
    let data = start.fingerprint(list.fingerprint(), &[]);
    let reading = start.reading().clip_texts(&list.clips);
    let tokenizer = start.bundle.tokenizer.clone();
    let dataset = ClipTextsDataset::new(list.items, tokenizer, reading)?;
    let items = TrainingItems {
        loader: start.loader(dataset.drawing_one())?,
        unusable: list.unusable,
        unanswerable: 0,
    };
    let model = RetrievalModel::from(start.bundle.clover.clone());
    let recipe = start.recipe.clone();
    let learner = Comparing(Kept::of(start));
    let run = Run::<B, _>::prepare(plan, recipe, (learner, model), data, device, observe)?;
    run.train(items, observe)
}

fn choose<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    start: Start<B>,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    let list = plan.data.choices(start.recipe.candidates)?;
    let data = start.fingerprint(list.fingerprint(), &[]);
    let items = TrainingItems {
        loader: start.loader(start.reading().choices(&list)?)?,
        unusable: list.unusable,
        unanswerable: 0,
    };
    let head = MultipleChoiceHeadConfig::new(start.bundle.config.text.hidden)
        .with_dropout(start.recipe.answer_head_dropout);
    let model = MultipleChoiceModel::from_clover(start.bundle.clover.clone(), &head, device);
    let recipe = start.recipe.clone();
    let learner = Choosing(Kept::of(start));
    let run = Run::<B, _>::prepare(plan, recipe, (learner, model), data, device, observe)?;
    run.train(items, observe)
}

fn answer<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    start: Start<B>,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    let list = plan.data.questions()?;
    let answers = answer_list(plan.answers.as_deref(), &list.items, start.recipe.answers)?;
    let data = start.fingerprint(list.fingerprint(), answers.answers());
    let mut dataset = start.reading().open_ended(&list, &answers)?;
    let unanswerable = dataset.keep_answerable();
    let items = TrainingItems {
        loader: start.loader(dataset)?,
        unusable: list.unusable,
        unanswerable,
    };
    let head = OpenEndedHeadConfig::new(start.bundle.config.text.hidden, answers.len())
        .with_dropout(start.recipe.answer_head_dropout);
    let clover = start.bundle.clover.clone();
    let recipe = start.recipe.clone();
    if recipe.task == TaskKind::FillInTheBlank {
        let model = FillInTheBlankModel::from_clover(clover, &head, device);
        let learner = Filling(Kept::of(start), answers);
        let run = Run::<B, _>::prepare(plan, recipe, (learner, model), data, device, observe)?;
        return run.train(items, observe);
    }
    let model = OpenEndedModel::from_clover(clover, &head, device);
    let learner = Answering(Kept::of(start), answers);
    let run = Run::<B, _>::prepare(plan, recipe, (learner, model), data, device, observe)?;
    run.train(items, observe)
}

impl<B: AutodiffBackend> Start<B> {
    /// How items are read in training.
    fn reading(&self) -> TaskReading<'_> {
        TaskReading {
            recipe: &self.recipe,
            bundle: &self.bundle.preprocessing,
            tokenizer: &self.bundle.tokenizer,
            trains: true,
        }
    }
}
