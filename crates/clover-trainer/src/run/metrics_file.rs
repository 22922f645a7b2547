//! `metrics.jsonl` and `validation.jsonl`: a line for every step measured, written as it happens.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TrainerError;
use crate::report::write_whole;

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
    /// Opens the file of a run that has done `steps`; what an interrupted run wrote behind its last
    /// checkpoint is dropped, since those steps are done again.
    pub(crate) fn open(path: &Path, steps: u64) -> Result<Self, TrainerError> {
        let failed = |source| TrainerError::Write {
            path: path.to_owned(),
            source,
        };
        let kept: Vec<_> = read::<M>(path)?
            .into_iter()
            .filter(|line| line.step() <= steps)
            .collect();
        let kept: Vec<_> = kept
            .iter()
            .map(|line| to_line(path, line))
            .collect::<Result<_, _>>()?;
        write_whole(path, &kept.concat())?;
        let file = OpenOptions::new().append(true).open(path).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            measured: PhantomData,
        })
    }

    pub(crate) fn append(&mut self, metrics: &M) -> Result<(), TrainerError> {
        let line = to_line(&self.path, metrics)?;
        self.file
            .write_all(&line)
            .map_err(|source| TrainerError::Write {
                path: self.path.clone(),
                source,
            })
    }
}

/// The steps on file; a last line cut short by a crash is left out.
pub(crate) fn read<M: Measured>(path: &Path) -> Result<Vec<M>, TrainerError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let failed = |source| TrainerError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let lines = BufReader::new(file).lines();
    let lines: Vec<String> = lines.collect::<Result<_, _>>().map_err(failed)?;
    Ok(lines
        .iter()
        .map_while(|line| serde_json::from_str(line).ok())
        .collect())
}

fn to_line<M: Measured>(path: &Path, metrics: &M) -> Result<Vec<u8>, TrainerError> {
    let mut line = serde_json::to_vec(metrics).map_err(|source| TrainerError::Json {
        path: path.to_owned(),
        source,
    })?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrain::StepMetrics;
    use std::fs;

    #[test]
    fn steps_behind_the_checkpoint_and_a_torn_line_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut file = MetricsFile::open(&path, 0).unwrap();
        for step in 1..=4 {
            file.append(&StepMetrics::of_step(step)).unwrap();
        }
        let mut torn = fs::read(&path).unwrap();
        torn.truncate(torn.len() - 5);
        fs::write(&path, torn).unwrap();

        let mut resumed = MetricsFile::open(&path, 2).unwrap();
        resumed.append(&StepMetrics::of_step(3)).unwrap();

        let lines: Vec<StepMetrics> = read(&path).unwrap();
        let steps: Vec<_> = lines.iter().map(|line| line.step).collect();
        assert_eq!(steps, [1, 2, 3]);
    }
}
