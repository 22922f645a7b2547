use super::*;
use clover_data::dataset::Position;
use tempfile::TempDir;

fn checkpoint(step: u64) -> Checkpoint {
    Checkpoint {
        model: vec![7; 100 + step as usize],
        optimizer: vec![
            (
                "weight.moment_1".to_owned(),
                TensorData::from([[0.5_f32, -1.0], [2.0, 3.0]]),
            ),
            ("weight.steps".to_owned(), TensorData::from([step as i64])),
        ],
        state: CheckpointState {
            format_version: FORMAT_VERSION,
            step,
            position: MixturePosition {
                videos: Position { epoch: 2, item: 5 },
                images: Position { epoch: 7, item: 1 },
            },
            seed: u64::MAX,
            data: DataFingerprint {
                videos: ListFingerprint::of(&["a.gif"]),
                images: None,
                vocabulary: ListFingerprint::of(&["[PAD]"]),
                validation: None,
                pair_tests: None,
            },
            recipe: serde_json::json!({"name": "demo", "learning_rate": 0.000_220_202_857_687_777_62}),
            validated: Validated {
                last: Some(step),
                best: Some(serde_json::json!({"step": 1, "score": 0.1 + 0.2})),
                since_best: 3,
                neutral: None,
            },
        },
    }
}

fn saved(steps: &[u64], keep_last: usize) -> (TempDir, Checkpoints) {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoints = Checkpoints::new(folder.path(), keep_last);
    for &step in steps {
        checkpoints.save(&checkpoint(step)).expect("saved");
    }
    (folder, checkpoints)
}

fn latest(checkpoints: &Checkpoints) -> LoadedCheckpoint {
    checkpoints
        .latest()
        .expect("a usable checkpoint")
        .expect("a checkpoint")
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    names
}

/// Asserts that the second checkpoint is refused for `reason` and the first is loaded.
fn assert_falls_back(folder: &TempDir, checkpoints: &Checkpoints, reason: &str) {
    let loaded = latest(checkpoints);
    assert_eq!(loaded.checkpoint, checkpoint(1));
    assert_eq!(loaded.refused.len(), 1);
    assert_eq!(loaded.refused[0].path, folder.path().join("step-00000002"));
    let actual = loaded.refused[0].reason.to_string();
    assert!(actual.ends_with(reason), "{actual}");
}

#[test]
fn the_newest_checkpoint_comes_back_as_it_was() {
    let (folder, checkpoints) = saved(&[9, 123], 3);

    let loaded = latest(&checkpoints);

    assert_eq!(loaded.checkpoint, checkpoint(123));
    assert_eq!(loaded.path, folder.path().join("step-00000123"));
    assert!(loaded.refused.is_empty());
}

#[test]
fn a_truncated_checkpoint_is_refused_by_name_and_the_previous_one_loads() {
    for name in [MODEL, OPTIMIZER, STATE] {
        let (folder, checkpoints) = saved(&[1, 2], 3);
        let path = folder.path().join("step-00000002").join(name);
        let length = fs::metadata(&path).expect("a file").len();

        fs::File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(length - 1))
            .expect("truncated");

        let reason = format!("{name}: holds {} bytes, {length} were written", length - 1);
        assert_falls_back(&folder, &checkpoints, &reason);
    }
}

#[test]
fn a_changed_byte_is_noticed() {
    let (folder, checkpoints) = saved(&[1, 2], 3);
    let path = folder.path().join("step-00000002").join(MODEL);
    let mut bytes = fs::read(&path).expect("a model");

    bytes[50] ^= 1;
    fs::write(&path, bytes).expect("written");

    let reason = "model.safetensors: its bytes are not those that were written";
    assert_falls_back(&folder, &checkpoints, reason);
}

#[test]
fn a_missing_file_is_noticed() {
    let (folder, checkpoints) = saved(&[1, 2], 3);

    fs::remove_file(folder.path().join("step-00000002").join(OPTIMIZER)).expect("removed");

    assert_falls_back(
        &folder,
        &checkpoints,
        "optimizer.safetensors: cannot be read",
    );
}

#[test]
fn unreadable_checksums_are_noticed() {
    let (folder, checkpoints) = saved(&[1, 2], 3);

    fs::write(
        folder.path().join("step-00000002/checksums.json"),
        "{\"model",
    )
    .expect("written");

    assert_falls_back(
        &folder,
        &checkpoints,
        "checksums.json: is not the JSON expected",
    );
}

#[test]
fn another_format_is_refused() {
    let (folder, checkpoints) = saved(&[1], 3);
    let mut other = checkpoint(2);
    other.state.format_version = 7;
    checkpoints.save(&other).expect("saved");

    let reason =
        format!("state.json: has the checkpoint format 7, only {FORMAT_VERSION} can be read");
    assert_falls_back(&folder, &checkpoints, &reason);
}

#[test]
fn only_damaged_checkpoints_are_an_error_and_none_at_all_is_not() {
    let (folder, checkpoints) = saved(&[1], 3);
    fs::remove_file(folder.path().join("step-00000001").join(STATE)).expect("removed");

    let error = checkpoints.latest().expect_err("nothing usable");
    let message = error.to_string();
    let absent = Checkpoints::new(folder.path().join("absent"), 3).latest();

    assert!(
        matches!(error, TrainerError::NoUsableCheckpoint { refused, .. } if refused.len() == 1)
    );
    assert!(
        message.contains("state.json: cannot be read: "),
        "{message}"
    );
    assert!(absent.expect("no folder").is_none());
}

