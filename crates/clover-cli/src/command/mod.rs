//! One file a command.

pub(crate) mod ablate;
pub(crate) mod ask;
mod bundle_folder;
pub(crate) mod check_data;
mod clip_list;
pub(crate) mod convert;
pub(crate) mod demo;
pub(crate) mod embed;
pub(crate) mod evaluate;
pub(crate) mod finetune;
pub(crate) mod help;
pub(crate) mod index;
mod index_folder;
mod kept_run;
mod metrics;
mod new_folder;
pub(crate) mod pack;
pub(crate) mod pretrain;
pub(crate) mod recipe;
pub(crate) mod render;
pub(crate) mod search;
pub(crate) mod serve;
mod text_lines;
pub(crate) mod weights;

use std::path::PathBuf;

use bundle_folder::open_bundle;

pub(crate) use metrics::in_a_line;
pub(crate) use new_folder::NewFolders;

use crate::arguments::{Command, Weights};

impl Command {
    /// The folder that it writes to.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Pretrain(pretrain) => Some(pretrain.out.clone()),
            Self::Finetune(finetune) => Some(finetune.out.clone()),
            Self::Evaluate(evaluate) => Some(evaluate.folder()),
            Self::Ablate(ablate) => Some(ablate.out.clone()),
            Self::Demo(demo) => Some(demo.out.clone()),
            Self::Index(index) => Some(index.index.clone()),
            Self::Pack(pack) => Some(pack.out.clone()),
            Self::Render(render) => Some(render.out.clone()),
            Self::Weights(Weights::Import(import)) => Some(import.out.clone()),
            Self::Weights(Weights::Export(export)) => Some(export.out.clone()),
            _ => None,
        }
    }
}
