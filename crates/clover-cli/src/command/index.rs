//! `clover index`.

mod status;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use burn::tensor::backend::{AutodiffBackend, Backend};
use clover_inference::{
    ClipImport, ClipKey, ClipState, Embedder, IndexEvent, IndexSettings, IndexSource, IndexWriter,
    Library, LibrarySource, NeutralTexts, UpdateOptions, UpdateSummary, VideoIndex, WindowSettings,
    has_checksums, is_index, ready_index,
};
use indicatif::ProgressBar;

use super::bundle_folder::bundle_folder;
use super::clip_list::{is_pattern, open_clips, source, where_looked};
use super::open_bundle;
use crate::arguments::Index;
use crate::device::Work;
use crate::device::processors;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::{counted, note};
use crate::progress::bar_as;

/// While waiting for the next look, how often an interrupt is noticed.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) fn run(arguments: Index) -> Result<()> {
    if arguments.status {
        return status::show(&arguments.index);
    }
    let device = arguments.device;
    device.run(Indexing::new(arguments, Interrupt::listen()?)?)
}

impl Indexing {
    fn new(arguments: Index, interrupt: Interrupt) -> Result<Self> {
        Ok(Self {
            options: UpdateOptions::new(
                arguments.threads.unwrap_or_else(processors),
                &arguments.exclude,
            )?,
            every: arguments.every()?,
            interrupt,
            arguments,
        })
    }
}

/// An index on its way up to date.
struct Indexing {
    arguments: Index,
    options: UpdateOptions,
    every: Duration,
    interrupt: Interrupt,
}

impl Work for Indexing {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let target = &self.arguments.index;
        let old = match is_index(target) {
            true => Some(IndexSettings::read(target)?),
            false => None,
        };
        let named = match (&self.arguments.bundle, &self.arguments.clip, &old) {
            (Some(bundle), ..) => Some(bundle_folder(bundle)?),
            (None, Some(_), _) => None,
            (None, None, Some(old)) => Some(old.bundle.clone()),
            (None, None, None) => bail!(
                "{}: is no index yet; name the bundle it is to be made with (`--bundle`), or a CLIP (`--clip`)",
                target.display()
            ),
        };
        let sources = self.sources(old.as_ref())?;
        let bundle = match (named, &self.arguments.clip) {
            (None, Some(clip)) => {
                let import = self.arguments.of_clip.import(clip.clone(), None);
                clip_bundle::<B::InnerBackend>(&import, target, &device)?
            }
            (named, _) => named.unwrap_or_default(),
        };
        let opened = open_bundle::<B::InnerBackend>(&bundle, &device)?;
        let wanted = self.settings(&bundle, old.as_ref())?;
        let neutral = NeutralTexts::of_bundle(&bundle)?;
        let embedder = opened.into_embedder(device);
        match (self.arguments.rebuild, old) {
            (true, Some(_)) => {
                // `.`, `index/` and a link are the folder they lead to.
                let target = &target.canonicalize()?;
                let beside = beside(target, "rebuilt");
                // One that was broken off goes on, unless it was to be another.
                let begun = IndexSettings::read(&beside);
                if begun.is_ok_and(|begun| !begun.is_like(&wanted)) {
                    fs::remove_dir_all(&beside)
                        .with_context(|| format!("cannot remove {}", beside.display()))?;
                }
                self.build(&beside, &wanted, &sources, &embedder, &neutral)?;
                take_place(&beside, target)?;
                note(&format!("{}: was built anew", target.display()));
                Ok(())
            }
            _ => self.build(target, &wanted, &sources, &embedder, &neutral),
        }
    }
}

