//! What the commands about the program itself take.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Args, Debug)]
pub(crate) struct Help {
    /// A page of the guide, or a command (with its own commands behind it); a list of both if not given.
    pub(crate) topic: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell that reads the script.
    pub(crate) shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// A command, with its own commands behind it; the program if not given.
    pub(crate) command: Vec<String>,
    /// Write the pages of all commands to this folder instead.
    #[arg(long, conflicts_with = "command")]
    pub(crate) out: Option<PathBuf>,
}
