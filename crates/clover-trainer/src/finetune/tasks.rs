//! The tasks: which model each trains, and on what.

use std::marker::PhantomData;

use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{Answered, Captioned, ClipTable, SampleSource};
use clover_inference::bundle_checksum;
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::tasks::{MultipleChoiceModel, OpenEndedModel, RetrievalModel};

use super::learner::{Finetuning, Learner};
use super::start::Start;
use super::task::TaskModel;
use super::task_context::{Answering, Choosing, Comparing, TaskContext};
use super::{FinetuningPlan, FinetuningSummary, ObserveFinetuning};
use crate::checkpoint::{DataFingerprint, ListFingerprint};
use crate::devices::Peer;
use crate::optimizer_step::OptimizerStep;
use crate::recipe::{CaptionChoice, TaskKind, TaskRecipe};
use crate::run::resume_check::recipe_value;
use crate::run::{Run, RunFolder, RunLength, RunPlan, TrainingData, ValidateEvery};
use crate::starting_values::{draw_parameters, from_seed};
use crate::task_items::{TaskReading, answer_list};
use crate::{RunRecord, TrainerError};

/// Runs, or resumes, fine-tuning. `observe` hears every event and may break off: the run then writes
/// a checkpoint and ends.
///
/// # Errors
///
/// The bundle, data or recipe cannot be used together; a checkpoint belongs to another recipe, bundle
/// or other data; files cannot be written; too many items are broken; or the loss diverges, which is also
/// written down in `diverged.json`.
pub fn finetune<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    let start = Start::<B>::of(plan, device)?;
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
    let found = start.fingerprint(list_of(plan, &table), &[]);
    let dataset = start
        .reading()
        .captioned(table.clone(), Captioned::DrawOne)?;
    let data = start.training(dataset, &table)?;
    let (model, recipe) = (
        RetrievalModel::from(start.bundle.clover.clone()),
        start.recipe.clone(),
    );
    let learner = Comparing(TaskContext::of(start));
    run(
        plan,
        &recipe,
        (learner, model),
        (data, found),
        device,
        observe,
    )
}

fn choose<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    start: Start<B>,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    let table = plan.data.open_for(&start.recipe)?;
    let found = start.fingerprint(list_of(plan, &table), &[]);
    let data = start.training(start.reading().choices(table.clone())?, &table)?;
    let recipe = start.recipe.clone();
    let head = MultipleChoiceHeadConfig::new(start.bundle.config.text.width())
        .with_dropout(recipe.answer_head_dropout);
    let model = MultipleChoiceModel::from_clover(start.bundle.clover.clone(), &head, device);
    let learner = Choosing(TaskContext::of(start));
    run(
        plan,
        &recipe,
        (learner, model),
        (data, found),
        device,
        observe,
    )
}

fn answer<B: AutodiffBackend>(
    plan: &FinetuningPlan,
    start: Start<B>,
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError> {
    let table = plan.data.open(TaskKind::OpenEnded)?;
    let answers = answer_list(plan.answers.as_deref(), &table, start.recipe.answers)?;
    if answers.len() < 2 {
        let answers = answers.len();
        return Err(TrainerError::TooFewAnswers { answers });
    }
    let found = start.fingerprint(list_of(plan, &table), answers.answers());
    let answerable = Answered::from_list(answers.clone()).answerable(&table);
    let unanswerable = table.len() - answerable.len();
    let dataset = start.reading().open_ended(answerable, &answers)?;
    let mut data = start.training(dataset, &table)?;
    data.unanswerable = unanswerable;
    let recipe = start.recipe.clone();
    let head = OpenEndedHeadConfig::new(start.bundle.config.text.width(), answers.len())
        .with_dropout(recipe.answer_head_dropout);
    let clover = start.bundle.clover.clone();
    let context = TaskContext::of(start);
    let model = match recipe.task {
        TaskKind::FillInTheBlank => OpenEndedModel::with_blanks(clover, &head, device),
        _ => OpenEndedModel::from_clover(clover, &head, device),
    };
    let learner = Answering(context, answers);
    run(
        plan,
        &recipe,
        (learner, model),
        (data, found),
        device,
        observe,
    )
}

/// Trains a model whose parts that are not trained come from the plan's bundle.
fn run<B, L, S>(
    plan: &FinetuningPlan,
    recipe: &TaskRecipe,
    (learner, model): (L, L::Model),
    (mut data, found): (TrainingData<S>, DataFingerprint),
    device: &B::Device,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<FinetuningSummary, TrainerError>
where
    B: AutodiffBackend,
    L: Learner<B>,
    S: SampleSource<Batch = Vec<<L::Model as TaskModel<B>>::Sample>>,
{
    from_seed::<B, _>(recipe.seed, device, || draw_parameters(&model));
    let mut recorded = recipe_value(recipe, &plan.folder)?;
    if let Some(keys) = recorded.as_object_mut() {
        // Parts that are not trained come from it when the run ends.
        keys.insert("bundle".to_owned(), bundle_checksum(&plan.bundle)?.into());
    }
    let validation = plan.validation.as_ref();
    let run_plan = RunPlan {
        folder: Some(RunFolder {
            path: plan.folder.clone(),
            resume: plan.resume,
            checkpoint_every: recipe.checkpoint_every,
            keep_checkpoints: recipe.keep_checkpoints,
            recipe: recorded,
            data: found,
        }),
        max_steps: plan.max_steps,
        length: RunLength::Epochs(recipe.epochs as u64),
        seed: recipe.seed,
        validate: validation.map(|_| ValidateEvery::Epochs(recipe.validate_every as u64)),
    };
    let update = OptimizerStep {
        optimizer: recipe.optimizer().init(),
        clip_norm: recipe.clip_norm,
        loss_limit: f64::INFINITY,
        precision: recipe.precision,
    };
    let task = Finetuning {
        name: plan.name.clone(),
        learner,
        micro_batch: recipe.micro_batch,
        split: validation.map_or_else(String::new, |list| list.split.clone()),
        source: PhantomData,
    };
    let alone = Peer::alone();
    let mut run = Run::prepare(run_plan, (task, model, update), (&alone, device), observe)?;
    RunRecord::of_finetuning(plan).write()?;
    let finished = run.train(&mut data, observe)?;
    run.end(&data, finished)
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
