//! What a task keeps of its start: how its model is measured, and what becomes of it.

use std::path::Path;
use std::sync::Arc;

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{AnswerVocabulary, ClipTable};
use clover_data::text::Tokenizer;
use clover_inference::{Answers, Bundle, Embedder, FusionPart, NeutralTexts, Preprocessing};
use clover_model::tasks::{AnswerHead, MultipleChoiceModel, OpenEndedModel, RetrievalModel};
use clover_model::{Clover, CloverConfig};

use super::learner::{Inner, Learner};
use super::start::Start;
use crate::TrainerError;
use crate::evaluate::{MeasureSettings, Measured, measure_answers, measure_embeddings};
use crate::metric::Storage;
use crate::recipe::{TaskKind, TaskRecipe};
use crate::task_items::TaskReading;

/// What every task keeps of its start.
pub(super) struct TaskContext<B: AutodiffBackend> {
    /// The bundle's model, for the parts that are not trained.
    clover: Clover<B::InnerBackend>,
    config: CloverConfig,
    tokenizer: Tokenizer,
    preprocessing: Preprocessing,
    recipe: TaskRecipe,
    validation: Option<ClipTable>,
    /// What the bundle comes without.
    untrained: Vec<FusionPart>,
}

/// Retrieval, and choice by similarity.
pub(super) struct Comparing<B: AutodiffBackend>(pub(super) TaskContext<B>);
/// Options scored by the fusion encoder.
pub(super) struct Choosing<B: AutodiffBackend>(pub(super) TaskContext<B>);
/// Answers of a list, or words of one for a blank.
pub(super) struct Answering<B: AutodiffBackend>(
    pub(super) TaskContext<B>,
    pub(super) AnswerVocabulary,
);

impl<B: AutodiffBackend> TaskContext<B> {
    pub(super) fn of(start: Start<B>) -> Self {
        Self {
            clover: start.bundle.clover.valid(),
            config: start.bundle.config,
            tokenizer: start.bundle.tokenizer,
            preprocessing: start.bundle.preprocessing,
            recipe: start.recipe,
            validation: start.validation.map(|(table, _)| table),
            untrained: start.bundle.untrained,
        }
    }

    /// How items are read in validation.
    fn reading(&self) -> TaskReading<'_> {
        TaskReading {
            recipe: &self.recipe,
            bundle: &self.preprocessing,
            tokenizer: &self.tokenizer,
            trains: false,
        }
    }

    fn settings(&self) -> MeasureSettings<'static> {
        MeasureSettings {
            workers: self.recipe.workers,
            max_failed_share: self.recipe.max_failed_share,
            seed: self.recipe.seed,
            dual_softmax: false,
            storage: Storage::F32,
            record: None,
        }
    }

    /// How the trained model looks at files.
    fn test_preprocessing(&self) -> Preprocessing {
        self.recipe.preprocessing(&self.preprocessing)
    }

    /// Writes a bundle with these parts in place of those of the start.
    fn write(
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

impl<B: AutodiffBackend> Learner<B> for Comparing<B> {
    type Model = RetrievalModel<B>;

    fn measure(
        &self,
        model: Inner<B, RetrievalModel<B>>,
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<Measured>, TrainerError> {
        let context = &self.0;
        let Some(items) = &context.validation else {
            return Ok(None);
        };
        let (tokenizer, how) = (context.tokenizer.clone(), context.test_preprocessing());
        let embedder = Embedder::of_model(model, tokenizer, how, device.clone());
        let reading = context.reading();
        measure_embeddings(&embedder, items, reading, &context.settings(), progress).map(Some)
    }

    fn write(&self, model: Inner<B, RetrievalModel<B>>, folder: &Path) -> Result<(), TrainerError> {
        let clover = Clover {
            video_encoder: model.video_encoder,
            text_encoder: model.text_encoder,
            video_projection: model.video_projection,
            text_projection: model.text_projection,
            logit_scale: model.logit_scale,
            ..self.0.clover.clone()
        };
        self.0.write(clover, None, folder)?;
        match &self.0.validation {
            Some(list) => Ok(NeutralTexts::of_captions(list).write(folder)?),
            None => Ok(()),
        }
    }
}

/// A learner whose model has the three encoders and an answer head.
macro_rules! answering_learner {
    (
        $learner:ident,
        $model:ident,
        |$this:ident, $list:ident| $dataset:expr,
        |$own:ident| $answers:expr
    ) => {
        impl<B: AutodiffBackend> Learner<B> for $learner<B> {
            type Model = $model<B>;

            fn measure(
                &self,
                model: Inner<B, $model<B>>,
                device: &B::Device,
                progress: &mut dyn FnMut(usize, usize),
            ) -> Result<Option<Measured>, TrainerError> {
                let $this = self;
                let Some($list) = &self.0.validation else {
                    return Ok(None);
                };
                let (asked, settings) = (Arc::new($dataset), self.0.settings());
                let views = self.0.recipe.test_views;
                measure_answers(&model, asked, views, &settings, device, progress).map(Some)
            }

            fn write(&self, model: Inner<B, $model<B>>, folder: &Path) -> Result<(), TrainerError> {
                let $own = self;
                let (clover, head) = model.split(self.0.clover.clone());
                self.0.write(clover, Some(($answers, head)), folder)
            }
        }
    };
}

answering_learner!(
    Choosing,
    MultipleChoiceModel,
    |this, list| this.0.reading().choices(list.clone())?,
    |own| Answers::MultipleChoice {
        question_form: own.0.recipe.question_form,
    }
);
answering_learner!(
    Answering,
    OpenEndedModel,
    |this, list| this.0.reading().open_ended(list.clone(), &this.1)?,
    |own| {
        let answers = own.1.answers().to_vec();
        match own.0.recipe.task {
            TaskKind::FillInTheBlank => Answers::FillInTheBlank { answers },
            _ => Answers::OpenEnded { answers },
        }
    }
);
