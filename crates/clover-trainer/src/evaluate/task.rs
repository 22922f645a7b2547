//! A task measured with a bundle: `clover evaluate`.

use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::dataset::{AnswerVocabulary, ClipTextsConfig, OpenEndedItem};
use clover_inference::{AnswerKind, AnswerSheet, AnsweringModel, Bundle, Embedder};
use clover_model::heads::{MultipleChoiceHeadConfig, OpenEndedHeadConfig};
use clover_model::tasks::{FillInTheBlankModel, MultipleChoiceModel, OpenEndedModel};

use super::evaluation::{Evaluation, LeftOut, Measured};
use super::predictions::Prediction;
use super::settings::MeasureSettings;
use super::{measure_answers, measure_ranked_choice, measure_retrieval};
use crate::TrainerError;
use crate::bundle_identity::{bundle_checksum, is_fine_tuned};
use crate::metric::Storage;
use crate::recipe::{TaskKind, TaskRecipe};
use crate::task_items::{ItemsLocation, TaskItems, TaskReading, TestItems};

/// What is measured, and with which model.
#[derive(Clone, Debug)]
pub struct EvaluationPlan {
    /// The task's name.
    pub name: String,
    /// Its recipe.
    pub recipe: TaskRecipe,
    /// The bundle.
    pub bundle: PathBuf,
    /// The items.
    pub items: ItemsLocation,
    /// A list of answers that the bundle's must be.
    pub answers: Option<PathBuf>,
    /// Where what was read is kept, so that an interrupted evaluation goes on.
    pub record: Option<PathBuf>,
    /// Whether retrieval is also re-ranked by dual softmax.
    pub dual_softmax: bool,
    /// How embeddings are held.
    pub storage: Storage,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The figures, and how they came about.
    pub evaluation: Evaluation,
    /// What became of each query.
    pub predictions: Vec<Prediction>,
    /// The folder of clips.
    pub clips: PathBuf,
    /// Rows of the annotation that cannot be used.
    pub unusable: Vec<LeftOut>,
    /// Whether the bundle was fine-tuned; if not, retrieval is zero-shot.
    pub fine_tuned: bool,
}

impl EvaluationPlan {
    /// Measures with everything at its usual value.
    pub fn new(
        name: &str,
        recipe: TaskRecipe,
        bundle: impl Into<PathBuf>,
        items: ItemsLocation,
    ) -> Self {
        Self {
            name: name.to_owned(),
            recipe,
            bundle: bundle.into(),
            items,
            answers: None,
            record: None,
            dual_softmax: false,
            storage: Storage::F32,
        }
    }
}

/// Measures a task; `progress` hears how many items of how many are done.
///
/// # Errors
///
/// The bundle or the items cannot be used, the bundle has no head for the task or one with other
/// answers, too many items are broken, or a score is not a number.
pub fn evaluate<B: Backend>(
    plan: &EvaluationPlan,
    device: &B::Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Evaluated, TrainerError> {
    plan.recipe.validate()?;
    let items = TestItems::open(&plan.recipe, &plan.items)?;
    let bundle = Bundle::<B>::read(&plan.bundle, device)?;
    let recipe = plan.recipe.fitted(&bundle.config, &bundle.preprocessing)?;
    let identity = plan.identity(&recipe, &items)?;
    let settings = MeasureSettings {
        workers: recipe.workers,
        max_failed_share: recipe.max_failed_share,
        seed: recipe.seed,
        dual_softmax: plan.dual_softmax,
        storage: plan.storage,
        record: plan.record.as_deref().map(|path| (path, &*identity)),
    };
    let measuring = Measuring {
        plan,
        recipe: &recipe,
        settings,
    };
    let measured = measuring.measure(bundle, &items, device, progress)?;
    Ok(Evaluated {
        evaluation: Evaluation::of(&plan.name, &plan.items, &items, &measured),
        predictions: measured.predictions,
        clips: items.clips().to_owned(),
        unusable: items.unusable().iter().map(LeftOut::from).collect(),
        fine_tuned: is_fine_tuned(&plan.bundle),
    })
}

impl Evaluation {
    /// What was measured on a split.
    #[must_use]
    pub fn of(
        task: &str,
        location: &ItemsLocation,
        items: &TestItems,
        measured: &Measured,
    ) -> Self {
        let [clips_per_second, waiting_share] = measured.speed();
        Self {
            task: task.to_owned(),
            split: location.split.clone(),
            data: location.request.annotation.display().to_string(),
            items: items.len(),
            unusable_rows: items.unusable().len(),
            skipped: measured.skipped.clone(),
            figures: measured.figures.clone(),
            clips_per_second,
            waiting_share,
        }
    }
}

impl EvaluationPlan {
    /// What tells this evaluation from another one.
    fn identity(&self, recipe: &TaskRecipe, items: &TestItems) -> Result<String, TrainerError> {
        let recipe = recipe.to_toml()?;
        let (bundle, list) = (bundle_checksum(&self.bundle)?, items.fingerprint());
        Ok(format!("{} {bundle} {} {recipe}", self.name, list.hash))
    }
}

/// An evaluation in progress.
struct Measuring<'m> {
    plan: &'m EvaluationPlan,
    recipe: &'m TaskRecipe,
    settings: MeasureSettings<'m>,
}

impl Measuring<'_> {
    fn measure<B: Backend>(
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
