//! One row with one seed: pre-trained, measured, fine-tuned, measured again.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use burn::module::Module;
use burn::tensor::backend::AutodiffBackend;
use clover_data::dataset::{ClipTable, SkippedItem};
use clover_data::files::read_regular;
use clover_inference::Bundle;
use serde::{Deserialize, Serialize};

use super::AblationRow;
use super::questions::Questions;
use crate::TrainerError;
use crate::devices::Peer;
use crate::evaluate::{
    PairSimilarity, PairTests, QuestionAccuracy, SkillAccuracy, found_among_companions,
    list_retrieval, measure_pair_tests, pair_similarity,
};
use crate::finetune::FinetuningMetrics;
use crate::metric::RetrievalMetrics;
use crate::pretrain::{PretrainingEvent, PretrainingPlan, PretrainingSummary, pretrain};
use crate::recipe::{AblationRecipe, PretrainingRecipe};
use crate::whole_file::write_whole;

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
    /// Pair tests to measure with, where there are any.
    pub pair_tests: Option<PathBuf>,
}

impl AblationFiles {
    /// With a vocabulary for CLIP's text encoder, which takes the largest number for the end of a text: the same
    /// pieces with `[SEP]` behind them, in a file of its own.
    ///
    /// # Errors
    ///
    /// The vocabulary cannot be read, or the other not be written.
    pub fn with_end_last(self) -> Result<Self, TrainerError> {
        let path = self.vocabulary.with_file_name("vocab-clip.txt");
        let read = |source| TrainerError::Read {
            path: self.vocabulary.clone(),
            source,
        };
        let pieces = read_regular(&self.vocabulary, MAX_VOCABULARY_BYTES).map_err(read)?;
        let pieces = String::from_utf8(pieces).map_err(std::io::Error::other);
        let pieces = pieces.map_err(read)?;
        let others = pieces.lines().filter(|piece| *piece != END);
        let lines: Vec<&str> = others.chain([END]).collect();
        write_whole(&path, (lines.join("\n") + "\n").as_bytes())?;
        Ok(Self {
            vocabulary: path,
            ..self
        })
    }
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

/// The metrics of a cell.
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
    /// Held-out sentences looking for their clip among its companions, which differ from it in one respect:
    /// the share that finds it. Of rows that go on from a CLIP.
    #[serde(default)]
    pub hard_negatives: Option<f64>,
    /// What is told apart before any fine-tuning, where there are pair tests.
    #[serde(default)]
    pub skills: Vec<SkillAccuracy>,
    /// Held-out open-ended questions, after fine-tuning, where there was any.
    pub open_ended: Option<QuestionAccuracy>,
    /// Held-out multiple-choice questions, after fine-tuning, where there was any.
    pub multiple_choice: Option<QuestionAccuracy>,
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

