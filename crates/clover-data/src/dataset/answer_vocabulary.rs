//! The answers an open-ended head chooses from, each with its number.
//!
//! Published sets come as text (an answer a line, MSVD-QA), as a JSON object from answer to number
//! (MSRVTT-QA), or as a JSON list; or the most frequent answers of the training questions are
//! taken. Misspelt answers (`slouse`, `addres`) are kept: the questions spell them the same way.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::items::check_text;
use super::rows::{AnnotationError, Lines, RowFault, RowNumber, open_regular};
use crate::DataError;

/// The published sets have 1,000 to 2,000 answers.
const MAX_ANSWERS: usize = 1_000_000;

/// A file of as many answers has about a dozen megabytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// The answers an open-ended head chooses from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerVocabulary {
    answers: Vec<String>,
    indices: HashMap<String, usize>,
}

impl AnswerVocabulary {
    /// Reads an answer a line, a JSON list of answers, a JSON object from answer to number, or the
    /// `answers.json` of a bundle, which has a list under `answers`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, repeats an answer, or has none or more than a million; when
    /// the numbers of an object are not those from zero up, each once.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let mut text = String::new();
        let mut reader = open_regular(path, Some(MAX_FILE_BYTES))?;
        reader
            .read_to_string(&mut text)
            .map_err(|source| DataError::Read {
                path: path.to_path_buf(),
                source,
            })?;
        let answers = match text.trim_start().as_bytes().first() {
            Some(b'{') => numbered(&text, path)?,
            Some(b'[') => listed(&text, path)?,
            _ => lines(path)?,
        };
        Self::index(answers, path)
    }

    /// The `size` most frequent of the training answers; of equally frequent ones, the one that
    /// comes first.
    pub fn from_answers<'a>(answers: impl IntoIterator<Item = &'a str>, size: usize) -> Self {
        let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
        for (place, answer) in answers.into_iter().enumerate() {
            counts.entry(answer.trim()).or_insert((0, place)).0 += 1;
        }
        counts.remove("");
        let mut ranked: Vec<_> = counts.into_iter().collect();
        ranked.sort_unstable_by_key(|&(_, (count, place))| (std::cmp::Reverse(count), place));
        ranked.truncate(size);
        let answers: Vec<_> = ranked
            .into_iter()
            .map(|(answer, _)| answer.to_owned())
            .collect();
        let indices = answers.iter().cloned().zip(0..).collect();
        Self { answers, indices }
    }

    /// The number of answers.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Tells whether there is no answer.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The answers in the order of their numbers.
    pub fn answers(&self) -> &[String] {
        &self.answers
    }

    /// The answer with a number.
    pub fn answer(&self, index: usize) -> Option<&str> {
        self.answers.get(index).map(String::as_str)
    }

    /// The number of an answer, if it has one.
    pub fn index_of(&self, answer: &str) -> Option<usize> {
        self.indices.get(answer.trim()).copied()
    }

    fn index(answers: Vec<(RowNumber, String)>, path: &Path) -> Result<Self, DataError> {
        if answers.is_empty() || answers.len() > MAX_ANSWERS {
            return Err(AnnotationError::AnswerCount {
                path: path.to_path_buf(),
                found: answers.len(),
                largest: MAX_ANSWERS,
            }
            .into());
        }
        let mut indices = HashMap::with_capacity(answers.len());
        for (index, (row, answer)) in answers.iter().enumerate() {
            if indices.insert(answer.clone(), index).is_some() {
                return Err(AnnotationError::RepeatedAnswer {
                    path: path.to_path_buf(),
                    row: *row,
                    answer: answer.clone(),
                }
                .into());
            }
        }
        let answers = answers.into_iter().map(|(_, answer)| answer).collect();
        Ok(Self { answers, indices })
    }
}

fn lines(path: &Path) -> Result<Vec<(RowNumber, String)>, DataError> {
    let mut answers = Vec::new();
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next_line()? {
        let row = RowNumber::Line(line.number);
        let text = line.bytes.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|error| RowFault::NotText(error.utf8_error()))
        });
        let text = text.map_err(|fault| broken(path, row, fault))?;
        if !text.trim().is_empty() {
            answers.push((row, checked(&text, path, row)?));
        }
    }
    Ok(answers)
}

