//! The items of a task, read from a list of any form: what is learned from, and measured on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clover_data::dataset::{
    AnswerVocabulary, Answered, Candidates, Captioned, CaptionedDataset, ClipTable, ConvertRequest,
    ItemsTask, MultipleChoiceDataset, OpenEndedDataset, SampleReading, Texts,
};
use clover_data::text::Tokenizer;
use clover_inference::Preprocessing;
use serde::{Deserialize, Serialize};

use crate::TrainerError;
use crate::recipe::{TaskKind, TaskRecipe};

/// Where the items of a split are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsLocation {
    /// The list, and what goes with it.
    pub request: ConvertRequest,
    /// The folder that relative paths of the list start at, if it is not the list's own.
    pub clips: Option<PathBuf>,
    /// What the split is called: `train`, `validation`, `test`. A file with several splits gives the
    /// one of this name.
    pub split: String,
}

impl ItemsLocation {
    /// All items of a list, with its clips beside it.
    pub fn new(list: impl Into<PathBuf>, split: &str) -> Self {
        Self {
            request: ConvertRequest::new(list),
            clips: None,
            split: split.to_owned(),
        }
    }

    /// Reads the items of a task.
    ///
    /// # Errors
    ///
    /// The list cannot be read, or holds items of another task.
    pub fn open(&self, task: TaskKind) -> Result<ClipTable, TrainerError> {
        let mut request = self.request.clone();
        // A list chooses videos already; otherwise the split does, where the file has several.
        if request.split.is_none() && request.list.is_none() {
            request.split = Some(self.split.clone());
        }
        request.lenient = true;
        let table = ClipTable::open_as(&request, self.clips.as_deref(), &|_, _| ())?;
        let wanted = match task {
            TaskKind::Retrieval => ItemsTask::Retrieval,
            TaskKind::RankedChoice | TaskKind::MultipleChoice => ItemsTask::MultipleChoice,
            TaskKind::OpenEnded | TaskKind::FillInTheBlank => ItemsTask::OpenEnded,
        };
        if table.task() == Some(wanted) {
            return Ok(table.for_task(wanted, &self.request.annotation)?);
        }
        Err(TrainerError::OtherTask {
            path: self.request.annotation.clone(),
            wanted: wanted.name(),
        })
    }

    /// Reads the items that a recipe is measured on.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); or a question has more or fewer options than the recipe wants.
    pub fn open_for(&self, recipe: &TaskRecipe) -> Result<ClipTable, TrainerError> {
        let table = self.open(recipe.task)?;
        if table.task() == Some(ItemsTask::MultipleChoice) {
            Candidates::of(&table, recipe.question_form, recipe.candidates).check(&table)?;
        }
        Ok(table)
    }
}

/// Tests draw no random numbers, so that all rows can be one group, and those about a clip share what is decoded.
const WHOLE_LIST: usize = usize::MAX;

/// How a task's clips and texts are read, in training or in tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskReading<'r> {
    /// The recipe, fitted to the bundle.
    pub(crate) recipe: &'r TaskRecipe,
    /// How the bundle was trained to see files.
    pub(crate) bundle: &'r Preprocessing,
    pub(crate) tokenizer: &'r Tokenizer,
    /// Whether crops, frames and texts are drawn at random.
    pub(crate) trains: bool,
}

