//! The benchmark as files on disk, drawn on all processors, never more than a few clips in memory.

use std::fs;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use serde::Serialize;

use crate::SyntheticError;
use crate::clip::{Benchmark, Clip, file_name};
use crate::config::{BenchmarkConfig, Split};
use crate::drawing::encode_gif;
use crate::files::{
    BenchmarkCounts, BenchmarkFiles, SplitCounts, SplitFiles, claim, record, vocabulary,
    write_failed, write_whole,
};
use crate::question::answers;
use crate::story::Difference;

/// Clips a thread draws before its lines are written.
const PIECE: usize = 32;

/// From a split's folder to the folder of clips.
const TO_CLIPS: &str = "../clips/";

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
) -> Result<BenchmarkFiles, SyntheticError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    write_on_threads(config, folder.as_ref(), threads, progress)
}

fn write_on_threads(
    config: &BenchmarkConfig,
    folder: &Path,
    threads: usize,
    mut progress: impl FnMut(usize, usize),
) -> Result<BenchmarkFiles, SyntheticError> {
    let benchmark = Benchmark::plan(config)?;
    let files = BenchmarkFiles::in_folder(folder);
    create_folder(&files.clips)?;
    claim(&files.record, config)?;
    write_whole(&files.vocabulary, &(vocabulary().join("\n") + "\n"))?;
    write_whole(&files.answers, &(answers().join("\n") + "\n"))?;

    let mut write = |split| {
        let mut told = |done| progress(done, config.clips);
        write_split(&benchmark, split, &files, threads, &mut told)
    };
    let counts = BenchmarkCounts {
        train: write(Split::Train)?,
        validation: write(Split::Validation)?,
        test: write(Split::Test)?,
    };
    record(&files.record, config, Some(counts))?;
    Ok(files)
}

fn write_split(
    benchmark: &Benchmark,
    split: Split,
    files: &BenchmarkFiles,
    threads: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<SplitCounts, SyntheticError> {
    let paths = files.split(split);
    create_folder(&paths.folder)?;
    let mut writing = SplitWriting::begin(paths)?;
    let Range { mut start, end } = benchmark.config().range(split);
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
) -> Result<Vec<Lines>, SyntheticError> {
    std::thread::scope(|scope| {
        let pieces: Vec<_> = range
            .clone()
            .step_by(PIECE)
            .map(|start| start..(start + PIECE).min(range.end))
            .map(|piece| scope.spawn(move || draw_piece(benchmark, piece, clips)))
            .collect();
        let lines = pieces.into_iter();
        lines
            .map(|piece| piece.join().unwrap_or(Err(SyntheticError::Panicked)))
            .collect()
    })
}

fn draw_piece(
    benchmark: &Benchmark,
    piece: Range<usize>,
    clips: &Path,
) -> Result<Lines, SyntheticError> {
    let mut lines = Lines::default();
    for index in piece {
        let clip = benchmark.clip(index)?;
        draw_clip(benchmark.config(), &clip, clips)?;
        let lined_up = lines.push(&clip);
        lined_up.map_err(|source| write_failed(clips, source.into()))?;
    }
    Ok(lines)
}

/// Draws a clip that is not there yet.
fn draw_clip(config: &BenchmarkConfig, clip: &Clip, clips: &Path) -> Result<(), SyntheticError> {
    let path = clips.join(&clip.file);
    // Only a whole file has its name; one without bytes is what a power failure leaves.
    if fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() > 0) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let frames = clip.scene.render(config.frames, config.size);
    let gif = encode_gif(&frames, config.size).map_err(|source| SyntheticError::Encode {
        name: clip.file.clone(),
        source,
    })?;
    // Not flushed to the disk as lists are: that would take longer than drawing.
    let partial = path.with_extension("partial");
    fs::write(&partial, gif)
        .and_then(|()| fs::rename(&partial, &path))
        .map_err(|source| {
            let _ = fs::remove_file(&partial);
            write_failed(&path, source)
        })
}

fn create_folder(path: &Path) -> Result<(), SyntheticError> {
    fs::create_dir_all(path).map_err(|source| write_failed(path, source))
}

/// Lines of the files of one split.
#[derive(Debug, Default)]
struct Lines {
    retrieval: Vec<u8>,
    multiple_choice: Vec<u8>,
    open_ended: Vec<u8>,
    pairs: Vec<u8>,
    negatives: Vec<u8>,
    pair_tests: Vec<u8>,
    counts: SplitCounts,
}

