//! One file a command.


mod pretrain;

use anyhow::Result;

use crate::arguments::{Arguments, Command};

/// Runs what was asked for.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::Pretrain(pretrain) => pretrain::run(pretrain),
        Command::Demo(demo) => anyhow::bail!("{demo:?}"),
    }
}
