//! The task of pre-training: what a run of it trains, how it is measured, and what its bundle holds.

use std::path::Path;

use burn::tensor::backend::AutodiffBackend;
use clover_data::batch::PretrainingBatch;
use clover_data::dataset::{Batch, BatchPlaces, PretrainingSample};
use clover_data::text::Tokenizer;
use clover_data::video::PixelPipeline;
use clover_inference::{Embedder, NeutralTexts, Preprocessing, write_bundle};
use clover_model::{Clover, CloverConfig, Noise};

use super::gradients::{logit_scale, model_input, pretraining_gradients};
use super::lists::{OpenedLists, Pairs, Tables};
use super::shared_batch::SharedBatch;
use super::validation::Validation;
use super::{
    Observe, PretrainingPlan, PretrainingSummary, StepMetrics, ValidationMetrics,
    micro_batched_gradients, starting, vocabulary,
};
use crate::checkpoint::DataFingerprint;
use crate::devices::{DevicesError, Peer};
use crate::micro_batching::MicroBatching;
use crate::objective::PretrainingObjective;
use crate::optimizer_step::{BatchGradients, OptimizerStep};
use crate::recipe::as_seen_by;
use crate::run::resume_check::recipe_value;
use crate::run::{
    Inner, On, RateRange, Run, RunFolder, RunLength, RunPlan, StepDone, Task, TimeBudget,
    TrainingData, ValidateEvery, WithCaptions,
};
use crate::starting_values::from_seed;
use crate::whole_file::write_whole;
use crate::{RunRecord, TrainerError};

/// Runs, or resumes, pre-training: on one device, which is [`Peer::alone`], or the part of one of
/// several, of which the first writes what the run leaves behind. `observe` is told every event and may
/// break off: the run then writes a checkpoint and ends.
///
/// # Errors
///
/// The data, vocabulary or recipe cannot be used; a checkpoint belongs to another recipe or other
/// data; files cannot be written; too many items are broken; or the loss diverges, which is also
/// written down in `diverged.json`.
pub fn pretrain<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    peer: &Peer<B::InnerBackend>,
    device: &B::Device,
    observe: &mut Observe<'_>,
) -> Result<PretrainingSummary, TrainerError> {
    let Prepared {
        run,
        data,
        made_files,
    } = prepare::<B>(plan, None, (peer, device), observe)?;
    if peer.is_first() {
        // Not before: what another run keeps in the folder stays.
        for (name, text) in made_files {
            write_whole(&plan.folder.join(name), text.as_bytes())?;
        }
        RunRecord::of_pretraining(plan).write()?;
    }
    run.train(data, observe)?.finish()
}

/// A run that has made no step yet, or none since it was resumed.
pub(super) struct Prepared<'p, B: AutodiffBackend> {
    pub(super) run: Run<'p, B, Pretraining<'p>>,
    pub(super) data: TrainingData<Pairs>,
    /// Files of word pieces that were made for it.
    made_files: Vec<(&'static str, String)>,
}

/// Prepares the run of a plan; or one over a range of rates, which measures and keeps nothing.
pub(super) fn prepare<'p, B: AutodiffBackend>(
    plan: &'p PretrainingPlan,
    range: Option<RateRange>,
    (peer, device): (&'p Peer<B::InnerBackend>, &B::Device),
    observe: &mut Observe<'_>,
) -> Result<Prepared<'p, B>, TrainerError> {
    let (recipe, time) = (&plan.recipe, plan.time.map(TimeBudget::from_now));
    plan.validate()?;
    let (peers, batch_size) = (peer.world(), recipe.batch_size);
    if peers > batch_size {
        // Every device must have something to do.
        return Err(DevicesError::TooManyPeers { peers, batch_size }.into());
    }
    if time.is_some() && !peer.is_alone() {
        return Err(TrainerError::RecipeValue {
            key: "time",
            reason: "is planned by one device alone; give several a number of epochs".to_owned(),
        });
    }
    recipe.precision.check::<B>(device)?;
    let given = vocabulary::given(plan)?;
    let tables = Tables::open(plan)?;
    let tokenizer = match given {
        Some(tokenizer) => tokenizer,
        None => vocabulary::of_captions(plan, &tables)?,
    };
    let config = starting::sizes(plan, &tokenizer)?;
    let mut lists = OpenedLists::of(tables, plan, &config, &tokenizer, peer.share())?;
    let validation = plan.validation.as_deref();
    let validation = validation.map(|list| Validation::open(list, plan));
    let validation = validation.transpose()?;
    if let Some(list) = &validation {
        lists.data.unusable.extend(list.unusable().cloned());
    }
    let pair_tests = validation
        .as_ref()
        .and_then(|list| list.pair_tests.as_ref());
    let whole = RunPlan {
        folder: Some(RunFolder {
            path: plan.folder.clone(),
            resume: plan.resume,
            checkpoint_every: recipe.checkpoint_every,
            keep_checkpoints: recipe.keep_checkpoints,
            recipe: recipe_value(recipe, &plan.folder)?,
            data: DataFingerprint {
                validation: validation.as_ref().map(|list| list.fingerprint.clone()),
                pair_tests: pair_tests.map(|tests| tests.fingerprint().clone()),
                ..lists.fingerprint
            },
        }),
        max_steps: plan.max_steps,
        time,
        length: RunLength::Epochs(recipe.epochs as u64),
        seed: recipe.seed,
        validate: validation
            .is_some()
            .then_some(ValidateEvery::Steps(recipe.validate_every)),
        early_stopping: recipe.early_stopping,
        rates: None,
        train: recipe.train,
    };
    let run_plan = match range {
        Some(range) => RunPlan {
            folder: None,
            max_steps: None,
            time: None,
            length: RunLength::Steps(range.steps),
            rates: Some(range),
            ..whole
        },
        None => whole,
    };
    let clover = from_seed::<B, _>(recipe.seed, device, || {
        starting::model::<B>(plan, &config, device, observe)
    })?;
    recipe.temperature.check(logit_scale(&clover).is_some())?;
    let update = OptimizerStep {
        optimizer: recipe.optimizer().init(),
        clip_norm: recipe.clip_norm,
        loss_limit: recipe.loss_limit,
        precision: recipe.precision,
    };
    let pixels = starting::pixels(plan, &config)?;
    let size = match recipe.micro_batch {
        0 => recipe.batch_size,
        size => size,
    };
    let made_files = vocabulary::made_files(plan, &tokenizer)?;
    let task = Pretraining {
        plan,
        objective: recipe.objective().init(),
        cut: MicroBatching::new(size, recipe.micro_batches_at_once)?,
        config,
        tokenizer,
        validation,
        neutral: lists.neutral,
        pixels,
    };
    let run = Run::prepare(run_plan, (task, clover, update), (peer, device), observe)?;
    Ok(Prepared {
        run,
        data: lists.data,
        made_files,
    })
}

