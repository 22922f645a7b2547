//! What is said and asked about one clip.

use rand::Rng;
use rand::seq::SliceRandom;

use super::choice::{choose_answer, choose_caption};
use super::config::BenchmarkConfig;
use super::family::Member;
use super::narration::captions;
use super::question::{Question, QuestionKind};
use crate::dataset::{Caption, MultipleChoiceItem, OpenEndedItem, RetrievalItem};

/// The annotations of a clip, in the project's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotations {
    /// What is said about it.
    pub retrieval: RetrievalItem,
    /// Questions with five options: captions, and answers where one can be asked for.
    pub multiple_choice: Vec<MultipleChoiceItem>,
    /// Questions with an answer of the closed list.
    pub open_ended: Vec<OpenEndedItem>,
    /// What the open-ended questions ask, in the same order.
    pub questions: Vec<Question>,
}

/// Draws the annotations of a member of a family; `id` is what reports call the clip, `file` its
/// path below the folder of clips.
pub(super) fn annotate<R: Rng + ?Sized>(
    [id, file]: [&str; 2],
    family: &[Member],
    member: usize,
    config: &BenchmarkConfig,
    rng: &mut R,
) -> Annotations {
    let seen = family[member].seen();
    let said = captions(&seen, config.captions_per_clip, rng);
    let mut questions = Question::all(&seen);
    // Where there is never more than one, everybody knows how many there are.
    questions.retain(|question| config.shapes > 1 || question.kind != QuestionKind::Count);
    questions.shuffle(rng);
    questions.truncate(config.questions_per_clip);
    let mut open_ended = Vec::with_capacity(questions.len());
    for (number, question) in questions.iter().enumerate() {
        open_ended.push(OpenEndedItem {
            id: Some(format!("{id}-question-{number}")),
            span: None,
            clip: file.to_owned(),
            question: question.text(&seen, rng),
            answers: question.answer(&seen).into_iter().collect(),
        });
    }
    let mut choices = vec![choose_caption(family, member, rng)];
    choices.extend(choose_answer(family, member, rng));
    let choices = choices.into_iter().enumerate();
    Annotations {
        retrieval: RetrievalItem {
            id: Some(id.to_owned()),
            span: None,
            clip: file.to_owned(),
            captions: said.into_iter().map(Caption::Plain).collect(),
        },
        multiple_choice: choices
            .map(|(number, choice)| MultipleChoiceItem {
                id: Some(format!("{id}-choice-{number}")),
                span: None,
                clip: file.to_owned(),
                question: choice.question,
                options: choice.options,
                answer: choice.answer,
            })
            .collect(),
        open_ended,
        questions,
    }
}
