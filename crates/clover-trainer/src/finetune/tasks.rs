//! The tasks: which model each trains, and on what.

use std::sync::Arc;

use burn::tensor::backend::{AutodiffBackend, BackendTypes};
use clover_data::dataset::{
    Answered, Captioned, ClipTable, MultipleChoiceDataset, OpenEndedDataset,
};
use clover_inference::{Answers, bundle_checksum};
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::tasks::{MultipleChoiceModel, OpenEndedModel, RetrievalModel};
use clover_model::{Clover, materialize_parameters};

use super::answering::{Answering, AnsweringTask};
use super::comparing::{Comparing, logit_scale};
use super::task_context::TaskContext;
use super::{
    FinetuningMetrics, FinetuningPlan, FinetuningSummary, FinetuningValidation, ObserveFinetuning,
};
use crate::checkpoint::{DataFingerprint, ListFingerprint};
use crate::devices::Peer;
use crate::optimizer_step::OptimizerStep;
use crate::recipe::{CaptionChoice, TaskKind, TaskRecipe};
use crate::run::resume_check::recipe_value;
use crate::run::{
    Run, RunFolder, RunLength, RunPlan, Task, TimeBudget, TrainingData, ValidateEvery,
    check_early_stopping,
};
use crate::starting_values::from_seed;
use crate::task_items::answer_list;
use crate::{RunRecord, TrainerError};

/// Runs, or resumes, fine-tuning. `observe` is told every event and may break off: the run then writes
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
    let measures = plan.validation.is_some() && plan.recipe.validate_every > 0;
    check_early_stopping(plan.recipe.early_stopping, measures)?;
    let (context, clover) = TaskContext::<B>::of(plan, device)?;
    let on = (&Peer::alone(), device);
    match context.recipe.task {
        TaskKind::Retrieval | TaskKind::RankedChoice => {
            let (run, data) = comparing(plan, context, clover, on, observe)?;
            run.train(data, observe)?.finish()
        }
        TaskKind::MultipleChoice => {
            let (run, data) = choosing(plan, context, clover, on, observe)?;
            run.train(data, observe)?.finish()
        }
        TaskKind::OpenEnded | TaskKind::FillInTheBlank => {
            let (run, data) = answering(plan, context, clover, on, observe)?;
            run.train(data, observe)?.finish()
        }
    }
}

/// Where a run computes.
type Here<'h, B> = (
    &'h Peer<<B as AutodiffBackend>::InnerBackend>,
    &'h <B as BackendTypes>::Device,
);

/// Options scored by the fusion encoder.
type Choosing<B> = Answering<B, MultipleChoiceModel<B>, MultipleChoiceDataset>;
/// Answers of a list, or words of one for a blank.
type Listed<B> = Answering<B, OpenEndedModel<B>, OpenEndedDataset>;

/// A run with what it trains on.
type Prepared<'h, B, T> = (Run<'h, B, T>, TrainingData<<T as Task<B>>::Source>);

fn comparing<'h, B: AutodiffBackend>(
    plan: &FinetuningPlan,
    context: TaskContext<B>,
    clover: Clover<B>,
    on: Here<'h, B>,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<Prepared<'h, B, Comparing<B>>, TrainerError> {
    // Sentences alone are learned from; what is chosen among may be questions.
    let table = plan.data.open(TaskKind::Retrieval)?;
    let table = match context.recipe.captions {
        CaptionChoice::All => table.apart(),
        CaptionChoice::OneAnEpoch => table,
    };
    let list = context.fingerprint(list_of(plan, &table), &[]);
    let pairs = context
        .reading(true)
        .captioned(table.clone(), Captioned::DrawOne)?;
    let data = context.training(pairs, &table)?;
    let (recipe, time) = (context.recipe.clone(), context.time);
    let model = RetrievalModel::from(clover);
    let has_logit_scale = logit_scale(&model).is_some();
    recipe.temperature.check(has_logit_scale)?;
    let run = prepare(
        plan,
        (&recipe, time),
        (Comparing(context), model),
        list,
        on,
        observe,
    )?;
    Ok((run, data))
}