impl TaskReading<'_> {
    fn samples(&self) -> SampleReading {
        let recipe = self.recipe;
        let (clip, text_len) = match self.trains {
            true => (recipe.training_clips(self.bundle), recipe.text_len),
            false => (recipe.test_clips(self.bundle), recipe.test_text_len),
        };
        SampleReading {
            clip,
            text_len,
            seed: recipe.seed,
        }
    }

    fn group_size(&self, in_training: usize) -> usize {
        match self.trains {
            true => in_training,
            false => WHOLE_LIST,
        }
    }

    /// Clips with sentences, or with options as such, ready to be read.
    pub(crate) fn captioned(
        &self,
        table: ClipTable,
        captioned: Captioned,
    ) -> Result<CaptionedDataset, TrainerError> {
        let (samples, tokenizer) = (self.samples(), self.tokenizer.clone());
        Ok(CaptionedDataset::new(table, tokenizer, samples, captioned)?)
    }

    /// Questions with options, ready to be read.
    pub(crate) fn choices(&self, table: ClipTable) -> Result<MultipleChoiceDataset, TrainerError> {
        let recipe = self.recipe;
        let candidates = Candidates::of(&table, recipe.question_form, recipe.candidates);
        let (samples, tokenizer) = (self.samples(), self.tokenizer.clone());
        let questions = MultipleChoiceDataset::new(table, tokenizer, samples, candidates)?;
        Ok(questions.with_group_size(self.group_size(1)))
    }

    /// Questions with answers in words, ready to be read.
    pub(crate) fn open_ended(
        &self,
        table: ClipTable,
        answers: &AnswerVocabulary,
    ) -> Result<OpenEndedDataset, TrainerError> {
        let answered = Answered::from_list(answers.clone());
        let answered = match self.recipe.task {
            TaskKind::FillInTheBlank => answered.in_blanks(),
            _ => answered,
        };
        let (samples, tokenizer) = (self.samples(), self.tokenizer.clone());
        let questions = OpenEndedDataset::new(table, tokenizer, samples, answered)?;
        Ok(questions.with_group_size(self.group_size(self.recipe.group_size)))
    }
}

/// The answers of a file; where there is none, the most frequent first answers of the questions to
/// learn from. `size` is how many there must be; 0 for as many as there are.
///
/// # Errors
///
/// The file cannot be read, or has another number of answers; or the questions have fewer.
pub fn answer_list(
    file: Option<&Path>,
    questions: &ClipTable,
    size: usize,
) -> Result<AnswerVocabulary, TrainerError> {
    let wrong = |reason| {
        Err(TrainerError::RecipeValue {
            key: "answers",
            reason,
        })
    };
    if let Some(path) = file {
        let answers = AnswerVocabulary::read(path)?;
        if size != 0 && answers.len() != size {
            let (path, found) = (path.display(), answers.len());
            return wrong(format!("is {size}, and {path} has {found} answers"));
        }
        return Ok(answers);
    }
    let most = if size == 0 { usize::MAX } else { size };
    let first = (0..questions.len()).filter_map(|row| match questions.texts(row) {
        Texts::Question { answers, .. } => answers.into_iter().next(),
        _ => None,
    });
    let first: Vec<String> = first.collect();
    let answers = AnswerVocabulary::from_answers(first.iter().map(String::as_str), most);
    if answers.len() < size {
        let found = answers.len();
        return wrong(format!(
            "is {size}, and the questions have {found} different answers"
        ));
    }
    if answers.is_empty() {
        return Err(TrainerError::NothingToEvaluate);
    }
    Ok(answers)
}

