//! What is said and asked about one clip.
//!
//! Multiple-choice questions have five options, the wrong ones as near to the right one as can be.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::caption::{captions, narrate};
use crate::config::BenchmarkConfig;
use crate::family::{MEMBERS, Member};
use crate::pair_test::{PairTest, pair_tests};
use crate::question::{Question, QuestionKind, event_name};
use crate::story::{Difference, Story};

/// The annotations of a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotations {
    pub(crate) retrieval: RetrievalItem,
    /// Questions with five options: captions, and answers where one can be asked for.
    pub(crate) multiple_choice: Vec<MultipleChoiceItem>,
    /// Questions with an answer of the closed list.
    pub(crate) open_ended: Vec<OpenEndedItem>,
}

/// A line of `retrieval.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RetrievalItem {
    /// What reports call the item.
    pub(crate) id: String,
    /// The clip's path below the folder of clips.
    pub(crate) clip: String,
    pub(crate) captions: Vec<String>,
}

/// A line of `multiple_choice.jsonl` or of `pair_tests.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct MultipleChoiceItem {
    pub(crate) id: String,
    pub(crate) clip: String,
    /// Empty where the options are captions.
    pub(crate) question: String,
    pub(crate) options: Vec<String>,
    /// The number of the right option.
    pub(crate) answer: usize,
    /// In which respect the options differ, of a pair test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) skill: Option<Difference>,
}

/// A line of `open_ended.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct OpenEndedItem {
    pub(crate) id: String,
    pub(crate) clip: String,
    pub(crate) question: String,
    pub(crate) answers: Vec<String>,
}

/// A question with options, five different ones.
#[derive(Debug)]
struct Choice {
    question: String,
    options: Vec<String>,
    answer: usize,
}

/// Draws the annotations of a member of a family; `id` is what reports call the clip, `file` its
/// path below the folder of clips.
pub(crate) fn annotate<R: Rng + ?Sized>(
    [id, file]: [&str; 2],
    family: &[Member],
    member: usize,
    config: &BenchmarkConfig,
    rng: &mut R,
) -> Annotations {
    let seen = family[member].seen();
    let captions = captions(&seen, config.shapes, config.captions_per_clip, rng);
    let mut questions = Question::all(&seen);
    // Where there is never more than one, everybody knows how many there are.
    questions.retain(|question| config.shapes > 1 || question.kind != QuestionKind::Count);
    questions.shuffle(rng);
    questions.truncate(config.questions_per_clip);
    let mut open_ended = Vec::with_capacity(questions.len());
    for (number, question) in questions.iter().enumerate() {
        open_ended.push(OpenEndedItem {
            id: format!("{id}-question-{number}"),
            clip: file.to_owned(),
            question: question.text(&seen, config.shapes, rng),
            answers: question.answer(&seen).into_iter().collect(),
        });
    }
    let mut choices = vec![choose_caption(family, member, config.shapes, rng)];
    choices.extend(choose_answer(family, member, config.shapes, rng));
    let choices = choices.into_iter().enumerate();
    Annotations {
        retrieval: RetrievalItem {
            id: id.to_owned(),
            clip: file.to_owned(),
            captions,
        },
        multiple_choice: choices
            .map(|(number, choice)| MultipleChoiceItem {
                id: format!("{id}-choice-{number}"),
                clip: file.to_owned(),
                question: choice.question,
                options: choice.options,
                answer: choice.answer,
                skill: None,
            })
            .collect(),
        open_ended,
    }
}

/// Draws the pair tests of a story that is seen in a clip, of a benchmark whose clips have `most` shapes at most.
pub(crate) fn annotate_pairs<R: Rng + ?Sized>(
    [id, file]: [&str; 2],
    seen: &Story,
    most: usize,
    rng: &mut R,
) -> Vec<MultipleChoiceItem> {
    let tests = pair_tests(seen, most, rng).into_iter();
    let items = tests.map(
        |PairTest {
             skill,
             right,
             wrong,
         }| {
            let choice = options(String::new(), right, vec![wrong], rng);
            MultipleChoiceItem {
                id: format!("{id}-pair-{}", skill.name()),
                clip: file.to_owned(),
                question: choice.question,
                options: choice.options,
                answer: choice.answer,
                skill: Some(skill),
            }
        },
    );
    items.collect()
}

