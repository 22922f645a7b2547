//! `clover finetune` and `clover evaluate`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clover_data::dataset::ConvertRequest;
use clover_trainer::task_items::ItemsLocation;

use super::Keys;
use super::data::ListArguments;
use super::time;
use crate::device::DeviceName;

/// The annotation file of a split, and what goes with it.
#[derive(Args, Clone, Debug)]
pub(crate) struct AnnotationArguments {
    /// The folder that relative paths of a list start at; the list's own folder if not given.
    #[arg(long)]
    pub(crate) videos: Option<PathBuf>,
    /// The list of answers: an answer a line, or json.
    #[arg(long)]
    pub(crate) answers: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reading: ListArguments,
}

#[derive(Args, Debug)]
pub(crate) struct Finetune {
    /// The task: a shipped recipe by name (`clover recipe list`), or the path of a complete one.
    #[arg(required_unless_present = "resume")]
    task: Option<PathBuf>,
    /// The annotation file: a published one of the task, or one in the project's own form.
    #[arg(long, required_unless_present = "resume")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) annotation: AnnotationArguments,
    /// Items to choose the best model by, of the same forms as `--data`; the clips lie in the same
    /// folder.
    #[arg(long)]
    pub(crate) validation: Option<PathBuf>,
    /// The videos of the validation to keep, as `--list`.
    #[arg(long, requires = "validation")]
    pub(crate) validation_list: Option<PathBuf>,
    /// The model to start from: a bundle, or the run folder that has it.
    #[arg(long, required_unless_present = "resume")]
    pub(crate) bundle: Option<PathBuf>,
    /// Folder for checkpoints, metrics and the trained bundle.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Go on from the last checkpoint in the folder, with its recipe, lists and bundle; start where
    /// there is none.
    #[arg(long)]
    pub(crate) resume: bool,
    /// The time the run may take, such as 90s, 30m or 1h30m, instead of the recipe's epochs: it measures its first
    /// steps, and plans as many as fit, warm-up and decay included.
    #[arg(long, value_parser = time::span, conflicts_with = "max_steps")]
    pub(crate) time: Option<Duration>,
    /// Stop, with a checkpoint, after this many steps in all.
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    #[command(flatten)]
    keys: Keys,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// The task: a shipped recipe by name (`clover recipe list`), or the path of a complete one.
    pub(crate) task: PathBuf,
    /// The annotation file: a published one of the task, or one in the project's own form.
    #[arg(long)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) annotation: AnnotationArguments,
    /// What is measured; a file with several splits gives the one of this name.
    #[arg(long, default_value = "test")]
    pub(crate) split: String,
    /// The model: a bundle, or the run folder that has it.
    #[arg(long)]
    pub(crate) bundle: PathBuf,
    /// Folder for the figures, predictions and the page; an interrupted evaluation goes on in it.
    /// Usually `runs/TASK-SPLIT`.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Write over the results of another evaluation in that folder.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Print the figures as JSON, as they lie in `evaluation.json`, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also re-rank retrieval by dual softmax, which looks at all queries at once.
    #[arg(long)]
    pub(crate) dual_softmax: bool,
    /// Hold embeddings in 16 bits.
    #[arg(long)]
    pub(crate) half: bool,
    /// Also show what the answer to this question looks at: its name in `predictions.jsonl`, which may
    /// be that of several, or, where none is called so, its index there. May be given several times;
    /// the best and the worst are shown anyway.
    #[arg(long, value_name = "QUESTION")]
    pub(crate) attention: Vec<String>,
    /// Print the paper's figures beside these.
    #[arg(long)]
    pub(crate) reference: bool,
    /// Keys of the recipe to replace, each `key=value`.
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) keys: Vec<String>,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

impl AnnotationArguments {
    /// Where the items of a split are.
    pub(crate) fn location(&self, data: &Path, split: &str) -> ItemsLocation {
        self.at(data, self.reading.list.as_deref(), split)
    }

    /// The same with another list of videos.
    pub(crate) fn at(&self, data: &Path, list: Option<&Path>, split: &str) -> ItemsLocation {
        ItemsLocation {
            request: ConvertRequest {
                list: list.map(Path::to_owned),
                // The same file names the answers of a head and those behind numbers, where there are any.
                vocabulary: self.answers.clone(),
                ..self.reading.request(data)
            },
            clips: self.videos.clone(),
            split: split.to_owned(),
        }
    }
}

impl Finetune {
    /// The task, and the keys behind it. A resumed run knows its task, so that the first word may be a key.
    pub(crate) fn task_and_keys(&self) -> (Option<&Path>, Vec<String>) {
        let keys = &self.keys.0;
        let task = self.task.as_deref();
        let key = task.filter(|task| self.resume && !task.exists());
        match key.and_then(Path::to_str).filter(|key| key.contains('=')) {
            Some(key) => (None, [&[key.to_owned()], &keys[..]].concat()),
            None => (task, keys.clone()),
        }
    }
}

impl Evaluate {
    /// Where its results go.
    pub(crate) fn folder(&self) -> PathBuf {
        let usual = || format!("runs/{}-{}", task_name(&self.task), self.split).into();
        self.out.clone().unwrap_or_else(usual)
    }
}

/// What a task is called in folders and tables: the recipe's name without folders and extension.
pub(crate) fn task_name(recipe: &Path) -> String {
    let stem = recipe.file_stem().unwrap_or(recipe.as_os_str());
    stem.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn parse(line: &str) -> Command {
        Arguments::parse_from(line.split(' ')).command
    }

    #[test]
    fn a_task_is_named_before_its_files_and_keys() {
        let line = "clover finetune open-ended-msvd-qa --data train_qa.json --mapping map.txt \
                    --bundle b --out runs/x --resume epochs=2";
        let Command::Finetune(finetune) = parse(line) else {
            panic!("another command")
        };

        let (task, keys) = finetune.task_and_keys();
        assert_eq!(task, Some(Path::new("open-ended-msvd-qa")));
        assert_eq!(keys, ["epochs=2"]);
        let location = finetune.annotation.location("train.json".as_ref(), "train");
        assert_eq!(location.request.mapping, Some("map.txt".into()));
        assert_eq!(location.request.vocabulary, None);
    }

    #[test]
    fn a_resumed_run_needs_its_folder_alone() {
        let line = "clover finetune --out runs/x --resume workers=2 --epochs 3";
        let Command::Finetune(finetune) = parse(line) else {
            panic!("another command")
        };

        let expected = vec!["workers=2".to_owned(), "epochs=3".to_owned()];
        assert_eq!(finetune.task_and_keys(), (None, expected));
        for line in [
            "clover finetune --out runs/x",
            "clover pretrain --out runs/x",
        ] {
            let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
            assert!(error.to_string().contains("--data"), "{error}");
        }
    }

    #[test]
    fn the_test_split_is_measured_unless_another_is_named() {
        let line = "clover evaluate my/recipe.toml --data a.csv --bundle b --attention q1 \
                    --dual-softmax --attention 7";
        let Command::Evaluate(evaluate) = parse(line) else {
            panic!("another command")
        };

        assert_eq!(
            (evaluate.split.as_str(), evaluate.dual_softmax),
            ("test", true)
        );
        assert_eq!(evaluate.attention, ["q1", "7"]);
        assert_eq!(task_name(&evaluate.task), "recipe");
    }
}
