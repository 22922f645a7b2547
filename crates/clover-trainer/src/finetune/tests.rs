use std::ops::ControlFlow;

use burn::prelude::*;
use clover_data::dataset::{
    Candidates, ClipReading, ClipTable, Items, MultipleChoiceDataset, SampleReading, read_items,
    write_items,
};
use clover_data::text::{QuestionForm, Tokenizer};
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline};
use clover_model::CloverConfig;
use clover_model::heads::MultipleChoiceHeadConfig;
use clover_model::tasks::MultipleChoiceModel;
use clover_synthetic::{BenchmarkConfig, Split, write_benchmark};
use tempfile::TempDir;

use super::*;
use crate::recipe::{AblationRecipe, FinetuningRecipe, Recipe};
use crate::{TestAutodiffBackend, TrainerError};

/// Four questions with options, and a model that can learn them.
fn questions(
    folder: &TempDir,
) -> (
    MultipleChoiceModel<TestAutodiffBackend>,
    MultipleChoiceDataset,
) {
    let benchmark = BenchmarkConfig {
        clips: 100,
        frames: 8,
        size: 32,
        ..BenchmarkConfig::default()
    };
    let files = write_benchmark(&benchmark, folder.path(), |_, _| {}).unwrap();
    let tokenizer = Tokenizer::read(&files.vocabulary).unwrap();
    let path = &files.split(Split::Train).multiple_choice;
    let Items::MultipleChoice(mut items) = read_items(path).unwrap().items else {
        panic!("another task")
    };
    items.truncate(4);
    let reading = SampleReading {
        clip: ClipReading {
            sampling: FrameSampling::test_frames(2),
            fps: None,
            pixels: PixelPipeline::test_resize(28),
            limits: DecodeLimits::default(),
        },
        text_len: 16,
        seed: 0,
    };
    let device = Default::default();
    <TestAutodiffBackend as Backend>::seed(&device, 0);
    let sizes = CloverConfig::nano(tokenizer.vocabulary().len())
        .with_image_size(28)
        .with_frames(2);
    let head = MultipleChoiceHeadConfig::new(sizes.text.width()).with_dropout(0.0);
    let model = MultipleChoiceModel::from_clover(sizes.init(&device), &head, &device);
    write_items(path, &Items::MultipleChoice(items)).unwrap();
    let table = ClipTable::open(path, Some(&files.clips), &|_, _| ()).unwrap();
    let candidates = Candidates::of(&table, QuestionForm::WithCandidate, 0);
    let dataset = MultipleChoiceDataset::new(table, tokenizer, reading, candidates).unwrap();
    (model, dataset)
}

fn recipe(steps: usize) -> FinetuningRecipe {
    FinetuningRecipe {
        steps,
        batch_size: 4,
        warmup_steps: 0,
        ..AblationRecipe::open("ablation/rendered")
            .unwrap()
            .multiple_choice
    }
}

fn settings(recipe: &FinetuningRecipe) -> FineTuningSettings<'_> {
    FineTuningSettings {
        recipe,
        seed: 0,
        workers: 1,
        max_failed_share: 0.5,
    }
}

#[test]
fn the_loss_falls_and_a_run_can_be_broken_off() {
    const STEPS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let (model, dataset) = questions(&folder);
    let recipe = FinetuningRecipe {
        learning_rate: 4e-3,
        ..recipe(STEPS)
    };
    let device = Default::default();

    let tuned = fine_tune(
        model.clone(),
        dataset.clone(),
        &settings(&recipe),
        &device,
        &mut |_| ControlFlow::Continue(()),
    )
    .unwrap();
    let broken_off = fine_tune(model, dataset, &settings(&recipe), &device, &mut |_| {
        ControlFlow::Break(())
    })
    .unwrap();

    assert!(tuned.finished && tuned.losses.len() == STEPS);
    let (first, last) = (tuned.losses[0], tuned.losses[STEPS - 1]);
    // Five candidates: an untrained model has about ln 5.
    assert!(first > 1.2 && last < 0.8 * first, "{:?}", tuned.losses);
    assert!(!broken_off.finished && broken_off.losses.len() == 1);
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_names_the_questions() {
    let folder = tempfile::tempdir().unwrap();
    let (model, dataset) = questions(&folder);
    let recipe = FinetuningRecipe {
        learning_rate: 1e30,
        ..recipe(3)
    };

    let ended = fine_tune(
        model,
        dataset,
        &settings(&recipe),
        &Default::default(),
        &mut |_| ControlFlow::Continue(()),
    );

    let Err(TrainerError::Diverged { step, names, .. }) = ended else {
        panic!("{ended:?}")
    };
    assert!(step > 1 && names.len() == 4, "{step} {names:?}");
    assert!(names[0].contains("choice"), "{names:?}");
}

#[test]
fn a_file_that_is_gone_is_left_out_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (model, dataset) = questions(&folder);
    let gone = folder.path().join("clips").join(dataset.table().clip(0));
    std::fs::remove_file(gone).unwrap();
    let recipe = recipe(1);

    let tuned = fine_tune(
        model,
        dataset,
        &settings(&recipe),
        &Default::default(),
        &mut |_| ControlFlow::Continue(()),
    )
    .unwrap();

    assert!(!tuned.skipped.is_empty(), "{:?}", tuned.skipped);
    assert!(
        tuned.skipped[0].name.contains("choice"),
        "{:?}",
        tuned.skipped
    );
}
