//! `clover weights inspect`.

use anyhow::{Result, bail};

use crate::arguments::InspectWeights;

pub(super) fn run(arguments: &InspectWeights) -> Result<()> {
    bail!("{arguments:?}: not built in");
}