    /// The pairs that are told apart by a skill, in percent, where they were measured.
    #[must_use]
    pub fn skill(&self, skill: &str) -> Option<f64> {
        let found = self.skills.iter().find(|one| one.skill == skill);
        found.map(|one| 100.0 * one.accuracy)
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

/// The end of a text.
const END: &str = "[SEP]";
/// Many times what the words of the benchmark need.
const MAX_VOCABULARY_BYTES: u64 = 1 << 24;
/// Clips of the benchmark that differ in one respect follow each other in groups of so many.
pub(super) const COMPANIONS: usize = 5;

/// Rows of a seed go on from one model; where they run side by side, the first makes it.
static STARTS: Mutex<()> = Mutex::new(());

/// What was measured before any fine-tuning.
struct Retrieval {
    text_to_video: RetrievalMetrics,
    video_to_text: RetrievalMetrics,
    similarity: PairSimilarity,
    hard_negatives: f64,
    skills: Vec<SkillAccuracy>,
    parameters: usize,
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
        let (mut open_ended, mut multiple_choice) = (None, None);
        if self.recipe.open_ended.steps > 0 {
            let answered = self.timed("open-ended questions", |this| {
                this.questions(bundle).open_ended::<B>(device, observe)
            })?;
            let Some((accuracy, skipped)) = answered else {
                return Ok(None);
            };
            open_ended = Some(accuracy);
            self.skipped.extend(skipped);
        }
        if self.recipe.multiple_choice.steps > 0 {
            let answered = self.timed("multiple choice", |this| {
                this.questions(bundle).multiple_choice::<B>(device, observe)
            })?;
            let Some((accuracy, skipped)) = answered else {
                return Ok(None);
            };
            multiple_choice = Some(accuracy);
            self.skipped.extend(skipped);
        }
        Ok(Some(CellResult {
            row: self.cell.row,
            seed: self.cell.seed,
            parameters: retrieval.parameters,
            pretraining_steps: pretrained.metrics.last().map_or(0, |last| last.step),
            pretraining_loss: last_loss(&pretrained),
            text_to_video: retrieval.text_to_video,
            video_to_text: retrieval.video_to_text,
            similarity: retrieval.similarity,
            hard_negatives: self.recipe.start.as_ref().map(|_| retrieval.hard_negatives),
            skills: retrieval.skills,
            open_ended,
            multiple_choice,
            skipped: self.skipped.clone(),
            seconds: self.seconds.clone(),
        }))
    }

    /// Pre-trains the row; what it goes on from first, where it does, once for all rows of a seed.
    fn pretrain<B: AutodiffBackend>(
        &mut self,
        device: &B::Device,
        observe: &mut dyn FnMut(CellEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Option<PretrainingSummary>, TrainerError> {
        let mut recipe = self.cell.row.apply(&self.recipe.pretraining);
        recipe.seed = self.cell.seed;
        let Some(start) = &self.recipe.start else {
            return self.pretrain_as::<B>(self.plan(recipe), device, observe);
        };
        let folder = self
            .folder
            .with_file_name(format!("start-{}", self.cell.seed));
        let start = PretrainingRecipe {
            seed: self.cell.seed,
            ..start.clone()
        };
        let start = PretrainingPlan {
            folder,
            ..self.plan(start)
        };
        let turn = STARTS.lock().unwrap_or_else(PoisonError::into_inner);
        let started = self.pretrain_as::<B>(start, device, observe)?;
        drop(turn);
        let started = match started {
            Some(started) if self.cell.row != AblationRow::Clip => started,
            measured_as_it_is => return Ok(measured_as_it_is),
        };
        let plan = PretrainingPlan {
            start_from: Some(started.bundle),
            ..self.plan(recipe)
        };
        self.pretrain_as::<B>(plan, device, observe)
    }

    /// A run in the cell's folder, or its continuation.
    fn plan(&self, recipe: PretrainingRecipe) -> PretrainingPlan {
        let (pairs, vocabulary) = (&self.files.train.pairs, &self.files.vocabulary);
        PretrainingPlan {
            resume: true,
            ..PretrainingPlan::new(recipe, pairs, vocabulary, self.folder)
        }
    }

    fn pretrain_as<B: AutodiffBackend>(
        &mut self,
        plan: PretrainingPlan,
        device: &B::Device,
        observe: &mut dyn FnMut(CellEvent<'_>) -> ControlFlow<()>,
    ) -> Result<Option<PretrainingSummary>, TrainerError> {
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
    ) -> Result<Retrieval, TrainerError> {
        let bundle = Bundle::<B::InnerBackend>::read(bundle, device)?;
        let parameters = bundle.clover.num_params();
        let embedder = bundle.into_embedder(device.clone());
        let table = ClipTable::open(&self.files.test.pairs, None, &|_, _| ())?;
        let recipe = &self.recipe.pretraining;
        let reading = (recipe.workers, recipe.max_failed_share);
        let table = table.with_first_captions();
        let (found, embedded) = list_retrieval(&embedder, table, reading, |_, _| {})?;
        let similarity = pair_similarity(&embedded);
        let hard_negatives = found_among_companions(&embedded, COMPANIONS);
        self.skipped.extend(embedded.skipped);
        let skills = match &self.files.pair_tests {
            Some(list) => {
                let tests = PairTests::read(list, Some(&self.files.clips))?;
                // Of the same clips: what cannot be read is known already.
                measure_pair_tests(&embedder, &tests, reading, |_, _| {})?.0
            }
            None => Vec::new(),
        };
        Ok(Retrieval {
            text_to_video: found.text_to_video,
            video_to_text: found.video_to_text,
            similarity,
            hard_negatives,
            skills,
            parameters,
        })
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
