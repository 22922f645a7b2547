//! `metrics.jsonl` and `validation.jsonl`: a line for every step measured, written as it happens.
//!
//! Lines that were written stay as they are, to the byte: a resumed run cuts off what comes after its
//! checkpoint, and leaves a line that is damaged where it is.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use clover_data::files::open_regular;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TrainerError;

/// Many times what a line has.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// What is measured at a step.
pub(crate) trait Measured: Serialize + DeserializeOwned {
    /// Optimizer steps done.
    fn step(&self) -> u64;
}

/// The open file of a run.
#[derive(Debug)]
pub(crate) struct MetricsFile<M> {
    path: PathBuf,
    file: File,
    measured: PhantomData<M>,
}

impl<M: Measured> MetricsFile<M> {
    /// Opens the file of a run that goes on after step `last`; what an interrupted run wrote of later
    /// steps is cut off, since those are done again. `notice` is told of damaged lines that are kept.
    pub(crate) fn open(
        path: &Path,
        last: u64,
        notice: &mut dyn FnMut(String),
    ) -> Result<Self, TrainerError> {
        let failed = |source| TrainerError::Write {
            path: path.to_owned(),
            source,
        };
        let kept = each_line(path, |number, line| match line {
            Ok::<M, _>(measured) => measured.step() <= last,
            Err(reason) => {
                let path = path.display();
                notice(format!(
                    "{path}: line {number} is damaged and left out: {reason}"
                ));
                true
            }
        })?;
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let file = options.open(path).map_err(failed)?;
        file.set_len(kept).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            measured: PhantomData,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn append(&mut self, metrics: &M) -> Result<(), TrainerError> {
        let mut line = serde_json::to_vec(metrics).map_err(|source| TrainerError::Json {
            path: self.path.clone(),
            source,
        })?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(self.failed())
    }

    /// Brings the lines to the disk; call it before a checkpoint that counts on them.
    pub(crate) fn sync(&self) -> Result<(), TrainerError> {
        self.file.sync_data().map_err(self.failed())
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> TrainerError + use<M> {
        let path = self.path.clone();
        |source| TrainerError::Write { path, source }
    }
}

/// The steps on file; damaged lines are left out.
pub(crate) fn read<M: Measured>(path: &Path) -> Result<Vec<M>, TrainerError> {
    let mut lines = Vec::new();
    each_line(path, |_, line| {
        lines.extend(line.ok());
        true
    })?;
    Ok(lines)
}

/// Hands on each line with its number, from one, until one is not kept; how many bytes the lines before
/// that have. A last line without its end, cut short by a crash, is none.
fn each_line<M: Measured>(
    path: &Path,
    mut keep: impl FnMut(usize, Result<M, String>) -> bool,
) -> Result<u64, TrainerError> {
    let failed = |source| TrainerError::Read {
        path: path.to_owned(),
        source,
    };
    let file = match open_regular(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file.map_err(failed)?,
    };
    let (mut reader, mut kept, mut line) = (BufReader::new(file), 0, Vec::new());
    for number in 1.. {
        line.clear();
        let mut limited = (&mut reader).take(MAX_LINE_BYTES);
        let mut bytes = limited.read_until(b'\n', &mut line).map_err(failed)? as u64;
        let whole = line.ends_with(b"\n");
        if bytes == MAX_LINE_BYTES && !whole {
            bytes += reader.skip_until(b'\n').map_err(failed)? as u64;
        } else if !whole {
            break;
        }
        let measured = match whole {
            true => serde_json::from_slice(&line).map_err(|error| error.to_string()),
            false => Err(format!("it has {bytes} bytes")),
        };
        if !keep(number, measured) {
            break;
        }
        kept += bytes;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrain::StepMetrics;
    use std::fs;

    fn steps(path: &Path) -> Vec<u64> {
        let lines: Vec<StepMetrics> = read(path).unwrap();
        lines.iter().map(|line| line.step).collect()
    }

    fn open(path: &Path, last: u64) -> (MetricsFile<StepMetrics>, Vec<String>) {
        let mut notices = Vec::new();
        let file = MetricsFile::open(path, last, &mut |notice| notices.push(notice)).unwrap();
        (file, notices)
    }

    fn written(path: &Path, steps: u64) {
        let (mut file, _) = open(path, 0);
        for step in 1..=steps {
            let mut metrics = StepMetrics::of_step(step);
            // One that does not read back as itself without `float_roundtrip`.
            metrics.learning_rate = 0.000_220_202_857_687_777_62;
            file.append(&metrics).unwrap();
        }
    }

    #[test]
    fn steps_behind_the_checkpoint_and_a_torn_line_are_cut_off_and_the_rest_stays_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 4);
        let mut torn = fs::read(&path).unwrap();
        torn.truncate(torn.len() - 5);
        fs::write(&path, &torn).unwrap();

        let (mut resumed, notices) = open(&path, 2);
        let kept = fs::read(&path).unwrap();
        resumed.append(&StepMetrics::of_step(3)).unwrap();

        assert!(notices.is_empty(), "{notices:?}");
        assert!(torn.starts_with(&kept) && kept.ends_with(b"\n"));
        assert_eq!(steps(&path), [1, 2, 3]);
    }

    #[test]
    fn a_damaged_line_is_named_and_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        written(&path, 4);
        let whole = fs::read(&path).unwrap();
        let second = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let too_long = [whole.as_slice(), &vec![b'x'; 3 << 20], b"\n"].concat();
        // A sign that no number begins with, and a byte that is not UTF-8.
        for damage in [b'*', 0xff] {
            let mut damaged = whole.clone();
            damaged[second + 9] = damage;
            fs::write(&path, &damaged).unwrap();

            let (mut resumed, notices) = open(&path, 3);
            resumed.append(&StepMetrics::of_step(4)).unwrap();

            assert_eq!(steps(&path), [1, 3, 4]);
            let [notice] = &notices[..] else {
                panic!("{notices:?}")
            };
            assert!(
                notice.contains("metrics.jsonl: line 2 is damaged"),
                "{notice}"
            );
        }
        fs::write(&path, &too_long).unwrap();
        let (_, notices) = open(&path, 9);
        assert_eq!(steps(&path), [1, 2, 3, 4]);
        assert!(notices[0].contains("line 5") && notices[0].contains("3145729 bytes"));
    }
}
