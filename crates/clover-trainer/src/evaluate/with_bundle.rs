//! A bundle put to the task: its model, its head, and the answers the head knows.

use std::path::Path;

use burn::prelude::*;
use clover_data::dataset::{AnswerVocabulary, ClipTextsConfig, OpenEndedItem};
use clover_inference::{AnswerKind, AnswerSheet, AnsweringModel, Bundle, Embedder};
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::tasks::{FillInTheBlankModel, MultipleChoiceModel, OpenEndedModel};

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
            config,
        } = bundle;
        let reading = TaskReading {
            recipe,
            bundle: &preprocessing,
            tokenizer: &tokenizer,
            trains: false,
        };
        let hidden = config.text.hidden;
        let views = recipe.test_views;
        match (recipe.task, items) {
            (TaskKind::Retrieval | TaskKind::RankedChoice, items) => {
                let how = recipe.preprocessing(&preprocessing);
                let embedder = Embedder::new(clover, tokenizer.clone(), how, device.clone());
                let clips = reading.clip_texts(items.clips());
                measure_embeddings(&embedder, items, clips, settings, progress)
            }
            (TaskKind::MultipleChoice, TestItems::Choices(list)) => {
                self.sheet(AnswerKind::MultipleChoice)?;
                let head = MultipleChoiceHeadConfig::new(hidden);
                let mut model = MultipleChoiceModel::from_clover(clover, &head, device);
                model.read_head(&self.plan.bundle)?;
                let dataset = reading.choices(list)?;
                measure_answers(&model, dataset, views, settings, device, progress)
            }
            (TaskKind::OpenEnded, TestItems::Questions(list)) => {
                let answers = self.answers(AnswerKind::OpenEnded)?;
                let head = OpenEndedHeadConfig::new(hidden, answers.len());
                let mut model = OpenEndedModel::from_clover(clover, &head, device);
                model.read_head(&self.plan.bundle)?;
                self.check_answerable(list, &answers)?;
                let dataset = reading.open_ended(list, &answers)?;
                measure_answers(&model, dataset, views, settings, device, progress)
            }
            (TaskKind::FillInTheBlank, TestItems::Questions(list)) => {
                let answers = self.answers(AnswerKind::FillInTheBlank)?;
                let head = OpenEndedHeadConfig::new(hidden, answers.len());
                let mut model = FillInTheBlankModel::from_clover(clover, &head, device);
                model.read_head(&self.plan.bundle)?;
                self.check_answerable(list, &answers)?;
                let dataset = reading.open_ended(list, &answers)?;
                measure_answers(&model, dataset, views, settings, device, progress)
            }
            // The items were opened for the recipe's task.
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

    /// What the bundle's head answers.
    fn sheet(&self, kind: AnswerKind) -> Result<AnswerSheet, TrainerError> {
        let path = &self.plan.bundle;
        let other = |reason| TrainerError::OtherHead {
            path: path.clone(),
            reason,
        };
        let Some(sheet) = AnswerSheet::read(path)? else {
            let task = &self.plan.name;
            return Err(other(format!(
                "has no answer head; `clover finetune {task}` trains one"
            )));
        };
        if sheet.kind != kind {
            return Err(other(format!(
                "its answer head is for {:?} tasks, not for {kind:?}",
                sheet.kind
            )));
        }
        if sheet.question_form != self.recipe.question_form {
            let form = self.recipe.question_form;
            return Err(other(format!(
                "was trained on texts of the form {:?}, and the recipe has {form:?}",
                sheet.question_form
            )));
        }
        Ok(sheet)
    }

    /// The answers the bundle's head chooses from; a list the user gives must be the same.
    fn answers(&self, kind: AnswerKind) -> Result<AnswerVocabulary, TrainerError> {
        let sheet = self.sheet(kind)?;
        let own = sheet.answers.iter().map(String::as_str);
        let own = AnswerVocabulary::from_answers(own, sheet.answers.len());
        if let Some(path) = &self.plan.answers {
            let given = AnswerVocabulary::read(path)?;
            check_same_answers(&self.plan.bundle, path, &own, &given)?;
        }
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
