//! A demonstration of a user's own clips.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{SMALL, Shapes, lines, printed, refused, run, text};

const LISTS: [&str; 3] = ["train.csv", "val.csv", "test.csv"];

/// Own clips with captions beside them: the rendered ones to measure with, one of them twice, one that is broken, and
/// one without a caption.
fn write_own_clips(shapes: &Shapes, folder: &Path) -> usize {
    let list = &shapes.files.test.pairs;
    let pairs = fs::read_to_string(list).unwrap();
    let pairs: Vec<_> = pairs.lines().skip(1).collect();
    fs::create_dir(folder).unwrap();
    let last = pairs.len();
    for (number, pair) in pairs.iter().chain([&pairs[0]]).enumerate() {
        let (clip, caption) = pair.split_once(',').unwrap();
        let own = folder.join(format!("{number:03}.gif"));
        fs::copy(list.parent().unwrap().join(clip), &own).unwrap();
        fs::write(
            own.with_extension("txt"),
            format!("{caption}. And 1.5 more."),
        )
        .unwrap();
    }
    fs::write(folder.join("broken.gif"), "not an image").unwrap();
    fs::write(folder.join("broken.txt"), "nothing is seen").unwrap();
    fs::copy(folder.join("000.gif"), folder.join("silent.gif")).unwrap();
    last
}

#[test]
fn a_demonstration_of_own_clips_splits_trains_measures_and_indexes_them_once() {
    let shapes = Shapes::render();
    let (own, out) = (shapes.path("own"), shapes.path("out"));
    let last = write_own_clips(&shapes, &own);
    let words = format!(
        "demo --data {} --out {} {SMALL} batch_size=16 epochs=1",
        own.display(),
        out.display()
    );
    let lists = || LISTS.map(|list| fs::read_to_string(out.join(list)).unwrap());

    let first = printed(&words);
    let before = (lists(), lines(&out.join("run/metrics.jsonl")));
    let report = fs::read_to_string(out.join("report.json")).unwrap();
    let second = printed(&words);

    let clips: usize = before.0.iter().map(|list| list.lines().count() - 1).sum();
    // Each with its caption, and the broken one.
    assert_eq!(clips, last + 2, "{:?}", before.0);
    let holds = |clip: usize| {
        let name = format!("{clip:03}.gif");
        before
            .0
            .iter()
            .position(|list| list.contains(&name))
            .unwrap()
    };
    assert_eq!(holds(0), holds(last));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let retrieval = report["retrieval"].as_array().unwrap();
    assert_eq!(retrieval.len(), 2);
    let [low, high] = [0, 1].map(|bound| retrieval[0]["recall_intervals"][2][bound].as_f64());
    let found = retrieval[0]["metrics"]["recall_at_10"].as_f64();
    assert!(low < high && low <= found && found <= high, "{retrieval:?}");
    let queries = report["queries"].as_array().unwrap();
    let measured = retrieval[0]["metrics"]["candidates"].as_u64().unwrap();
    assert_eq!(queries.len() as u64, measured.min(5));
    for query in queries {
        // The first sentence of a caption.
        assert!(!query["text"].as_str().unwrap().contains("1.5"), "{query}");
    }
    assert!(
        report["skipped"].to_string().contains("silent.gif"),
        "{report}"
    );
    for part in ["R@10, zero-shot, text to video", "95 % interval", " to "] {
        assert!(first.contains(part), "{first}");
    }
    let (_, next) = first.split_once("to try next:\n").unwrap();
    let commands: Vec<_> = next.lines().map(str::trim).collect();
    let [search, like, ask, index, serve] = commands[..] else {
        panic!("{commands:?}");
    };
    assert!(serve.contains("serve --index"), "{serve}");
    for line in [search, like, ask, index] {
        let words = line
            .split('\'')
            .enumerate()
            .flat_map(|(part, text)| match part % 2 {
                0 => text.split_whitespace().map(str::to_owned).collect(),
                _ => vec![text.to_owned()],
            });
        let words: Vec<String> = words.collect();
        let output = Command::new(&words[0]).args(&words[1..]).output().unwrap();
        assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    }

    // Nothing was done twice, and nothing came out otherwise.
    assert_eq!((lists(), lines(&out.join("run/metrics.jsonl"))), before);
    assert!(second.contains(next), "{second}");
    // Lists that are given stay as they are, and one clip that is in two of them is told.
    let given = shapes.path("given");
    fs::create_dir(&given).unwrap();
    let [train, validation, test] = &before.0;
    let both = train.lines().nth(1).unwrap();
    let test = format!("{test}{both}\n");
    for (list, rows) in LISTS.iter().zip([train, validation, &test]) {
        fs::write(given.join(list), rows).unwrap();
    }
    let split = run(&format!(
        "demo --data {} --out {} {SMALL} batch_size=16 epochs=1",
        given.display(),
        shapes.path("again").display()
    ));
    let (found, said) = (text(&split.stdout), text(&split.stderr));
    assert!(
        split.status.success() && found.contains("R@10"),
        "{found}{said}"
    );
    let warning = format!(
        " 1 of {} test clips are also in `train`",
        test.lines().count() - 1
    );
    assert!(said.contains(&warning), "{said}");
    assert!(!said.contains("in `val`"), "{said}");
    let again = fs::read_to_string(shapes.path("again/test.csv")).unwrap();
    assert_eq!(again, test);
}

#[test]
fn own_clips_that_are_too_few_or_half_split_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..9).map(|clip| format!("{clip}.mp4,a clip\n")).collect();
    let train = folder.path().join("train.csv");
    fs::write(&train, format!("path,caption\n{rows}")).unwrap();
    let out = folder.path().join("out");
    let demo = |data: &Path| {
        let words = format!("demo --data {} --out {}", data.display(), out.display());
        refused(&words).0
    };

    let few = demo(&train);
    let half = demo(folder.path());

    assert!(
        few.contains("has 9 clips") && few.contains("30 are needed"),
        "{few}"
    );
    assert!(half.contains("lacks val.csv"), "{half}");
    assert!(!out.join("train.csv").exists());
}

#[test]
fn a_list_of_the_user_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("train.csv");
    let rows: String = (0..300)
        .map(|clip| format!("{clip}.mp4,a clip\n"))
        .collect();
    let rows = format!("path,caption\n{rows}");
    fs::write(&list, &rows).unwrap();
    let words = format!(
        "demo --data {} --out {}",
        list.display(),
        folder.path().display()
    );

    let (said, _) = refused(&words);

    assert!(
        said.contains("train.csv") && said.contains("not written over"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&list).unwrap(), rows);
}
