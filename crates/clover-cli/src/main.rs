//! The `clover` program: pre-trains Clover, measures it and demonstrates it.

// Attention, autodiff and the CPU backends nest generic types deeply.
#![recursion_limit = "256"]

mod arguments;
mod command;
#[cfg(feature = "dashboard")]
mod dashboard;
mod device;
mod display;
mod guide;
mod interrupt;
mod markdown;
mod output;
mod progress;
mod side_by_side;
mod step_bar;
mod task_progress;

use std::io::Write;
use std::panic;
use std::process::ExitCode;

use arguments::{Arguments, Command};
use clover_data::panics_are_caught;
use command::NewFolders;
use interrupt::{INTERRUPTED, Interrupted};

/// Tensors are large and short-lived: an allocator that keeps freed blocks saves the page faults
/// that otherwise are a large part of a step on the CPU.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    output::set_verbosity(arguments.verbosity());
    let hook = panic::take_hook();
    // What a decoder panicked with is told as the file's error.
    panic::set_hook(Box::new(move |about| {
        if !panics_are_caught() {
            hook(about);
        }
    }));
    let new = NewFolders::on_the_way_to(arguments.command.folder().as_deref());
    let done = match arguments.command {
        Command::Pretrain(pretrain) => command::pretrain::run(*pretrain),
        Command::Ablate(ablate) => command::ablate::run(ablate),
        Command::Recipe(recipe) => command::recipe::run(recipe),
        Command::Finetune(finetune) => command::finetune::run(*finetune),
        Command::Evaluate(evaluate) => command::evaluate::run(*evaluate),
        Command::Index(index) => command::index::run(*index),
        Command::Ask(ask) => command::ask::run(*ask),
        Command::Embed(embed) => command::embed::run(*embed),
        Command::Search(search) => command::search::run(*search),
        Command::Serve(serve) => command::serve::run(*serve),
        Command::Demo(demo) => command::demo::run(demo),
        Command::CheckData(check) => command::check_data::run(check),
        Command::Convert(convert) => command::convert::run(convert),
        Command::Pack(pack) => command::pack::run(pack),
        Command::Render(render) => command::render::run(render),
        Command::Weights(weights) => command::weights::run(weights),
        Command::Help(asked) => command::help::help(&asked),
        Command::Completions(asked) => {
            command::help::completions(&asked);
            Ok(())
        }
        Command::Man(asked) => command::help::man(&asked),
    };
    if done.is_err() {
        new.remove_empty();
    }
    match done.and_then(|()| output::finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

/// Says why the program fails, and its status.
fn report(error: &anyhow::Error) -> ExitCode {
    if let Some(interrupted) = error.downcast_ref::<Interrupted>() {
        let _ = writeln!(std::io::stderr(), "{interrupted}");
        return ExitCode::from(INTERRUPTED);
    }
    // Each cause once: some errors repeat theirs in their own words.
    let mut message = String::from("error");
    for cause in error.chain().map(ToString::to_string) {
        if !message.ends_with(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::FAILURE
}
