//! A bundle put to the task: its model, its head, and the answers the head knows.

use std::path::Path;

use burn::prelude::*;
use clover_data::dataset::{AnswerVocabulary, ClipTextsConfig, OpenEndedItem};
use clover_inference::{AnswerKind, Answers, Bundle, Embedder};
use clover_model::tasks::{AnswerModel, AnswerPart};

use super::evaluation::Measured;
use super::settings::MeasureSettings;
use super::task::EvaluationPlan;
use super::{measure_answers, measure_ranked_choice, measure_retrieval};
use crate::TrainerError;
use crate::recipe::{TaskKind, TaskRecipe};
use crate::task_items::{TaskItems, TaskReading, TestItems};

/// An evaluation in progress.
pub(super) struct Measuring<'m> {
    pub(super) plan: &'m EvaluationPlan,
    pub(super) recipe: &'m TaskRecipe,
    pub(super) settings: MeasureSettings<'m>,
}

impl Measuring<'_> {
    pub(super) fn measure<B: Backend>(
        &self,
        bundle: Bundle<B>,
        items: &TestItems,
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Measured, TrainerError> {
        let (recipe, settings) = (self.recipe, &self.settings);
        let Bundle {
            clover,
            tokenizer,
            preprocessing,
            answers: head,
            ..
        } = bundle;
        let reading = TaskReading {
            recipe,
            bundle: &preprocessing,
            tokenizer: &tokenizer,
            trains: false,
        };
        if recipe.task.is_retrieval() {
            let how = recipe.preprocessing(&preprocessing);
            let embedder = Embedder::new(clover, tokenizer.clone(), how, device.clone());
            let clips = reading.clip_texts(items.clips());
            return measure_embeddings(&embedder, items, clips, settings, progress);
        }
        let (known, part) = self.head(head)?;
        let views = recipe.test_views;
        match (part.with_encoders(clover), items) {
            (AnswerModel::MultipleChoice(model), TestItems::Choices(list)) => {
                let dataset = reading.choices(list)?;
                measure_answers(&model, dataset, views, settings, device, progress)
            }
            (AnswerModel::OpenEnded(model), TestItems::Questions(list)) => {
                let dataset = reading.open_ended(list, &self.answers(&known, list)?)?;
                measure_answers(&model, dataset, views, settings, device, progress)
            }
            (AnswerModel::FillInTheBlank(model), TestItems::Questions(list)) => {
                let dataset = reading.open_ended(list, &self.answers(&known, list)?)?;
                measure_answers(&model, dataset, views, settings, device, progress)
            }
            // The items were opened for the recipe's task, and the head is that of the task.
            _ => Err(TrainerError::NothingToEvaluate),
        }
    }

    /// Refuses questions none of which the head could answer: it was trained on other data.
    fn check_answerable(
        &self,
        list: &TaskItems<OpenEndedItem>,
        answers: &AnswerVocabulary,
    ) -> Result<(), TrainerError> {
        let mut all = list.items.iter().flat_map(|item| &item.answers);
        if list.items.is_empty() || all.any(|answer| answers.index_of(answer).is_some()) {
            return Ok(());
        }
        Err(TrainerError::OtherHead {
            path: self.plan.bundle.clone(),
            reason: "none of the questions has an answer that its head knows".to_owned(),
        })
    }

    /// The bundle's head, where it is one for the task.
    fn head<B: Backend>(
        &self,
        head: Option<(Answers, AnswerPart<B>)>,
    ) -> Result<(Answers, AnswerPart<B>), TrainerError> {
        let other = |reason| TrainerError::OtherHead {
            path: self.plan.bundle.clone(),
            reason,
        };
        let Some((answers, part)) = head else {
            let task = &self.plan.name;
            return Err(other(format!(
                "has no answer head; `clover finetune {task}` trains one"
            )));
        };
        let wanted = match self.recipe.task {
            TaskKind::MultipleChoice => AnswerKind::MultipleChoice,
            TaskKind::FillInTheBlank => AnswerKind::FillInTheBlank,
            TaskKind::OpenEnded | TaskKind::Retrieval | TaskKind::RankedChoice => {
                AnswerKind::OpenEnded
            }
        };
        if answers.task != wanted {
            let found = answers.task;
            return Err(other(format!(
                "its answer head is for {found:?} tasks, not for {wanted:?}"
            )));
        }
        let form = self.recipe.question_form;
        match answers.question_form {
            Some(trained) if trained != form => Err(other(format!(
                "was trained on texts of the form {trained:?}, and the recipe has {form:?}"
            ))),
            _ => Ok((answers, part)),
        }
    }

    /// The answers the bundle's head chooses from; a list the user gives must be the same, and at
    /// least one of the questions must have an answer in it.
    fn answers(
        &self,
        known: &Answers,
        list: &TaskItems<OpenEndedItem>,
    ) -> Result<AnswerVocabulary, TrainerError> {
        let own = known.answers.iter().map(String::as_str);
        let own = AnswerVocabulary::from_answers(own, known.answers.len());
        if let Some(path) = &self.plan.answers {
            let given = AnswerVocabulary::read(path)?;
            check_same_answers(&self.plan.bundle, path, &own, &given)?;
        }
        self.check_answerable(list, &own)?;
        Ok(own)
    }
}

/// Measures what needs no head.
pub(crate) fn measure_embeddings<B: Backend>(
    embedder: &Embedder<B>,
    items: &TestItems,
    reading: ClipTextsConfig,
    settings: &MeasureSettings<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Measured, TrainerError> {
    match items {
        TestItems::Captioned(list) => {
            measure_retrieval(embedder, list, reading, settings, progress)
        }
        TestItems::Choices(list) => {
            measure_ranked_choice(embedder, list, reading, settings, progress)
        }
        // Questions without options have nothing to rank.
        TestItems::Questions(_) => Err(TrainerError::NothingToEvaluate),
    }
}

fn check_same_answers(
    bundle: &Path,
    path: &Path,
    own: &AnswerVocabulary,
    given: &AnswerVocabulary,
) -> Result<(), TrainerError> {
    let (ours, theirs) = (own.answers(), given.answers());
    let differs = ours.iter().zip(theirs).position(|(a, b)| a != b);
    let differs = match differs {
        None if ours.len() == theirs.len() => return Ok(()),
        None => ours.len().min(theirs.len()),
        Some(place) => place,
    };
    let named = |list: &[String]| match list.get(differs) {
        Some(answer) => format!("`{answer}`"),
        None => "none".to_owned(),
    };
    Err(TrainerError::OtherHead {
        path: bundle.to_owned(),
        reason: format!(
            "its head has {} answers and {} has {}; the first that differs is {} there and {} here",
            ours.len(),
            path.display(),
            theirs.len(),
            named(ours),
            named(theirs)
        ),
    })
}
