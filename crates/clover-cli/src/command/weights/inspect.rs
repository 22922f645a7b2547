//! `clover weights inspect`.

use anyhow::Result;
use clover_model::weights::{Inventory, WeightFile};

use crate::arguments::InspectWeights;
use crate::progress::say;

pub(super) fn run(arguments: &InspectWeights) -> Result<()> {
    let inventory = Inventory::of(&WeightFile::open(&arguments.weights)?, arguments.depth);
    match arguments.json {
        true => say(&serde_json::to_string_pretty(&inventory)?),
        false => say(&inventory.to_string()),
    }
    Ok(())
}
