//! The tasks: which model each trains, and on what.

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{Answered, Captioned, ClipTable};
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::tasks::{MultipleChoiceModel, OpenEndedModel, RetrievalModel};

use super::prepare::Start;
use super::task_context::{Answering, Choosing, Comparing, Kept};
use super::{FinetuningPlan, FinetuningSummary, ObserveFinetuning, Run, TrainingItems};
use crate::TrainerError;
use crate::checkpoint::ListFingerprint;
use crate::recipe::{CaptionChoice, TaskKind};
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
    // Sentences alone are learned from; what is chosen among may be questions.
    let table = plan.data.open(TaskKind::Retrieval)?;
    let table = match start.recipe.captions {
        CaptionChoice::All => table.apart(),
        CaptionChoice::OneAnEpoch => table,
    };
    let data = start.fingerprint(list_of(plan, &table), &[]);
    let unusable = table.skipped().to_vec();
    let dataset = start.reading().captioned(table, Captioned::DrawOne)?;
    let items = TrainingItems {
        loader: start.loader(dataset)?,
        unusable,
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
    let table = plan.data.open_for(&start.recipe)?;
    let data = start.fingerprint(list_of(plan, &table), &[]);
    let unusable = table.skipped().to_vec();
    let items = TrainingItems {
        loader: start.loader(start.reading().choices(table)?)?,
        unusable,
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
    let table = plan.data.open(TaskKind::OpenEnded)?;
    let answers = answer_list(plan.answers.as_deref(), &table, start.recipe.answers)?;
    let data = start.fingerprint(list_of(plan, &table), answers.answers());
    let unusable = table.skipped().to_vec();
    let answerable = Answered::from_list(answers.clone()).answerable(&table);
    let unanswerable = table.len() - answerable.len();
    let items = TrainingItems {
        loader: start.loader(start.reading().open_ended(answerable, &answers)?)?,
        unusable,
        unanswerable,
    };
    let head = OpenEndedHeadConfig::new(start.bundle.config.text.hidden, answers.len())
        .with_dropout(start.recipe.answer_head_dropout);
    let clover = start.bundle.clover.clone();
    let recipe = start.recipe.clone();
    let model = match recipe.task {
        TaskKind::FillInTheBlank => OpenEndedModel::with_blanks(clover, &head, device),
        _ => OpenEndedModel::from_clover(clover, &head, device),
    };
    let learner = Answering(Kept::of(start), answers);
    let run = Run::<B, _>::prepare(plan, recipe, (learner, model), data, device, observe)?;
    run.train(items, observe)
}

fn list_of(plan: &FinetuningPlan, table: &ClipTable) -> ListFingerprint {
    ListFingerprint::of_table(table, &plan.data.request.annotation)
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
