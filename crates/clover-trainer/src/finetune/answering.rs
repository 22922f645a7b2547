//! Questions: one of a few candidate texts, one answer of a closed list, or one word for the blank of a
//! sentence (Clover, section 4.2).

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use burn::module::AutodiffModule;
use burn::optim::GradientsAccumulator;
use burn::prelude::*;
use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::{StackedClips, StackedItem};
use clover_data::dataset::{Batch, BatchPlaces, Batched, SampleSource, Stack};
use clover_inference::{Answers, NeutralTexts};
use clover_losses::CrossEntropyMlmLossConfig;
use clover_model::tasks::AnswerHead;
use clover_model::{Clover, Noise};

use super::task_context::{TaskContext, micro_batches};
use super::{FinetuningMetrics, FinetuningValidation};
use crate::TrainerError;
use crate::evaluate::{AnswerScores, QuestionSource, measure_answers};
use crate::micro_batching::MicroBatching;
use crate::optimizer_step::BatchGradients;
use crate::precision::{full_gradients, full_precision};
use crate::run::{On, StepDone, Task, WithCaptions};

/// A model that learns answers from the questions of `S`.
pub(super) struct Answering<B: AutodiffBackend, M: AutodiffModule<B>, S> {
    /// Nothing in a short run, whose model is neither measured nor written.
    task: Option<AnsweringTask<B, M, S>>,
    cut: MicroBatching,
    source: PhantomData<fn() -> S>,
}

/// How the model is measured and written.
pub(super) struct AnsweringTask<B: AutodiffBackend, M: AutodiffModule<B>, S> {
    pub(super) context: TaskContext<B>,
    /// The validation items, ready to be read.
    pub(super) validation: Option<Arc<S>>,
    /// What its head answers.
    pub(super) answers: Answers,
    /// Its encoders in place of those of a Clover, and its head.
    pub(super) split: Split<M::InnerModule, B::InnerBackend>,
}

impl<B: AutodiffBackend, M: AutodiffModule<B>, S> Answering<B, M, S> {
    pub(super) fn new(task: AnsweringTask<B, M, S>) -> Result<Self, TrainerError> {
        Ok(Self {
            cut: task.context.cut()?,
            task: Some(task),
            source: PhantomData,
        })
    }

    /// A model that is neither measured nor written.
    pub(super) fn alone() -> Self {
        Self {
            task: None,
            cut: MicroBatching::default(),
            source: PhantomData,
        }
    }
}

type Split<M, B> = fn(M, Clover<B>) -> (Clover<B>, AnswerHead<B>);

impl<B, M, S> Task<B> for Answering<B, M, S>
where
    B: AutodiffBackend,
    M: AutodiffModule<B, InnerModule: AnswerScores<B::InnerBackend>> + AnswerScores<B> + Sync,
    S: QuestionSource + SampleSource<Sample: Stack<Stacked = StackedClips>, Batch = StackedClips>,
{
    type Model = M;
    type Source = Batched<S>;
    type Metrics = FinetuningMetrics;
    type Validation = FinetuningValidation;

    /// The mean over questions, which do not meet each other, so that micro-batches add up.
    fn gradients(
        &self,
        model: &M,
        batch: Batch<S::Sample>,
        _: &BatchPlaces,
        noise: &Noise,
        on: On<'_, B>,
    ) -> Result<BatchGradients<B>, TrainerError> {
        let pass = |questions: StackedClips, mut noise: Noise, share: f64| {
            let model = match self.cut.at_once() {
                1 => model.clone(),
                // The operations on one graph wait for each other.
                _ => model.clone().fork(on.device),
            };
            let labels = labels(&questions.items, on.device);
            let names = questions.items.iter().map(|item| item.name.clone());
            let names: Vec<_> = names.collect();
            let scores = model.scores(questions.to_device(on.device), 1, &mut noise);
            let loss = CrossEntropyMlmLossConfig::new().init();
            let loss = loss.forward(full_precision(scores), labels) * share;
            let gradients = full_gradients(loss.backward(), &model);
            (loss.inner(), gradients, names)
        };
        let passed = match batch {
            Batch::Stacked(all) => vec![pass(*all, noise.clone(), 1.0)],
            Batch::Apart(samples) => {
                let parts: Vec<_> = micro_batches(&samples, self.cut.size(), noise).collect();
                let pass = |(some, noise, share): (&[S::Sample], _, _)| {
                    pass(S::Sample::stack(some), noise, share)
                };
                self.cut.map(parts, pass)
            }
        };
        let mut accumulator = GradientsAccumulator::new();
        let mut sum = Tensor::zeros([1], on.device);
        let mut names = Vec::new();
        for (loss, gradients, some) in passed {
            sum = sum + loss;
            accumulator.accumulate(model, gradients);
            names.extend(some);
        }
        Ok(BatchGradients::of_loss(sum, accumulator.grads(), names))
    }

    fn metrics(&self, done: StepDone) -> FinetuningMetrics {
        FinetuningMetrics::of_done(&done)
    }

    fn measure(
        &self,
        model: M::InnerModule,
        at: (u64, u64),
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<WithCaptions<FinetuningValidation>>, TrainerError> {
        let task = self.task.as_ref();
        let Some((task, asked)) = task.and_then(|task| Some((task, task.validation.clone()?)))
        else {
            return Ok(None);
        };
        let (context, views) = (&task.context, task.context.recipe.test_views);
        let settings = context.settings();
        let measured = measure_answers(&model, asked, views, &settings, device, progress)?;
        Ok(Some((context.measurement(measured, at), None)))
    }

    fn write(
        &self,
        model: M::InnerModule,
        _: Option<&NeutralTexts>,
        folder: &Path,
    ) -> Result<(), TrainerError> {
        let Some(task) = &self.task else {
            return Ok(());
        };
        let (clover, head) = (task.split)(model, task.context.clover.clone());
        task.context
            .write(clover, Some((task.answers.clone(), head)), folder)
    }

    fn name(&self) -> Option<&str> {
        self.task.as_ref().map(|task| task.context.name.as_str())
    }
}

/// The right answers, `[batch]`: the first of each, as published for all question answering.
///
/// # Panics
///
/// Panics if a question has none.
fn labels<B: Backend>(questions: &[StackedItem], device: &B::Device) -> Tensor<B, 1, Int> {
    let labels = questions.iter().filter_map(|question| question.answer);
    let labels: Vec<i64> = labels.map(|label| label as i64).collect();
    assert_eq!(
        labels.len(),
        questions.len(),
        "fine-tuning: a question without an answer teaches nothing"
    );
    Tensor::from_ints(labels.as_slice(), device)
}
