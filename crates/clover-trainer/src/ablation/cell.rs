//! One row with one seed: pre-trained, measured, fine-tuned, measured again.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{ClipTable, SkippedItem};
use clover_inference::Bundle;
use serde::{Deserialize, Serialize};

use super::AblationRow;
use super::questions::Questions;
use crate::TrainerError;
use crate::devices::Peer;
use crate::evaluate::{PairSimilarity, QuestionAccuracy, list_retrieval, pair_similarity};
use crate::finetune::FinetuningMetrics;
use crate::metric::RetrievalMetrics;
use crate::pretrain::{PretrainingEvent, PretrainingPlan, PretrainingSummary, pretrain};
use crate::recipe::AblationRecipe;

/// What every cell learns from and is measured with.
#[derive(Clone, Debug)]
pub struct AblationFiles {
    /// The folder of clips, which questions name clips in.
    pub clips: PathBuf,
    /// The WordPiece vocabulary.
    pub vocabulary: PathBuf,
    /// The answers of open-ended questions, one a line.
    pub answers: PathBuf,
    /// To train on.
    pub train: AblationLists,
    /// To measure with.
    pub test: AblationLists,
}

/// The lists of a split.
#[derive(Clone, Debug)]
pub struct AblationLists {
    /// Clips with captions.
    pub pairs: PathBuf,
    /// Questions with an answer in words.
    pub open_ended: PathBuf,
    /// Questions with options.
    pub multiple_choice: PathBuf,
}

/// A row with a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The row.
    pub row: AblationRow,
    /// The seed of everything random in the run.
    pub seed: u64,
}

/// What a cell tells while it runs; breaking off ends it.
#[derive(Debug)]
pub enum CellEvent<'e> {
    /// Pre-training.
    Pretraining(PretrainingEvent<'e>),
    /// A step of fine-tuning on `task`.
    FineTuning {
        /// `open-ended` or `multiple choice`.
        task: &'static str,
        /// The step.
        step: &'e FinetuningMetrics,
        /// Steps of the whole run.
        total_steps: usize,
    },
    /// Something is being measured.
    Measuring(&'static str),
}

/// The figures of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// The row.
    pub row: AblationRow,
    /// The seed.
    pub seed: u64,
    /// Parameters of the pre-trained model.
    pub parameters: usize,
    /// Pre-training steps.
    pub pretraining_steps: u64,
    /// The mean loss of the last tenth of them.
    pub pretraining_loss: f64,
    /// Held-out sentences looking for their clip, before any fine-tuning.
    pub text_to_video: RetrievalMetrics,
    /// Held-out clips looking for their sentence.
    pub video_to_text: RetrievalMetrics,
    /// Mean cosines of the same pairs.
    pub similarity: PairSimilarity,
    /// Held-out open-ended questions, after fine-tuning.
    pub open_ended: QuestionAccuracy,
    /// Held-out multiple-choice questions, after fine-tuning.
    pub multiple_choice: QuestionAccuracy,
    /// Items left out anywhere, by name.
    pub skipped: Vec<SkippedItem>,
    /// Wall seconds by phase; of pre-training those since the last resume.
    pub seconds: Vec<(String, f64)>,
}

impl fmt::Display for Cell {
    /// The name of the cell's files.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.row.key(), self.seed)
    }
}

impl CellResult {
    /// Which cell it is of.
    #[must_use]
    pub fn cell(&self) -> Cell {
        Cell {
            row: self.row,
            seed: self.seed,
        }
    }
}

/// Runs a cell in its folder, or goes on in it; nothing comes out when it was broken off.
///
/// # Errors
///
/// As [`pretrain`] and [`fine_tune`](crate::finetune::fine_tune), and where a file of the benchmark
/// cannot be used.
pub fn run_cell<B: AutodiffBackend>(
    recipe: &AblationRecipe,
    files: &AblationFiles,
    folder: &Path,
    cell: Cell,
    device: &B::Device,
    observe: &mut dyn FnMut(CellEvent<'_>) -> ControlFlow<()>,
) -> Result<Option<CellResult>, TrainerError> {
    let mut running = Running {
        recipe,
        files,
        folder,
        cell,
        skipped: Vec::new(),
        seconds: Vec::new(),
    };
    running.run::<B>(device, observe)
}

/// A cell while it runs.
struct Running<'r> {
    recipe: &'r AblationRecipe,
    files: &'r AblationFiles,
    folder: &'r Path,
    cell: Cell,
    skipped: Vec<SkippedItem>,
    seconds: Vec<(String, f64)>,
}

