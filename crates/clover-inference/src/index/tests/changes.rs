//! Clips that are added, replaced, renamed, copied, broken, removed or back since the last update.

use super::*;

#[test]
fn an_index_that_grew_equals_one_built_anew() {
    let folders = Folders::new();
    folders.update();
    animation(&folders.videos().join("c.gif"), 11, 77);
    animation(&folders.videos().join("a.gif"), 9, 31);

    let summary = folders.update();

    assert_eq!((summary.embedded, summary.unchanged), (2, 3));
    assert_eq!(bits(&folders.index()), folders.anew());
    let again = folders.update();
    assert_eq!((again.embedded, again.unchanged), (0, 5));
}

#[test]
fn a_renamed_or_copied_clip_is_not_embedded_again() {
    let folders = Folders::new();
    folders.update();
    fs::rename(
        folders.videos().join("more/footage.gif"),
        folders.videos().join("footage.gif"),
    )
    .unwrap();
    fs::copy(
        folders.videos().join("a.gif"),
        folders.videos().join("copy.gif"),
    )
    .unwrap();

    let summary = folders.update();

    assert_eq!((summary.embedded, summary.known, summary.gone), (0, 2, 1));
    assert_eq!(bits(&folders.index()), folders.anew());
}

#[test]
fn two_new_files_of_one_content_are_embedded_once_and_broken_together() {
    let folders = Folders::new();
    fs::copy(
        folders.videos().join("a.gif"),
        folders.videos().join("z.gif"),
    )
    .unwrap();
    fs::write(folders.videos().join("x.mp4"), "no video").unwrap();
    fs::write(folders.videos().join("y.mp4"), "no video").unwrap();

    let summary = folders.update();

    assert_eq!((summary.embedded, summary.known, summary.broken), (4, 1, 2));
    let index = VideoIndex::open(&folders.index()).unwrap();
    let faults: Vec<_> = index
        .library()
        .records()
        .filter_map(|record| Some((&*record.key.path, record.fault.as_deref()?)))
        .collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults
            .iter()
            .all(|(path, fault)| path.ends_with(".mp4") && !fault.is_empty())
    );
    // Broken clips are not tried again until they change.
    assert_eq!(folders.update().unchanged, 7);
    animation(&folders.videos().join("x.mp4"), 1, 3);
    assert_eq!(folders.update().embedded, 1);
}

#[test]
fn clips_that_are_gone_are_not_found_and_compacting_drops_their_rows() {
    let folders = Folders::new();
    folders.update();
    fs::remove_file(folders.videos().join("more/footage.gif")).unwrap();
    let summary = folders.update();
    assert_eq!(summary.gone, 1);
    let expected = folders.anew();
    assert_eq!(bits(&folders.index()), expected);
    assert_eq!(VideoIndex::open(&folders.index()).unwrap().rows(), 9);

    let embedder = embedder();
    let mut writer = IndexWriter::open(&folders.index(), &settings(&embedder)).unwrap();
    writer.compact().unwrap();
    drop(writer);

    assert_eq!(bits(&folders.index()), expected);
    assert_eq!(VideoIndex::open(&folders.index()).unwrap().rows(), 3);
    animation(&folders.videos().join("d.gif"), 2, 99);
    folders.update();
    assert_eq!(bits(&folders.index()), folders.anew());
}

#[test]
fn a_clip_that_comes_back_is_known() {
    let folders = Folders::new();
    folders.update();
    let (here, away) = (
        folders.videos().join("a.gif"),
        folders.root.path().join("a.gif"),
    );
    fs::rename(&here, &away).unwrap();
    assert_eq!(folders.update().gone, 1);
    fs::rename(&away, &here).unwrap();

    let summary = folders.update();

    assert_eq!((summary.embedded, summary.known), (0, 1));
}

#[test]
fn a_clip_that_vanished_is_named_and_read_once_it_is_there() {
    let folders = Folders::new();
    let list = folders.videos().join("list.jsonl");
    let lines = [
        r#"{"video": "a.gif", "caption": "one"}"#,
        r#"{"video": "late.gif", "caption": "two"}"#,
    ];
    fs::write(&list, lines.join("\n")).unwrap();

    let before = update(&folders.index(), &list);
    let again = update(&folders.index(), &list);
    animation(&folders.videos().join("late.gif"), 1, 8);
    let after = update(&folders.index(), &list);

    assert_eq!((before.embedded, before.broken), (1, 1));
    assert_eq!((again.embedded, again.broken, again.unchanged), (0, 1, 1));
    assert_eq!((after.embedded, after.broken, after.unchanged), (1, 0, 1));
}