#[test]
fn a_folder_left_by_a_crash_is_ignored_and_later_replaced() {
    let (folder, checkpoints) = saved(&[1], 3);
    let partial = folder.path().join(".step-00000002.partial");
    fs::create_dir(&partial).expect("a folder");
    fs::write(partial.join("stray"), "half").expect("written");

    assert_eq!(latest(&checkpoints).checkpoint, checkpoint(1));
    checkpoints.save(&checkpoint(2)).expect("saved");

    assert_eq!(names(&folder), ["step-00000001", "step-00000002"]);
    assert!(!folder.path().join("step-00000002/stray").exists());
}

#[test]
fn only_the_last_are_kept() {
    let (folder, _) = saved(&[1, 2, 3, 4], 2);

    assert_eq!(names(&folder), ["step-00000003", "step-00000004"]);
}

#[test]
fn those_that_a_crash_kept_from_being_removed_go_when_the_run_goes_on() {
    let (folder, _) = saved(&[1, 2, 3], 3);
    let checkpoints = Checkpoints::new(folder.path(), 2);
    let loaded = latest(&checkpoints);

    checkpoints.settle(Some(&loaded.path)).expect("settled");

    assert_eq!(names(&folder), ["step-00000002", "step-00000003"]);
}

#[test]
fn the_one_just_saved_stays_beside_a_damaged_newer_one() {
    let (folder, checkpoints) = saved(&[1, 9], 2);
    fs::remove_file(folder.path().join("step-00000009").join(MODEL)).expect("removed");

    Checkpoints::new(folder.path(), 1)
        .save(&checkpoint(2))
        .expect("saved");

    assert_eq!(latest(&checkpoints).checkpoint, checkpoint(2));
}

#[test]
fn the_same_step_is_replaced() {
    let (folder, checkpoints) = saved(&[1], 3);
    let mut again = checkpoint(1);
    again.model = vec![9; 3];

    checkpoints.save(&again).expect("saved");

    assert_eq!(latest(&checkpoints).checkpoint, again);
    assert_eq!(names(&folder), ["step-00000001"]);
}

#[test]
fn the_best_model_is_replaced_whole_and_stays_beside_the_last() {
    let (folder, checkpoints) = saved(&[1, 2], 1);
    let write = |content: &'static str| {
        move |folder: &Path| fs::write(folder.join("figures"), content).map_err(|_| broken())
    };
    checkpoints.replace_best(write("first")).expect("saved");
    checkpoints.replace_best(write("second")).expect("saved");
    let failed = checkpoints.replace_best(|folder| {
        fs::write(folder.join("figures"), "ha").expect("written");
        Err(broken())
    });
    checkpoints.save(&checkpoint(3)).expect("saved");

    assert!(failed.is_err());
    assert_eq!(names(&folder), ["best", "step-00000003"]);
    let figures = fs::read_to_string(checkpoints.best().join("figures"));
    assert_eq!(figures.expect("figures"), "second");
}

#[test]
fn a_best_model_put_aside_by_a_crash_comes_back() {
    let (folder, checkpoints) = saved(&[1], 1);
    checkpoints.replace_best(|_| Ok(())).expect("saved");
    let aside = folder.path().join(".best.replaced");
    fs::rename(checkpoints.best(), &aside).expect("moved");

    checkpoints.settle(None).expect("recovered");

    assert_eq!(names(&folder), ["best", "step-00000001"]);
}

#[test]
fn what_a_crash_left_aside_is_gone_on_from_where_nothing_else_is_whole() {
    // As a run is left between two renames, where two folders cannot be exchanged in one.
    let whole_and_aside = |aside: &[&str]| {
        let (folder, checkpoints) = saved(&[4], 3);
        let step = folder.path().join("step-00000004");
        let content = ["model.safetensors", OPTIMIZER, STATE, "checksums.json"];
        for name in aside {
            let aside = folder.path().join(name);
            fs::create_dir(&aside).expect("a folder");
            for file in content {
                fs::copy(step.join(file), aside.join(file)).expect("copied");
            }
        }
        (folder, checkpoints, step)
    };
    let (partial, replaced) = (".step-00000004.partial", ".step-00000004.replaced");
    for (aside, is_damaged, from) in [
        (vec![partial, replaced], false, partial),
        (vec![replaced], false, replaced),
        (vec![partial, replaced], true, replaced),
    ] {
        let (folder, checkpoints, step) = whole_and_aside(&aside);
        fs::remove_dir_all(&step).expect("removed");
        if is_damaged {
            fs::remove_file(folder.path().join(partial).join(STATE)).expect("removed");
        }

        let loaded = latest(&checkpoints);
        checkpoints.settle(Some(&loaded.path)).expect("settled");

        assert_eq!(loaded.checkpoint, checkpoint(4));
        assert_eq!(loaded.path, folder.path().join(from));
        let notices: Vec<_> = loaded.notices().collect();
        assert!(notices.len() == 1 && notices[0].contains("left aside by a crash"));
        assert_eq!(names(&folder), ["step-00000004"]);
        assert_eq!(latest(&checkpoints).checkpoint, checkpoint(4));
    }
    let (folder, checkpoints, step) = whole_and_aside(&[partial, replaced]);
    let loaded = latest(&checkpoints);
    checkpoints.settle(Some(&loaded.path)).expect("settled");
    assert!(loaded.path == step && loaded.notices().next().is_none());
    assert_eq!(names(&folder), ["step-00000004"]);
}

fn broken() -> TrainerError {
    TrainerError::NothingToEvaluate
}