impl Running<'_> {
    fn run<B: AutodiffBackend>(
        &mut self,
        device: &B::Device,
        observe: &mut dyn FnMut(CellEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Option<CellResult>, TrainerError> {
        let Some(pretrained) = self.pretrain::<B>(device, observe)? else {
            return Ok(None);
        };
        let bundle = pretrained.bundle.as_path();
        let _ = observe(CellEvent::Measuring("retrieval"));
        let retrieval = self.timed("retrieval", |this| this.retrieval::<B>(bundle, device))?;
        let (text_to_video, video_to_text, similarity, parameters) = retrieval;
        let open_ended = self.timed("open-ended questions", |this| {
            this.questions(bundle).open_ended::<B>(device, observe)
        })?;
        let Some((open_ended, skipped)) = open_ended else {
            return Ok(None);
        };
        self.skipped.extend(skipped);
        let multiple_choice = self.timed("multiple choice", |this| {
            this.questions(bundle).multiple_choice::<B>(device, observe)
        })?;
        let Some((multiple_choice, skipped)) = multiple_choice else {
            return Ok(None);
        };
        self.skipped.extend(skipped);
        Ok(Some(CellResult {
            row: self.cell.row,
            seed: self.cell.seed,
            parameters,
            pretraining_steps: pretrained.metrics.last().map_or(0, |last| last.step),
            pretraining_loss: last_loss(&pretrained),
            text_to_video,
            video_to_text,
            similarity,
            open_ended,
            multiple_choice,
            skipped: self.skipped.clone(),
            seconds: self.seconds.clone(),
        }))
    }

    fn pretrain<B: AutodiffBackend>(
        &mut self,
        device: &B::Device,
        observe: &mut dyn FnMut(CellEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Option<PretrainingSummary>, TrainerError> {
        let mut recipe = self.cell.row.apply(&self.recipe.pretraining);
        recipe.seed = self.cell.seed;
        let (pairs, vocabulary) = (&self.files.train.pairs, &self.files.vocabulary);
        let plan = PretrainingPlan {
            resume: true,
            ..PretrainingPlan::new(recipe, pairs, vocabulary, self.folder)
        };
        let summary = self.timed("pre-training", |_| {
            pretrain::<B>(&plan, &Peer::alone(), device, &mut |event| {
                observe(CellEvent::Pretraining(event))
            })
        })?;
        self.skipped.extend_from_slice(&summary.skipped);
        Ok(summary.finished.then_some(summary))
    }

    fn retrieval<B: AutodiffBackend>(
        &mut self,
        bundle: &Path,
        device: &B::Device,
    ) -> Result<(RetrievalMetrics, RetrievalMetrics, PairSimilarity, usize), TrainerError> {
        let bundle = Bundle::<B::InnerBackend>::read(bundle, device)?;
        let parameters = bundle.clover.num_params();
        let embedder = bundle.into_embedder(device.clone());
        let table = ClipTable::open(&self.files.test.pairs, None, &|_, _| ())?;
        let recipe = &self.recipe.pretraining;
        let reading = (recipe.workers, recipe.max_failed_share);
        let table = table.with_first_captions();
        let (found, embedded) = list_retrieval(&embedder, table, reading, |_, _| {})?;
        let similarity = pair_similarity(&embedded);
        self.skipped.extend(embedded.skipped);
        Ok((
            found.text_to_video,
            found.video_to_text,
            similarity,
            parameters,
        ))
    }

    fn questions<'a>(&'a self, bundle: &'a Path) -> Questions<'a> {
        Questions {
            recipe: self.recipe,
            files: self.files,
            bundle,
            seed: self.cell.seed,
        }
    }

    fn timed<T>(
        &mut self,
        phase: &str,
        work: impl FnOnce(&mut Self) -> Result<T, TrainerError>,
    ) -> Result<T, TrainerError> {
        let started = Instant::now();
        let output = work(self)?;
        self.seconds
            .push((phase.to_owned(), started.elapsed().as_secs_f64()));
        Ok(output)
    }
}

fn last_loss(summary: &PretrainingSummary) -> f64 {
    let count = summary.metrics.len().div_ceil(10).max(1);
    let last = summary.metrics.iter().rev().take(count);
    last.map(|step| step.total).sum::<f64>() / count as f64
}
