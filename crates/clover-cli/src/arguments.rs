//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clover_data::check::CheckedFrames;
use clover_data::dataset::{AnnotationFormat, Part};
use clover_trainer::recipe::PretrainingRecipe;

use crate::device::DeviceName;

/// Clover: video-language pre-training, retrieval and question answering.
#[derive(Parser, Debug)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Pre-train on pairs of videos (or images) and captions.
    Pretrain(Box<Pretrain>),
    /// Render captioned clips, pre-train a tiny Clover on them, and report zero-shot retrieval.
    Demo(Demo),
    /// Read every clip and caption once; name what is broken.
    CheckData(CheckData),
    /// Turn a published annotation file into the project's own form.
    Convert(Convert),
    /// Store frames of clips, made small, with their captions in WebDataset shards.
    Pack(Pack),
    /// Render a benchmark of moving shapes: clips, captions, questions, and a vocabulary.
    Render(Render),
}

#[derive(Args, Debug)]
pub(crate) struct Pretrain {
    /// Manifest of pairs (csv, tsv or jsonl with `path` and `caption`), an annotation file with
    /// captions, or WebDataset shards.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Word pieces, one a line, as BERT's `vocab.txt`.
    #[arg(long)]
    pub(crate) vocab: PathBuf,
    /// Folder for checkpoints, metrics and the trained bundle.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Go on from the last checkpoint in the folder.
    #[arg(long)]
    pub(crate) resume: bool,
    /// A complete recipe (TOML) instead of the shipped one.
    #[arg(long)]
    pub(crate) recipe: Option<PathBuf>,
    /// Stop, with a checkpoint, after this many steps in all.
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) device: DeviceName,
}

