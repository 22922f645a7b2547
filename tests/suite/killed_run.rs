//! A run that is killed, not asked to stop, and then resumed ends as one that was never killed: its
//! weights, its best model, its checkpoints and its logs, byte for byte but for what the clock says.
//!
//! Real processes and real signals: nothing of a run gets to clean up.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use clover_synthetic::BenchmarkFiles;
use clover_trainer::pretrain::PretrainingPlan;
use clover_trainer::recipe::PretrainingRecipe;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::small_run::{SmallData, is_alone, recipe, run};
use crate::tasks::{SmallTask, custom_plan, tune};

/// What the process that trains is told: the folder of the data, and that of the run in it.
const ROOT: &str = "CLOVER_TEST_KILLED_ROOT";
const OUT: &str = "CLOVER_TEST_KILLED_OUT";
/// How often a run of each kind is killed at a random moment, if not so often; and it is killed at every
/// call then, not at some of them, which takes minutes.
const KILLS: &str = "CLOVER_TEST_KILLS";
const FEW_KILLS: usize = 25;
/// Of so many calls one, in turn for each of them.
const SOME_CALLS: usize = 4;
/// Clips, of which four make a step.
const CLIPS: usize = 8;
/// Calls that give a name to a file or a folder, or take it.
const CALLS: [&str; 7] = [
    "linkat",
    "rename",
    "renameat",
    "renameat2",
    "rmdir",
    "unlink",
    "unlinkat",
];
/// What the clock says, in logs and in what is copied from them.
const TIMES: [&str; 4] = [
    "data_seconds",
    "step_seconds",
    "clips_per_second",
    "seconds",
];

/// A kind of run in a test of its own.
struct Killed {
    test: &'static str,
    /// Writes what the run reads.
    data: fn() -> SmallData,
    /// Runs or resumes the run `out`.
    train: fn(root: &Path, out: &Path),
}

#[test]
fn pre_training_killed_at_random_moments_ends_as_unbroken() {
    let test = "killed_run::pre_training_killed_at_random_moments_ends_as_unbroken";
    pre_training(test).at_random_moments();
}

#[test]
fn fine_tuning_killed_at_random_moments_ends_as_unbroken() {
    let test = "killed_run::fine_tuning_killed_at_random_moments_ends_as_unbroken";
    fine_tuning(test).at_random_moments();
}

#[test]
fn pre_training_killed_at_every_renaming_and_removal_ends_as_unbroken() {
    let test = "killed_run::pre_training_killed_at_every_renaming_and_removal_ends_as_unbroken";
    pre_training(test).at_every_call();
}

#[test]
fn fine_tuning_killed_at_every_renaming_and_removal_ends_as_unbroken() {
    let test = "killed_run::fine_tuning_killed_at_every_renaming_and_removal_ends_as_unbroken";
    fine_tuning(test).at_every_call();
}

fn pre_training(test: &'static str) -> Killed {
    Killed {
        test,
        data: || SmallData::rendered(CLIPS),
        train: |root, out| {
            // A checkpoint is replaced at the end of an epoch, and the oldest is removed.
            let recipe = PretrainingRecipe {
                checkpoint_every: 1,
                keep_checkpoints: 2,
                validate_every: 1,
                learning_rate: 0.000_220_202_857_687_777_62,
                ..recipe()
            };
            let files = BenchmarkFiles::in_folder(root.join("clips"));
            run(&PretrainingPlan {
                validation: Some(files.test.pairs),
                resume: true,
                ..PretrainingPlan::new(recipe, files.train.pairs, files.vocabulary, out)
            })
            .unwrap();
        },
    }
}

fn fine_tuning(test: &'static str) -> Killed {
    Killed {
        test,
        data: || SmallTask::new("open-ended-custom", &[]).data,
        train: |root, out| {
            tune(&custom_plan(root, out)).unwrap();
        },
    }
}

impl Killed {
    /// The data and what an unbroken run leaves, in a process whose random numbers are its own; nothing
    /// where this process was started to train, or passes on to one of its own.
    fn prepare(&self) -> Option<(SmallData, Contents)> {
        if let [Some(root), Some(out)] = [ROOT, OUT].map(env::var_os) {
            (self.train)(Path::new(&root), Path::new(&out));
            return None;
        }
        if !is_alone(self.test) {
            return None;
        }
        let data = (self.data)();
        let unbroken = data.path("unbroken");
        (self.train)(&data.path(""), &unbroken);
        Some((data, contents(&unbroken)))
    }

