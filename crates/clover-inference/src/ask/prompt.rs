//! Answers as sentences, for a model that can only compare a clip with texts.
//!
//! CLIP (Radford et al., 2021, section 3.1.4) is asked with a prompt for each class, "a photo of a {label}". A
//! question says by its first words what kind of thing its answers are.

use crate::InferenceError;

/// Stands for the answer in a template.
const ANSWER: &str = "{answer}";
/// Stands for the question in a template.
const QUESTION: &str = "{question}";

/// How questions begin, and the template of their answers; the first that fits.
const FORMS: [(&[&str], &str); 7] = [
    (
        &["what color", "what colour", "which color", "which colour"],
        "a {answer} thing",
    ),
    (&["how many", "what number"], "{answer} of them"),
    (&["who"], "a video of a {answer}"),
    (&["where"], "a video of a place: {answer}"),
    (&["when"], "a video taken at {answer}"),
    (&["how"], "it is done {answer}"),
    (
        &[
            "is ", "are ", "does ", "do ", "did ", "was ", "were ", "can ",
        ],
        "{answer}: {question}",
    ),
];
/// Where nothing is known of the question.
const USUAL: &str = "a video of {answer}";
/// What is done, and not what is there.
const DOING: &str = "a video of someone {answer}";

/// A template with `{answer}`, and `{question}` where it is to be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnswerPrompt(String);

impl Default for AnswerPrompt {
    fn default() -> Self {
        Self(USUAL.to_owned())
    }
}

impl AnswerPrompt {
    /// A template of the user's.
    ///
    /// # Errors
    ///
    /// It has no `{answer}`.
    pub fn new(template: &str) -> Result<Self, InferenceError> {
        match template.contains(ANSWER) {
            true => Ok(Self(template.trim().to_owned())),
            false => Err(InferenceError::Option {
                option: "prompt",
                reason: format!(
                    "{template:?} has no {ANSWER}; write it as in \"a video about {ANSWER}\""
                ),
            }),
        }
    }

    /// The template of a question's form.
    #[must_use]
    pub fn of_form(question: &str) -> Self {
        let question = question.trim().to_lowercase();
        let asks_what_is_done = question.starts_with("what") && {
            let mut words = question.split(|letter: char| !letter.is_alphanumeric());
            words.any(|word| word == "doing")
        };
        if asks_what_is_done {
            return Self(DOING.to_owned());
        }
        let begins = |starts: &[&str]| starts.iter().any(|start| question.starts_with(start));
        let form = FORMS.iter().find(|(starts, _)| begins(starts));
        Self(form.map_or(USUAL, |(_, template)| template).to_owned())
    }

    /// Whether the text depends on the question.
    #[must_use]
    pub fn has_question(&self) -> bool {
        self.0.contains(QUESTION)
    }

    /// The sentence that says an answer is the right one.
    #[must_use]
    pub fn text(&self, question: &str, answer: &str) -> String {
        // Piece by piece: braces in the texts themselves are no places.
        let mut text = String::new();
        let mut rest = self.0.as_str();
        while let Some(at) = rest.find('{') {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let place = [(ANSWER, answer), (QUESTION, question)];
            let place = place.into_iter().find(|(name, _)| rest.starts_with(name));
            let (taken, written) = place.unwrap_or(("{", "{"));
            text.push_str(written);
            rest = &rest[taken.len()..];
        }
        text + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &str, answer: &str) -> String {
        AnswerPrompt::of_form(question).text(question, answer)
    }

    #[test]
    fn a_question_says_what_its_answers_are() {
        assert_eq!(asked("What colour is it?", "red"), "a red thing");
        assert_eq!(asked("how many dogs run ?", "two"), "two of them");
        assert_eq!(
            asked("what is he doing ?", "running"),
            "a video of someone running"
        );
        assert_eq!(asked("what is on the table", "a cup"), "a video of a cup");
        assert_eq!(asked("is it dark ?", "yes"), "yes: is it dark ?");
    }

    #[test]
    fn a_template_has_a_place_for_the_answer_and_braces_elsewhere_stay() {
        let prompt = AnswerPrompt::new("{question} {x} {answer}").unwrap();

        assert!(prompt.has_question());
        assert_eq!(
            prompt.text("{answer}?", "{question}"),
            "{answer}? {x} {question}"
        );
        let error = AnswerPrompt::new("a video").unwrap_err().to_string();
        assert!(
            error.starts_with("prompt: \"a video\" has no {answer}"),
            "{error}"
        );
    }
}
