use std::ops::ControlFlow;
use std::path::Path;

use clover_model::Preset;
use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, Split, SplitFiles, write_benchmark};

use super::*;
use crate::recipe::{AblationRecipe, FinetuningRecipe, PretrainingRecipe, Recipe, SHIPPED_RECIPES};
use crate::{TestAutodiffBackend, TrainerError};

/// Two rows on a hundred clips, of which one is looked at twice.
fn recipe() -> AblationRecipe {
    let shipped = AblationRecipe::open("ablation/rendered").unwrap();
    let short = FinetuningRecipe {
        steps: 2,
        batch_size: 2,
        warmup_steps: 0,
        ..shipped.open_ended.clone()
    };
    let any = [
        ("clips", 100.into()),
        ("test_share", 0.05.into()),
        ("shapes", 3.into()),
        ("stories", "any".into()),
        ("train_twins", false.into()),
    ];
    let mut benchmark = shipped.benchmark.clone();
    benchmark.extend(any.map(|(key, value): (&str, toml::Value)| (key.to_owned(), value)));
    AblationRecipe {
        rows: vec![AblationRow::Baseline, AblationRow::Clover],
        seeds: 1,
        start: None,
        benchmark,
        pretraining: PretrainingRecipe {
            preset: Preset::Nano.to_string(),
            frames: 2,
            test_frames: 2,
            text_len: 32,
            batch_size: 30,
            group_size: 1,
            epochs: 1,
            warmup_epochs: 0.0,
            ..shipped.pretraining
        },
        open_ended: short.clone(),
        multiple_choice: FinetuningRecipe {
            text_len: 64,
            ..short
        },
    }
}

fn claim(root: &Path, recipe: &AblationRecipe) -> AblationFolder {
    let folder = AblationFolder::claim(root, recipe).unwrap();
    let benchmark: BenchmarkConfig = recipe.benchmark.clone().try_into().unwrap();
    write_benchmark(&benchmark, folder.benchmark(), |_, _| {}).unwrap();
    folder
}

fn files(folder: &AblationFolder) -> AblationFiles {
    let files = BenchmarkFiles::in_folder(folder.benchmark());
    let lists = |files: SplitFiles| AblationLists {
        pairs: files.pairs,
        open_ended: files.open_ended,
        multiple_choice: files.multiple_choice,
    };
    AblationFiles {
        clips: files.clips,
        vocabulary: files.vocabulary,
        answers: files.answers,
        pair_tests: files.test.pair_tests.clone(),
        train: lists(files.train),
        test: lists(files.test),
    }
}

