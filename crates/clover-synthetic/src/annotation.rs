//! Multiple-choice questions with five options, the wrong ones as near to the right one as can be.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::family::{MEMBERS, Member};
use super::narration::narrate;
use super::question::{Question, QuestionKind, event_name};
use super::story::Story;

/// A question with options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    /// The question; empty where the options are captions.
    pub(super) question: String,
    /// The options, five different ones.
    pub(super) options: Vec<String>,
    /// The number of the right one.
    pub(super) answer: usize,
}

/// Which caption fits: the other options tell the rest of the family, in the same words wherever
/// they say the same.
pub(super) fn choose_caption<R: Rng + ?Sized>(
    family: &[Member],
    member: usize,
    rng: &mut R,
) -> Choice {
    let wording: u64 = rng.random();
    let tell = |one: &Member| narrate(&one.seen(), &mut ChaCha8Rng::seed_from_u64(wording));
    let right = family.get(member).map(tell).unwrap_or_default();
    let others = family.iter().enumerate().filter(|(at, _)| *at != member);
    let wrong: Vec<String> = others.map(|(_, other)| tell(other)).collect();
    options(String::new(), right, wrong, rng)
}

/// A question about the clip: wrong options are right for others of the family, or for other
/// shapes in the clip, before they are just any.
pub(super) fn choose_answer<R: Rng + ?Sized>(
    family: &[Member],
    member: usize,
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
    let text = question.text(&story, rng);
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
    use crate::synthetic::benchmark::combinations::Combinations;
    use crate::synthetic::benchmark::family::family;
    use crate::synthetic::benchmark::plot::draw_story;
    use crate::synthetic::benchmark::{BenchmarkConfig, Split};
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
                let choice = choose_caption(&members, member, &mut rng);

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
            let choice = choose_answer(&members, 2, &mut rng).unwrap();

            let different: HashSet<_> = choice.options.iter().collect();
            assert_eq!(different.len(), MEMBERS, "{choice:?}");
            places[choice.answer] += 1;
        }
        assert!(places.iter().all(|&count| count > 20), "{places:?}");
    }
}
