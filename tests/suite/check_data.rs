//! Checking a folder of real videos, where it is there, against what another decoder says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use clover_data::check::{CheckConfig, CheckedFrames, check};
use clover_data::dataset::ClipTable;
use clover_data::video::DecodeLimits;

/// Levels of 255 that the mean colour of a frame may differ by: colour conversion differs by library.
const COLOUR: f64 = 3.0;

/// Files that no decoder reads to their end.
const DAMAGED: [&str; 4] = [
    "decoder_hang.mp4",
    "decord__corrupted.mp4",
    "libwebm__invalid_vp9_bitstream-bug_1416.webm",
    "mp4parse__no_timescale.mp4",
];

fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap();
    name.to_string_lossy().into_owned()
}

#[test]
fn a_folder_of_real_videos_is_read_as_another_decoder_reads_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/videos");
    let Ok(text) = std::fs::read_to_string(folder.join("reference.json")) else {
        println!("SKIPPED: no test videos in {}", folder.display());
        return;
    };
    let reference: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let config = CheckConfig {
        limits: DecodeLimits::default(),
        frames: CheckedFrames::Three,
        threads: 2,
    };
    let mut facts = BTreeMap::new();

    let files = ClipTable::of_folder(&folder).unwrap();
    let report = check(&files, &config, &mut |progress| {
        let read = progress
            .facts
            .map(|facts| (file_name(&facts.name), facts.clone()));
        facts.extend(read);
        ControlFlow::Continue(())
    });
    let report = report.unwrap();

    let mut unreadable = BTreeSet::from(DAMAGED.map(str::to_owned));
    if !cfg!(feature = "ffmpeg") {
        unreadable.insert("mmaction2__test.avi".to_owned());
    }
    let broken = report.broken.iter().map(|item| file_name(&item.name));
    assert_eq!(broken.collect::<BTreeSet<_>>(), unreadable);
    for (name, found) in &facts {
        let wanted = &reference[name];
        let frames = wanted["decoded_frames"].as_u64().unwrap() as usize;
        assert!(
            found.frames.abs_diff(frames) <= 1,
            "{name}: {}",
            found.frames
        );
        for (mean, key) in found.mean_rgb.iter().zip(["first", "middle", "last"]) {
            for (channel, level) in mean.iter().enumerate() {
                let wanted = wanted["mean_rgb"][key][channel].as_f64().unwrap();
                assert!(
                    (level - wanted).abs() < COLOUR,
                    "{name} {key}: {level} {wanted}"
                );
            }
        }
    }
}