fn choosing<'h, B: AutodiffBackend>(
    plan: &FinetuningPlan,
    context: TaskContext<B>,
    clover: Clover<B>,
    on: Here<'h, B>,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<Prepared<'h, B, Choosing<B>>, TrainerError> {
    let (recipe, time) = (context.recipe.clone(), context.time);
    let table = plan.data.open_for(&recipe)?;
    let list = context.fingerprint(list_of(plan, &table), &[]);
    let data = context.training(context.reading(true).choices(table.clone())?, &table)?;
    let head = MultipleChoiceHeadConfig::new(context.config.text.width())
        .with_dropout(recipe.answer_head_dropout);
    let model = MultipleChoiceModel::from_clover(clover, &head, on.1);
    let validation = context.validation.clone();
    let validation = validation.map(|items| context.reading(false).choices(items));
    let task = Answering::new(AnsweringTask {
        validation: validation.transpose()?.map(Arc::new),
        answers: Answers::MultipleChoice {
            question_form: recipe.question_form,
        },
        split: MultipleChoiceModel::split,
        context,
    })?;
    let run = prepare(plan, (&recipe, time), (task, model), list, on, observe)?;
    Ok((run, data))
}

fn answering<'h, B: AutodiffBackend>(
    plan: &FinetuningPlan,
    context: TaskContext<B>,
    clover: Clover<B>,
    on: Here<'h, B>,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<Prepared<'h, B, Listed<B>>, TrainerError> {
    let (recipe, time) = (context.recipe.clone(), context.time);
    let table = plan.data.open(TaskKind::OpenEnded)?;
    let answers = answer_list(plan.answers.as_deref(), &table, recipe.answers)?;
    if answers.len() < 2 {
        let answers = answers.len();
        return Err(TrainerError::TooFewAnswers { answers });
    }
    let list = context.fingerprint(list_of(plan, &table), answers.answers());
    let answerable = Answered::from_list(answers.clone()).answerable(&table);
    let unanswerable = table.len() - answerable.len();
    let questions = context.reading(true).open_ended(answerable, &answers)?;
    let mut data = context.training(questions, &table)?;
    data.unanswerable = unanswerable;
    let head = OpenEndedHeadConfig::new(context.config.text.width(), answers.len())
        .with_dropout(recipe.answer_head_dropout);
    let blanks = recipe.task == TaskKind::FillInTheBlank;
    let model = match blanks {
        true => OpenEndedModel::with_blanks(clover, &head, on.1),
        false => OpenEndedModel::from_clover(clover, &head, on.1),
    };
    let validation = context.validation.clone();
    let validation = validation.map(|items| context.reading(false).open_ended(items, &answers));
    let answers = answers.answers().to_vec();
    let task = Answering::new(AnsweringTask {
        validation: validation.transpose()?.map(Arc::new),
        answers: match blanks {
            true => Answers::FillInTheBlank { answers },
            false => Answers::OpenEnded { answers },
        },
        split: OpenEndedModel::split,
        context,
    })?;
    let run = prepare(plan, (&recipe, time), (task, model), list, on, observe)?;
    Ok((run, data))
}

/// The run of a task in the plan's folder.
fn prepare<'h, B, T>(
    plan: &FinetuningPlan,
    (recipe, time): (&TaskRecipe, Option<TimeBudget>),
    (task, model): (T, T::Model),
    list: DataFingerprint,
    on: Here<'h, B>,
    observe: &mut ObserveFinetuning<'_>,
) -> Result<Run<'h, B, T>, TrainerError>
where
    B: AutodiffBackend,
    T: Task<B, Metrics = FinetuningMetrics, Validation = FinetuningValidation>,
{
    from_seed::<B, _>(recipe.seed, on.1, || materialize_parameters(&model));
    let mut recorded = recipe_value(recipe, &plan.folder)?;
    if let Some(keys) = recorded.as_object_mut() {
        // Parts that are not trained come from it when the run ends.
        keys.insert("bundle".to_owned(), bundle_checksum(&plan.bundle)?.into());
    }
    let validates = plan.validation.is_some();
    let run_plan = RunPlan {
        folder: Some(RunFolder {
            path: plan.folder.clone(),
            resume: plan.resume,
            checkpoint_every: recipe.checkpoint_every,
            keep_checkpoints: recipe.keep_checkpoints,
            recipe: recorded,
            data: list,
        }),
        max_steps: plan.max_steps,
        time,
        length: RunLength::Epochs(recipe.epochs as u64),
        seed: recipe.seed,
        validate: validates.then_some(ValidateEvery::Epochs(recipe.validate_every as u64)),
        early_stopping: recipe.early_stopping,
        rates: None,
        train: recipe.train,
    };
    let update = OptimizerStep {
        optimizer: recipe.optimizer().init(),
        clip_norm: recipe.clip_norm,
        loss_limit: f64::INFINITY,
        precision: recipe.precision,
    };
    let run = Run::prepare(run_plan, (task, model, update), on, observe)?;
    RunRecord::of_finetuning(plan).write()?;
    Ok(run)
}

fn list_of(plan: &FinetuningPlan, table: &ClipTable) -> ListFingerprint {
    ListFingerprint::of_table(table, &plan.data.request.annotation)
}
