use super::*;
use crate::dataset::{ShardOptions, ShardSet};
use crate::video::DecodeLimits;
use clover_synthetic::{BenchmarkConfig, write_benchmark};
use std::collections::BTreeMap;
use std::fs;

/// Eleven moving shapes, one of them gone, one no image.
fn source(folder: &Path) -> ClipTable {
    let config = BenchmarkConfig {
        size: 48,
        ..BenchmarkConfig::one_shape(11, 0.01)
    };
    let files = write_benchmark(&config, folder, |_, _| ()).unwrap();
    fs::remove_file(folder.join("clips/000/000003.gif")).unwrap();
    fs::write(folder.join("clips/000/000007.gif"), "dear reader").unwrap();
    ClipTable::open(&files.train.pairs, None, &|_, _| ()).unwrap()
}

fn config() -> PackConfig {
    PackConfig {
        short_side: 32,
        samples_per_shard: 4,
        threads: 2,
        ..PackConfig::new(PackFrames::Evenly(3))
    }
}

fn run(source: &ClipTable, config: &PackConfig, out: &Path) -> Result<PackSummary, DataError> {
    pack(source, config, out, &|_| (), &AtomicBool::new(false))
}

/// All files of a folder but those that say who writes to it.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn what_was_packed_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let out = folder.path().join("packed");

    let summary = run(&source, &config(), &out).unwrap();

    assert_eq!(
        (summary.written, summary.samples, summary.finished),
        (3, 9, true)
    );
    let given = [out.clone()];
    let set = ShardSet::open(&given, &ShardOptions::default(), &|_, _| ()).unwrap();
    assert_eq!((set.len(), set.skipped().len()), (9, 0));
    let limits = DecodeLimits::default();
    let whole: Vec<usize> = (0..11).filter(|index| ![3, 7].contains(index)).collect();
    for (packed, original) in whole.into_iter().enumerate() {
        let [packed, original] = [set.read(packed), source.read(original)].map(Result::unwrap);
        assert_eq!(packed.texts, original.texts);
        let packed = packed
            .clip
            .decode(&limits, |frames| (0..frames).collect())
            .unwrap();
        let original = original
            .clip
            .decode(&limits, |_| vec![1, 4, 6])
            .unwrap()
            .shrunk_to(32);
        assert_eq!(
            [packed.frames(), packed.height(), packed.width()],
            [3, 32, 32]
        );
        let differences = packed.pixels().iter().zip(original.pixels());
        let sum: f64 = differences.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
        // JPEG halves the resolution of colours, which shows at the edges of the shapes.
        assert!(sum / (packed.pixels().len() as f64) < 6.0, "{sum}");
    }
}

#[test]
fn broken_samples_are_named_in_the_summary_and_beside_their_shard() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let out = folder.path().join("packed");

    let summary = run(&source, &config(), &out).unwrap();

    let names: Vec<_> = summary
        .skipped
        .iter()
        .map(|item| item.name.as_str())
        .collect();
    assert!(names[0].ends_with("000003.gif") && names[1].ends_with("000007.gif"));
    assert_eq!(names.len(), 2);
    let list = fs::read_to_string(out.join("000001.skipped.jsonl")).unwrap();
    assert!(
        list.lines().count() == 1 && list.contains("is a text file"),
        "{list}"
    );
    assert!(!out.join("000002.skipped.jsonl").exists());
}

#[test]
fn a_stopped_pack_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let [whole, broken] = ["whole", "broken"].map(|name| folder.path().join(name));
    run(&source, &config(), &whole).unwrap();
    let config = PackConfig {
        threads: 1,
        ..config()
    };

    let mut runs = 0;
    loop {
        let stop = AtomicBool::new(false);
        let heard = AtomicUsize::new(0);
        let stop_after_some = |progress: PackProgress| {
            assert!(progress.samples <= progress.of && progress.of == 11);
            // Longer each time, so that it ends.
            let enough = heard.fetch_add(1, Ordering::Relaxed) >= runs;
            stop.store(enough, Ordering::Relaxed);
        };
        let summary = pack(&source, &config, &broken, &stop_after_some, &stop).unwrap();
        assert!(
            contents(&broken)
                .keys()
                .all(|name| !name.contains("partial"))
        );
        if summary.finished {
            break;
        }
        runs += 1;
    }

    assert!(runs > 2);
    assert_eq!(contents(&broken), contents(&whole));
}

#[test]
fn parts_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    run(&source, &config(), &whole).unwrap();

    let mut written = 0;
    for index in 0..2 {
        let config = PackConfig {
            part: Part { index, of: 2 },
            ..config()
        };
        let summary = run(&source, &config, &parts).unwrap();
        assert!(summary.finished);
        written += summary.written;
    }

    assert_eq!(written, 3);
    assert_eq!(contents(&parts), contents(&whole));
}

#[test]
fn a_finished_shard_is_not_written_again_and_another_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let out = folder.path().join("packed");
    run(&source, &config(), &out).unwrap();

    let again = run(&source, &config(), &out).unwrap();
    let other = PackConfig {
        quality: 50,
        ..config()
    };
    let refused = run(&source, &other, &out).unwrap_err().to_string();
    let names = (0..source.len()).rev().map(|row| (source.name(row), "it"));
    let reordered = ClipTable::of_captions(names);
    let reordered = run(&reordered, &config(), &out).unwrap_err().to_string();

    assert_eq!((again.found, again.written, again.finished), (3, 0, true));
    assert!(
        refused.ends_with("quality is 90 there, and 50 now"),
        "{refused}"
    );
    assert!(reordered.contains("names is"), "{reordered}");
}

#[test]
fn shards_can_be_packed_again_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path());
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    run(&source, &config(), &first).unwrap();
    let set = ShardSet::open(&[first], &ShardOptions::default(), &|_, _| ()).unwrap();
    let config = PackConfig {
        short_side: 16,
        ..PackConfig::new(PackFrames::Every { stride: 2, max: 5 })
    };

    let summary = run(&set.into(), &config, &second).unwrap();

    assert_eq!((summary.written, summary.samples), (1, 9));
    let set = ShardSet::open(&[second], &ShardOptions::default(), &|_, _| ()).unwrap();
    let clip = set.read(8).unwrap().clip;
    let clip = clip
        .decode(&DecodeLimits::default(), |frames| (0..frames).collect())
        .unwrap();
    assert_eq!([clip.frames(), clip.height()], [2, 16]);
}

#[test]
fn a_clip_with_several_captions_and_a_question_are_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.mp4", "b.mp4"].map(|name| folder.path().join(name)) {
        let image = image::RgbImage::new(4, 4);
        image
            .save_with_format(name, image::ImageFormat::Png)
            .unwrap();
    }
    let [captions, questions] = [
        (
            "captions.jsonl",
            r#"{"clip":"a.mp4","captions":["a cat","it sleeps"]}"#,
        ),
        (
            "questions.jsonl",
            r#"{"clip":"b.mp4","question":"what","options":["x","y"],"answer":1}"#,
        ),
    ]
    .map(|(name, line)| {
        let path = folder.path().join(name);
        fs::write(&path, line).unwrap();
        ClipTable::open(&path, None, &|_, _| ()).unwrap()
    });

    for (name, source) in [("captions", captions), ("questions", questions)] {
        let out = folder.path().join(name);
        let summary = run(&source, &config(), &out).unwrap();
        let packed = ClipTable::open(&out, None, &|_, _| ()).unwrap();

        assert_eq!(summary.samples, 1);
        assert_eq!(packed.read(0).unwrap().texts, source.texts(0));
    }
}
