//! The list of answers that a model chooses from.

use std::path::Path;

use clover_data::dataset::{AnswerVocabulary, OpenEndedItem};

use crate::TrainerError;

/// The answers of a file; where there is none, the most frequent first answers of the questions to
/// learn from. `size` is how many there must be; 0 for as many as there are.
///
/// # Errors
///
/// The file cannot be read, or has another number of answers; or the questions have fewer.
pub fn answer_list(
    file: Option<&Path>,
    questions: &[OpenEndedItem],
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
    let first = questions.iter().filter_map(|item| item.answers.first());
    let answers = AnswerVocabulary::from_answers(first.map(String::as_str), most);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn questions(answers: &[&str]) -> Vec<OpenEndedItem> {
        let question = |answer: &&str| OpenEndedItem {
            id: None,
            clip: "a.gif".to_owned(),
            question: "what".to_owned(),
            answers: vec![(*answer).to_owned()],
        };
        answers.iter().map(question).collect()
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

        let read = answer_list(Some(&path), &[], 2).unwrap();
        let error = answer_list(Some(&path), &[], 1_500)
            .unwrap_err()
            .to_string();

        assert_eq!(read.len(), 2);
        assert!(error.contains("answers.txt has 2 answers"), "{error}");
    }
}
