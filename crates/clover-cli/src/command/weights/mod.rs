//! `clover weights`: one file a command.

mod fetch;
#[cfg(feature = "fetch")]
mod hub;
mod inspect;

use anyhow::Result;

use crate::arguments::Weights;

pub(super) fn run(asked: Weights) -> Result<()> {
    match asked {
        Weights::Inspect(inspect) => inspect::run(&inspect),
        Weights::Fetch(fetch) => fetch::run(&fetch),
    }
}
