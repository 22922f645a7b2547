//! `clover finetune` and `clover evaluate`.

use std::path::{Path, PathBuf};

use clap::Args;
use clover_data::dataset::ConvertRequest;
use clover_trainer::task_items::ItemsLocation;

use super::Resume;
use super::data::ListArguments;
use crate::device::DeviceName;

/// The annotation file of a split, and what goes with it.
#[derive(Args, Clone, Debug)]
pub(crate) struct AnnotationArguments {
    /// The annotation file: a published one of the task, or one in the project's own form.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// The folder of clips, if it is not the annotation file's.
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
    pub(crate) task: String,
    #[command(flatten)]
    pub(crate) annotation: AnnotationArguments,
    /// Items to choose the best model by, of the same forms as `--data`; the clips lie in the same
    /// folder.
    #[arg(long)]
    pub(crate) validation: Option<PathBuf>,
    /// The videos of the validation to keep, as `--list`.
    #[arg(long, requires = "validation")]
    pub(crate) validation_list: Option<PathBuf>,
    /// The model to start from.
    #[arg(long)]
    pub(crate) bundle: PathBuf,
    /// Folder for checkpoints, metrics and the trained bundle.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Go on from the last checkpoint in the folder, or start where there is none.
    #[arg(long, num_args = 0..=1, default_missing_value = "auto", value_name = "auto")]
    pub(crate) resume: Option<Resume>,
    /// Stop, with a checkpoint, after this many steps in all.
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    /// Keys of the recipe to replace, each `key=value`.
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) keys: Vec<String>,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

#[derive(Args, Debug)]
pub(crate) struct Evaluate {
    /// The task: a shipped recipe by name (`clover recipe list`), or the path of a complete one.
    pub(crate) task: String,
    #[command(flatten)]
    pub(crate) annotation: AnnotationArguments,
    /// What is measured; a file with several splits gives the one of this name.
    #[arg(long, default_value = "test")]
    pub(crate) split: String,
    /// The model.
    #[arg(long)]
    pub(crate) bundle: PathBuf,
    /// Folder for the figures, predictions and the page; an interrupted evaluation goes on in it.
    /// Usually `runs/TASK-SPLIT`.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
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
    pub(crate) fn location(&self, split: &str) -> ItemsLocation {
        self.at(&self.data, self.reading.list.as_deref(), split)
    }

    /// The same of another file.
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

/// What a task is called in folders and tables: the recipe's name without folders and ending.
pub(crate) fn task_name(recipe: &str) -> String {
    let stem = Path::new(recipe).file_stem();
    stem.map_or_else(
        || recipe.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
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

        assert_eq!(finetune.task, "open-ended-msvd-qa");
        assert_eq!(finetune.resume, Some(Resume::Key("epochs=2".to_owned())));
        let location = finetune.annotation.location("train");
        assert_eq!(location.request.mapping, Some("map.txt".into()));
        assert_eq!(location.request.vocabulary, None);
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
