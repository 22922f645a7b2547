//! A small collection of good, equal and broken clips.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

fn still(path: &Path, level: u8) {
    image::RgbImage::from_pixel(4, 2, image::Rgb([level, 0, 0]))
        .save(path)
        .unwrap();
}

fn clips(folder: &Path) -> ClipTable {
    still(&folder.join("a.png"), 10);
    still(&folder.join("b.png"), 10);
    still(&folder.join("c.png"), 20);
    fs::write(folder.join("d.png"), "no image").unwrap();
    let captions = ["a dog", "a dog", "a cat", "a bird", "a fish"];
    let names = ["a.png", "b.png", "c.png", "d.png", "e.png"];
    let paths = names.map(|name| folder.join(name));
    ClipTable::of_captions(paths.into_iter().zip(captions))
}

fn config(threads: usize) -> CheckConfig {
    CheckConfig {
        limits: DecodeLimits::default(),
        frames: CheckedFrames::Three,
        threads,
    }
}

#[test]
fn everything_is_counted_and_the_broken_named_whatever_the_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let clips = clips(folder.path());
    let mut kept = Vec::new();
    let mut run = |threads| {
        let report = check(&clips, &config(threads), &mut |progress| {
            kept.push((progress.done, progress.facts.cloned()));
            ControlFlow::Continue(())
        });
        report.unwrap()
    };

    let report = run(1);

    assert_eq!((report.clips, report.readable), (5, 3));
    let broken: Vec<PathBuf> = report
        .broken
        .iter()
        .map(|item| item.name.clone().into())
        .collect();
    assert_eq!(
        broken,
        [folder.path().join("d.png"), folder.path().join("e.png")]
    );
    assert!(report.broken[0].reason.contains("is a text file"));
    assert!((report.broken_share() - 0.4).abs() < 1e-9);
    assert_eq!((report.words.captions, report.words.different), (5, 5));
    assert_eq!(
        (report.duplicates.captions, report.duplicates.clips),
        (1, 1)
    );
    assert_eq!(report.sizes[0].value, "4 x 2");
    assert_eq!(report, run(4));
    let first = kept[0].1.as_ref().unwrap();
    assert_eq!(first.mean_rgb, [[10.0, 0.0, 0.0]]);
    assert_eq!(kept[..5], kept[5..]);
    assert_eq!((kept[4].0, &kept[4].1), (5, &None));
}

#[test]
fn rows_that_were_left_out_before_are_counted_as_broken() {
    let row = SkippedItem {
        name: "pairs.csv: line 3".to_owned(),
        reason: "it has no caption".to_owned(),
    };
    let none = ClipTable::of_captions([] as [(&Path, &str); 0]).with_skipped(vec![row.clone()]);

    let report = check(&none, &config(2), &mut |_| ControlFlow::Continue(()));

    let report = report.unwrap();
    assert_eq!((report.clips, report.broken), (1, vec![row]));
}

#[test]
fn a_check_that_is_stopped_says_what_it_has_seen() {
    let folder = tempfile::tempdir().unwrap();
    let clips = clips(folder.path());

    let report = check(
        &clips,
        &config(2),
        &mut |progress| match progress.done < 2 {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        },
    );

    assert_eq!(report.unwrap().clips, 2);
}
