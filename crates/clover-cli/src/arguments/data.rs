//! What the commands that prepare data take.

use std::path::{Path, PathBuf};

use clap::Args;
use clover_data::check::CheckedFrames;
use clover_data::dataset::{AnnotationFormat, ConvertRequest, ManifestColumns, Part};

/// How a list is read, the same for every command that takes one.
#[derive(Args, Clone, Debug)]
pub(crate) struct ListArguments {
    /// The videos to keep: a csv file with a column `video_id`, or a name a line.
    #[arg(long)]
    pub(crate) list: Option<PathBuf>,
    /// Which file name stands for `vid1`, `vid2`, ..: MSVD's `youtube_mapping.txt`.
    #[arg(long)]
    pub(crate) mapping: Option<PathBuf>,
    /// The extension of the clips' files where it is not the usual one.
    #[arg(long)]
    pub(crate) extension: Option<String>,
    /// The path of a clip, with placeholders in braces, where it is not the usual one.
    #[arg(long)]
    pub(crate) clip_pattern: Option<String>,
    /// The videos are whole: films of which LSMDC's clips, or videos of YouTube of which MSRVTT's, are a
    /// part.
    #[arg(long)]
    pub(crate) whole_films: bool,
    #[command(flatten)]
    columns: ColumnArguments,
}

/// Lists of clips whose texts do not matter: where their clips lie, and how they are read.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClipLists {
    /// The folder that relative paths of a list start at; the list's own folder if not given.
    #[arg(long, alias = "clips")]
    pub(crate) videos: Option<PathBuf>,
    /// The split to keep, of a file with several: train, val or test.
    #[arg(long)]
    pub(crate) split: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ListArguments,
}

/// What is chosen of the columns of a table of pairs.
#[derive(Args, Clone, Debug)]
pub(crate) struct ColumnArguments {
    /// The column of paths of a table of pairs; `path`, `video`, `file` and the like if not given.
    #[arg(long)]
    path_column: Option<String>,
    /// Its column of captions; `caption`, `text`, `title`, `sentence` or `name` if not given.
    #[arg(long)]
    caption_column: Option<String>,
    /// What separates its fields: one character, or `tab`.
    #[arg(long, value_parser = separator)]
    separator: Option<u8>,
}

/// Reads a separator: one ASCII character, or `tab`.
fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" || text == "\\t" => Ok(b'\t'),
        &[separator] if separator.is_ascii() && !b"\"\r\n".contains(&separator) => Ok(separator),
        _ => Err("not one character such as `;`, nor `tab`".to_owned()),
    }
}

impl From<ColumnArguments> for ManifestColumns {
    fn from(arguments: ColumnArguments) -> Self {
        Self {
            path: arguments.path_column,
            caption: arguments.caption_column,
            separator: arguments.separator,
        }
    }
}

impl ListArguments {
    /// What is asked of a file.
    pub(crate) fn request(&self, annotation: &Path) -> ConvertRequest {
        ConvertRequest {
            list: self.list.clone(),
            mapping: self.mapping.clone(),
            extension: self.extension.clone(),
            clip_pattern: self.clip_pattern.clone(),
            whole_films: self.whole_films,
            columns: self.columns.clone().into(),
            ..ConvertRequest::new(annotation)
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct CheckData {
    /// A video, a folder of videos and images, a manifest of pairs (csv, tsv, jsonl), any annotation
    /// file that `convert` knows, or shards (a `.tar` or a folder of them).
    pub(crate) source: PathBuf,
    #[command(flatten)]
    pub(crate) lists: ClipLists,
    /// Frames of each clip to decode: `three` (the first, the middle, the last), a number, or `all`.
    #[arg(long, default_value = "three", value_parser = checked_frames)]
    pub(crate) frames: CheckedFrames,
    /// Threads that read; all cores if not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Fail when more than this share of the clips is broken; that of the recipes for fine-tuning if not
    /// given, beyond which they stop.
    #[arg(long)]
    pub(crate) max_failed_share: Option<f64>,
    /// Fail when any clip is broken.
    #[arg(long, conflicts_with = "max_failed_share")]
    pub(crate) strict: bool,
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
    /// Where the items go: `.jsonl`, an object a line, `.json`, one list, or `-`, lines to standard
    /// output.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// The format of the file; its content tells if not given.
    #[arg(long)]
    pub(crate) format: Option<AnnotationFormat>,
    /// Name the formats and end.
    #[arg(long)]
    pub(crate) list_formats: bool,
    /// Which answer stands for a number, for files that number their answers.
    #[arg(long)]
    pub(crate) answers: Option<PathBuf>,
    /// The split to keep, of a file with several: train, val or test.
    #[arg(long)]
    pub(crate) split: Option<String>,
    /// What the order of options depends on where the file has the right one first.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) reading: ListArguments,
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
    /// Shapes in a clip, at most; 1 to 3.
    #[arg(long)]
    pub(crate) shapes: Option<usize>,
    /// Draw the clips to train on in groups of five that differ in one respect, as those of the test are.
    #[arg(long)]
    pub(crate) train_twins: bool,
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
    /// A manifest of pairs, an annotation file, a folder of videos with `clip.txt` or `clip.json` beside
    /// `clip.mp4`, or shards (a `.tar`, a folder of them, or a pattern such as `{00000..00123}.tar`).
    pub(crate) source: PathBuf,
    /// The folder of the shards; a run that was interrupted goes on in it.
    #[arg(long)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) lists: ClipLists,
    /// Frames stored of a clip, from the middle of equal stretches.
    #[arg(long, default_value_t = 16)]
    pub(crate) frames: usize,
    /// Store one frame in this many instead, at most `--frames` of them.
    #[arg(long)]
    pub(crate) every: Option<usize>,
    /// Pixels along the shorter side; smaller frames are stored as they are.
    #[arg(long, default_value_t = 256)]
    pub(crate) short_side: usize,
    /// Quality of the JPEG images, 1 to 100.
    #[arg(long, default_value_t = 90)]
    pub(crate) quality: u8,
    /// Pairs a shard.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) samples_per_shard: usize,
    /// Which job of how many this is, from 0: `0/8` to `7/8` share the shards among them.
    #[arg(long, default_value = "0/1", value_parser = part)]
    pub(crate) part: Part,
    /// Shards written at the same time; all cores if not given.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Fail when more than this share of the samples is broken.
    #[arg(long, default_value_t = 0.5)]
    pub(crate) max_failed_share: f64,
}

/// Reads `i/n`, the job and the number of jobs.
fn part(text: &str) -> Result<Part, String> {
    let numbers = text
        .split_once('/')
        .and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match numbers {
        Some((index, of)) if index < of => Ok(Part { index, of }),
        _ => Err("not a part such as 0/8, counted from zero".to_owned()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_separator_is_one_character() {
        assert_eq!(separator(";"), Ok(b';'));
        assert_eq!(separator("tab"), Ok(b'\t'));
        assert!(separator("").is_err() && separator("||").is_err() && separator("\"").is_err());
    }

    #[test]
    fn parts_are_counted_from_zero() {
        assert_eq!(part("7/8"), Ok(Part { index: 7, of: 8 }));
        assert!(part("8/8").is_err() && part("1").is_err() && part("-1/2").is_err());
    }
}
