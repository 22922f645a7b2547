//! One file a command.

mod ablate;
mod ask;
mod bundle_folder;
mod check_data;
mod clip_list;
mod convert;
mod demo;
mod embed;
mod evaluate;
mod finetune;
mod help;
mod index;
mod kept_run;
mod metrics;
mod new_folder;
mod pack;
mod pretrain;
mod recipe;
mod render;
mod search;
mod serve;
mod text_lines;
mod weights;

use std::path::PathBuf;

use anyhow::Result;

use bundle_folder::open_bundle;

pub(crate) use metrics::in_a_line;

use crate::arguments::{Arguments, Command, Weights};
use new_folder::NewFolders;

/// Runs what was asked for.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let new = NewFolders::on_the_way_to(arguments.command.folder().as_deref());
    let done = match arguments.command {
        Command::Pretrain(pretrain) => pretrain::run(*pretrain),
        Command::Ablate(ablate) => ablate::run(ablate),
        Command::Recipe(recipe) => recipe::run(recipe),
        Command::Finetune(finetune) => finetune::run(*finetune),
        Command::Evaluate(evaluate) => evaluate::run(*evaluate),
        Command::Index(index) => index::run(*index),
        Command::Ask(ask) => ask::run(*ask),
        Command::Embed(embed) => embed::run(*embed),
        Command::Search(search) => search::run(*search),
        Command::Serve(serve) => serve::run(*serve),
        Command::Demo(demo) => demo::run(demo),
        Command::CheckData(check) => check_data::run(check),
        Command::Convert(convert) => convert::run(convert),
        Command::Pack(pack) => pack::run(pack),
        Command::Render(render) => render::run(render),
        Command::Weights(weights) => weights::run(weights),
        Command::Help(asked) => help::help(&asked),
        Command::Completions(asked) => {
            help::completions(&asked);
            Ok(())
        }
        Command::Man(asked) => help::man(&asked),
    };
    if done.is_err() {
        new.remove_empty();
    }
    done
}

impl Command {
    /// The folder that it writes to.
    fn folder(&self) -> Option<PathBuf> {
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
