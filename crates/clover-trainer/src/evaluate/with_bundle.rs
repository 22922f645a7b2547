//! A bundle put to the task: its model, its head, and the answers the head knows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use burn::prelude::*;
use clover_data::batch::StackedClips;
use clover_data::dataset::{AnswerVocabulary, Captioned, ClipTable, SampleSource, Texts};
use clover_data::text::QuestionForm;
use clover_inference::{Answers, AttentionOverlay, Bundle, Embedder};
use clover_model::tasks::AnswerModel;

use super::AnswerAttention;
use super::attention::{AttentionMaps, attention_maps, chosen_questions};
use super::best_and_worst::{best_and_worst, by_probability};
use super::evaluation::Measured;
use super::question_source::QuestionSource;
use super::settings::MeasureSettings;
use super::task::EvaluationPlan;
use super::zero_shot::{SimilarAnswer, SimilarOption};
use super::{measure_answers, measure_ranked_choice, measure_retrieval};
use crate::TrainerError;
use crate::recipe::{TaskKind, TaskRecipe};
use crate::task_items::TaskReading;

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
        items: &ClipTable,
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(Measured, Option<AttentionMaps>), TrainerError> {
        let (recipe, settings) = (self.recipe, &self.settings);
        let Bundle {
            clover,
            tokenizer,
            preprocessing,
            answers,
            config,
            ..
        } = bundle;
        let reading = TaskReading {
            recipe,
            bundle: &preprocessing,
            tokenizer: &tokenizer,
            trains: false,
        };
        if recipe.task.is_retrieval() {
            if !self.plan.attention.is_empty() {
                let task = self.plan.name.clone();
                return Err(TrainerError::NoAttention { task });
            }
            let how = recipe.preprocessing(&preprocessing);
            let embedder = Embedder::new(clover, tokenizer.clone(), how, device.clone());
            let measured = measure_embeddings(&embedder, items, reading, settings, progress)?;
            return Ok((measured, None));
        }
        let Some((answers, head)) = answers else {
            if config.is_clip() {
                let how = recipe.preprocessing(&preprocessing);
                let embedder = Embedder::new(clover, tokenizer.clone(), how, device.clone());
                return Ok((self.zero_shot(&embedder, items, reading, progress)?, None));
            }
            let task = &self.plan.name;
            let reason = format!("has no answer head; `clover finetune {task}` trains one");
            return Err(self.other_head(reason));
        };
        self.check_head(&answers)?;
        let known = answers.vocabulary();
        let attention = AttentionMaps {
            overlay: AttentionOverlay::new(recipe.test_clips(&preprocessing), &config),
            chosen: Vec::new(),
            maps: Vec::new(),
        };
        // The items were opened for the recipe's task, and the head is the task's.
        match head.with_encoders(clover) {
            AnswerModel::MultipleChoice(model) => {
                let dataset = reading.choices(items.clone())?;
                self.ask(&model, dataset, attention, device, progress)
            }
            AnswerModel::OpenEnded(model) => {
                self.check_answers(items, &known)?;
                let dataset = reading.open_ended(items.clone(), &known)?;
                self.ask(&model, dataset, attention, device, progress)
            }
        }
    }

    /// Asks a model without a head, by similarity.
    fn zero_shot<B: Backend>(
        &self,
        embedder: &Embedder<B>,
        items: &ClipTable,
        reading: TaskReading<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Measured, TrainerError> {
        let task = &self.plan.name;
        if !self.plan.attention.is_empty() {
            let task = task.clone();
            return Err(TrainerError::NoAttention { task });
        }
        let (settings, views) = (&self.settings, self.recipe.test_views);
        let device = embedder.device();
        match self.recipe.task {
            TaskKind::MultipleChoice => {
                let recipe = &TaskRecipe {
                    question_form: QuestionForm::WithCandidate,
                    ..reading.recipe.clone()
                };
                let reading = TaskReading { recipe, ..reading };
                let asked = Arc::new(reading.choices(items.clone())?);
                let model = SimilarOption(embedder);
                measure_answers(&model, asked, views, settings, device, progress)
            }
            TaskKind::OpenEnded => {
                let Some(path) = &self.plan.answers else {
                    return Err(self.other_head(format!(
                        "has no answer head and no list of answers; `--answers FILE` gives one to compare clips \
                         with, `clover finetune {task}` trains a head"
                    )));
                };
                let list = AnswerVocabulary::read(path)?;
                let model = SimilarAnswer::new(embedder, items, &list)?;
                let asked = Arc::new(reading.open_ended(items.clone(), &list)?);
                measure_answers(&model, asked, views, settings, device, progress)
            }
            _ => Err(self.other_head(format!(
                "has no answer head, and cannot fill in blanks by similarity: every sentence would be embedded with \
                 every word of the list; `clover finetune {task}` trains a head"
            ))),
        }
    }

    /// Asks all questions, and looks into the answers that a page shows.
    fn ask<B, M, S>(
        &self,
        model: &M,
        dataset: S,
        attention: AttentionMaps,
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(Measured, Option<AttentionMaps>), TrainerError>
    where
        B: Backend,
        M: AnswerAttention<B>,
        S: QuestionSource + SampleSource<Batch = StackedClips>,
    {
        // Before the many are asked: a wrong name shall not cost their time.
        let chosen = chosen_questions(&dataset, &self.plan.attention)?;
        let (asked, views) = (Arc::new(dataset), self.recipe.test_views);
        let all = Arc::clone(&asked);
        let measured = measure_answers(model, all, views, &self.settings, device, progress)?;
        let ordered = by_probability(&measured.predictions);
        let shown = best_and_worst(&ordered, |one| one.correct).concat();
        let mut looked_into: BTreeSet<usize> = shown.iter().map(|one| one.index).collect();
        looked_into.extend(&chosen);
        let maps = attention_maps(model, &*asked, looked_into, views, device);
        let attention = AttentionMaps {
            chosen,
            maps,
            ..attention
        };
        Ok((measured, Some(attention)))
    }

    fn other_head(&self, reason: String) -> TrainerError {
        TrainerError::OtherHead {
            path: self.plan.bundle.clone(),
            reason,
        }
    }

    /// Refuses a head of another task, or one that was trained on other texts.
    fn check_head(&self, answers: &Answers) -> Result<(), TrainerError> {
        let (task, wanted) = (answers.task(), self.recipe.task.name());
        if task != wanted {
            return Err(self.other_head(format!(
                "its answer head is for {task} tasks, not for {wanted}"
            )));
        }
        let asked = self.recipe.question_form;
        match answers {
            Answers::MultipleChoice { question_form } if *question_form != asked => {
                Err(self.other_head(format!(
                    "was trained on texts of the form {question_form:?}, and the recipe has {asked:?}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a list of the user's that is not the bundle's, and questions none of which the head
    /// could answer: it was trained on other data.
    fn check_answers(
        &self,
        questions: &ClipTable,
        known: &AnswerVocabulary,
    ) -> Result<(), TrainerError> {
        if let Some(path) = &self.plan.answers {
            let given = AnswerVocabulary::read(path)?;
            check_same_answers(&self.plan.bundle, path, known, &given)?;
        }
        let is_known = |row| match questions.texts(row) {
            Texts::Question { answers, .. } => answers
                .iter()
                .any(|answer| known.index_of(answer).is_some()),
            _ => false,
        };
        if questions.is_empty() || (0..questions.len()).any(is_known) {
            return Ok(());
        }
        let reason = "none of the questions has an answer that its head knows";
        Err(self.other_head(reason.to_owned()))
    }
}

/// Measures what needs no head.
pub(crate) fn measure_embeddings<B: Backend>(
    embedder: &Embedder<B>,
    items: &ClipTable,
    reading: TaskReading<'_>,
    settings: &MeasureSettings<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Measured, TrainerError> {
    if reading.recipe.task == TaskKind::RankedChoice {
        let dataset = reading.captioned(items.clone(), Captioned::Options)?;
        return measure_ranked_choice(embedder, dataset, settings, progress);
    }
    let dataset = reading.captioned(items.clone(), Captioned::All)?;
    measure_retrieval(embedder, dataset, settings, progress)
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
