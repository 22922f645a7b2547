//! A task measured with a bundle: `clover evaluate`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::dataset::{ClipTable, SkippedItem};
use clover_inference::{Bundle, bundle_checksum};
use serde::Deserialize;

use super::attention::AttentionMaps;
use super::evaluation::{Evaluation, Measured};
use super::predictions::Prediction;
use super::settings::MeasureSettings;
use super::with_bundle::Measuring;
use crate::TrainerError;
use crate::checkpoint::ListFingerprint;
use crate::metric::Storage;
use crate::recipe::{Recipe, TaskRecipe};
use crate::task_items::ItemsLocation;
use crate::trained_for::is_fine_tuned;

/// What is measured, and with which model.
#[derive(Clone, Debug)]
pub struct EvaluationPlan {
    /// The task's name.
    pub name: String,
    /// Its recipe.
    pub recipe: TaskRecipe,
    /// The bundle.
    pub bundle: PathBuf,
    /// The items.
    pub items: ItemsLocation,
    /// A list of answers that the bundle's must be.
    pub answers: Option<PathBuf>,
    /// Where what was read is kept, so that an interrupted evaluation goes on.
    pub record: Option<PathBuf>,
    /// The results that will be written over, an `evaluation.json`, if there are any: those of another
    /// evaluation are refused.
    pub results: Option<PathBuf>,
    /// Whether retrieval is also re-ranked by dual softmax.
    pub dual_softmax: bool,
    /// How embeddings are held.
    pub storage: Storage,
    /// Questions whose answers are looked into beside those at either end, by their names or numbers
    /// in predictions.
    pub attention: Vec<String>,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Evaluated {
    /// The metrics, and how they came about.
    pub evaluation: Evaluation,
    /// What became of each query.
    pub predictions: Vec<Prediction>,
    /// What the answers to the questions at either end, and to the chosen ones, look at; of tasks whose
    /// answers come from the fusion encoder.
    pub attention: Option<AttentionMaps>,
    /// The folder of clips.
    pub clips: PathBuf,
    /// Rows of the annotation that cannot be used.
    pub unusable: Vec<SkippedItem>,
    /// Whether the bundle was fine-tuned; if not, retrieval is zero-shot.
    pub fine_tuned: bool,
}

impl EvaluationPlan {
    /// Measures with everything at its usual value.
    pub fn new(
        name: &str,
        recipe: TaskRecipe,
        bundle: impl Into<PathBuf>,
        items: ItemsLocation,
    ) -> Self {
        Self {
            name: name.to_owned(),
            recipe,
            bundle: bundle.into(),
            items,
            answers: None,
            record: None,
            results: None,
            dual_softmax: false,
            storage: Storage::F32,
            attention: Vec::new(),
        }
    }
}

/// Measures a task; `progress` is told how many items of how many are done.
///
/// # Errors
///
/// The bundle or the items cannot be used, results of another evaluation would be written over, the
/// bundle has no head for the task or one with other answers, too many items are broken, a score is not a number, or a chosen question does not exist.
pub fn evaluate<B: Backend>(
    plan: &EvaluationPlan,
    device: &B::Device,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Evaluated, TrainerError> {
    plan.recipe.validate()?;
    let items = plan.items.open_for(&plan.recipe)?;
    let bundle = Bundle::<B>::read(&plan.bundle, device)?;
    let recipe = plan.recipe.fitted(&bundle.config, &bundle.preprocessing)?;
    let identity = plan.identity(&recipe, &items)?;
    if let Some(path) = &plan.results {
        check_results(path, &checksum(&identity))?;
    }
    let settings = MeasureSettings {
        workers: recipe.workers,
        max_failed_share: recipe.max_failed_share,
        seed: recipe.seed,
        dual_softmax: plan.dual_softmax,
        storage: plan.storage,
        record: plan.record.as_deref().map(|path| (path, &*identity)),
    };
    let measuring = Measuring {
        plan,
        recipe: &recipe,
        settings,
    };
    let (measured, attention) = measuring.measure(bundle, &items, device, progress)?;
    Ok(Evaluated {
        evaluation: Evaluation {
            identity: checksum(&identity),
            ..Evaluation::of(&plan.name, &plan.items, &items, &measured)
        },
        predictions: measured.predictions,
        attention,
        clips: items.folder().to_owned(),
        unusable: items.skipped().to_vec(),
        fine_tuned: is_fine_tuned(&plan.bundle),
    })
}

impl Evaluation {
    /// What was measured on a split.
    #[must_use]
    pub fn of(
        task: &str,
        location: &ItemsLocation,
        items: &ClipTable,
        measured: &Measured,
    ) -> Self {
        let [clips_per_second, waiting_share] = measured.speed();
        Self {
            task: task.to_owned(),
            split: location.split.clone(),
            data: location.request.annotation.display().to_string(),
            items: items.len(),
            unusable_rows: items.skipped().len(),
            skipped: measured.skipped.clone(),
            identity: String::new(),
            metrics: measured.metrics.clone(),
            clips_per_second,
            waiting_share,
        }
    }
}

impl EvaluationPlan {
    /// What tells this evaluation from another one.
    fn identity(&self, recipe: &TaskRecipe, items: &ClipTable) -> Result<String, TrainerError> {
        let recipe = recipe.to_toml()?;
        let (bundle, list) = (
            bundle_checksum(&self.bundle)?,
            ListFingerprint::of_table(items, &self.items.request.annotation),
        );
        Ok(format!("{} {bundle} {} {recipe}", self.name, list.hash))
    }
}

fn checksum(identity: &str) -> String {
    format!("{:08x}", crc32fast::hash(identity.as_bytes()))
}

/// Refuses the results of another evaluation, or what cannot be told from them.
fn check_results(path: &Path, identity: &str) -> Result<(), TrainerError> {
    #[derive(Deserialize)]
    struct Results {
        evaluation: Identity,
    }
    #[derive(Deserialize)]
    struct Identity {
        identity: String,
    }
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => {
            let path = path.to_owned();
            return Err(TrainerError::Read { path, source });
        }
    };
    match serde_json::from_slice::<Results>(&text) {
        Ok(found) if found.evaluation.identity == identity => Ok(()),
        _ => Err(TrainerError::OtherResults {
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_the_same_evaluation_and_none_at_all_may_be_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evaluation.json");
        let check = |identity| check_results(&path, &checksum(identity));

        assert!(check("this").is_ok());
        let identity = checksum("this");
        fs::write(
            &path,
            format!(r#"{{"evaluation":{{"identity":"{identity}"}}}}"#),
        )
        .unwrap();
        assert!(check("this").is_ok());
        let error = check("another").unwrap_err().to_string();
        assert!(error.contains("evaluation.json"), "{error}");
        fs::write(&path, "[]").unwrap();
        assert!(check("this").is_err());
    }
}
