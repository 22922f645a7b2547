//! `clover weights`: one file a command.

mod export;
mod fetch;
#[cfg(feature = "fetch")]
mod hub;
mod import;
mod inspect;

use anyhow::Result;

use crate::arguments::Weights;

pub(crate) fn run(asked: Weights) -> Result<()> {
    match asked {
        Weights::Import(import) => import::run(*import),
        Weights::Export(export) => export::run(export),
        Weights::Inspect(inspect) => inspect::run(&inspect),
        Weights::Fetch(fetch) => fetch::run(&fetch),
    }
}