/// A line about two clips that are nearly identical.
#[derive(Serialize)]
struct Negative<'a> {
    clip: &'a str,
    twin: &'a str,
    differs: Difference,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<usize>,
}

impl Lines {
    /// Adds the lines of a clip.
    fn push(&mut self, clip: &Clip) -> serde_json::Result<()> {
        let (annotations, counts) = (&clip.annotations, &mut self.counts);
        push_json(&mut self.retrieval, &annotations.retrieval)?;
        for item in &annotations.multiple_choice {
            push_json(&mut self.multiple_choice, item)?;
        }
        for item in &annotations.open_ended {
            push_json(&mut self.open_ended, item)?;
        }
        for caption in &annotations.retrieval.captions {
            // Neither the captions nor the names hold a comma or a quote.
            let row = format!("{TO_CLIPS}{},{caption}\n", clip.file);
            self.pairs.extend_from_slice(row.as_bytes());
        }
        // They are listed where one measures.
        if let Some(twin) = clip.twin.filter(|_| clip.split != Split::Train) {
            let negative = Negative {
                clip: &clip.file,
                twin: &file_name(twin.clip),
                differs: twin.difference,
                actor: twin.actor,
            };
            push_json(&mut self.negatives, &negative)?;
            counts.negatives += 1;
        }
        for item in &clip.pair_tests {
            push_json(&mut self.pair_tests, item)?;
        }
        counts.pair_tests += clip.pair_tests.len();
        counts.clips += 1;
        counts.captions += annotations.retrieval.captions.len();
        counts.multiple_choice += annotations.multiple_choice.len();
        counts.open_ended += annotations.open_ended.len();
        Ok(())
    }
}

fn push_json<T: Serialize>(lines: &mut Vec<u8>, item: &T) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *lines, item)?;
    lines.push(b'\n');
    Ok(())
}

/// A file that has its name when it is finished.
struct Growing {
    path: PathBuf,
    file: BufWriter<AtomicWriteFile>,
}

impl Growing {
    fn begin(path: &Path) -> Result<Self, SyntheticError> {
        let file = AtomicWriteFile::open(path).map_err(|source| write_failed(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file: BufWriter::new(file),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SyntheticError> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| write_failed(&self.path, source))
    }

    fn finish(self) -> Result<(), SyntheticError> {
        let file = self.file.into_inner().map_err(|error| error.into_error());
        let finished = file.and_then(AtomicWriteFile::commit);
        finished.map_err(|source| write_failed(&self.path, source))
    }
}

/// The files of a split while they grow.
struct SplitWriting {
    retrieval: Growing,
    multiple_choice: Growing,
    open_ended: Growing,
    pairs: Growing,
    negatives: Option<Growing>,
    pair_tests: Option<Growing>,
    counts: SplitCounts,
}

impl SplitWriting {
    fn begin(files: &SplitFiles) -> Result<Self, SyntheticError> {
        let mut pairs = Growing::begin(&files.pairs)?;
        pairs.write(b"path,caption\n")?;
        let begin = |file: &Option<PathBuf>| file.as_deref().map(Growing::begin).transpose();
        Ok(Self {
            retrieval: Growing::begin(&files.retrieval)?,
            multiple_choice: Growing::begin(&files.multiple_choice)?,
            open_ended: Growing::begin(&files.open_ended)?,
            pairs,
            negatives: begin(&files.negatives)?,
            pair_tests: begin(&files.pair_tests)?,
            counts: SplitCounts::default(),
        })
    }

    fn write(&mut self, lines: &Lines) -> Result<(), SyntheticError> {
        self.retrieval.write(&lines.retrieval)?;
        self.multiple_choice.write(&lines.multiple_choice)?;
        self.open_ended.write(&lines.open_ended)?;
        self.pairs.write(&lines.pairs)?;
        if let Some(negatives) = &mut self.negatives {
            negatives.write(&lines.negatives)?;
        }
        if let Some(pair_tests) = &mut self.pair_tests {
            pair_tests.write(&lines.pair_tests)?;
        }
        let (all, more) = (&mut self.counts, &lines.counts);
        all.clips += more.clips;
        all.captions += more.captions;
        all.multiple_choice += more.multiple_choice;
        all.open_ended += more.open_ended;
        all.negatives += more.negatives;
        all.pair_tests += more.pair_tests;
        Ok(())
    }

