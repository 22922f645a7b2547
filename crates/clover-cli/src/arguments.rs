//! What can be said on the command line.

mod ablate;
mod ask;
mod data;
mod devices;
mod embed;
mod examples;
mod help;
mod index;
mod keys;
mod search;
mod serve;
mod tasks;
mod time;
mod weights;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use ablate::Ablate;
pub(crate) use ask::{Ask, Asked};
pub(crate) use data::{CheckData, ClipLists, ColumnArguments, Convert, Pack, Render};
pub(crate) use devices::{DeviceGroup, Devices};
pub(crate) use embed::Embed;
pub(crate) use help::{Completions, Help, Man};
pub(crate) use index::Index;
pub(crate) use keys::Keys;
pub(crate) use search::Search;
pub(crate) use serve::Serve;
pub(crate) use tasks::{Evaluate, Finetune, task_name};
pub(crate) use weights::{
    ExportWeights, FetchWeights, Format, FusionFrom, ImportWeights, InspectWeights, Weights,
};

use crate::device::DeviceName;
use crate::output::Verbosity;
use examples::EXAMPLES;

/// How a command ends.
const STATUS: &str = "\
Ctrl-C, SIGTERM and SIGHUP ask a command to write what it has and end; the second means at once.
Exit status: 0 done, 1 failed, 2 not understood, 130 asked to end.";

/// What stands last in the help, after a command's own options.
const GLOBAL: &str = "Options of every command";

/// Clover: video-language pre-training, retrieval and question answering.
#[derive(Parser, Debug)]
#[command(
    name = "clover",
    version,
    about,
    disable_help_subcommand = true,
    after_help = STATUS
)]
pub(crate) struct Arguments {
    /// Print results and errors only.
    #[arg(long, short, global = true, conflicts_with = "verbose", help_heading = GLOBAL)]
    quiet: bool,
    /// Also print what every step measured, and what is saved.
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// Reads the command line; where it is wrong, or help was asked for, the program ends.
    pub(crate) fn read() -> Self {
        let mut matches = command().get_matches();
        Self::from_arg_matches_mut(&mut matches)
            .unwrap_or_else(|error| error.format(&mut command()).exit())
    }

