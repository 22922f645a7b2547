//! A pre-training run: from lists of pairs to a model bundle, with checkpoints on the way.
//!
//! Chance is drawn from the run's seed and the step alone, so a run that was interrupted and
//! resumed sees the same batches, masks and dropout as one that was not.

mod divergence;
mod peers;
mod plan;
mod prepare;
mod records;
mod saving;
mod starting;
mod training;
mod validating;

use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::MixturePosition;
use clover_data::text::WordPieceTokenizer;
use clover_model::{Clover, CloverConfig};

use super::metrics_file;
use super::step::PretrainingStep;
use super::training_data::TrainingData;
use super::validation::Validation;
use crate::checkpoint::{Checkpoints, DataFingerprint};
use crate::devices::Peer;
use crate::{RunRecord, TrainerError};
#[cfg(feature = "collective")]
pub use peers::pretrain_on;
pub use plan::{BestModel, Observe, PretrainingEvent, PretrainingPlan, PretrainingSummary};
use records::Records;

/// Runs, or resumes, pre-training. `observe` hears every event and may break off: the run then
/// writes a checkpoint and ends.
///
/// # Errors
///
/// The data, vocabulary or recipe cannot be used; a checkpoint belongs to another recipe or other
/// data; files cannot be written; too many items are broken; or the loss diverges, which is also
/// written down in `diverged.json`.
pub fn pretrain<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    device: &B::Device,
    observe: &mut Observe<'_>,
) -> Result<PretrainingSummary, TrainerError> {
    pretrain_as::<B>(plan, &Peer::alone(), device, observe)
}

/// The part of one device, of which the first writes what the run leaves behind.
fn pretrain_as<B: AutodiffBackend>(
    plan: &PretrainingPlan,
    peer: &Peer<B::InnerBackend>,
    device: &B::Device,
    observe: &mut Observe<'_>,
) -> Result<PretrainingSummary, TrainerError> {
    plan.validate()?;
    peers::check_batch(peer, plan.recipe.batch_size)?;
    plan.recipe.precision.check::<B>(device)?;
    let tokenizer = WordPieceTokenizer::from_vocab_file(&plan.vocabulary)?;
    let config = starting::sizes(plan, &tokenizer)?;
    let mut data = TrainingData::open(plan, &config, &tokenizer, peer.share())?;
    let validation = plan.validation.as_deref();
    let validation = validation.map(|list| Validation::open(list, plan));
    let validation = validation.transpose()?;
    let fingerprint = DataFingerprint {
        validation: validation.as_ref().map(|list| list.fingerprint.clone()),
        ..data.fingerprint.clone()
    };
    let mut run = Run::<B>::prepare(
        plan,
        config,
        tokenizer,
        fingerprint,
        (peer, device),
        observe,
    )?;
    if peer.is_first() {
        RunRecord::of_pretraining(plan).write()?;
    }
    run.announce(&data, observe);
    let unusable = validation.iter().flat_map(Validation::unusable);
    for item in data.unusable.iter().chain(unusable) {
        let _ = observe(PretrainingEvent::Skipped(item));
    }
    let mut records = Records::open(&run, validation)?;
    let finished = run.train(&mut data, &mut records, observe)?;

    Ok(PretrainingSummary {
        bundle: run.write_last_bundle(records.neutral.as_ref().unwrap_or(&data.neutral))?,
        best: records.validation.and_then(|(_, record)| {
            record.into_best().map(|metrics| BestModel {
                folder: run.checkpoints.best(),
                metrics,
            })
        }),
        metrics: metrics_file::read(&run.path("metrics.jsonl"))?,
        validations: metrics_file::read(&run.path("validation.jsonl"))?,
        skipped: data.skipped(),
        finished,
    })
}

/// A run in progress.
struct Run<'p, B: AutodiffBackend> {
    plan: &'p PretrainingPlan,
    config: CloverConfig,
    tokenizer: WordPieceTokenizer,
    data: DataFingerprint,
    peer: &'p Peer<B::InnerBackend>,
    device: B::Device,
    clover: Clover<B>,
    training: PretrainingStep<B>,
    checkpoints: Checkpoints,
    step: u64,
    position: MixturePosition,
}

impl<B: AutodiffBackend> Run<'_, B> {
    fn path(&self, name: &str) -> PathBuf {
        self.plan.folder.join(name)
    }

    fn announce(&self, data: &TrainingData, observe: &mut Observe<'_>) {
        let images = data.fingerprint.images.as_ref();
        let _ = observe(PretrainingEvent::Started {
            parameters: self.clover.num_params(),
            pairs: data.fingerprint.videos.entries,
            images: images.map_or(0, |images| images.entries),
            total_steps: data.pace().total_steps(),
            done_steps: self.step,
        });
    }
}
