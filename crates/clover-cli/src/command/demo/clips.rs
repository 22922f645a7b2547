//! The clips of a demonstration: rendered, or a user's own.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clover_data::dataset::{ClipTable, ItemsTask, SkippedItem, write_pairs};
use clover_inference::LibrarySource;
use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, Split};
use clover_trainer::recipe::PretrainingRecipe;

use super::super::clip_list::open_clips;
use super::super::render::with_bar;
use crate::arguments::Demo;
use crate::output::{note, print_progress};
use crate::progress::{advance, bar};

/// The share of combinations that is held out of rendered clips; the clips to measure with show each once.
const TEST_SHARE: f64 = 0.25;
/// Questions about a rendered clip: color, shape, size and direction.
pub(super) const QUESTIONS: usize = 4;
/// Fewer own clips leave nothing to measure with.
const LEAST: usize = 30;
/// The lists of own clips: to train on, to choose the best model with, to measure with.
const LISTS: [&str; 3] = ["train", "val", "test"];
/// All of them, as errors name them.
const LIST_FILES: &str = "train.csv, val.csv, test.csv";
/// How a given one may end.
const EXTENSIONS: [&str; 3] = ["csv", "tsv", "jsonl"];

/// What a demonstration learns from and is measured with.
pub(super) enum DemoClips {
    Rendered(Box<BenchmarkFiles>),
    Own(OwnClips),
}

/// A user's own clips, in lists that the demonstration wrote.
pub(super) struct OwnClips {
    lists: [PathBuf; 3],
    /// Clips to train on.
    train: usize,
    skipped: Vec<SkippedItem>,
}

impl DemoClips {
    /// Renders clips for the recipe, or splits the user's own.
    pub(super) fn prepare(arguments: &Demo, recipe: &PretrainingRecipe) -> Result<Self> {
        if let Some(data) = &arguments.data {
            let own = OwnClips::split(data, arguments.videos.as_deref(), &arguments.out)?;
            return Ok(Self::Own(own));
        }
        let config = BenchmarkConfig {
            size: recipe.image_size,
            seed: recipe.seed,
            questions_per_clip: QUESTIONS,
            // Clips that differ in one respect alone come into one batch.
            train_twins: recipe.group_size > 1,
            ..BenchmarkConfig::one_shape(arguments.train_clips, TEST_SHARE)
        };
        let folder = arguments.out.join("clips");
        let files = with_bar(&config, &folder)?;
        note(&format!(
            "rendered {} clips to train on and {} to measure with in {}",
            config.range(Split::Train).len(),
            config.range(Split::Test).len(),
            folder.display()
        ));
        Ok(Self::Rendered(Box::new(files)))
    }

    /// Lists of pairs: to train on, to choose the best model with, to measure with.
    pub(super) fn lists(&self) -> [&Path; 3] {
        match self {
            Self::Rendered(files) => {
                [&files.train, &files.validation, &files.test].map(|split| split.pairs.as_path())
            }
            Self::Own(own) => own.lists.each_ref().map(PathBuf::as_path),
        }
    }

    /// The files of rendered clips, which have questions and pair tests as well.
    pub(super) fn rendered(&self) -> Option<&BenchmarkFiles> {
        match self {
            Self::Rendered(files) => Some(files),
            Self::Own(_) => None,
        }
    }

    /// Clips to train on.
    pub(super) fn train(&self, arguments: &Demo) -> usize {
        match self {
            Self::Rendered(_) => arguments.train_clips,
            Self::Own(own) => own.train,
        }
    }

    /// What was left out before any clip was opened, by name.
    pub(super) fn skipped(&self) -> &[SkippedItem] {
        match self {
            Self::Rendered(_) => &[],
            Self::Own(own) => &own.skipped,
        }
    }
}

impl OwnClips {
    /// Writes the lists into `out`, with samples of shards as files beside them.
    fn split(data: &Path, videos: Option<&Path>, out: &Path) -> Result<Self> {
        let name = data.display();
        if let (Ok(data), Ok(out)) = (data.canonicalize(), out.canonicalize()) {
            ensure!(data != out, "{name}: is --out as well: name another");
        }
        let open = |list: &Path| -> Result<ClipTable> {
            let mut source = LibrarySource::of(list);
            source.videos = videos.map(Path::to_owned);
            let clips = open_clips(&source)?.unpacked(&out.join("unpacked"))?;
            Ok(clips.for_task(ItemsTask::Retrieval, list)?)
        };
        let (parts, skipped) = match given_lists(data)? {
            Some([train, validation, test]) => {
                let parts = [open(&train)?, open(&validation)?, open(&test)?];
                warn_of_known_clips(&parts, &test);
                let skipped = parts.iter().flat_map(ClipTable::skipped).cloned().collect();
                (parts, skipped)
            }
            None => {
                let clips = open(data)?;
                let bar = bar("splitting", clips.len() as u64);
                let parts = clips.split(&|done, total| advance(&bar, done, total));
                bar.finish_and_clear();
                (parts, clips.skipped().to_vec())
            }
        };
        let counts = parts.each_ref().map(ClipTable::len);
        let clips: usize = counts.iter().sum();
        ensure!(
            clips >= LEAST,
            "{name}: has {clips} clips with captions; {LEAST} are needed at least, to train on most of them and to \
             measure with the others"
        );
        if let Some(empty) = counts.iter().position(|count| *count == 0) {
            bail!(
                "{name}: none of {clips} clips falls to the list `{}`, as each goes by what it holds: add clips, or \
                 write {LIST_FILES} yourself, and give their folder",
                LISTS[empty]
            );
        }
        let lists = LISTS.map(|list| out.join(list).with_extension(EXTENSIONS[0]));
        for (list, part) in lists.iter().zip(&parts) {
            write_pairs(list, part)?;
        }
        let [train, validation, test] = counts;
        note(&format!(
            "{train} clips to train on, {validation} to choose the best model with and {test} to measure with: their \
             lists lie in {}",
            out.display()
        ));
        Ok(Self {
            lists,
            train,
            skipped,
        })
    }
}

/// Says which clips of the last list another one has, too, as a model may know those by heart.
fn warn_of_known_clips([train, validation, test]: &[ClipTable; 3], list: &Path) {
    for (other, name) in [(train, LISTS[0]), (validation, LISTS[1])] {
        let bar = bar("comparing the lists", (test.len() + other.len()) as u64);
        let known = test.also_in(other, &|done, total| advance(&bar, done, total));
        bar.finish_and_clear();
        if let Some(&first) = known.first() {
            print_progress(&format!(
                "warning: {}: {} of {} test clips are also in `{name}` (such as {}), so that results say little about \
                 new clips: take them out of one of the lists",
                list.display(),
                known.len(),
                test.len(),
                test.name(first)
            ));
        }
    }
}

/// The lists of a folder that was split already.
fn given_lists(data: &Path) -> Result<Option<[PathBuf; 3]>> {
    let found = LISTS.map(|list| {
        let lists = EXTENSIONS.map(|extension| data.join(list).with_extension(extension));
        lists.into_iter().find(|list| list.is_file())
    });
    match found {
        [Some(train), Some(validation), Some(test)] => Ok(Some([train, validation, test])),
        [None, None, None] => Ok(None),
        some => {
            let missing = some.iter().position(Option::is_none).unwrap_or_default();
            bail!(
                "{}: lacks {}.csv: a folder that is split has all of {LIST_FILES}",
                data.display(),
                LISTS[missing]
            )
        }
    }
}