/// Sentences that another clip has, too: none of them can tell the clips apart.
pub(crate) fn repeated_texts(clips: &[Vec<String>]) -> usize {
    let mut owners: HashMap<&str, Vec<usize>> = HashMap::new();
    for (clip, texts) in clips.iter().enumerate() {
        for text in texts {
            owners.entry(text).or_default().push(clip);
        }
    }
    let shared = owners.values().filter(|clips| {
        let first = clips.first();
        clips.iter().any(|clip| Some(clip) != first)
    });
    shared.map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::ListFingerprint;

    const LINES: &str = "{\"clip\":\"a.gif\",\"captions\":[\"a cat\",\"a pet\"]}\n\
        {\"clip\":\"b.gif\",\"captions\":[\"a pet\"]}\n\
        {\"id\":\"again\",\"clip\":\"a.gif\",\"captions\":[\"it sleeps\"]}\n";

    fn location(folder: &Path) -> ItemsLocation {
        let path = folder.join("items.jsonl");
        std::fs::write(&path, LINES).unwrap();
        ItemsLocation::new(path, "test")
    }

    #[test]
    fn items_of_one_clip_are_one_candidate_with_all_its_texts() {
        let folder = tempfile::tempdir().unwrap();

        let table = location(folder.path()).open(TaskKind::Retrieval).unwrap();

        assert_eq!(table.len(), 2);
        assert_eq!(table.texts(0).all(), ["a cat", "a pet", "it sleeps"]);
        assert_eq!(table.folder(), folder.path());
        let texts = |row| {
            table
                .texts(row)
                .all()
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        // "a pet" is said of both clips.
        assert_eq!(repeated_texts(&[texts(0), texts(1)]), 2);
    }

    #[test]
    fn every_caption_is_a_pair_or_one_of_a_clip_is_drawn() {
        let folder = tempfile::tempdir().unwrap();

        let drawn = location(folder.path()).open(TaskKind::Retrieval).unwrap();
        let all = drawn.apart();

        assert_eq!((all.len(), drawn.len()), (4, 2));
        let fingerprint = |table| ListFingerprint::of_table(table, folder.path());
        assert_ne!(fingerprint(&all), fingerprint(&drawn));
    }

    #[test]
    fn items_of_another_task_are_refused_by_the_files_name() {
        let folder = tempfile::tempdir().unwrap();
        let location = location(folder.path());

        let [questions, choices] = [TaskKind::OpenEnded, TaskKind::MultipleChoice]
            .map(|task| location.open(task).unwrap_err().to_string());

        assert!(
            questions.contains("items.jsonl: holds no open-ended items"),
            "{questions}"
        );
        assert!(
            choices.contains("holds no multiple-choice items"),
            "{choices}"
        );
    }

    #[test]
    fn a_split_and_a_list_of_answers_are_for_files_that_need_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let rows = r#"{"val":[{"video":"v0","question":"who","answer":0}],
            "test":[{"video":"v1","question":"who","answer":1}]}"#;
        std::fs::write(path("qa.json"), rows).unwrap();
        std::fs::write(path("answers.txt"), "cat\ndog\n").unwrap();
        let [several, one] = ["qa.json", "items.jsonl"].map(|name| {
            let mut location = ItemsLocation::new(path(name), "test");
            location.request.vocabulary = Some(path("answers.txt"));
            location
        });
        let _written = location(folder.path());

        let numbered = several.open(TaskKind::OpenEnded).unwrap();
        let captions = one.open(TaskKind::Retrieval).unwrap();

        assert_eq!(numbered.texts(0).all(), ["who", "dog"]);
        assert_eq!((numbered.len(), captions.len()), (1, 2));
    }

    fn questions(answers: &[&str]) -> ClipTable {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("questions.jsonl");
        let line = |answer: &&str| {
            format!("{{\"clip\":\"a.gif\",\"question\":\"what\",\"answers\":[\"{answer}\"]}}\n")
        };
        std::fs::write(&path, answers.iter().map(line).collect::<String>()).unwrap();
        ClipTable::open(&path, None, &|_, _| ()).unwrap()
    }

    #[test]
    fn without_a_file_the_most_frequent_answers_are_the_list() {
        let questions = questions(&["cat", "dog", "dog", "eel"]);

        let two = answer_list(None, &questions, 2).unwrap();
        let all = answer_list(None, &questions, 0).unwrap();
        let many = answer_list(None, &questions, 4).unwrap_err().to_string();

        assert_eq!(two.answers(), ["dog", "cat"]);
        assert_eq!(all.len(), 3);
        assert!(many.contains("3 different answers"), "{many}");
    }

    #[test]
    fn a_file_of_another_size_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.txt");
        std::fs::write(&path, "cat\ndog\n").unwrap();

        let read = answer_list(Some(&path), &questions(&["cat"]), 2).unwrap();
        let error = answer_list(Some(&path), &questions(&["cat"]), 1_500)
            .unwrap_err()
            .to_string();

        assert_eq!(read.len(), 2);
        assert!(error.contains("answers.txt has 2 answers"), "{error}");
    }
}