fn run(
    folder: &AblationFolder,
    recipe: &AblationRecipe,
    row: AblationRow,
    observe: &mut dyn FnMut(CellEvent<'_>) -> ControlFlow<()>,
) -> Option<CellResult> {
    let cell = Cell { row, seed: 0 };
    let device = Default::default();
    let (files, run) = (files(folder), folder.run(cell));
    run_cell::<TestAutodiffBackend>(recipe, &files, &run, cell, &device, observe).unwrap()
}

fn summary(folder: &AblationFolder, recipe: &AblationRecipe) -> AblationSummary {
    let [command, device] = ["clover ablate", "a test"].map(str::to_owned);
    AblationSummary::read(folder, recipe, command, device).unwrap()
}

#[test]
fn a_comparison_is_interrupted_goes_on_and_becomes_a_table() {
    let root = tempfile::tempdir().unwrap();
    let recipe = recipe();
    let folder = claim(root.path(), &recipe);

    let broken_off = run(
        &folder,
        &recipe,
        AblationRow::Baseline,
        &mut |event| match event {
            CellEvent::FineTuning { .. } => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        },
    );
    let mut pretrained_again = 0;
    let result = run(&folder, &recipe, AblationRow::Baseline, &mut |event| {
        use crate::pretrain::PretrainingEvent;
        pretrained_again += usize::from(matches!(
            event,
            CellEvent::Pretraining(PretrainingEvent::Step(_))
        ));
        ControlFlow::Continue(())
    });
    let result = result.unwrap();
    folder.keep(&result).unwrap();

    assert!(broken_off.is_none());
    assert_eq!(pretrained_again, 0);
    assert_eq!(
        (result.pretraining_steps, result.text_to_video.candidates),
        (3, 5)
    );
    assert_eq!(result.open_ended.as_ref().unwrap().questions, 10);
    let kept = folder.result(result.cell()).unwrap().unwrap();
    assert_eq!(kept.cell(), result.cell());
    assert_eq!(kept.text_to_video, result.text_to_video);
    assert_eq!(kept.multiple_choice.unwrap().questions, 10);
    // Before it was interrupted or after: what is told apart of five clips.
    assert_eq!(kept.skills, result.skills);
    assert_eq!((&*kept.skills[0].skill, kept.skills[0].total), ("color", 5));
    let summary = summary(&folder, &recipe);
    assert_eq!(summary.rows[0].skills.len(), kept.skills.len());
    assert_eq!(summary.missing, ["clover-0"]);
    folder.write_summary(&summary).unwrap();
    let table = std::fs::read_to_string(root.path().join("ablation.md")).unwrap();
    for part in [
        "| baseline |",
        "| chance | 20.0 |",
        "| chance | 50.0 |",
        "Pairs: 5 of color",
        "Not done: clover-0.",
    ] {
        assert!(table.contains(part), "{table}");
    }
    // A result from before there were pair tests is one without skills.
    let path = root.path().join("results/baseline-0.json");
    let mut before: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    before.as_object_mut().unwrap().remove("skills").unwrap();
    std::fs::write(&path, before.to_string()).unwrap();
    assert!(
        folder
            .result(result.cell())
            .unwrap()
            .unwrap()
            .skills
            .is_empty()
    );
    let figure = std::fs::read_to_string(root.path().join("ablation.svg")).unwrap();
    assert!(figure.starts_with("<svg") && !figure.contains("NaN"));
}

/// The comparison of what is added to a CLIP, in two rows.
fn clip_recipe() -> AblationRecipe {
    let shipped = AblationRecipe::open("ablation/clip").unwrap();
    let mut benchmark = shipped.benchmark.clone();
    benchmark.insert("clips".to_owned(), 100.into());
    benchmark.insert("test_share".to_owned(), 0.05.into());
    let small = |recipe: PretrainingRecipe| PretrainingRecipe {
        preset: Preset::ClipNano.to_string(),
        image_size: 28,
        frames: 2,
        test_frames: 2,
        batch_size: 30,
        epochs: 1,
        warmup_epochs: 0.0,
        ..recipe
    };
    AblationRecipe {
        rows: vec![AblationRow::Clip, AblationRow::ClipSemanticMasking],
        seeds: 1,
        benchmark,
        start: shipped.start.map(small),
        pretraining: small(shipped.pretraining),
        ..shipped
    }
}

#[test]
fn rows_go_on_from_the_same_clip_and_are_compared_seed_by_seed() {
    let root = tempfile::tempdir().unwrap();
    let recipe = clip_recipe();
    let folder = claim(root.path(), &recipe);
    let mut steps = Vec::new();
    for &row in &recipe.rows {
        let mut made = 0;
        let cell = Cell { row, seed: 0 };
        let files = files(&folder).with_end_last().unwrap();
        let (run, device) = (folder.run(cell), Default::default());
        let result =
            run_cell::<TestAutodiffBackend>(&recipe, &files, &run, cell, &device, &mut |event| {
                use crate::pretrain::PretrainingEvent;
                made += usize::from(matches!(
                    event,
                    CellEvent::Pretraining(PretrainingEvent::Step(_))
                ));
                ControlFlow::Continue(())
            });
        folder.keep(&result.unwrap().unwrap()).unwrap();
        steps.push(made);
    }

    // What all go on from is made once.
    assert_eq!(steps, [3, 3]);
    let summary = summary(&folder, &recipe);
    assert!(summary.rows.iter().all(|row| row.hard_negatives.is_some()));
    assert!(summary.rows.iter().all(|row| row.open_ended.is_none()));
    let table = summary.markdown();
    for part in [
        "| CLIP |",
        "| + semantic masking (Clover) |",
        "| chance | 50.0 |",
        "too few seeds to say",
    ] {
        assert!(table.contains(part), "{table}");
    }
    // No row answers questions.
    assert!(!table.contains("| open-ended |"), "{table}");
    assert!(summary.svg().unwrap().contains("among companions"));
}

#[test]
fn shipped_comparisons_have_data_that_can_be_drawn_in_whole_groups() {
    let shipped = SHIPPED_RECIPES.iter().map(|recipe| recipe.name);
    for name in shipped.filter(|name| name.starts_with("ablation/")) {
        let AblationRecipe {
            benchmark,
            pretraining,
            ..
        } = AblationRecipe::open(name).unwrap();

        let benchmark: BenchmarkConfig = benchmark.try_into().unwrap();

        benchmark.validate().unwrap();
        let size = pretraining.group_size;
        assert_eq!(benchmark.train_twins, size > 1, "{name}");
        for pairs in [pretraining.batch_size, benchmark.range(Split::Train).len()] {
            assert_eq!(pairs % size, 0, "{name}");
        }
    }
}

#[test]
fn a_folder_of_another_recipe_is_refused_with_the_key() {
    let root = tempfile::tempdir().unwrap();
    let recipe = recipe();
    AblationFolder::claim(root.path(), &recipe).unwrap();
    let mut other = recipe.clone();
    other.pretraining.learning_rate = 1.0;
    let mut more = recipe;
    more.seeds = 3;
    more.rows.push(AblationRow::IndA);

    let error = AblationFolder::claim(root.path(), &other).unwrap_err();

    let TrainerError::OtherRecipe { key, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(key, "pretraining.learning_rate");
    AblationFolder::claim(root.path(), &more).unwrap();
}

#[test]
fn two_comparisons_do_not_share_a_folder() {
    let root = tempfile::tempdir().unwrap();

    let first = AblationFolder::claim(root.path(), &recipe()).unwrap();
    let error = AblationFolder::claim(root.path(), &recipe()).unwrap_err();

    assert!(error.to_string().contains("is writing to it"), "{error}");
    drop(first);
    AblationFolder::claim(root.path(), &recipe()).unwrap();
}

#[test]
fn keys_inside_tables_are_replaced_and_unknown_ones_refused() {
    let recipe = recipe();

    let changed = recipe
        .clone()
        .with_overrides(&["rows=[ind-a, clover]", "open_ended.steps=7", "seeds=2"])
        .unwrap();
    let unknown = recipe.clone().with_overrides(&["open_ended.stesp=7"]);
    let misplaced = recipe.with_overrides(&["pretraining.word_loss=none"]);

    assert_eq!(changed.rows, [AblationRow::IndA, AblationRow::Clover]);
    assert_eq!((changed.open_ended.steps, changed.seeds), (7, 2));
    assert!(unknown.unwrap_err().to_string().contains("`steps`"));
    assert!(misplaced.unwrap_err().to_string().contains("pretraining"));
}