    fn finish(self) -> Result<SplitCounts, SyntheticError> {
        let all = [self.retrieval, self.multiple_choice, self.open_ended];
        let measured = self.negatives.into_iter().chain(self.pair_tests);
        for file in all.into_iter().chain([self.pairs]).chain(measured) {
            file.finish()?;
        }
        Ok(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn config() -> BenchmarkConfig {
        BenchmarkConfig {
            clips: 100,
            frames: 8,
            size: 32,
            seed: 5,
            ..BenchmarkConfig::default()
        }
    }

    fn write(config: &BenchmarkConfig, folder: &Path, threads: usize) -> BenchmarkFiles {
        write_on_threads(config, folder, threads, |_, _| ()).unwrap()
    }

    /// Every file below a folder, by its path.
    fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = BTreeMap::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().to_path_buf();
                    all.insert(name, fs::read(path).unwrap());
                }
            }
        }
        all
    }

    #[test]
    fn the_same_seed_writes_the_same_bytes_on_one_thread_and_on_four() {
        let [one, four, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());

        write(&config(), one.path(), 1);
        write(&config(), four.path(), 4);
        write(
            &BenchmarkConfig {
                seed: 6,
                ..config()
            },
            other.path(),
            4,
        );

        let files = contents(one.path());
        // The clips, three files beside the splits, four and twice six in them.
        assert_eq!(files.len(), 100 + 3 + 4 + 12);
        assert!(files == contents(four.path()));
        assert!(files != contents(other.path()));
    }

    #[test]
    fn the_record_counts_what_the_files_hold() {
        let folder = tempfile::tempdir().unwrap();

        let files = write(&config(), folder.path(), 2);

        let record: Value = serde_json::from_slice(&fs::read(&files.record).unwrap()).unwrap();
        assert_eq!(record["complete"], true);
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        for (split, clips) in Split::ALL.into_iter().zip([80, 10, 10]) {
            let (paths, counts) = (files.split(split), &record["counts"][split.name()]);
            assert_eq!(counts["clips"], clips);
            assert_eq!(counts["captions"], 3 * clips);
            let listed = [&paths.multiple_choice, &paths.open_ended, &paths.retrieval];
            let keys = ["multiple_choice", "open_ended", "clips"];
            for (path, key) in listed.into_iter().zip(keys) {
                assert_eq!(counts[key], read(path).lines().count(), "{key}");
            }
        }
        let pair_tests = read(files.test.pair_tests.as_deref().unwrap());
        assert_eq!(
            record["counts"]["test"]["pair_tests"],
            pair_tests.lines().count()
        );
        assert!(pair_tests.contains("\"skill\":\"color\""));
        let negatives = read(files.test.negatives.as_deref().unwrap());
        assert_eq!(negatives.lines().count(), 8);
        assert!(negatives.contains("\"twin\":\"000/000090.gif\""));
    }

    #[test]
    fn an_interrupted_run_goes_on_and_draws_only_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(&config(), folder.path(), 2);
        let whole = contents(folder.path());
        let [kept, lost, empty] =
            [3, 4, 5].map(|index| files.clips.join(format!("000/{index:06}.gif")));
        fs::write(&kept, "drawn before").unwrap();
        fs::remove_file(&lost).unwrap();
        fs::write(&empty, "").unwrap();
        fs::remove_file(&files.train.pairs).unwrap();

        write(&config(), folder.path(), 2);

        assert_eq!(fs::read(&kept).unwrap(), b"drawn before");
        fs::write(&kept, &whole[Path::new("clips/000/000003.gif")]).unwrap();
        assert!(contents(folder.path()) == whole);
    }

    #[test]
    fn progress_grows_to_the_number_of_clips() {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Vec::new();

        write_on_threads(&config(), folder.path(), 1, |done, all| {
            told.push((done, all));
        })
        .unwrap();

        assert!(told.is_sorted());
        assert_eq!(told.first(), Some(&(32, 100)));
        assert_eq!(told.last(), Some(&(100, 100)));
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        write(&config(), folder.path(), 2);
        let before = contents(folder.path());
        let other = BenchmarkConfig {
            seed: 6,
            ..config()
        };
        let file = folder.path().join("vocab.txt");

        let another = write_benchmark(&other, folder.path(), |_, _| ()).unwrap_err();
        let no_folder = write_benchmark(&other, &file, |_, _| ()).unwrap_err();

        assert!(matches!(another, SyntheticError::OtherBenchmark { .. }));
        assert!(no_folder.to_string().contains("vocab.txt"), "{no_folder}");
        assert!(contents(folder.path()) == before);
    }
}
