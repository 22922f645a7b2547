//! Two runs into one folder: the second is told who the first is, and touches nothing.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use clover_data::dataset::{ClipTable, PackConfig, PackFrames, Part, pack};
use clover_data::files::FolderLock;

use crate::small_run::{SmallData, recipe, run};
use crate::tasks::{SmallTask, custom_plan, tune};

/// Asserts that `work` is refused while another holds the folder, leaves it as it is, and works after.
fn assert_locked(folder: &Path, work: &dyn Fn() -> Result<(), String>) {
    let lock = FolderLock::take(folder).unwrap();

    let error = work().unwrap_err();

    let own = format!("process {} is writing to it", std::process::id());
    let name = folder.display().to_string();
    assert!(error.contains(&own) && error.contains(&name), "{error}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "only the lock");
    drop(lock);
    work().unwrap();
}

#[test]
fn two_pre_trainings_do_not_share_a_folder() {
    let data = SmallData::rendered(4);
    let plan = data.plan(recipe(), "run");

    assert_locked(&plan.folder, &|| {
        run(&plan).map(drop).map_err(|error| error.to_string())
    });
}

#[test]
fn two_fine_tunings_do_not_share_a_folder() {
    let task = SmallTask::new("open-ended-custom", &[]);
    let folder = task.data.path("run");

    assert_locked(&folder, &|| {
        let tuned = tune(&custom_plan(&task.data.path(""), &folder));
        tuned.map(drop).map_err(|error| error.to_string())
    });
}

#[test]
fn two_packings_of_one_part_do_not_share_a_folder_and_other_parts_do() {
    let data = SmallData::rendered(4);
    let table = ClipTable::open(&data.files.train, None, &|_, _| ()).unwrap();
    let folder = data.path("shards");
    let pack = |part| {
        let config = PackConfig {
            part,
            samples_per_shard: 2,
            ..PackConfig::new(PackFrames::Evenly(2))
        };
        let packed = pack(&table, &config, &folder, &|_| (), &AtomicBool::new(false));
        packed.map(drop).map_err(|error| error.to_string())
    };

    assert_locked(&folder, &|| pack(Part { index: 0, of: 1 }));
    let _whole = FolderLock::take(&folder).unwrap();
    pack(Part { index: 1, of: 2 }).unwrap();
}
