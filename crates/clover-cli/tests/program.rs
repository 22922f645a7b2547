//! The program as a user meets it: a process with its output and its exit status.

#![cfg(test)]
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

#[cfg(feature = "flex")]
mod clip;
mod own_clips;

use clover_data::files::FolderLock;
use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, write_benchmark};
use tempfile::TempDir;

/// Keys of the smallest run.
const SMALL: &str = "preset=nano frames=4 image_size=28 text_len=16 batch_size=4 epochs=2 workers=1 \
                     validate_every=1000 checkpoint_every=1000";

fn clover(words: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clover"));
    command.args(words.split_whitespace());
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn run(words: &str) -> Output {
    clover(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command that succeeds prints.
fn printed(words: &str) -> String {
    let output = run(words);
    assert!(output.status.success(), "{words}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What a command that succeeds says about its work, and not as its result.
fn told(words: &str) -> String {
    let output = run(words);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{words}: {said}");
    said
}

/// What a command that fails says, and its status.
fn refused(words: &str) -> (String, i32) {
    let output = run(words);
    assert!(
        !output.status.success(),
        "{words}: {}",
        text(&output.stdout)
    );
    (text(&output.stderr), output.status.code().unwrap())
}

/// A folder with rendered clips, their captions and questions.
struct Shapes {
    folder: TempDir,
    files: BenchmarkFiles,
}

impl Shapes {
    fn render() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = BenchmarkConfig::one_shape(16, 0.25);
        let files = write_benchmark(&config, folder.path(), |_, _| ()).unwrap();
        Self { folder, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The words that pre-train into a folder.
    fn pretrain(&self, out: &str) -> String {
        format!(
            "pretrain --data {} --vocab {} --out {} {SMALL}",
            self.files.train.pairs.display(),
            self.files.vocabulary.display(),
            self.path(out).display()
        )
    }
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap().lines().count()
}

#[test]
fn a_run_goes_on_from_its_folder_alone_and_its_bundle_suits_the_tasks() {
    let shapes = Shapes::render();
    let (run, tuned) = (shapes.path("run"), shapes.path("tuned"));
    let questions = |split: &clover_synthetic::SplitFiles| split.open_ended.display().to_string();
    let clips = shapes.files.clips.display();

    printed(&format!("{} --max-steps 2", shapes.pretrain("run")));
    let last = printed(&format!(
        "pretrain --out {} --resume --max-steps 3",
        run.display()
    ));
    assert!(last.contains("--resume` goes on"), "{last}");
    assert_eq!(lines(&run.join("metrics.jsonl")), 3);
    let done = printed(&format!(
        "pretrain --out {} --resume workers=2",
        run.display()
    ));
    assert!(done.contains("done"), "{done}");

    // Four frames were trained with: nothing needs to be said of them again, nor of the bundle's folder.
    printed(&format!(
        "finetune open-ended-custom --data {} --videos {clips} --bundle {} --out {} --max-steps 1 \
         epochs=1 batch_size=8 workers=1",
        questions(&shapes.files.train),
        run.display(),
        tuned.display()
    ));
    printed(&format!(
        "finetune --out {} --resume --max-steps 2",
        tuned.display()
    ));
    assert_eq!(lines(&tuned.join("metrics.jsonl")), 2);
    let evaluate = format!(
        "evaluate open-ended-custom --data {} --videos {clips} --bundle {} --out {}",
        questions(&shapes.files.test),
        tuned.display(),
        shapes.path("measured").display()
    );
    let measured = printed(&evaluate);
    assert!(measured.contains('%'), "{measured}");
    // Once more, for programs; another evaluation does not take the place of its results unasked.
    let json = printed(&format!("{evaluate} --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["evaluation"]["metrics"].is_object(), "{json}");
    let (another, _) = refused(&format!("{evaluate} seed=7"));
    assert!(another.contains("another evaluation"), "{another}");
    printed(&format!("{evaluate} --overwrite seed=7"));

    let (other, _) = refused(&format!("finetune --out {} --resume", run.display()));
    assert!(other.contains("`clover pretrain --resume`"), "{other}");
    let empty = shapes.path("empty");
    let (nothing, _) = refused(&format!("pretrain --out {} --resume", empty.display()));
    assert!(nothing.contains("--data must be given"), "{nothing}");
    assert!(!empty.exists());
}

#[test]
fn quiet_runs_say_nothing_and_verbose_ones_every_step() {
    let shapes = Shapes::render();

    let quiet = run(&format!(
        "{} --max-steps 1 --quiet",
        shapes.pretrain("quiet")
    ));
    let verbose = told(&format!("{} --max-steps 2 -v", shapes.pretrain("verbose")));
    let usual = told(&format!("{} --max-steps 2", shapes.pretrain("usual")));

    assert_eq!(text(&quiet.stdout) + &text(&quiet.stderr), "");
    for part in ["step 1: loss", "step 2: loss", "|g|", "saved "] {
        assert!(verbose.contains(part), "{verbose}");
    }
    let step = usual.lines().find(|line| line.starts_with("step 1/2 "));
    let step = step.unwrap_or_else(|| panic!("no line of progress: {usual}"));
    assert!(step.len() <= 80 && step.contains("left"), "{step}");
    assert!(!usual.contains("warning"), "{usual}");
    let cut = told(&format!(
        "{} --max-steps 1 text_len=4",
        shapes.pretrain("cut")
    ));
    let warning = cut.lines().find(|line| line.starts_with("warning: "));
    assert!(
        warning.is_some_and(|line| line.contains("text_len = 4")),
        "{cut}"
    );
    // Results are no notes.
    assert!(printed("recipe list --quiet").contains("pretrain"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_ends_with_status_130_and_says_how_to_go_on() {
    let shapes = Shapes::render();
    let words = shapes.pretrain("run") + " epochs=1000";
    let started = clover(&words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut run = started.unwrap();
    let metrics = shapes.path("run/metrics.jsonl");
    let begun = Instant::now();
    while !fs::read_to_string(&metrics).is_ok_and(|lines| lines.contains('\n')) {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "no step was made"
        );
        std::thread::sleep(Duration::from_millis(20));
    }

    let signal = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status();
    assert!(signal.unwrap().success());
    let status = run.wait().unwrap();

    let mut said = String::new();
    run.stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("--resume` goes on"), "{said}");
    assert!(shapes.path("run/bundle/config.json").is_file());
}

#[cfg(unix)]
#[test]
fn a_server_answers_until_it_is_told_to_end_and_then_ends_well() {
    let shapes = Shapes::render();
    let [run, index] = ["run", "index"].map(|name| shapes.path(name).display().to_string());
    printed(&shapes.pretrain("run"));
    let clips = shapes.files.clips.display();
    printed(&format!("index {clips} --index {index} --bundle {run}"));
    let serve = format!("serve --index {index} --listen");

    let (open, _) = refused(&format!("{serve} 0.0.0.0:0"));
    let server = clover(&format!("{serve} 127.0.0.1:0"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut server = server.unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    let (_, address) = line.split_once("http://").unwrap();
    let address = address.split('/').next().unwrap();
    let body = r#"{"text": "a red circle"}"#;
    let request = format!(
        "POST /api/v1/search HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(request.as_bytes()).unwrap();
    connection.read_to_string(&mut answer).unwrap();
    let signal = Command::new("kill")
        .args(["-TERM", &server.id().to_string()])
        .status();
    assert!(signal.unwrap().success());
    let status = server.wait().unwrap();

    assert!(open.contains("--token-file"), "{open}");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("moments"),
        "{answer}"
    );
    assert_eq!(status.code(), Some(0));
    let mut log = String::new();
    server
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut log)
        .unwrap();
    assert!(
        log.contains("request_id=") && log.contains("status=200"),
        "{log}"
    );
    // What is looked for is nobody's business.
    assert!(!log.contains("red circle"), "{log}");
}

#[test]
fn a_check_fails_where_training_would_stop() {
    let shapes = Shapes::render();
    fs::write(shapes.path("clips/000/000003.gif"), "not an image").unwrap();
    let check = |options: &str| {
        let words = format!("check-data {} {options}", shapes.files.clips.display());
        let output = clover(&words).output().unwrap();
        let said = [text(&output.stdout), text(&output.stderr)].concat();
        (output.status.code(), said)
    };

    let (code, said) = check("");
    assert_eq!(code, Some(0), "{said}");
    let found = "training skips these 1 of 128 clips (0.78 %), within max_failed_share = 0.1";
    assert!(said.contains(found), "{said}");
    for options in ["--strict", "--max-failed-share 0.004"] {
        let (code, said) = check(options);
        assert_eq!(code, Some(1), "{options}: {said}");
        assert!(
            said.contains("1 of 128 clips (0.78 %) are broken"),
            "{said}"
        );
    }
}

#[test]
fn two_demonstrations_and_two_comparisons_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _lock = FolderLock::take(folder.path()).unwrap();
    for command in ["demo --quick", "ablate --recipe ablation/rendered"] {
        let output = run(&format!("{command} --out {}", folder.path().display()));

        let said = text(&output.stderr);
        let own = format!("process {} is writing to it", std::process::id());
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(said.contains(&own), "{command}: {said}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{command}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_is_lost_is_an_error_and_a_closed_pipe_is_none() {
    let shapes = Shapes::render();
    let data = shapes.files.clips.display();
    for words in [
        "recipe show pretrain",
        "recipe list",
        "help training",
        "completions bash",
        "man",
        &format!("check-data {data} --json"),
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = clover(words).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        let said = text(&output.stderr);
        assert!(said.contains("standard output"), "{words}: {said}");

        let mut closed = clover(words).stdout(Stdio::piped()).spawn().unwrap();
        drop(closed.stdout.take());
        assert!(closed.wait().unwrap().success(), "{words}");
    }
}

#[test]
fn colours_are_left_out_where_they_are_not_wanted() {
    let coloured = clover("help-me")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .unwrap();
    let plain = clover("help-me")
        .env("CLICOLOR_FORCE", "1")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();

    assert!(coloured.stderr.contains(&0x1b));
    assert!(!plain.stderr.contains(&0x1b), "{}", text(&plain.stderr));
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_device_that_was_not_built_for_says_how_to_build() {
    let (said, status) = refused("demo --device cuda");

    assert_eq!(status, 2);
    assert!(said.contains("--features cuda"), "{said}");
    let (said, _) = refused("pretrain --data a --vocab b --out c --devices cuda:0");
    assert!(said.contains("--features cuda"), "{said}");
}

#[test]
fn misspelt_recipes_and_keys_get_the_nearest() {
    for (words, nearest) in [
        ("recipe show pretrian", "`pretrain`"),
        ("recipe show msrvtt", "`multiple-choice-msrvtt`"),
        ("recipe show pretrain lr=1e-4", "`learning_rate`"),
        ("recipe show retrieval-custom epohcs=2", "`epochs`"),
        (
            "recipe show ablation/rendered pretraining.bs=2",
            "`batch_size`",
        ),
        ("ablate open_ended.stpes=3", "`steps`"),
    ] {
        let (said, status) = refused(words);
        assert!(said.contains(nearest), "{words}: {said}");
        assert_eq!(status, 1, "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_recipe_may_lie_at_a_path_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"r\xffcipe.toml"));
    fs::write(&path, printed("recipe show pretrain")).unwrap();

    let output = clover("recipe check").arg(&path).output().unwrap();

    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn what_is_no_bundle_is_told_where_the_bundle_is() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("run/checkpoints/step-4");
    fs::create_dir_all(&checkpoint).unwrap();
    let out = folder.path().join("out/deep");
    let words = |bundle: &Path| {
        format!(
            "evaluate retrieval-custom --data a.csv --bundle {} --out {}",
            bundle.display(),
            out.display()
        )
    };

    let (said, _) = refused(&words(&checkpoint));
    assert!(
        said.contains("use ") && said.trim_end().ends_with("run/bundle"),
        "{said}"
    );
    let (said, _) = refused(&words(&folder.path().join("run")));
    assert!(said.contains("has no bundle yet"), "{said}");
    // Nothing was measured.
    assert!(!folder.path().join("out").exists());
}

#[test]
fn the_program_explains_itself() {
    let all = printed("help");
    assert!(
        all.contains("Guide, shown by") && all.contains("public-weights"),
        "{all}"
    );
    assert!(printed("help training").starts_with("# "));
    assert_eq!(printed("help index"), printed("index --help"));
    assert!(printed("help weights import").contains("--video"));
    let (said, _) = refused("help weihgts");
    assert!(said.contains("`clover help` names"), "{said}");

    assert!(printed("pretrain --help").contains("Examples:"));
    assert!(printed("completions bash").contains("complete -F _clover"));
    assert!(printed("man weights import").contains(".TH"));
    let folder = tempfile::tempdir().unwrap();
    printed(&format!("man --out {}", folder.path().display()));
    assert!(folder.path().join("clover-weights-import.1").is_file());
}

#[cfg(unix)]
#[test]
fn every_command_that_the_demonstration_prints_works_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("it's a demo");
    let demo = |quick: &[&str]| {
        let mut command = clover("demo --train-clips 64 --epochs 1 --out");
        let output = command.arg(&out).args(quick).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };

    // The second goes on from the first.
    for (output, asked) in [(demo(&["--quick"]), 1), (demo(&[]), 2)] {
        let (_, next) = output.split_once("to try next:\n").unwrap();
        let commands: Vec<_> = next.lines().map(str::trim).collect();
        assert_eq!(commands.len(), 2 + asked, "{commands:?}");
        for line in commands {
            let output = Command::new("sh").args(["-c", line]).output().unwrap();
            assert!(output.status.success(), "{line}: {}", text(&output.stderr));
            assert!(!output.stdout.is_empty(), "{line}");
        }
        assert!(out.join("report.html").exists());
    }
    for task in [
        "retrieval-custom",
        "open-ended-custom",
        "multiple-choice-custom",
    ] {
        assert!(out.join(task).join("evaluation/report.html").exists());
    }
}
