//! `clover weights fetch`.

use anyhow::{Result, bail};

use crate::arguments::FetchWeights;

pub(super) fn run(arguments: &FetchWeights) -> Result<()> {
    bail!("{arguments:?}: not built in");
}
