//! A pre-training run small enough for a test, on real files in a folder of its own.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use clover_model::Preset;
use clover_model::weights::WeightFile;
use clover_synthetic::{BenchmarkConfig, write_benchmark};
use clover_trainer::TrainerError;
use clover_trainer::devices::Peer;
use clover_trainer::pretrain::{
    PretrainingEvent, PretrainingPlan, PretrainingSummary, StepMetrics, pretrain,
};
use clover_trainer::recipe::{PretrainingRecipe, Recipe, WordChoice};
use tempfile::TempDir;

use crate::TestAutodiffBackend;

/// A folder that is removed at the end of the test, and the data in it.
pub(crate) struct SmallData {
    folder: TempDir,
    pub(crate) files: SmallFiles,
}

/// The lists of pairs, and the words of their captions.
pub(crate) struct SmallFiles {
    pub(crate) train: PathBuf,
    pub(crate) held_out: PathBuf,
    pub(crate) vocabulary: PathBuf,
}

/// Held-out clips that are listed.
const HELD_OUT: usize = 4;

impl SmallData {
    /// Rendered clips: few, short and small.
    pub(crate) fn rendered(clips: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = BenchmarkConfig {
            size: 28,
            ..BenchmarkConfig::one_shape(clips, 0.01)
        };
        let files = write_benchmark(&config, folder.path().join("clips"), |_, _| ()).unwrap();
        let held_out = fs::read_to_string(&files.test.pairs).unwrap();
        let few = held_out.split_inclusive('\n').take(1 + HELD_OUT);
        fs::write(&files.test.pairs, few.collect::<String>()).unwrap();
        let files = SmallFiles {
            train: files.train.pairs,
            held_out: files.test.pairs,
            vocabulary: files.vocabulary,
        };
        Self { folder, files }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A run into the folder `out`.
    pub(crate) fn plan(&self, recipe: PretrainingRecipe, out: &str) -> PretrainingPlan {
        let files = &self.files;
        PretrainingPlan::new(recipe, &files.train, &files.vocabulary, self.path(out))
    }
}

/// The demonstration's recipe with the least model, two frames, small batches, and all kinds of
/// randomness.
pub(crate) fn recipe() -> PretrainingRecipe {
    PretrainingRecipe {
        preset: Preset::Nano.to_string(),
        frames: 2,
        test_frames: 2,
        dropout: 0.1,
        stochastic_depth: 0.1,
        learning_rate: 8e-4,
        image_size: 28,
        text_len: 20,
        text_masking: WordChoice::WholeWord,
        masked_share: 0.3,
        batch_size: 4,
        group_size: 1,
        micro_batch: 0,
        micro_batches_at_once: 1,
        epochs: 2,
        warmup_epochs: 0.0,
        validate_every: 0,
        ..PretrainingRecipe::shipped("demo").unwrap()
    }
}

/// A run, and what it told of damage.
pub(crate) fn run(
    plan: &PretrainingPlan,
) -> Result<(PretrainingSummary, Vec<String>), TrainerError> {
    let mut refused = Vec::new();
    let summary =
        pretrain::<TestAutodiffBackend>(plan, &Peer::alone(), &Default::default(), &mut |event| {
            if let PretrainingEvent::Damage { what } = event {
                refused.push(what);
            }
            ControlFlow::Continue(())
        })?;
    Ok((summary, refused))
}

/// A run that is interrupted after so many steps.
pub(crate) fn run_until(plan: &PretrainingPlan, step: u64) -> PretrainingSummary {
    pretrain::<TestAutodiffBackend>(plan, &Peer::alone(), &Default::default(), &mut |event| {
        match event {
            PretrainingEvent::Step(metrics) if metrics.step >= step => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    })
    .unwrap()
}

/// The values of each weight of a file.
pub(crate) fn weights(file: &WeightFile) -> BTreeMap<String, Vec<f32>> {
    let names = file.entries().iter().map(|entry| entry.name.clone());
    names
        .map(|name| {
            let values = file.data(&name).unwrap().to_vec().unwrap();
            (name, values)
        })
        .collect()
}

/// Metrics without what the clock says.
pub(crate) fn without_time(metrics: &[StepMetrics]) -> Vec<StepMetrics> {
    let timeless = |metrics: &StepMetrics| StepMetrics {
        data_seconds: 0.0,
        step_seconds: 0.0,
        clips_per_second: 0.0,
        ..metrics.clone()
    };
    metrics.iter().map(timeless).collect()
}

/// Cuts the last half of a file off.
pub(crate) fn truncate(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

/// Whether this test has the process to itself; if not, runs it in one and passes on its failure.
///
/// Burn's RNG belongs to the whole process, so tests that run beside each other draw
/// each other's numbers: a test of equal runs needs a process of its own.
pub(crate) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "CLOVER_TEST_ALONE";
    if env::var(ALONE).is_ok_and(|alone| alone == test) {
        return true;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(ALONE, test)
        .output()
        .unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| {
        let text = String::from_utf8_lossy(&text);
        text.into_owned()
    });
    // A name that no test has would pass, too.
    let passed = output.status.success() && out.contains("1 passed");
    assert!(passed, "{test}, in a process of its own:\n{out}\n{err}");
    false
}