#[derive(Args, Debug)]
pub(crate) struct CheckData {
    /// A folder of videos and pictures, a manifest of pairs (csv, tsv, jsonl), any annotation file
    /// that `convert` knows, or shards (a `.tar` or a folder of them).
    pub(crate) source: PathBuf,
    /// The folder of the clips that an annotation file names; its own folder if not given.
    #[arg(long)]
    pub(crate) clips: Option<PathBuf>,
    /// Frames of each clip to decode: `three` (the first, the middle, the last), a number, or `all`.
    #[arg(long, default_value = "three", value_parser = checked_frames)]
    pub(crate) frames: CheckedFrames,
    /// Threads that read; all cores if not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Fail when more than this share of the clips is broken.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) max_failed_share: f64,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write what is known of each readable clip to this file, one JSON object a line.
    #[arg(long)]
    pub(crate) items: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct Convert {
    /// The annotation file.
    pub(crate) annotation: Option<PathBuf>,
    /// Where the items go: `.jsonl`, an object a line, or `.json`, one list.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// The format of the file; its content tells if not given.
    #[arg(long)]
    pub(crate) format: Option<AnnotationFormat>,
    /// Name the formats and end.
    #[arg(long)]
    pub(crate) list_formats: bool,
    /// The videos to keep: a csv file with a column `video_id`, or a name a line.
    #[arg(long)]
    pub(crate) list: Option<PathBuf>,
    /// Which file name stands for `vid1`, `vid2`, ..: MSVD's `youtube_mapping.txt`.
    #[arg(long)]
    pub(crate) mapping: Option<PathBuf>,
    /// Which answer stands for a number, for files that number their answers.
    #[arg(long)]
    pub(crate) answers: Option<PathBuf>,
    /// The split to keep, of a file with several: train, val or test.
    #[arg(long)]
    pub(crate) split: Option<String>,
    /// What the order of options depends on where the file has the right one first.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// The ending of the clips' files where it is not the usual one.
    #[arg(long)]
    pub(crate) extension: Option<String>,
    /// The path of a clip, with placeholders in braces, where it is not the usual one.
    #[arg(long)]
    pub(crate) clip_pattern: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Render {
    /// The folder; a run that was interrupted goes on in it.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Clips in all, 100 to 1,000,000; a tenth each for validation and test.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) clips: usize,
    /// Frames a clip.
    #[arg(long)]
    pub(crate) frames: Option<usize>,
    /// Pixels along each side.
    #[arg(long)]
    pub(crate) size: Option<usize>,
    /// Captions a clip.
    #[arg(long)]
    pub(crate) captions_per_clip: Option<usize>,
    /// Open-ended questions about a clip, at most.
    #[arg(long)]
    pub(crate) questions_per_clip: Option<usize>,
    /// The same seed gives the same files.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Pack {
    /// A manifest of pairs, an annotation file with captions, or shards (a `.tar`, a folder of them,
    /// or a pattern such as `{00000..00123}.tar`).
    pub(crate) source: PathBuf,
    /// The folder of the shards; a run that was interrupted goes on in it.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// The folder of the clips that an annotation file names; its own folder if not given.
    #[arg(long)]
    pub(crate) clips: Option<PathBuf>,
    /// Frames stored of a clip, from the middle of equal stretches.
    #[arg(long, default_value_t = 16)]
    pub(crate) frames: usize,
    /// Store one frame in this many instead, at most `--frames` of them.
    #[arg(long)]
    pub(crate) every: Option<usize>,
    /// Pixels along the shorter side; smaller frames are stored as they are.
    #[arg(long, default_value_t = 256)]
    pub(crate) short_side: usize,
    /// Quality of the JPEG pictures, 1 to 100.
    #[arg(long, default_value_t = 90)]
    pub(crate) quality: u8,
    /// Pairs a shard.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) samples_per_shard: usize,
    /// Which job of how many this is, from 0: `0/8` to `7/8` share the shards among them.
    #[arg(long, default_value = "0/1", value_parser = crate::command::part)]
    pub(crate) part: Part,
    /// Shards written at the same time; all cores if not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Fail when more than this share of the samples is broken.
    #[arg(long, default_value_t = 0.5)]
    pub(crate) max_failed_share: f64,
}

fn checked_frames(text: &str) -> Result<CheckedFrames, String> {
    match text {
        "three" => Ok(CheckedFrames::Three),
        "all" => Ok(CheckedFrames::All),
        number => match number.parse() {
            Ok(count @ 1..=4_096) => Ok(CheckedFrames::Evenly(count)),
            _ => Err("neither `three` nor `all` nor a number from 1 to 4096".to_owned()),
        },
    }
}

/// Keys of the recipe that are often changed.
#[derive(Args, Debug)]
pub(crate) struct Overrides {
    /// Size of the model: tiny, small or base.
    #[arg(long)]
    preset: Option<String>,
    /// Frames of a clip.
    #[arg(long)]
    frames: Option<usize>,
    /// Height and width of a clip in pixels, a multiple of 28.
    #[arg(long)]
    image_size: Option<usize>,
    /// Word pieces of a text.
    #[arg(long)]
    text_len: Option<usize>,
    /// Pairs of a step.
    #[arg(long)]
    batch_size: Option<usize>,
    /// Times through the data.
    #[arg(long)]
    epochs: Option<usize>,
    /// Largest learning rate.
    #[arg(long)]
    learning_rate: Option<f64>,
    /// Epochs of linear warm-up.
    #[arg(long)]
    warmup_epochs: Option<usize>,
    /// Steps between two checkpoints.
    #[arg(long)]
    checkpoint_every: Option<u64>,
    /// Stop when more than this share of the items is broken.
    #[arg(long)]
    max_failed_share: Option<f64>,
    /// Threads that decode.
    #[arg(long)]
    workers: Option<usize>,
    /// Seed of everything random.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Folder for the rendered clips, the run and the report.
    #[arg(long, default_value = "runs/demo")]
    pub(crate) out: PathBuf,
    /// A sentence to search the held-out clips with.
    #[arg(long, default_value = "a big red circle moves to the left")]
    pub(crate) query: String,
    /// Clips to train on.
    #[arg(long, default_value_t = 2_400)]
    pub(crate) train_clips: usize,
    /// Times through the clips, instead of the recipe's.
    #[arg(long)]
    pub(crate) epochs: Option<usize>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) device: DeviceName,
}

impl Overrides {
    /// Replaces the keys that were given.
    pub(crate) fn apply(self, recipe: &mut PretrainingRecipe) {
        fn set<T>(key: &mut T, given: Option<T>) {
            if let Some(value) = given {
                *key = value;
            }
        }
        set(&mut recipe.preset, self.preset);
        set(&mut recipe.frames, self.frames);
        set(&mut recipe.image_size, self.image_size);
        set(&mut recipe.text_len, self.text_len);
        set(&mut recipe.batch_size, self.batch_size);
        if let Some(epochs) = self.epochs {
            recipe.epochs = epochs;
            // A shorter run than the recipe's must not be all warm-up.
            recipe.warmup_epochs = recipe.warmup_epochs.min(epochs / 4);
        }
        set(&mut recipe.learning_rate, self.learning_rate);
        set(&mut recipe.warmup_epochs, self.warmup_epochs);
        set(&mut recipe.checkpoint_every, self.checkpoint_every);
        set(&mut recipe.max_failed_share, self.max_failed_share);
        set(&mut recipe.workers, self.workers);
        set(&mut recipe.seed, self.seed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn only_given_keys_are_replaced() {
        let line = "clover pretrain --data a.csv --vocab v.txt --out runs/x --epochs 2 --seed 7";
        let arguments = Arguments::parse_from(line.split(' '));
        let Command::Pretrain(pretrain) = arguments.command else {
            panic!("another command")
        };
        let shipped = PretrainingRecipe::pretrain().unwrap();
        let mut recipe = shipped.clone();

        pretrain.overrides.apply(&mut recipe);

        assert_eq!(
            (recipe.epochs, recipe.seed, recipe.warmup_epochs),
            (2, 7, 0)
        );
        assert_eq!(recipe.batch_size, shipped.batch_size);
    }
}
