//! What can go wrong between a file and an embedding.

use std::io;
use std::path::PathBuf;

use clover_data::DataError;
use clover_model::weights::WeightError;

/// An embedding could not be computed, or a bundle not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// A clip, text or vocabulary cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The weights cannot be used.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A file of the bundle cannot be read or written.
    #[error("{path}: cannot be read or written", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the bundle is not the JSON it should be.
    #[error("{path}: not the expected JSON", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The bundle's configuration describes no model that can be built.
    #[error("{path}: {reason}", path = path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The weights do not fill the model that the configuration describes, or there are more of them.
    #[error(
        "{path}: does not fit the bundle's config.json; `clover weights import` makes a bundle of weights \
         alone: {report}", path = path.display()
    )]
    OtherWeights {
        /// The file.
        path: PathBuf,
        /// What was applied and what not.
        report: String,
    },
    /// A file of weights follows no known naming.
    #[error("{path}: cannot be imported", path = path.display())]
    WeightFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: WeightError,
    },
    /// An option of an import or export cannot be used.
    #[error("{option}: {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A question, or one of its choices, cannot be used.
    #[error("{text}: {reason}")]
    Question {
        /// Which text: the question, or a choice.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// The bundle does not answer such a question.
    #[error("this bundle {can}: {instead}")]
    Unanswerable {
        /// What the bundle can do.
        can: String,
        /// What to ask instead.
        instead: &'static str,
    },
    /// What is asked needs a part of the model that the bundle comes without.
    #[error(
        "this bundle's fusion encoder is not trained: it has the weights of encoders alone; pre-train it \
         (`clover pretrain --start-from`, recipe `pretrain-clip` for CLIP), or do without"
    )]
    UntrainedFusion,
    /// The model's scores are not numbers, so that no answer is the best one.
    #[error("the model's scores of the answers are not finite numbers")]
    NotFinite,
    /// A file of embeddings would have no row.
    #[error("{path}: there is nothing to write: not one embedding was made", path = path.display())]
    NoEmbeddings {
        /// The file.
        path: PathBuf,
    },
    /// A file of a bundle or an index is cut or changed.
    #[error("{path}: is damaged: {fault}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        fault: String,
    },
    /// A file is not the TOML it should be.
    #[error("{path}: not the expected TOML", path = path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// An index was made with another bundle, or with other settings.
    #[error("{index}: {reason}", index = index.display())]
    OtherIndex {
        /// The index.
        index: PathBuf,
        /// What differs, and what to do.
        reason: String,
    },
    /// An image cannot be made.
    #[error("an image cannot be made: {reason}")]
    Image {
        /// Why.
        reason: String,
    },
}
