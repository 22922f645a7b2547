//! How much of a model learns.
//!
//! What does not is frozen: no gradient of it is computed, the optimizer keeps nothing of it, and it stays as
//! it was to the bit.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use burn::module::{Module, ModuleMapper, Param};
use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::model_parts::{ModelPart, Place, places};
use crate::TrainerError;

/// The recipe's key, in errors.
const KEY: &str = "train";

/// How much of a model learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TrainedParts {
    /// All of it: `all`.
    #[default]
    All,
    /// The last blocks of each tower, and all that comes behind them: `last-N`.
    LastBlocks(usize),
    /// What the pre-trained encoders did not bring: `new-parts`.
    NewParts,
    /// As [`NewParts`](Self::NewParts), and low-rank changes of the towers' matrices: `lora-R`.
    LowRank(usize),
}

/// A value that says none of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{value}` is none of \"all\", \"last-N\", \"new-parts\" and \"lora-R\"; the nearest is \"{nearest}\""
)]
pub struct UnknownTrainedParts {
    /// What was written.
    pub value: String,
    /// What is most like it.
    pub nearest: String,
}

impl FromStr for TrainedParts {
    type Err = UnknownTrainedParts;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let count = |digits: &str| match digits.starts_with('0') {
            true => None,
            false => digits.parse::<usize>().ok().filter(|&count| count <= 4_096),
        };
        let parsed = match value.split_once('-') {
            None if value == "all" => Some(Self::All),
            Some(("new", "parts")) => Some(Self::NewParts),
            Some(("last", blocks)) => count(blocks).map(Self::LastBlocks),
            Some(("lora", rank)) => count(rank).map(Self::LowRank),
            _ => None,
        };
        parsed.ok_or_else(|| UnknownTrainedParts {
            value: value.to_owned(),
            nearest: nearest(value),
        })
    }
}

/// The form most like what was written, with its number where it has one.
fn nearest(value: &str) -> String {
    let value = value.to_lowercase();
    let name = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = match value[name.len()..].trim_start_matches('0') {
        "" => "8",
        number => number,
    };
    let distance = |form: &&str| strsim::damerau_levenshtein(name, form);
    let forms = ["all", "last-", "new-parts", "lora-"];
    let form = forms.into_iter().min_by_key(distance).unwrap_or("all");
    match form.ends_with('-') {
        true => format!("{form}{number}"),
        false => form.to_owned(),
    }
}

impl fmt::Display for TrainedParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("all"),
            Self::LastBlocks(blocks) => write!(formatter, "last-{blocks}"),
            Self::NewParts => formatter.write_str("new-parts"),
            Self::LowRank(rank) => write!(formatter, "lora-{rank}"),
        }
    }
}

impl TryFrom<String> for TrainedParts {
    type Error = UnknownTrainedParts;

    fn try_from(value: String) -> Result<Self, Self::Error> {
        value.parse()
    }
}

impl From<TrainedParts> for String {
    fn from(parts: TrainedParts) -> Self {
        parts.to_string()
    }
}

impl TrainedParts {
    /// The rank of the changes to the towers' matrices, where they are what is learned of the towers.
    pub(crate) fn rank(self) -> Option<usize> {
        match self {
            Self::LowRank(rank) => Some(rank),
            Self::All | Self::LastBlocks(_) | Self::NewParts => None,
        }
    }

    /// The model, of which the other parts are frozen. The temperature is not: a recipe that does not learn
    /// it never looks at it.
    ///
    /// # Errors
    ///
    /// Nothing is left to learn, or the towers have fewer blocks.
    pub(crate) fn freeze<B: Backend, M: Module<B>>(self, model: M) -> Result<M, TrainerError> {
        if self == Self::All {
            return Ok(model);
        }
        let places = places(&model);
        self.check(&places)?;
        let frozen = places.into_iter().filter(|place| !self.learns(place));
        Ok(model.map(&mut Freeze {
            frozen: frozen.map(|place| place.path).collect(),
            at: Vec::new(),
        }))
    }

    /// Whether a parameter itself learns.
    fn learns(self, place: &Place) -> bool {
        match self {
            Self::All => true,
            Self::LastBlocks(blocks) => {
                place.part != ModelPart::Tower || place.blocks_to_end <= blocks
            }
            Self::NewParts | Self::LowRank(_) => place.part != ModelPart::Tower,
        }
    }

