//! `clover weights inspect`.

use anyhow::Result;
use clover_model::weights::{Inventory, WeightFile};

use crate::arguments::InspectWeights;
use crate::output::print_line;

pub(super) fn run(arguments: &InspectWeights) -> Result<()> {
    let inventory = Inventory::of(&WeightFile::open(&arguments.weights)?, arguments.depth);
    match arguments.json {
        true => print_line(&serde_json::to_string_pretty(&inventory)?),
        false => print_line(&inventory.to_string()),
    }
    Ok(())
}