impl Indexing {
    /// The folders and lists, as the index names them.
    fn sources(&self, old: Option<&IndexSettings>) -> Result<Vec<LibrarySource>> {
        let given = &self.arguments.sources;
        let known = old.map(|old| old.sources.clone()).unwrap_or_default();
        match (given.is_empty(), known.is_empty()) {
            (true, true) => bail!("name the folders or lists of videos to be indexed"),
            (true, false) => return Ok(known),
            (false, _) => {}
        }
        let mut sources = match self.arguments.rebuild {
            true => known,
            false => Vec::new(),
        };
        for given in given {
            let path = match is_pattern(given) {
                true => std::path::absolute(given)?,
                false => absolute(given)?,
            };
            let mut source = source(&self.arguments.lists, &path);
            let list = &mut source.list;
            for path in [&mut source.videos, &mut list.list, &mut list.mapping] {
                *path = path.as_deref().map(absolute).transpose()?;
            }
            sources.retain(|known| !known.is_same_list(&source));
            sources.push(source);
        }
        Ok(sources)
    }

    fn settings(&self, bundle: &Path, old: Option<&IndexSettings>) -> Result<IndexSettings> {
        let usual = old.map_or_else(WindowSettings::default, |old| old.windows);
        let rows = old.map(|old| old.rows).unwrap_or_default();
        Ok(IndexSettings {
            rows: self.arguments.precision.map_or(rows, Into::into),
            windows: self.arguments.windows(usual)?,
            ..IndexSettings::of_bundle(bundle)?
        })
    }

    /// Brings an index up to date, once or until it is interrupted.
    fn build<B: Backend>(
        &self,
        folder: &Path,
        wanted: &IndexSettings,
        sources: &[LibrarySource],
        embedder: &Embedder<B>,
        neutral: &NeutralTexts,
    ) -> Result<()> {
        let mut writer = IndexWriter::open(folder, wanted)?;
        loop {
            let mut opened = Vec::new();
            for source in sources {
                // Of a folder that cannot be looked into now, nothing is known to be gone.
                match open_clips(source) {
                    Ok(clips) => opened.push(writer.source(source.clone(), clips)?),
                    Err(error) if self.arguments.follow || self.arguments.sources.is_empty() => {
                        note(&format!("left as it was: {error:#}"));
                    }
                    Err(error) => return Err(error),
                }
            }
            let summary = self.update(&mut writer, &opened, embedder)?;
            if self.arguments.compact && !summary.interrupted {
                writer.compact()?;
            }
            if summary.changed() || self.arguments.compact || !self.arguments.follow {
                let index = match summary.interrupted {
                    true => VideoIndex::open(folder)?,
                    false => ready_index(folder, embedder, neutral, self.arguments.approximate)?,
                };
                note(&line(&summary, &index));
            }
            if summary.interrupted || self.arguments.follow && !self.wait() {
                let words = "stopped; run the same command again to go on from here";
                bail!(Interrupted(words.to_owned()));
            }
            if !self.arguments.follow {
                return some_clip(writer.library(), &opened);
            }
        }
    }

