//! Pre-training on real videos, good and broken, where the folder of test videos is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clover_trainer::recipe::PretrainingRecipe;

use crate::small_run::{SmallData, recipe, run};

/// Files that are damaged.
const BROKEN: [&str; 3] = [
    "decoder_hang.mp4",
    "libwebm__invalid_vp9_bitstream-bug_1416.webm",
    "mp4parse__no_timescale.mp4",
];

#[test]
fn real_videos_are_trained_on_and_the_broken_ones_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/videos");
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no test videos in {}", folder.display());
        return;
    };
    let data = SmallData::rendered(1);
    let mut manifest = "path,caption\n".to_owned();
    // Randomness goes by the row, so rows are in an order of their own.
    let files: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    for path in files {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path
            .extension()
            .is_some_and(|extension| extension != "md" && extension != "json")
        {
            let words = name.replace(['_', '-'], " ");
            manifest += &format!("{},a clip of {words}\n", path.display());
        }
    }
    fs::write(&data.files.train, manifest).unwrap();
    let recipe = PretrainingRecipe {
        batch_size: 2,
        epochs: 1,
        max_failed_share: 1.0,
        ..recipe()
    };

    let (summary, _) = run(&data.plan(recipe, "run")).unwrap();

    let file_name = |name: &str| {
        let name = Path::new(name).file_name();
        name.map(|name| name.to_string_lossy().into_owned())
    };
    let skipped: BTreeSet<String> = summary
        .skipped
        .iter()
        .filter_map(|item| file_name(&item.name))
        .collect();
    let mut broken = BTreeSet::from(BROKEN.map(str::to_owned));
    if !cfg!(feature = "ffmpeg") {
        broken.insert("mmaction2__test.avi".to_owned());
    }
    assert_eq!(skipped, broken);
    assert!(summary.finished && summary.metrics.len() >= 2);
}
