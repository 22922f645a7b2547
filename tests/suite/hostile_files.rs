//! Files that are none, and files without an end: refused by name, in no time and no memory.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clover_data::check::{CheckConfig, CheckedFrames, check};
use clover_data::dataset::{AnswerVocabulary, ClipTable};
use clover_data::text::Tokenizer;
use clover_data::video::DecodeLimits;
use clover_inference::bundle_checksum;
use clover_model::weights::WeightFile;
use clover_trainer::recipe::{PretrainingRecipe, Recipe};

use crate::small_run::is_alone;

/// A reader that waits for a pipe waits for ever.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What `work` gives, if it does not wait for ever.
fn in_time<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    ended
        .recv_timeout(TIMEOUT)
        .unwrap_or_else(|_| panic!("{what} hangs"))
}

fn pipe(path: PathBuf) -> PathBuf {
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    path
}

/// What opening a path as each kind of file that a user names says.
fn refusals(path: &Path) -> [(&'static str, String); 6] {
    let text = |error: &dyn std::error::Error| {
        let cause = error.source().map(ToString::to_string);
        format!("{error}: {}", cause.unwrap_or_default())
    };
    let (vocabulary, list, answers, weights, recipe, bundle) = (
        Tokenizer::read(path).unwrap_err(),
        ClipTable::open(path, None, &|_, _| ()).unwrap_err(),
        AnswerVocabulary::read(path).unwrap_err(),
        WeightFile::open(path).unwrap_err(),
        PretrainingRecipe::open(path).unwrap_err(),
        bundle_checksum(path.parent().unwrap()).unwrap_err(),
    );
    [
        ("vocabulary", text(&vocabulary)),
        ("list", text(&list)),
        ("answers", text(&answers)),
        ("weights", text(&weights)),
        ("recipe", text(&recipe)),
        ("bundle", text(&bundle)),
    ]
}

#[test]
fn pipes_and_devices_are_refused_wherever_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = pipe(folder.path().join("config.json"));

    for path in [fifo, PathBuf::from("/dev/zero")] {
        let name = path.display().to_string();
        let said = in_time(&name, move || refusals(&path));

        for (kind, message) in said {
            assert!(!message.is_empty(), "{kind} {name}");
        }
    }
}

#[test]
fn a_pipe_among_videos_is_a_broken_one() {
    let folder = tempfile::tempdir().unwrap();
    pipe(folder.path().join("x.mp4"));
    let path = folder.path().to_owned();

    let report = in_time("checking", move || {
        let files = ClipTable::of_folder(&path).unwrap();
        let config = CheckConfig {
            limits: DecodeLimits::default(),
            frames: CheckedFrames::Three,
            threads: 1,
        };
        check(&files, &config, &mut |_| ControlFlow::Continue(())).unwrap()
    });

    assert_eq!(report.broken.len(), 1);
    let reason = &report.broken[0].reason;
    assert!(reason.contains("not a regular file"), "{reason}");
}

#[test]
fn a_line_without_an_end_is_named_and_takes_no_memory() {
    // Other tests take memory, too.
    if !is_alone("hostile_files::a_line_without_an_end_is_named_and_takes_no_memory") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Zeros that take no room on the disk.
    const BYTES: u64 = 3 << 30;
    for (name, start) in [
        ("pairs.csv", "path,caption\na.gif,\"a cat"),
        ("plain.csv", "path,caption\na.gif,a cat"),
        (
            "pairs.jsonl",
            "{\"path\":\"a.gif\",\"caption\":\"b\"}\n{\"path\":\"",
        ),
        ("one.jsonl", "{\"path\":\""),
        ("list.json", "[{\"path\":\""),
        ("number.json", "[1"),
    ] {
        let path = folder.path().join(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(start.as_bytes()).unwrap();
        file.set_len(BYTES).unwrap();
        file.seek(SeekFrom::End(0)).unwrap();
        let before = peak_memory();

        let opened = in_time(name, {
            let path = path.clone();
            move || ClipTable::open(&path, None, &|_, _| ())
        });

        let said = match opened {
            Ok(table) => format!("{:?}", table.skipped()),
            Err(error) => format!("{error:?}"),
        };
        assert!(said.contains(name), "{said}");
        println!("{name}: {}", &said[..said.len().min(300)]);
        let grown = peak_memory() - before;
        assert!(grown < 200 << 10, "{name}: {grown} KiB");
        fs::remove_file(path).unwrap();
    }
}

/// The most memory of this process so far, in KiB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0, |number| number.parse().unwrap())
}
