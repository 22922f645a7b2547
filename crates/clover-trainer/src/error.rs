//! What can go wrong while training, evaluating or resuming.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;

/// An unusable checkpoint, optimizer state or set of embeddings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainerError {
    /// A file or folder could not be read.
    #[error("{path}: cannot be read")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// A file or folder could not be written.
    #[error("{path}: cannot be written")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },

    /// The threads of micro-batches that pass the model at the same time could not be started.
    #[error("threads for micro-batches cannot be started")]
    Threads(#[source] rayon::ThreadPoolBuildError),

    /// An image or chart of a report could not be made.
    #[error("an image of the report: {reason}")]
    Image {
        /// Why.
        reason: String,
    },

    /// A JSON file could not be read or written.
    #[error("{path}: is not the JSON expected")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },

    /// A safetensors file could not be read or written.
    #[error("{path}: is not a safetensors file")]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Why.
        source: safetensors::SafeTensorError,
    },

    /// A tensor has an element type that optimizer states do not use.
    #[error("{path}: the tensor {name} has the element type {dtype}, which cannot be stored")]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// Its element type.
        dtype: String,
    },

    /// A checkpoint was written in a format this program does not know.
    #[error("{path}: has the checkpoint format {version}, only {known} can be read")]
    CheckpointVersion {
        /// The state file.
        path: PathBuf,
        /// The format found.
        version: u32,
        /// The format read and written here.
        known: u32,
    },

    /// A file of a checkpoint is not listed with a checksum.
    #[error("{path}: has no recorded checksum")]
    MissingChecksum {
        /// The file.
        path: PathBuf,
    },

    /// A file of a checkpoint is shorter or longer than it was when written.
    #[error("{path}: holds {bytes} bytes, {expected} were written")]
    WrongLength {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The length recorded.
        expected: u64,
    },

    /// A file of a checkpoint has other bytes than were written.
    #[error("{path}: its bytes are not those that were written")]
    WrongChecksum {
        /// The file.
        path: PathBuf,
    },

    /// Checkpoints exist and none of them can be used: starting afresh would hide a loss of work.
    #[error(
        "{folder}: none of its {} checkpoints can be used: {}",
        .refused.len(),
        .refused.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    )]
    NoUsableCheckpoint {
        /// The folder of the checkpoints.
        folder: PathBuf,
        /// Each checkpoint and what is wrong with it, newest first.
        refused: Vec<RefusedCheckpoint>,
    },

    /// An optimizer state lacks a tensor.
    #[error("the optimizer state has no {name}")]
    MissingOptimizerTensor {
        /// The tensor, named after its parameter.
        name: String,
    },

    /// An optimizer state has a tensor for a parameter that the model does not have.
    #[error("the optimizer state has {name}, and the model no such parameter")]
    UnknownOptimizerTensor {
        /// The tensor, named after its parameter.
        name: String,
    },

    /// A tensor of an optimizer state differs in shape from its parameter.
    #[error("the optimizer state's {name} has the shape {shape:?} instead of {expected:?}")]
    OptimizerTensorShape {
        /// The tensor, named after its parameter.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// The shape that fits the model.
        expected: Vec<usize>,
    },

    /// A tensor of an optimizer state has an unexpected element type or value.
    #[error("the optimizer state's {name} cannot be used")]
    OptimizerTensorValue {
        /// The tensor, named after its parameter.
        name: String,
    },

    /// Embeddings do not divide into rows, or their number differs from what belongs to them.
    #[error("the {what} embeddings hold {values} values instead of {expected}")]
    EmbeddingsLength {
        /// `text`, `video`, `query` or `candidate`.
        what: &'static str,
        /// The number of values given.
        values: usize,
        /// The number of values that would fit.
        expected: usize,
    },

    /// An embedding or a score is infinite or not a number.
    #[error("row {row} of the {what} embeddings is not finite")]
    NotFinite {
        /// `text`, `video`, `query`, `candidate` or `score`.
        what: &'static str,
        /// The row, from zero.
        row: usize,
    },

    /// A text names a video, or a question an answer, that is not there.
    #[error("item {item} names the candidate {candidate}, of {candidates}")]
    CandidateOutOfRange {
        /// The item, from zero.
        item: usize,
        /// The candidate it names, from zero.
        candidate: usize,
        /// How many there are.
        candidates: usize,
    },

    /// A recipe is not valid TOML, or has a wrong, missing or unknown key.
    #[error("{path}: unusable recipe")]
    Recipe {
        /// The recipe.
        path: PathBuf,
        /// The key and what is wrong with it.
        source: Box<toml::de::Error>,
    },

    /// A recipe, or what was said to override one, has a key that does not exist.
    #[error("{origin}: unknown key `{key}`; the nearest known one is `{nearest}`")]
    UnknownRecipeKey {
        /// The recipe's file or the argument.
        origin: String,
        /// The key.
        key: String,
        /// The known key most like it.
        nearest: String,
    },

    /// A key of a recipe was given a value of another type, or no value.
    #[error("{argument}: {reason}")]
    RecipeOverride {
        /// What was given, `key=value`.
        argument: String,
        /// What is wrong with it.
        reason: String,
    },

    /// No recipe of this name is part of the program, and no file has it.
    #[error(
        "{name}: neither a file nor a shipped recipe; the nearest is `{nearest}`; shipped are {shipped}"
    )]
    NoSuchRecipe {
        /// The name asked for.
        name: String,
        /// The name most like it.
        nearest: String,
        /// The names there are.
        shipped: String,
    },

    /// A key of a recipe has a value that cannot be used.
    #[error("recipe: {key}: {reason}")]
    RecipeValue {
        /// The key.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },

    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] clover_data::DataError),

    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] clover_model::weights::WeightError),

    /// A model bundle cannot be read or written, or files not be embedded.
    #[error(transparent)]
    Inference(#[from] clover_inference::InferenceError),

    /// A checkpoint's weights do not fill the model.
    #[error("{path}: does not fit the model: {report}")]
    IncompleteWeights {
        /// The checkpoint.
        path: PathBuf,
        /// What was applied and what not.
        report: String,
    },

    /// A loss or gradient is infinite or not a number.
    #[error("step {step}: the {what} is not finite; the batch was: {}", .names.join(", "))]
    Diverged {
        /// The optimizer step.
        step: u64,
        /// `loss` or `gradient`.
        what: &'static str,
        /// The samples of the batch.
        names: Vec<String>,
    },

    /// A loss has grown beyond the recipe's limit.
    #[error(
        "step {step}: the loss is {loss:.1}, beyond the recipe's loss_limit of {limit}; the batch \
         was: {}",
        .names.join(", ")
    )]
    Exploded {
        /// The optimizer step.
        step: u64,
        /// The loss.
        loss: f64,
        /// The largest that goes on.
        limit: f64,
        /// The samples of the batch.
        names: Vec<String>,
    },

    /// A run with another recipe was to be resumed.
    #[error("{path}: was made with another recipe: {key} is {recorded} there and {wanted} here")]
    OtherRecipe {
        /// The checkpoint.
        path: PathBuf,
        /// The first key that differs.
        key: String,
        /// Its value in the checkpoint.
        recorded: String,
        /// Its value now.
        wanted: String,
    },

    /// A run was to be resumed on other data.
    #[error("{path}: was made on other data: {list}: {recorded} there, {wanted} here")]
    OtherData {
        /// The checkpoint.
        path: PathBuf,
        /// Which list: `videos`, `images`, `vocabulary` or `validation`.
        list: &'static str,
        /// How many entries it had, and their hash.
        recorded: String,
        /// How many entries it has now, and their hash.
        wanted: String,
    },

    /// A new run was to be written over one that has checkpoints.
    #[error("{folder}: holds checkpoints of an earlier run; resume it, or choose another folder")]
    FolderInUse {
        /// The folder of the run.
        folder: PathBuf,
    },

    /// Results would have been written over those of another evaluation.
    #[error(
        "{path}: holds the results of another evaluation; choose another folder, or ask for them to be \
         overwritten (`--overwrite`)"
    )]
    OtherResults {
        /// The results.
        path: PathBuf,
    },

    /// A file holds items of another task than was asked for.
    #[error("{path}: holds no {wanted} items")]
    OtherTask {
        /// The file.
        path: PathBuf,
        /// The task asked for.
        wanted: &'static str,
    },

    /// An item of a list of pair tests is none.
    #[error(
        "{path}: {name} {reason}: a pair test has two captions as `options`, the `answer` that fits, and a \
         `skill` such as `color`"
    )]
    NoPairTest {
        /// The list.
        path: PathBuf,
        /// What the item is called.
        name: String,
        /// What it lacks.
        reason: String,
    },

    /// A run has pair tests and no validation list.
    #[error(
        "pair tests are measured along with a validation list, and there is none: name one (--validation)"
    )]
    PairTestsAlone,

    /// A list of answers leaves nothing to choose.
    #[error(
        "the list of answers has {answers}, so that there is nothing to learn: name a list with more \
         (--answers), or let the recipe's `answers` be larger"
    )]
    TooFewAnswers {
        /// How many answers it has.
        answers: usize,
    },

    /// A bundle has no answer head, or one of another task.
    #[error("{path}: {reason}")]
    OtherHead {
        /// The bundle.
        path: PathBuf,
        /// What it has, and what is needed.
        reason: String,
    },

    /// A question was asked for that the list does not have.
    #[error("no question is called {name}, and none of {questions} has this number")]
    NoSuchQuestion {
        /// What was asked for.
        name: String,
        /// How many there are.
        questions: usize,
    },

    /// Attention was asked for of a task that has none between video and text.
    #[error("{task}: compares embeddings, so that no answer attends to a clip")]
    NoAttention {
        /// The task.
        task: String,
    },

    /// Devices cannot train together.
    #[error(transparent)]
    Devices(#[from] crate::devices::DevicesError),

    /// Scores that are held at once would not fit into memory.
    #[error("{scores} scores are more than the {largest} that are held at once")]
    TooManyScores {
        /// How many there are.
        scores: usize,
        /// The most.
        largest: usize,
    },

    /// There is nothing to evaluate.
    #[error("there is nothing to evaluate")]
    NothingToEvaluate,
}

/// A checkpoint that cannot be used.
#[derive(Debug)]
pub struct RefusedCheckpoint {
    /// Its folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: TrainerError,
}

impl fmt::Display for RefusedCheckpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} was refused: {}",
            self.path.display(),
            self.reason
        )?;
        let mut cause = self.reason.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
