//! `clover index` as it is typed, on a few small clips.

use super::*;
use crate::arguments::{Arguments, Command};
use burn::backend::Autodiff;
use burn_flex::Flex;
use clap::Parser;

/// Runs a command line in a folder; words that begin with @ are paths in it.
fn index(folder: &Path, words: &[&str], interrupt: &Interrupt) -> Result<()> {
    let path = |word: &&str| match word.strip_prefix('@') {
        Some(name) => folder.join(name).display().to_string(),
        None => (*word).to_owned(),
    };
    let line = ["clover", "index", "--index", "@index/"]
        .iter()
        .chain(words)
        .map(path);
    let Command::Index(arguments) = Arguments::parse_from(line).command else {
        panic!("another command")
    };
    Indexing::new(*arguments, interrupt.clone())?.run::<Autodiff<Flex>>(Default::default())
}

fn opened(folder: &Path) -> VideoIndex {
    VideoIndex::open(&folder.join("index")).unwrap()
}

#[test]
fn an_index_is_made_kept_up_to_date_compacted_and_built_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, on) = (folder.path(), Interrupt::default());
    let clips = super::super::bundle_folder::small::write(folder, None);
    let videos = clips[0].parent().unwrap().display().to_string();
    let made = ["--bundle", "@bundle", &videos, "--window", "0.2s"];

    index(folder, &made, &on).unwrap();
    let rows = opened(folder).rows();
    fs::remove_file(&clips[0]).unwrap();
    // What is not given is as the index has it.
    index(folder, &["--compact"], &on).unwrap();

    assert!(rows > 3 && opened(folder).rows() < rows);
    assert_eq!(opened(folder).library().records().len(), 2);
    let error = index(folder, &["--window", "0.4s"], &on).unwrap_err();
    assert!(error.to_string().contains("--rebuild"), "{error}");
    // A rebuilding that was broken off, and then wanted otherwise.
    fs::create_dir_all(folder.join("index.rebuilt/segments")).unwrap();
    fs::copy(
        folder.join("index/index.toml"),
        folder.join("index.rebuilt/index.toml"),
    )
    .unwrap();
    let again = ["--window", "0.4s", "--rebuild", "--approximate"];
    index(folder, &again, &on).unwrap();
    assert!(!beside(&folder.join("index"), "rebuilt").exists());
    let mut index = opened(folder);
    assert_eq!(index.read_inverted_file().unwrap().unwrap().later_rows(), 0);
    let lists = status::lines(&index)[2].clone();
    assert!(
        lists.starts_with("approximate search looks into"),
        "{lists}"
    );
    assert_eq!(opened(folder).settings().windows.window_ms, 400);
    assert!(!beside(&folder.join("index"), "old").exists());
    let status = status::lines(&opened(folder));
    assert!(
        status[0].contains("2 clips") && status[1].contains("0.4 s every 0.2 s"),
        "{status:?}"
    );
}

#[test]
fn an_index_of_broken_clips_alone_is_refused_and_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, on) = (folder.path(), Interrupt::default());
    let clips = super::super::bundle_folder::small::write(folder, None);
    let videos = clips[0].parent().unwrap().display().to_string();
    let name = clips[0].file_name().unwrap().to_string_lossy();
    let pairs = format!("path,caption\n{name},a circle\n");
    fs::write(folder.join("pairs.csv"), pairs).unwrap();
    let made = ["--bundle", "@bundle", "@pairs.csv"];

    let error = index(folder, &made, &on).unwrap_err().to_string();
    let elsewhere = [&made[..], &["--videos", &videos]].concat();
    index(folder, &elsewhere, &on).unwrap();

    assert!(
        error.starts_with("no clip could be read: 1 with faults; looked in "),
        "{error}"
    );
    assert_eq!(opened(folder).library().records().len(), 1);
}

#[test]
fn what_is_missing_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, on) = (folder.path(), Interrupt::default());
    super::super::bundle_folder::small::write(folder, None);
    let refused = |words: &[&str]| format!("{:#}", index(folder, words, &on).unwrap_err());

    assert!(refused(&["@gone"]).contains("--bundle"));
    assert!(refused(&["--bundle", "@bundle"]).contains("name the folders"));
    assert!(refused(&["--bundle", "@bundle", "@gone"]).contains("gone: cannot be found"));
    assert!(!folder.join("index").exists());
}

#[test]
fn an_interrupt_ends_following_and_keeps_what_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, stop) = (folder.path(), Interrupt::default());
    let clips = super::super::bundle_folder::small::write(folder, None);
    let videos = clips[0].parent().unwrap().display().to_string();
    let words = [
        "--bundle", "@bundle", &videos, "--follow", "--every", "0.2s",
    ];

    thread::scope(|scope| {
        let following = scope.spawn(|| index(folder, &words, &stop));
        let indexed = |clips| {
            let count = || {
                VideoIndex::open(&folder.join("index"))
                    .map_or(0, |index| index.library().records().len())
            };
            // A test that never ends says less than one that fails.
            (0..600).any(|_| {
                thread::sleep(PAUSE);
                count() == clips
            })
        };
        assert!(indexed(3));
        fs::copy(&clips[0], clips[0].with_file_name("late.gif")).unwrap();
        assert!(indexed(4));
        stop.ask();
        let ended = following.join().unwrap().unwrap_err();
        assert!(ended.is::<Interrupted>(), "{ended:#}");
    });
}

#[test]
fn faults_are_listed_by_name_on_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, on) = (folder.path(), Interrupt::default());
    let clips = super::super::bundle_folder::small::write(folder, None);
    let videos = clips[0].parent().unwrap();
    fs::write(videos.join("broken\nvideo.mp4"), "no video").unwrap();

    index(
        folder,
        &["--bundle", "@bundle", &videos.display().to_string()],
        &on,
    )
    .unwrap();

    let status = status::lines(&opened(folder));
    let fault = status.last().unwrap();
    assert!(
        fault.starts_with("broken  ") && fault.contains("broken\\nvideo.mp4: "),
        "{fault}"
    );
    assert!(
        status[0].contains("3 clips") && status[0].contains("1 broken"),
        "{status:?}"
    );
}
