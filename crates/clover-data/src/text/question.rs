//! How a question and its candidate answers become the texts a model reads.

use serde::{Deserialize, Serialize};

/// The form in which a question is asked; each downstream task has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionForm {
    /// The question alone (MSRVTT-QA, MSVD-QA), or the sentence that holds `[MASK]` (LSMDC-FIB).
    Alone,
    /// `question [SEP] candidate`, one text a candidate; the question alone where there is none
    /// (TGIF-Frame).
    WithCandidate,
    /// `question Options: a b c Answer: b`, one text a candidate (TGIF-Action, TGIF-Transition,
    /// LSMDC-MC).
    AllOptions,
    /// `question The answer is [MASK]`; no configured task uses it.
    MaskedAnswer,
}

impl QuestionForm {
    /// The texts of one question, in the order of the candidates.
    pub fn texts<S: AsRef<str>>(self, question: &str, candidates: &[S]) -> Vec<String> {
        let candidates: Vec<&str> = candidates.iter().map(AsRef::as_ref).collect();
        match self {
            Self::MaskedAnswer => vec![format!("{question} The answer is [MASK]")],
            Self::WithCandidate if !candidates.is_empty() => candidates
                .iter()
                .map(|candidate| format!("{question} [SEP] {candidate}"))
                .collect(),
            Self::Alone | Self::WithCandidate => vec![question.to_owned()],
            Self::AllOptions => {
                let options = candidates.join(" ");
                candidates
                    .iter()
                    .map(|candidate| format!("{question} Options: {options} Answer: {candidate}"))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [&str; 0] = [];

    #[test]
    fn a_question_alone_is_unchanged() {
        let texts = QuestionForm::Alone.texts("what is a man doing", &NONE);

        assert_eq!(texts, ["what is a man doing"]);
    }

    #[test]
    fn candidates_follow_a_separator() {
        let texts = QuestionForm::WithCandidate.texts("what is on the table ?", &["cup", "plate"]);

        let expected = [
            "what is on the table ? [SEP] cup",
            "what is on the table ? [SEP] plate",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn without_candidates_the_question_stands_alone() {
        let texts = QuestionForm::WithCandidate.texts("what is on the table ?", &NONE);

        assert_eq!(texts, ["what is on the table ?"]);
    }

    #[test]
    fn every_text_lists_all_options() {
        let texts = QuestionForm::AllOptions.texts("what ?", &["run", "shake head"]);

        let expected = [
            "what ? Options: run shake head Answer: run",
            "what ? Options: run shake head Answer: shake head",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn an_empty_question_leaves_the_leading_blank() {
        let texts = QuestionForm::AllOptions.texts("", &["he walks in .", "she leaves ."]);

        assert_eq!(
            texts[0],
            " Options: he walks in . she leaves . Answer: he walks in ."
        );
    }

    #[test]
    fn a_masked_answer_is_appended() {
        let texts = QuestionForm::MaskedAnswer.texts("who sings ?", &NONE);

        assert_eq!(texts, ["who sings ? The answer is [MASK]"]);
    }
}