/// As [`pretrain`], on all devices of a group. On the first node this ends with the run's summary; the
/// others know of its end, and of the items they read themselves.
///
/// # Errors
///
/// As [`pretrain`]; or the devices set out on different runs, are more than a batch has pairs, or one of
/// them is lost.
#[cfg(feature = "collective")]
pub fn pretrain_on<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    group: &crate::devices::Group<B::InnerBackend>,
    observe: &mut Observe<'_>,
) -> Result<PretrainingSummary, TrainerError> {
    use std::ops::ControlFlow;

    group.run(
        |peer, device| pretrain::<B>(plan, peer, device, observe),
        |peer, device| {
            let silent = &mut |_: super::PretrainingEvent<'_>| ControlFlow::Continue(());
            pretrain::<B>(plan, peer, device, silent).map(drop)
        },
    )
}

/// Pre-training of a plan.
pub(super) struct Pretraining<'p> {
    plan: &'p PretrainingPlan,
    objective: PretrainingObjective,
    /// Where a batch is not put together whole.
    cut: MicroBatching,
    config: CloverConfig,
    tokenizer: Tokenizer,
    validation: Option<Validation>,
    /// Some of the captions trained on.
    neutral: NeutralTexts,
    /// What the model sees of a clip, where that is not the recipe's to say.
    pixels: Option<PixelPipeline>,
}

impl Pretraining<'_> {
    /// How the trained model looks at files.
    fn preprocessing(&self) -> Preprocessing {
        let how = self.plan.recipe.preprocessing(&self.config);
        match &self.pixels {
            Some(own) => Preprocessing {
                pixels: as_seen_by(own, how.pixels),
                ..how
            },
            None => how,
        }
    }
}

impl<B: AutodiffBackend> Task<B> for Pretraining<'_> {
    type Model = Clover<B>;
    type Source = Pairs;
    type Metrics = StepMetrics;
    type Validation = ValidationMetrics;

    fn gradients(
        &self,
        clover: &Clover<B>,
        pairs: Batch<PretrainingSample>,
        places: &BatchPlaces,
        noise: &Noise,
        on: On<'_, B>,
    ) -> Result<BatchGradients<B>, TrainerError> {
        let batch = match pairs {
            Batch::Stacked(pairs) => pairs.to_device(on.device),
            // An epoch of less than a batch.
            Batch::Apart(samples) if on.peer.is_alone() && self.cut.size() >= samples.len() => {
                PretrainingBatch::collate(&samples, on.device)
            }
            Batch::Apart(samples) => {
                let shared = SharedBatch {
                    peer: on.peer,
                    places: &places.taken,
                    slots: places.slots,
                    scaling: self.plan.recipe.gradient_scaling,
                };
                let (objective, device) = (&self.objective, on.device);
                return Ok(micro_batched_gradients(
                    objective, clover, &samples, &self.cut, noise, &shared, device,
                )?);
            }
        };
        let (input, labels, names) = model_input(batch, &self.objective);
        let output = clover.forward_pretraining(input, &mut noise.clone());
        Ok(pretraining_gradients(
            &self.objective,
            clover,
            output,
            labels,
            names,
        ))
    }

    fn metrics(&self, done: StepDone) -> StepMetrics {
        StepMetrics::of_done(done)
    }

    fn measure(
        &self,
        clover: Inner<B, Self>,
        at: (u64, u64),
        device: &B::Device,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Option<WithCaptions<ValidationMetrics>>, TrainerError> {
        let Some(list) = &self.validation else {
            return Ok(None);
        };
        let recipe = &self.plan.recipe;
        let embedder = Embedder::new(
            clover,
            self.tokenizer.clone(),
            self.preprocessing(),
            device.clone(),
        )
        .with_limits(recipe.limits.clone());
        let reading = (recipe.workers, recipe.max_failed_share);
        let (metrics, neutral) = list.measure(&embedder, reading, at, progress)?;
        Ok(Some((metrics, Some(neutral))))
    }

    fn write(
        &self,
        clover: Inner<B, Self>,
        neutral: Option<&NeutralTexts>,
        folder: &Path,
    ) -> Result<(), TrainerError> {
        let preprocessing = self.preprocessing();
        write_bundle(
            folder,
            &self.config,
            &clover,
            &self.tokenizer,
            &preprocessing,
        )?;
        Ok(neutral.unwrap_or(&self.neutral).write(folder)?)
    }

    fn name(&self) -> Option<&str> {
        None
    }
}
