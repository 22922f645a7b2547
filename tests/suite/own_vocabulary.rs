//! A vocabulary that is made of the captions a run trains on.

use std::fs;
use std::ops::ControlFlow;

use clover_data::text::{SpecialTokens, Tokenizer, TokenizerKind};
use clover_inference::Bundle;
use clover_trainer::TrainerError;
use clover_trainer::devices::Peer;
use clover_trainer::pretrain::{PretrainingEvent, PretrainingPlan, pretrain};

use crate::small_run::{SmallData, recipe, run};
use crate::{TestAutodiffBackend, TestBackend};

/// Clips, of which four make a step.
const CLIPS: usize = 8;

fn plan(data: &SmallData) -> PretrainingPlan {
    PretrainingPlan {
        vocabulary: None,
        max_steps: Some(1),
        ..data.plan(recipe(), "run")
    }
}

#[test]
fn a_run_makes_its_word_pieces_of_its_captions_and_goes_on_with_them() {
    let data = SmallData::rendered(CLIPS);
    let first = plan(&data);

    run(&first).unwrap();
    let path = first.folder.join("vocab.txt");
    let made = fs::read_to_string(&path).unwrap();
    let (summary, _) = run(&PretrainingPlan {
        resume: true,
        max_steps: None,
        ..first.clone()
    })
    .unwrap();

    assert!(summary.finished);
    assert_eq!(fs::read_to_string(&path).unwrap(), made);
    assert!(made.lines().take(5).eq(SpecialTokens::NAMES));
    let tokenizer = Tokenizer::read(&path).unwrap();
    let list = fs::read_to_string(&data.files.train).unwrap();
    for line in list.lines().skip(1) {
        let (_, caption) = line.split_once(',').unwrap();
        let encoding = tokenizer.encode(caption, 60).unwrap();
        assert!(
            !encoding.ids.contains(&tokenizer.special().unknown),
            "{line}"
        );
    }
    let bundle = Bundle::<TestBackend>::read(&summary.bundle, &Default::default()).unwrap();
    assert_eq!(bundle.tokenizer.vocabulary(), tokenizer.vocabulary());

    // It is the folder's vocabulary that counts, and a new run leaves it alone.
    let again = run(&first).unwrap_err();
    assert!(matches!(again, TrainerError::FolderInUse { .. }), "{again}");
    fs::write(&path, made + "another\n").unwrap();
    let other = run(&PretrainingPlan {
        resume: true,
        ..first
    })
    .unwrap_err();
    assert!(other.to_string().contains("vocabulary"), "{other}");
}

#[test]
fn a_clip_makes_pieces_of_its_own_kind() {
    let data = SmallData::rendered(CLIPS);
    let mut plan = plan(&data);
    plan.recipe.preset = "clip-nano".to_owned();

    run(&plan).unwrap();

    let tokenizer = Tokenizer::read(&plan.folder).unwrap();
    assert_eq!(tokenizer.kind(), TokenizerKind::Bpe);
    plan.resume = true;
    plan.max_steps = Some(2);
    assert_eq!(run(&plan).unwrap().0.metrics.len(), 2);
}

#[test]
fn a_vocabulary_that_captions_hardly_use_is_told_of() {
    let data = SmallData::rendered(CLIPS);
    let mut words = fs::read_to_string(&data.files.vocabulary).unwrap();
    let pieces = 2_000;
    words.extend((words.lines().count()..pieces).map(|number| format!("piece{number}\n")));
    fs::write(&data.files.vocabulary, words).unwrap();
    let told = |plan: &PretrainingPlan| {
        let mut told = None;
        let device = Default::default();
        pretrain::<TestAutodiffBackend>(plan, &Peer::alone(), &device, &mut |event| {
            if let PretrainingEvent::PiecesUnused(unused) = event {
                told = Some(unused.clone());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        told
    };
    let made = plan(&data);

    let given = told(&PretrainingPlan {
        vocabulary: Some(data.files.vocabulary.clone()),
        folder: data.path("given"),
        ..made.clone()
    });

    let given = given.unwrap();
    assert_eq!((given.pieces, given.captions), (pieces, CLIPS));
    assert!(given.used > 5 && given.used < 200, "{given:?}");
    assert_eq!(told(&made), None);
}