    /// How much is said beside results.
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// All that can be said, with examples.
pub(crate) fn command() -> clap::Command {
    EXAMPLES
        .iter()
        .fold(Arguments::command(), |command, (words, lines)| {
            with_examples(command, words, lines)
        })
}

/// Gives the command of these words its examples.
fn with_examples(command: clap::Command, words: &[&'static str], lines: &[&str]) -> clap::Command {
    match words {
        [] => command.after_help(format!("Examples:\n  {}", lines.join("\n  "))),
        [word, inner @ ..] => {
            command.mut_subcommand(word, |command| with_examples(command, inner, lines))
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Pre-train on pairs of videos (or images) and captions.
    Pretrain(Box<Pretrain>),
    /// Fine-tune a bundle on one of the downstream tasks, or on your own items.
    Finetune(Box<Finetune>),
    /// Measure a bundle on a task: figures with intervals, predictions, and a page.
    Evaluate(Box<Evaluate>),
    /// Make folders of videos searchable, and keep them so: only what changed is read.
    Index(Box<Index>),
    /// Ask a question about a clip.
    Ask(Box<Ask>),
    /// Embed texts and clips, for other programs.
    Embed(Box<Embed>),
    /// Find the clips and moments of an index that fit a text or an example.
    Search(Box<Search>),
    /// Show an index on a page, with its videos, search and questions, and answer programs over HTTP.
    Serve(Box<Serve>),
    /// Render captioned clips, or take your own, pre-train a tiny Clover on them, and report zero-shot retrieval.
    Demo(Demo),
    /// Compare Clover's objectives with the paper's baselines: equal runs, one table.
    Ablate(Ablate),
    /// List, show and check recipes.
    #[command(subcommand)]
    Recipe(Recipe),
    /// Read every clip and caption once; name what is broken.
    CheckData(CheckData),
    /// Turn a published annotation file into the project's own form.
    Convert(Convert),
    /// Store frames of clips, made small, with their captions in WebDataset shards.
    Pack(Pack),
    /// Render a benchmark of moving shapes: clips, captions, questions, and a vocabulary.
    Render(Render),
    /// Look into files of weights, and fetch them.
    #[command(subcommand)]
    Weights(Weights),
    /// Show a page of the guide, or what a command takes.
    Help(Help),
    /// Print the script by which a shell completes commands and options.
    Completions(Completions),
    /// Print a manual page.
    Man(Man),
}

#[derive(Args, Debug)]
pub(crate) struct Pretrain {
    /// Manifest of pairs (csv, tsv or jsonl with `path` and `caption`), an annotation file with
    /// captions, a folder of videos with `clip.txt` beside `clip.mp4`, or WebDataset shards.
    #[arg(long, required_unless_present = "resume")]
    pub(crate) data: Option<PathBuf>,
    /// The folder that relative paths of the lists start at; each list's own folder if not given.
    #[arg(long)]
    pub(crate) videos: Option<PathBuf>,
    /// Pairs of still images, of the same forms as `--data`: each iteration makes a step on a batch
    /// of both.
    #[arg(long)]
    pub(crate) images: Option<PathBuf>,
    /// Pairs to measure zero-shot retrieval with on the way, of the same forms as `--data`; the
    /// best model is kept. The recipe's `validate_every` says how often.
    #[arg(long)]
    pub(crate) validation: Option<PathBuf>,
    /// Pair tests to measure along with the validation: which of two captions that differ in one word fits
    /// the clip. Lines of JSON with `clip`, two `options`, `answer` and `skill`; `clover render` writes such.
    /// Their clips lie in `--videos`, or beside the list.
    #[arg(long)]
    pub(crate) pair_tests: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) columns: ColumnArguments,
    /// A bundle whose weights the run starts from, such as `weights import` makes, instead of random
    /// ones. Its sizes count, not the recipe's preset; tables of positions are resized to the
    /// recipe's clips.
    #[arg(long)]
    pub(crate) start_from: Option<PathBuf>,
    /// Word pieces, one a line, as BERT's `vocab.txt`, or a folder with a tokenizer's files; those of the bundle that
    /// the run starts from if not given. `auto` makes them of the captions to train on.
    #[arg(long, value_name = "VOCAB|auto", required_unless_present_any = ["resume", "start_from"])]
    pub(crate) vocab: Option<PathBuf>,
    /// Folder for checkpoints, metrics and the trained bundle.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Go on from the last checkpoint in the folder, with its recipe and lists; start where there is
    /// none.
    #[arg(long)]
    pub(crate) resume: bool,
    /// A shipped recipe by name, or the path of a complete one (TOML); `pretrain` if not given.
    #[arg(long)]
    pub(crate) recipe: Option<PathBuf>,
    /// Size of the model: nano (for tests), tiny, small, base, clip-nano or clip-tiny.
    #[arg(long)]
    pub(crate) preset: Option<String>,
    /// The time the run may take, such as 90s, 30m or 1h30m, instead of the recipe's epochs: it measures its first
    /// steps, and plans as many as fit, warm-up and decay included.
    #[arg(long, value_parser = time::span, conflicts_with = "max_steps")]
    pub(crate) time: Option<Duration>,
    /// Stop, with a checkpoint, after this many steps in all.
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    /// Instead of a run, make so many steps (100 if not said) whose learning rate grows from 1e-7 to 1, and suggest the
    /// rate at which the smoothed loss falls steepest. The curve is written to the folder, and no model.
    #[arg(long, value_name = "STEPS", num_args = 0..=1, require_equals = true, default_missing_value = "100",
          value_parser = clap::value_parser!(u64).range(20..=100_000),
          conflicts_with_all = ["resume", "time", "max_steps", "tensorboard", "dashboard"])]
    pub(crate) find_lr: Option<u64>,
    /// Also write event files for TensorBoard, in the folder's `tensorboard`.
    #[arg(long)]
    pub(crate) tensorboard: bool,
    /// Show the run on Burn's terminal dashboard (a program built with the feature `dashboard`).
    #[arg(long)]
    pub(crate) dashboard: bool,
    #[command(flatten)]
    pub(crate) keys: Keys,
    #[command(flatten)]
    pub(crate) devices: Devices,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Recipe {
    /// Name the shipped recipes.
    List,
    /// Print a recipe with its comments, or, with keys replaced, what a run would take.
    Show {
        /// A shipped recipe by name, or the path of one.
        recipe: PathBuf,
        /// Keys to replace, each `key=value`.
        #[arg(value_name = "KEY=VALUE")]
        keys: Vec<String>,
    },
    /// Read recipes as a run would, and say what is wrong.
    Check {
        /// Shipped recipes by name, or paths.
        #[arg(required_unless_present = "all")]
        recipes: Vec<PathBuf>,
        /// Every shipped recipe.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Your own clips with captions instead of rendered ones: everything that `pretrain --data` takes, of which a tenth
    /// is kept to choose the best model with and a tenth to measure it with. Or a folder with `train.csv`, `val.csv` and
    /// `test.csv` (or `.tsv`, or `.jsonl`).
    #[arg(long, conflicts_with_all = ["train_clips", "quick"])]
    pub(crate) data: Option<PathBuf>,
    /// The folder that relative paths of your lists start at; each list's own folder if not given.
    #[arg(long, requires = "data")]
    pub(crate) videos: Option<PathBuf>,
    /// Folder for the clips or their lists, the run and the report.
    #[arg(long, default_value = "runs/demo")]
    pub(crate) out: PathBuf,
    /// A sentence to search the held-out clips with; about rendered ones "a big red circle moves to the left" if not
    /// given.
    #[arg(long)]
    pub(crate) query: Option<String>,
    /// How your own clips are learned: `real`, `real-clip`, or another recipe of pre-training; `real` if not given.
    #[arg(long, requires = "data")]
    pub(crate) recipe: Option<PathBuf>,
    /// The time that pre-training may take, such as 10m, instead of the recipe's epochs. Of your own clips 10m, where no
    /// `epochs` are given.
    #[arg(long, value_parser = time::span)]
    pub(crate) time: Option<Duration>,
    /// Rendered clips to train on.
    #[arg(long, default_value_t = 9_000)]
    pub(crate) train_clips: usize,
    /// Stop after pre-training, about half of the time; the same command without this goes on from
    /// there.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Afterwards show what was learned on a page: search, and questions about the held-out clips.
    #[arg(long)]
    pub(crate) serve: bool,
    // Of pre-training, whose recipe is `demo` or that of own clips; the seed is that of all runs.
    #[command(flatten)]
    pub(crate) keys: Keys,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    /// The words of every command that has none below it.
    fn leaves(command: &clap::Command, words: &[String]) -> Vec<Vec<String>> {
        let inner = command.get_subcommands().map(|inner| {
            let words = [words, &[inner.get_name().to_owned()]].concat();
            leaves(inner, &words)
        });
        let inner: Vec<_> = inner.flatten().collect();
        match inner.is_empty() {
            true => vec![words.to_vec()],
            false => inner,
        }
    }

    #[test]
    fn every_command_has_examples_that_can_be_typed() {
        for leaf in leaves(&Arguments::command(), &[]) {
            let found = EXAMPLES.iter().find(|(words, _)| *words == leaf);
            let (_, lines) = found.unwrap_or_else(|| panic!("{leaf:?} has no example"));
            for line in *lines {
                // Quotes keep words together, as in a shell.
                let quoted = line.split('"').enumerate();
                let words: Vec<&str> = quoted
                    .flat_map(|(part, text)| match part % 2 {
                        0 => text.split_whitespace().collect(),
                        _ => vec![text],
                    })
                    .collect();
                assert_eq!(words[1..=leaf.len()], leaf, "{line}");
                if let Err(error) = Arguments::try_parse_from(words) {
                    panic!("{line}: {error}");
                }
            }
        }
    }

    #[test]
    fn quiet_and_verbose_can_stand_anywhere_but_not_together() {
        let verbosity = |line: &str| {
            let parsed = Arguments::try_parse_from(line.split(' '));
            parsed.map(|arguments| arguments.verbosity())
        };

        assert_eq!(verbosity("clover recipe list").unwrap(), Verbosity::Normal);
        assert_eq!(
            verbosity("clover -q recipe list").unwrap(),
            Verbosity::Quiet
        );
        assert_eq!(
            verbosity("clover recipe list -v").unwrap(),
            Verbosity::Verbose
        );
        assert!(verbosity("clover recipe list -v --quiet").is_err());
    }
}
