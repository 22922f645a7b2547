//! The benchmark as files on disk, drawn on all processors, never more than a few clips in memory.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::clip::{Benchmark, BenchmarkClip};
use super::config::{BenchmarkConfig, Split};
use super::files::{BenchmarkFiles, SplitFiles};
use super::lines::{Lines, PAIRS_HEADER, SplitCounts};
use super::question::answers;
use super::record::{self, BenchmarkCounts};
use super::words::benchmark_vocabulary;
use crate::DataError;
use crate::synthetic::gif::encode_gif;
use crate::synthetic::whole_file::{WholeFile, write_renamed};

/// Clips a thread draws before its lines are written.
const PIECE: usize = 32;

/// Draws a benchmark and writes it into `folder`, which is created where it is missing.
///
/// Every file is written under a temporary name and then renamed, the annotations of a split after
/// its clips. A clip that is there is not drawn again, so an interrupted run goes on where it
/// ended. The same configuration gives the same bytes, whatever the number of processors.
/// `progress` is told the clips done and all clips.
///
/// # Errors
///
/// When the configuration is invalid, the folder holds another benchmark, or a file cannot be
/// written.
pub fn write_benchmark(
    config: &BenchmarkConfig,
    folder: impl AsRef<Path>,
    progress: impl FnMut(usize, usize),
) -> Result<BenchmarkFiles, DataError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    write_on_threads(config, folder.as_ref(), threads, progress)
}

pub(super) fn write_on_threads(
    config: &BenchmarkConfig,
    folder: &Path,
    threads: usize,
    mut progress: impl FnMut(usize, usize),
) -> Result<BenchmarkFiles, DataError> {
    let benchmark = Benchmark::plan(config)?;
    let files = BenchmarkFiles::in_folder(folder);
    create_folder(&files.clips)?;
    record::claim(&files.record, config)?;
    let answers = answers();
    let lines = |words: &[String]| (words.join("\n") + "\n").into_bytes();
    write_renamed(&files.vocabulary, &lines(&benchmark_vocabulary()))?;
    write_renamed(&files.answers_text, &lines(&answers))?;
    write_renamed(&files.answers_json, numbered(&answers).as_bytes())?;

    let mut count = |split| {
        let mut told = |done| progress(done, config.clips);
        write_split(&benchmark, split, &files, threads, &mut told)
    };
    let counts = BenchmarkCounts {
        train: count(Split::Train)?,
        validation: count(Split::Validation)?,
        test: count(Split::Test)?,
    };
    record::complete(&files.record, config, counts)?;
    Ok(files)
}

fn write_split(
    benchmark: &Benchmark,
    split: Split,
    files: &BenchmarkFiles,
    threads: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<SplitCounts, DataError> {
    let paths = files.split(split);
    create_folder(&paths.folder)?;
    let mut writing = SplitWriting::begin(paths)?;
    let Range { mut start, end } = benchmark.range(split);
    while start < end {
        let stop = (start + threads.max(1) * PIECE).min(end);
        for lines in draw_pieces(benchmark, start..stop, &files.clips)? {
            writing.write(&lines)?;
        }
        progress(stop);
        start = stop;
    }
    writing.finish()
}

/// Draws clips, a piece a thread; the lines come in the order of the clips.
fn draw_pieces(
    benchmark: &Benchmark,
    range: Range<usize>,
    clips: &Path,
) -> Result<Vec<Lines>, DataError> {
    std::thread::scope(|scope| {
        let pieces: Vec<_> = range
            .clone()
            .step_by(PIECE)
            .map(|start| start..(start + PIECE).min(range.end))
            .map(|piece| scope.spawn(move || draw_piece(benchmark, piece, clips)))
            .collect();
        let lines = pieces.into_iter().map(|piece| {
            piece.join().unwrap_or_else(|_| {
                Err(DataError::ReaderPanicked {
                    name: clips.display().to_string(),
                })
            })
        });
        lines.collect()
    })
}

fn draw_piece(
    benchmark: &Benchmark,
    piece: Range<usize>,
    clips: &Path,
) -> Result<Lines, DataError> {
    let mut lines = Lines::default();
    for index in piece {
        let clip = benchmark.clip(index)?;
        draw_clip(benchmark.config(), &clip, clips)?;
        // They are listed where one measures.
        let twin = clip.twin.filter(|_| clip.split != Split::Train);
        let twin = twin.map(|twin| super::clip::file_name(twin.clip));
        lines.push(&clip, twin.as_deref(), clips)?;
    }
    Ok(lines)
}

/// Draws a clip that is not there yet.
fn draw_clip(
    config: &BenchmarkConfig,
    clip: &BenchmarkClip,
    clips: &Path,
) -> Result<(), DataError> {
    let path = clips.join(&clip.file);
    // Only a whole file has its name; one without bytes is what a power failure leaves.
    if fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() > 0) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let frames = clip.scene.render(config.frames, config.size);
    write_renamed(&path, &encode_gif(&frames, config.size, &clip.file)?)
}

/// The files of a split while they grow.
struct SplitWriting {
    retrieval: WholeFile,
    multiple_choice: WholeFile,
    open_ended: WholeFile,
    pairs: WholeFile,
    negatives: Option<WholeFile>,
    counts: SplitCounts,
}

impl SplitWriting {
    fn begin(files: &SplitFiles) -> Result<Self, DataError> {
        let mut pairs = WholeFile::create(&files.pairs)?;
        pairs.write(PAIRS_HEADER)?;
        let negatives = files.negatives.as_deref();
        Ok(Self {
            retrieval: WholeFile::create(&files.retrieval)?,
            multiple_choice: WholeFile::create(&files.multiple_choice)?,
            open_ended: WholeFile::create(&files.open_ended)?,
            pairs,
            negatives: negatives.map(WholeFile::create).transpose()?,
            counts: SplitCounts::default(),
        })
    }

    fn write(&mut self, lines: &Lines) -> Result<(), DataError> {
        self.retrieval.write(&lines.retrieval)?;
        self.multiple_choice.write(&lines.multiple_choice)?;
        self.open_ended.write(&lines.open_ended)?;
        self.pairs.write(&lines.pairs)?;
        if let Some(negatives) = &mut self.negatives {
            negatives.write(&lines.negatives)?;
        }
        self.counts.add(&lines.counts);
        Ok(())
    }

    fn finish(self) -> Result<SplitCounts, DataError> {
        let all = [self.retrieval, self.multiple_choice, self.open_ended];
        for file in all.into_iter().chain([self.pairs]).chain(self.negatives) {
            file.finish()?;
        }
        Ok(self.counts)
    }
}

/// A JSON object from answer to number; answers hold nothing that would need escaping.
fn numbered(answers: &[String]) -> String {
    let entries: Vec<String> = answers
        .iter()
        .enumerate()
        .map(|(number, answer)| format!("  \"{answer}\": {number}"))
        .collect();
    format!("{{\n{}\n}}\n", entries.join(",\n"))
}

fn create_folder(path: &Path) -> Result<(), DataError> {
    fs::create_dir_all(path).map_err(|source| DataError::Write {
        path: PathBuf::from(path),
        source,
    })
}

#[cfg(test)]
mod tests;