/// Which caption fits: the other options tell the rest of the family, in the same words wherever
/// they say the same.
fn choose_caption<R: Rng + ?Sized>(
    family: &[Member],
    member: usize,
    most: usize,
    rng: &mut R,
) -> Choice {
    let wording: u64 = rng.random();
    let tell = |one: &Member| narrate(&one.seen(), most, &mut ChaCha8Rng::seed_from_u64(wording));
    let right = family.get(member).map(tell).unwrap_or_default();
    let others = family.iter().enumerate().filter(|(at, _)| *at != member);
    let wrong: Vec<String> = others.map(|(_, other)| tell(other)).collect();
    options(String::new(), right, wrong, rng)
}

/// A question about the clip: wrong options are right for others of the family, or for other
/// shapes in the clip, before they are just any.
fn choose_answer<R: Rng + ?Sized>(
    family: &[Member],
    member: usize,
    most: usize,
    rng: &mut R,
) -> Option<Choice> {
    let story = family.get(member)?.seen();
    let questions: Vec<Question> = Question::all(&story)
        .into_iter()
        // The other kinds have fewer than five answers.
        .filter(|question| question.kind.answers().len() >= MEMBERS)
        .collect();
    let question = questions.choose(rng)?;
    let right = question.answer(&story)?;

    let mut near: Vec<String> = family
        .iter()
        .filter_map(|other| question.answer(&other.seen()))
        .collect();
    near.extend(in_the_clip(&story, question.kind));
    let mut far = question.kind.answers();
    far.shuffle(rng);
    let mut wrong: Vec<String> = Vec::with_capacity(MEMBERS);
    for answer in near.into_iter().chain(far) {
        if answer != right && !wrong.contains(&answer) && wrong.len() + 1 < MEMBERS {
            wrong.push(answer);
        }
    }
    let text = question.text(&story, most, rng);
    Some(options(text, right, wrong, rng))
}

/// What the same kind of question could be answered with for other shapes and events of the clip.
fn in_the_clip(story: &Story, kind: QuestionKind) -> Vec<String> {
    if matches!(kind, QuestionKind::First | QuestionKind::Last) {
        let events = story.events.iter().filter_map(|event| {
            let shape = story.actors.get(event.actor)?.shape;
            Some([event.action, event.action.reversed()].map(|action| event_name(shape, action)))
        });
        return events.flatten().collect();
    }
    (0..story.actors.len())
        .filter_map(|actor| Question { kind, actor }.answer(story))
        .collect()
}

fn options<R: Rng + ?Sized>(
    question: String,
    right: String,
    mut wrong: Vec<String>,
    rng: &mut R,
) -> Choice {
    wrong.shuffle(rng);
    let answer = rng.random_range(0..=wrong.len());
    wrong.insert(answer, right);
    Choice {
        question,
        options: wrong,
        answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combinations::Combinations;
    use crate::config::Split;
    use crate::family::family;
    use crate::story::draw_story;
    use std::collections::HashSet;

    fn families() -> Vec<Vec<Member>> {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        (0..200)
            .map(|_| {
                let story = draw_story(&combinations, Split::Test, 3, &mut rng);
                family(story, &combinations, &mut rng)
            })
            .collect()
    }

    #[test]
    fn five_different_captions_in_nearly_the_same_words() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let (mut same, mut all) = (0, 0);
        for members in families() {
            for member in 0..members.len() {
                let choice = choose_caption(&members, member, 3, &mut rng);

                let different: HashSet<_> = choice.options.iter().collect();
                assert_eq!(different.len(), MEMBERS, "{choice:?}");
                let words = |text: &str| text.split(' ').count();
                let lengths = choice.options.iter().map(|option| words(option));
                same += lengths
                    .filter(|&n| n.abs_diff(words(&choice.options[0])) <= 4)
                    .count();
                all += MEMBERS;
            }
        }
        assert!(same * 10 > all * 8, "{same} of {all}");
    }

    #[test]
    fn five_different_answers_with_the_right_one_among_them() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut places = [0; MEMBERS];
        for members in families() {
            let choice = choose_answer(&members, 2, 3, &mut rng).unwrap();

            let different: HashSet<_> = choice.options.iter().collect();
            assert_eq!(different.len(), MEMBERS, "{choice:?}");
            places[choice.answer] += 1;
        }
        assert!(places.iter().all(|&count| count > 20), "{places:?}");
    }
}
