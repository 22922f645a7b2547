//! A question as a user typed it, and what passes for one: the bounds of annotation files.

use crate::InferenceError;
use crate::text_batch::checked_text;

/// Stands for the word that is asked for.
pub(super) const BLANK: &str = "[MASK]";

/// More are a slip, and would be computed for minutes.
const MAX_CHOICES: usize = 1_000;

/// A question with its choices, all without blanks around them. One that comes twice counts twice, as
/// published sets have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) text: String,
    pub(super) choices: Vec<String>,
}

impl Question {
    pub(super) fn new(text: &str, choices: &[String]) -> Result<Self, InferenceError> {
        let wrong = |reason: String| InferenceError::Question {
            text: "the choices".to_owned(),
            reason,
        };
        // Of captions to choose from, nothing need be asked, as in published sets.
        let text = match text.trim().is_empty() && !choices.is_empty() {
            true => String::new(),
            false => checked_text(text, || "the question".to_owned())?,
        };
        if choices.len() == 1 {
            let reason = format!("`{}` is the only one; two are needed at least", choices[0]);
            return Err(wrong(reason));
        }
        if choices.len() > MAX_CHOICES {
            let found = choices.len();
            return Err(wrong(format!(
                "{found} of them; at most {MAX_CHOICES} can be given"
            )));
        }
        let each = choices.iter().zip(1..);
        let each = each.map(|(choice, number)| checked_text(choice, || format!("choice {number}")));
        let choices = each.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text, choices })
    }

    /// The sentence that says a choice is the answer.
    pub(super) fn with_choice(&self, choice: &str) -> String {
        if self.text.contains(BLANK) {
            return self.text.replace(BLANK, choice);
        }
        match self.text.is_empty() {
            true => choice.to_owned(),
            false => format!("{} {choice}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clover_data::dataset::MAX_CAPTION_BYTES;

    fn question(text: &str, choices: &[&str]) -> Result<Question, String> {
        let choices: Vec<String> = choices.iter().map(|&choice| choice.to_owned()).collect();
        Question::new(text, &choices).map_err(|error| error.to_string())
    }

    fn refusal(text: &str, choices: &[&str]) -> String {
        question(text, choices).unwrap_err()
    }

    #[test]
    fn empty_and_endless_texts_are_refused_by_name() {
        assert_eq!(refusal(" \n", &[]), "the question: is empty");
        assert_eq!(refusal("what", &["a", ""]), "choice 2: is empty");
        let long = refusal(&"why ".repeat(10_000), &[]);
        assert!(long.starts_with("the question: has 10000 words"), "{long}");
        let endless = refusal(&"y".repeat(MAX_CAPTION_BYTES + 1), &[]);
        assert!(endless.contains("has 1 words and 32769 bytes"), "{endless}");
    }

    #[test]
    fn choices_are_two_at_least_and_not_too_many() {
        assert!(refusal("what", &["cat"]).contains("`cat` is the only one"));
        let many: Vec<String> = (0..=MAX_CHOICES).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(refusal("what", &many).contains("1001 of them"));
        assert_eq!(
            question(" what ", &["a ", "b"]).unwrap().choices,
            ["a", "b"]
        );
    }

    #[test]
    fn a_choice_fills_the_blank_or_follows_the_question() {
        let blank = question("a [MASK] circle", &[]).unwrap();
        let plain = question("which colour ?", &[]).unwrap();

        let captions = question("", &["a circle", "a square"]).unwrap();

        assert_eq!(captions.with_choice("a circle"), "a circle");
        assert_eq!(blank.with_choice("red"), "a red circle");
        assert_eq!(plain.with_choice("red"), "which colour ? red");
    }
}