fn listed(text: &str, path: &Path) -> Result<Vec<(RowNumber, String)>, DataError> {
    let answers: Vec<String> = parse(text, path)?;
    (1..)
        .map(RowNumber::Entry)
        .zip(answers)
        .map(|(row, answer)| Ok((row, checked(&answer, path, row)?)))
        .collect()
}

fn numbered(text: &str, path: &Path) -> Result<Vec<(RowNumber, String)>, DataError> {
    let numbers: serde_json::Map<String, Value> = parse(text, path)?;
    if let Some(list @ Value::Array(_)) = numbers.get("answers") {
        return listed(&list.to_string(), path);
    }
    let mut answers = vec![None; numbers.len()];
    for (answer, index) in &numbers {
        let Some(index) = index.as_u64() else {
            let fault = RowFault::WrongKind {
                key: "number",
                wanted: "a whole number",
            };
            return Err(broken(path, RowNumber::Entry(1), fault));
        };
        let place = usize::try_from(index).ok();
        match place.and_then(|place| answers.get_mut(place)) {
            Some(free @ None) => *free = Some(answer),
            _ => {
                return Err(AnnotationError::AnswerNumber {
                    path: path.to_path_buf(),
                    answer: answer.clone(),
                    index,
                    count: numbers.len(),
                }
                .into());
            }
        }
    }
    (1..)
        .map(RowNumber::Entry)
        .zip(answers.into_iter().flatten())
        .map(|(row, answer)| Ok((row, checked(answer, path, row)?)))
        .collect()
}

fn parse<T: serde::de::DeserializeOwned>(text: &str, path: &Path) -> Result<T, DataError> {
    serde_json::from_str(text).map_err(|source| {
        AnnotationError::Json {
            path: path.to_path_buf(),
            source,
        }
        .into()
    })
}

fn checked(answer: &str, path: &Path, row: RowNumber) -> Result<String, DataError> {
    check_text("answer", answer).map_err(|fault| broken(path, row, fault))
}

fn broken(path: &Path, row: RowNumber, source: RowFault) -> DataError {
    AnnotationError::Row {
        path: path.to_path_buf(),
        row,
        source,
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<AnswerVocabulary, DataError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        AnswerVocabulary::read(file.path())
    }

    #[test]
    fn lines_a_list_and_an_object_give_the_same_answers() {
        let wanted = read("man\r\ntwo words\n\n").unwrap();

        assert_eq!(wanted.answers(), ["man", "two words"]);
        assert_eq!(wanted.index_of("two words"), Some(1));
        assert_eq!(wanted.answer(2), None);
        assert_eq!(read(r#"["man","two words"]"#).unwrap(), wanted);
        assert_eq!(read(r#" {"two words":1,"man":0}"#).unwrap(), wanted);
        let bundle = r#"{"task":"open-ended","answers":["man","two words"]}"#;
        assert_eq!(read(bundle).unwrap(), wanted);
    }

    #[test]
    fn numbers_with_a_gap_or_a_double_are_refused() {
        for content in [
            r#"{"a":0,"b":2}"#,
            r#"{"a":1,"b":1}"#,
            r#"{"a":-1}"#,
            r#"{"a":0.5}"#,
        ] {
            assert!(read(content).is_err(), "{content}");
        }
    }

    #[test]
    fn a_repeated_answer_is_named_with_its_line() {
        let message = read("man\ndog\nman\n").unwrap_err().to_string();

        assert!(
            message.contains("line 3") && message.contains("man"),
            "{message}"
        );
    }

    #[test]
    fn no_answer_at_all_is_an_error() {
        for content in ["", "\n\n", "[]", "{}", "{\"a\":", "[1]"] {
            assert!(read(content).is_err(), "{content}");
        }
    }

    #[test]
    fn the_most_frequent_answers_come_first_and_ties_as_they_appear() {
        let answers = ["dog", "cat", "man", "cat", "", "man", "eel"];

        let vocabulary = AnswerVocabulary::from_answers(answers, 3);

        assert_eq!(vocabulary.answers(), ["cat", "man", "dog"]);
        assert_eq!(vocabulary.index_of("eel"), None);
    }
}