    fn check(self, places: &[Place]) -> Result<(), TrainerError> {
        let wrong = |reason: String| {
            Err(TrainerError::RecipeValue {
                key: KEY,
                reason: format!("\"{self}\": {reason}"),
            })
        };
        let towers = places.iter().filter(|place| place.part == ModelPart::Tower);
        if let Self::LastBlocks(blocks) = self {
            let most = towers.clone().map(|place| place.blocks_to_end).max();
            let most = most.unwrap_or(0).saturating_sub(1);
            if blocks > most {
                return wrong(format!("the longer encoder has {most} blocks"));
            }
        }
        // Masked regions are none of retrieval, whose model has the token for them all the same.
        let is_of_use = |place: &&Place| {
            self.learns(place)
                && place.part != ModelPart::Temperature
                && !place.path.contains("mask_")
        };
        let learns = places.iter().any(|place| is_of_use(&place))
            || self.rank().is_some() && towers.clone().any(|place| place.is_matrix);
        match learns {
            true => Ok(()),
            false => wrong("nothing is left to learn: take \"lora-8\"".to_owned()),
        }
    }
}

struct Freeze {
    frozen: HashSet<String>,
    at: Vec<String>,
}

impl<B: Backend> ModuleMapper<B> for Freeze {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.at.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.at.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        match self.frozen.contains(&self.at.join(".")) {
            true => param.set_require_grad(false),
            false => param,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestAutodiffBackend;
    use burn::module::ModuleVisitor;
    use clover_model::tasks::RetrievalModel;
    use clover_model::{Clover, CloverConfig};

    struct Learning(Vec<String>, Vec<String>);

    impl ModuleVisitor<TestAutodiffBackend> for Learning {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.0.push(name.to_owned());
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.0.pop();
        }

        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<TestAutodiffBackend, D>>) {
            if param.val().is_require_grad() {
                self.1.push(self.0.join("."));
            }
        }
    }

    fn clover() -> Clover<TestAutodiffBackend> {
        CloverConfig::nano(30).init(&Default::default())
    }

    fn learning(parts: &str) -> Vec<String> {
        let parts: TrainedParts = parts.parse().unwrap();
        let mut learning = Learning(Vec::new(), Vec::new());
        parts.freeze(clover()).unwrap().visit(&mut learning);
        learning.1
    }

    #[test]
    fn each_form_reads_back_as_it_is_written() {
        for form in ["all", "last-2", "new-parts", "lora-16"] {
            let parts: TrainedParts = form.parse().unwrap();
            assert_eq!(parts.to_string(), form);
        }
    }

    #[test]
    fn another_value_is_refused_with_the_nearest() {
        for (value, expected) in [
            ("lst-3", "last-3"),
            ("lora", "lora-8"),
            ("lora16", "lora-16"),
            ("last-0", "last-8"),
            ("new_parts", "new-parts"),
            ("al", "all"),
        ] {
            let error = value.parse::<TrainedParts>().unwrap_err();
            assert_eq!(error.nearest, expected, "{value}");
        }
    }

    #[test]
    fn the_last_block_learns_with_what_lies_behind_it() {
        let learning = learning("last-1");

        let of = |start: &str| learning.iter().any(|path| path.starts_with(start));
        assert!(of("video_encoder.stages.3") && of("video_encoder.norm") && of("text_encoder"));
        assert!(of("fusion_encoder") && of("mlm_head") && of("video_encoder.mask_token"));
        assert!(!of("video_encoder.stages.2") && !of("video_encoder.patch_embedding"));
        assert!(!of("text_encoder.embeddings"));
    }

    #[test]
    fn new_parts_leave_the_towers_frozen() {
        let learning = learning("new-parts");

        assert!(
            learning
                .iter()
                .any(|path| path.starts_with("fusion_encoder"))
        );
        assert!(
            learning
                .iter()
                .all(|path| ModelPart::of(path) == ModelPart::New)
        );
    }

    #[test]
    fn more_blocks_than_there_are_are_refused() {
        let error = TrainedParts::LastBlocks(9).freeze(clover()).unwrap_err();
        assert!(error.to_string().contains("5 blocks"), "{error}");
        assert!(TrainedParts::LastBlocks(5).freeze(clover()).is_ok());
        let _ = RetrievalModel::from(clover());
    }
}
