//! `clover ablate`.

use std::path::PathBuf;

use clap::Args;

use crate::device::DeviceName;

#[derive(Args, Debug)]
pub(crate) struct Ablate {
    /// A shipped recipe by name, or the path of a complete one (TOML).
    #[arg(long, default_value = "ablation/rendered")]
    pub(crate) recipe: PathBuf,
    /// Folder for the rendered clips, the runs and the table; a comparison that was interrupted goes
    /// on in it.
    #[arg(long, default_value = "runs/ablation")]
    pub(crate) out: PathBuf,
    /// Runs at the same time, each on a thread of its own; all share the processors.
    #[arg(long, default_value_t = 1)]
    pub(crate) jobs: usize,
    /// Keys of the recipe to replace, each `key=value` or `table.key=value`.
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) keys: Vec<String>,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}
