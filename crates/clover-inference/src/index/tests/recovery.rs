//! Updates that were broken off, and files of an index that are cut short or gone.

use super::*;

#[test]
fn an_update_that_is_broken_off_anywhere_goes_on_to_the_same_rows() {
    let folders = Folders::new();
    for number in 0..20 {
        animation(
            &folders.videos().join(format!("n{number:02}.gif")),
            1,
            number * 9,
        );
    }
    let expected = folders.anew();
    let embedder = embedder();
    for events in 0..40 {
        let _ = fs::remove_dir_all(folders.index());
        let mut writer = IndexWriter::open(&folders.index(), &settings(&embedder)).unwrap();
        let sources = [source(&mut writer, &folders.videos())];
        let mut left = events;
        let summary = writer.update(&embedder, &sources, &options(&[]), &mut |_| {
            left -= 1;
            match left < 0 {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let summary = summary.unwrap();
        assert!(summary.interrupted);
        let kept = writer.library().records().count();
        assert_eq!(kept, summary.progress.clips);
        drop(writer);

        let rest = folders.update();

        assert_eq!(rest.embedded + kept, 24);
        assert_eq!(bits(&folders.index()), expected);
    }
}

#[test]
fn a_crash_between_segment_and_journal_costs_that_commit_alone() {
    let folders = Folders::new();
    folders.update();
    let journal = folders.index().join(library::JOURNAL);
    let whole = fs::read(&journal).unwrap();
    for length in (0..whole.len()).step_by(29) {
        fs::write(&journal, &whole[..length]).unwrap();

        folders.update();

        assert_eq!(bits(&folders.index()), folders.anew(), "{length}");
    }
}

#[test]
fn a_removed_segment_is_filled_in() {
    let folders = Folders::new();
    folders.update();
    for entry in fs::read_dir(folders.index().join(SEGMENTS)).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }

    let summary = folders.update();

    assert_eq!(summary.embedded, 4);
    assert_eq!(bits(&folders.index()), folders.anew());
}
