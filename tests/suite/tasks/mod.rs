//! The downstream tasks from annotation to figure, at the least size: files in the published formats, whose
//! rows are made up, and rendered clips.

mod ask;
mod attention;
mod clip;
mod look_alike;
mod refused;
mod resumed;
mod runs;
mod side_by_side;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::text::Tokenizer;
use clover_inference::Bundle;
use clover_model::CloverConfig;
use clover_model::weights::WeightFile;
use clover_trainer::TrainerError;
use clover_trainer::evaluate::{Evaluated, EvaluationPlan, evaluate};
use clover_trainer::finetune::{FinetuningEvent, FinetuningPlan, FinetuningSummary, finetune};
use clover_trainer::recipe::{Recipe, TaskRecipe};
use clover_trainer::task_items::ItemsLocation;

use crate::small_run::{SmallData, weights};
use crate::{TestAutodiffBackend, TestBackend};
use look_alike::LookAlike;

/// What the published recipes are made small by.
const SMALL: [&str; 13] = [
    "frames=2",
    "test_frames=2",
    "image_size=28",
    "text_len=16",
    "test_text_len=16",
    "batch_size=4",
    "micro_batch=0",
    "precision=f32",
    "epochs=1",
    "warmup_epochs=0",
    "workers=1",
    "checkpoint_every=1",
    "learning_rate=1e-4",
];

/// A bundle nobody trained, and a task's files.
pub(crate) struct SmallTask {
    pub(crate) data: SmallData,
    name: &'static str,
    recipe: TaskRecipe,
    files: LookAlike,
    bundle: PathBuf,
}

impl SmallTask {
    /// The task of a shipped recipe, with more of its keys replaced.
    pub(crate) fn new(name: &'static str, keys: &[&str]) -> Self {
        let data = SmallData::rendered(8);
        let folder = data.path("annotations");
        let files = LookAlike::write(name, &data.files, &folder);
        let bundle = data.path("bundle");
        untrained_bundle(&data, &bundle);
        Self {
            recipe: small_recipe(name, keys),
            data,
            name,
            files,
            bundle,
        }
    }

    pub(crate) fn finetuning(&self, out: &str) -> FinetuningPlan {
        let (train, folder) = (self.files.train.clone(), self.data.path(out));
        let plan = FinetuningPlan::new(self.name, self.recipe.clone(), &self.bundle, train, folder);
        FinetuningPlan {
            validation: Some(self.files.test.clone()),
            ..plan
        }
    }

    fn evaluation(&self, bundle: &Path) -> EvaluationPlan {
        EvaluationPlan::new(
            self.name,
            self.recipe.clone(),
            bundle,
            self.files.test.clone(),
        )
    }
}

fn small_recipe(name: &str, keys: &[&str]) -> TaskRecipe {
    let recipe = TaskRecipe::open(name).unwrap();
    let answers = if recipe.answers > 0 {
        "answers=2"
    } else {
        "answers=0"
    };
    let keys: Vec<&str> = SMALL
        .into_iter()
        .chain([answers])
        .chain(keys.iter().copied())
        .collect();
    recipe.with_overrides(&keys).unwrap()
}

/// Begins or resumes fine-tuning on the files that `SmallTask::new("open-ended-custom", ..)` has left
/// below `root`: two epochs of two steps, each of them measured.
pub(crate) fn custom_plan(root: &Path, out: &Path) -> FinetuningPlan {
    let name = "open-ended-custom";
    let keys = ["epochs=2", "validate_every=1", "keep_checkpoints=2"];
    let recipe = small_recipe(name, &keys);
    let annotations = root.join("annotations");
    let [train, test] = ["train", "test"].map(|split| ItemsLocation {
        clips: Some(annotations.join("clips")),
        ..ItemsLocation::new(annotations.join(format!("{split}_questions.jsonl")), split)
    });
    FinetuningPlan {
        validation: Some(test),
        resume: true,
        ..FinetuningPlan::new(name, recipe, root.join("bundle"), train, out)
    }
}

/// The least model with its starting values.
fn untrained_bundle(data: &SmallData, folder: &Path) {
    let tokenizer = Tokenizer::read(&data.files.vocabulary).unwrap();
    let config = CloverConfig::nano(tokenizer.vocabulary().len())
        .with_image_size(28)
        .with_frames(2);
    write_drawn(&config, &tokenizer, folder);
}

/// A model with the starting values of one seed. Tests that run beside this one draw from the same generator: the values
/// are drawn until they come out alike twice.
fn write_drawn(config: &CloverConfig, tokenizer: &Tokenizer, folder: &Path) {
    let device = Default::default();
    let draw = || {
        <TestBackend as Backend>::seed(&device, 5);
        let (config, tokenizer) = (config.clone(), tokenizer.clone());
        let bundle = Bundle::<TestBackend>::init(config, tokenizer, 16, &device);
        bundle.write(folder).unwrap();
        weights(&WeightFile::open(&folder.join("model.safetensors")).unwrap())
    };
    let undisturbed = (0..100).any(|_| draw() == draw());
    assert!(undisturbed, "a seed gives other values each time");
}

pub(crate) fn tune(plan: &FinetuningPlan) -> Result<FinetuningSummary, TrainerError> {
    tune_watched(plan, &mut |_| ())
}

/// A run that is interrupted after so many steps.
fn tune_until(plan: &FinetuningPlan, step: u64) -> FinetuningSummary {
    finetune::<TestAutodiffBackend>(plan, &Default::default(), &mut |event| match event {
        FinetuningEvent::Step(metrics) if metrics.step >= step => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .unwrap()
}

fn tune_watched(
    plan: &FinetuningPlan,
    watch: &mut dyn FnMut(&FinetuningEvent<'_>),
) -> Result<FinetuningSummary, TrainerError> {
    finetune::<TestAutodiffBackend>(plan, &Default::default(), &mut |event| {
        watch(&event);
        ControlFlow::Continue(())
    })
}

fn measure(plan: &EvaluationPlan) -> Result<Evaluated, TrainerError> {
    evaluate::<TestBackend>(plan, &Default::default(), &mut |_, _| ())
}