    fn update<B: Backend>(
        &self,
        writer: &mut IndexWriter,
        sources: &[IndexSource],
        embedder: &Embedder<B>,
    ) -> Result<UpdateSummary> {
        let bar = by_bytes();
        let (mut begun, mut clips) = (Instant::now(), 0);
        let summary = writer.update(embedder, sources, &self.options, &mut |event| {
            match event {
                IndexEvent::Looked {
                    clips: found,
                    bytes,
                    ..
                } => {
                    bar.set_length(bytes);
                    (begun, clips) = (Instant::now(), found);
                }
                IndexEvent::Clip(record) => {
                    if let (Some(fault), true) = (&record.fault, record.state != ClipState::Gone) {
                        let path = path_of(&record.key, sources);
                        let path = path.escape_debug();
                        bar.suspend(|| note(&format!("skipped {path}: {fault}")));
                    }
                }
                IndexEvent::Progress(progress) => {
                    bar.set_position(progress.bytes);
                    let rate = progress.seconds / begun.elapsed().as_secs_f64().max(1e-3);
                    let done = progress.clips;
                    bar.set_message(format!("{done}/{clips} clips, {rate:.1}x real time"));
                }
                _ => {}
            }
            match self.interrupt.asked() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        bar.finish_and_clear();
        Ok(summary?)
    }

    /// Waits for the next look; false where an interrupt came first.
    fn wait(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < self.every {
            if self.interrupt.asked() {
                return false;
            }
            thread::sleep(PAUSE);
        }
        true
    }
}

/// Where a clip of these sources lies.
fn path_of(clip: &ClipKey, sources: &[IndexSource]) -> String {
    let source = sources.iter().find(|source| source.place == clip.source);
    let folder = source.map_or(Path::new(""), |source| source.clips.folder());
    folder.join(&clip.path).display().to_string()
}

/// Refuses an index of broken clips alone.
fn some_clip(library: &Library, sources: &[IndexSource]) -> Result<()> {
    let count = |state| {
        let records = library.records();
        records.filter(move |record| record.state == state).count()
    };
    let broken = count(ClipState::Broken);
    if broken == 0 || count(ClipState::Indexed) > 0 {
        return Ok(());
    }
    let looked: String = sources
        .iter()
        .map(|source| where_looked(&source.clips))
        .collect();
    bail!("no clip could be read: {broken} with faults{looked}")
}

/// The bundle of a CLIP beside an index, made if it is not there. Its name tells what it was made of.
fn clip_bundle<B: Backend>(
    import: &ClipImport,
    index: &Path,
    device: &B::Device,
) -> Result<PathBuf> {
    let index = std::path::absolute(index)?;
    let folder = beside(&index, &format!("clip-{}", import.identity()?));
    if !has_checksums(&folder) {
        let imported = import.read::<B>(device)?;
        note(&imported.report.to_string());
        imported.bundle.write(&folder)?;
        note(&format!("the bundle lies in {}", folder.display()));
    }
    Ok(folder)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("{}: cannot be found", path.display()))
}

/// A bar over the bytes of the clips: how long a video is is only known once it is opened.
fn by_bytes() -> ProgressBar {
    bar_as(
        "indexing {wide_bar} {bytes}/{total_bytes} left {eta} {msg}",
        0,
    )
}

fn line(summary: &UpdateSummary, index: &VideoIndex) -> String {
    let UpdateSummary {
        embedded,
        known,
        broken,
        gone,
        unchanged,
        progress,
        ..
    } = summary;
    let clips = index
        .library()
        .records()
        .filter(|one| one.state == ClipState::Indexed);
    let lists = index.inverted_file().map(status::lists_line);
    let lists = lists.map_or_else(String::new, |lists| format!("; {lists}"));
    let alike = match unchanged + gone {
        // At first there is nothing to be renamed.
        0 => "the same as another",
        _ => "renamed or copied",
    };
    format!(
        "{}: {} in {}; {embedded} embedded ({:.1} s of video), {known} {alike}, {unchanged} unchanged, \
         {gone} gone, {broken} with faults{lists}",
        index.folder().display(),
        counted(clips.count(), "clip"),
        counted(index.rows(), "row"),
        progress.seconds
    )
}

/// A folder beside another, whose path ends in its name.
fn beside(folder: &Path, extension: &str) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{extension}"));
    folder.with_file_name(name)
}

/// Puts a whole index in the place of an old one.
fn take_place(new: &Path, old: &Path) -> Result<()> {
    let aside = beside(old, "old");
    let failed = |what: &str, path: &Path| format!("{what} {}", path.display());
    if aside.exists() {
        fs::remove_dir_all(&aside).with_context(|| failed("cannot remove", &aside))?;
    }
    fs::rename(old, &aside).with_context(|| failed("cannot rename", old))?;
    fs::rename(new, old).with_context(|| failed("cannot rename", new))?;
    fs::remove_dir_all(&aside).with_context(|| failed("cannot remove", &aside))
}

#[cfg(feature = "flex")]
#[cfg(test)]
mod tests;