    fn at_random_moments(&self) {
        let Some((data, expected)) = self.prepare() else {
            return;
        };
        let out = data.path("killed");
        let started = Instant::now();
        assert!(self.process(&data, None).success());
        let whole = started.elapsed();
        let kills = env::var(KILLS).map_or(FEW_KILLS, |kills| kills.parse().unwrap());
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let (mut killed, mut ended) = (0, 0);

        while killed < kills {
            let after = whole.mul_f64(rng.random_range(0.0..1.0));
            match self.process(&data, Some(after)).success() {
                false => killed += 1,
                true => {
                    assert_same(&contents(&out), &expected, "after kills");
                    fs::remove_dir_all(&out).unwrap();
                    ended += 1;
                }
            }
        }
        (self.train)(&data.path(""), &out);

        assert_same(&contents(&out), &expected, "after the last kill");
        println!("{killed} kills of a run of {whole:?}; it ended {ended} times between them");
    }

    fn at_every_call(&self) {
        let Some((data, expected)) = self.prepare() else {
            return;
        };
        let traced = Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "true"])
            .status();
        if !traced.is_ok_and(|status| status.success()) {
            println!(
                "SKIPPED {}: strace is not there, or may not trace",
                self.test
            );
            return;
        }
        let out = data.path("killed");
        let mut points = 0;

        let step = env::var(KILLS).map_or(SOME_CALLS, |_| 1);
        for (first, call) in (0..).zip(CALLS) {
            for count in (1 + first % step..).step_by(step) {
                let mut strace = Command::new("strace");
                strace
                    .args(["-f", "-qq", "-o", "/dev/null"])
                    .args(["-e", &format!("trace={call}")])
                    .args(["-e", &format!("inject={call}:signal=SIGKILL:when={count}")])
                    .arg(env::current_exe().unwrap());
                let ended = self.run(strace, &data, None).success();
                if !ended {
                    points += 1;
                    (self.train)(&data.path(""), &out);
                }
                assert_same(&contents(&out), &expected, &format!("{call} {count}"));
                fs::remove_dir_all(&out).unwrap();
                if ended {
                    break;
                }
            }
        }

        println!("killed at each of {points} renamings and removals");
        assert!(points * step > 40, "{points}");
    }

    /// Trains into `killed` in a process of its own, which is killed after a while, or not.
    fn process(&self, data: &SmallData, killed_after: Option<Duration>) -> ExitStatus {
        self.run(
            Command::new(env::current_exe().unwrap()),
            data,
            killed_after,
        )
    }

    fn run(
        &self,
        mut run: Command,
        data: &SmallData,
        killed_after: Option<Duration>,
    ) -> ExitStatus {
        run.args([self.test, "--exact"])
            .env(ROOT, data.path(""))
            .env(OUT, data.path("killed"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut run = run.spawn().unwrap();
        if let Some(after) = killed_after {
            sleep(after);
            // It may have ended.
            let _ = run.kill();
        }
        run.wait().unwrap()
    }
}

type Contents = BTreeMap<PathBuf, Vec<u8>>;

/// Every file below a folder, without what the clock says. Checksums tell of times, too, and the lock of
/// the process.
fn contents(folder: &Path) -> Contents {
    let mut contents = Contents::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let extension = path.extension().unwrap_or_default();
            let content = match path.file_name().unwrap().to_str().unwrap() {
                "lock" | "checksums.json" => Vec::new(),
                _ if extension == "json" || extension == "jsonl" => without_times(&path),
                _ => fs::read(&path).unwrap(),
            };
            contents.insert(path.strip_prefix(folder).unwrap().to_owned(), content);
        }
    }
    contents
}

fn without_times(path: &Path) -> Vec<u8> {
    let mut text = fs::read_to_string(path).unwrap();
    for key in TIMES {
        let key = format!("\"{key}\":");
        let mut parts = text.split(&key);
        let mut timeless = parts.next().unwrap().to_owned();
        for part in parts {
            timeless.push_str(&key);
            timeless.push_str(&part[part.find([',', '}', '\n']).unwrap()..]);
        }
        text = timeless;
    }
    text.into_bytes()
}

fn assert_same(found: &Contents, expected: &Contents, when: &str) {
    let names = |contents: &Contents| contents.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{when}");
    for (name, content) in found {
        let wanted = &expected[name];
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
        assert!(
            content == wanted,
            "{when}: {} differs:\n{}\n{}",
            name.display(),
            text(content),
            text(wanted)
        );
    }
}
