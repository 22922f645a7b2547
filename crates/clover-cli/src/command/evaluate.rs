//! `clover evaluate`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::backend::AutodiffBackend;
use clover_data::files::FolderLock;
use clover_trainer::evaluate::{Evaluated, EvaluationPlan, evaluate, published, write_predictions};
use clover_trainer::metric::Storage;
use clover_trainer::recipe::{Recipe, TaskRecipe};
use clover_trainer::report::EvaluationPage;

use super::bundle_folder::bundle_folder;
use super::metrics;
use crate::arguments::{Evaluate, task_name};
use crate::device::Work;
use crate::output::{note, print_line};
use crate::progress::{advance, bar};

/// An evaluation with its progress on the terminal.
pub(super) struct Measuring(pub(super) EvaluationPlan);

impl Work for Measuring {
    type Output = Evaluated;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Evaluated> {
        let progress = bar("measuring", 0);
        let found = evaluate::<B::InnerBackend>(&self.0, &device, &mut |done, total| {
            advance(&progress, done, total);
        });
        progress.finish_and_clear();
        Ok(found?)
    }
}

pub(crate) fn run(arguments: Evaluate) -> Result<()> {
    let name = task_name(&arguments.task);
    let recipe = TaskRecipe::open(&arguments.task)?.with_overrides(&arguments.keys)?;
    let folder = arguments.folder();
    let _lock = FolderLock::take(&folder)?;
    let record = folder.join("progress.jsonl");
    let annotation = &arguments.annotation;
    let storage = if arguments.half {
        Storage::F16
    } else {
        Storage::F32
    };
    let plan = EvaluationPlan {
        answers: annotation.answers.clone(),
        record: Some(record.clone()),
        results: (!arguments.overwrite).then(|| folder.join("evaluation.json")),
        dual_softmax: arguments.dual_softmax,
        storage,
        attention: arguments.attention.clone(),
        ..EvaluationPlan::new(
            &name,
            recipe.clone(),
            bundle_folder(&arguments.bundle)?,
            annotation.location(&arguments.data, &arguments.split),
        )
    };
    let found = arguments.device.run(Measuring(plan))?;
    let shown = match arguments.reference {
        true => reference(&name, &found),
        false => Vec::new(),
    };
    write_all(&folder, &found, &recipe, shown.clone())?;
    // Everything it was kept for is written.
    let _ = fs::remove_file(record);
    if arguments.json {
        let path = folder.join("evaluation.json");
        let metrics = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        print_line(&metrics);
        return Ok(());
    }
    for line in metrics::protocol(&found).iter().chain(&shown) {
        print_line(line);
    }
    note(&format!(
        "metrics, predictions and the page lie in {}",
        folder.display()
    ));
    Ok(())
}

/// The paper's metrics of a task.
fn reference(name: &str, found: &Evaluated) -> Vec<String> {
    let retrieval = name.starts_with("retrieval");
    let known: Vec<String> = published(name, retrieval && !found.fine_tuned)
        .map(|figure| format!("the paper: {figure}"))
        .collect();
    if known.is_empty() {
        return vec!["the paper: no figure of this task is known here".to_owned()];
    }
    known
}

/// Writes predictions, metrics and the page.
pub(super) fn write_all(
    folder: &Path,
    found: &Evaluated,
    recipe: &TaskRecipe,
    reference: Vec<String>,
) -> Result<()> {
    let page = EvaluationPage {
        protocol: metrics::protocol(found),
        reference,
        recipe: recipe.to_toml()?,
        ..EvaluationPage::of(found)
    };
    write_predictions(&folder.join("predictions.jsonl"), &found.predictions)?;
    page.write_json(&folder.join("evaluation.json"))?;
    page.write_html(&folder.join("report.html"))?;
    Ok(())
}
