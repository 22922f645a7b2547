//! Questions whose answer follows from the story, and the closed list of answers.

use rand::Rng;

use crate::attributes::{Color, Direction, Shape, Size, Speed};
use crate::phrases::{fill, pick};
use crate::story::{Action, Story};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum QuestionKind {
    /// The colour of a shape.
    Color,
    /// The outline of a shape.
    Shape,
    /// The size of a shape.
    Size,
    /// Where a shape moves.
    Direction,
    /// How fast a shape moves.
    Speed,
    /// How many shapes there are.
    Count,
    /// What happens first.
    First,
    /// What happens last.
    Last,
}

/// A question about a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    /// What is asked.
    pub(crate) kind: QuestionKind,
    /// The shape that is asked about, where it is one.
    pub(crate) actor: usize,
}

impl QuestionKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 8] = [
        Self::Color,
        Self::Shape,
        Self::Size,
        Self::Direction,
        Self::Speed,
        Self::Count,
        Self::First,
        Self::Last,
    ];

    /// The ways to ask where there is never more than one shape. They do not name it: held-out clips show
    /// combinations that are never trained on, so what is named would tell what the answer is not.
    fn forms_of_one(self) -> &'static [&'static str] {
        match self {
            Self::Color => &[
                "what color is it",
                "which color does the shape have",
                "what is the color of the shape",
            ],
            Self::Shape => &[
                "what shape is it",
                "which shape is there",
                "what is the shape of the object",
            ],
            Self::Size => &[
                "what size is it",
                "how large is the shape",
                "is the shape small or big",
            ],
            Self::Direction => &[
                "which direction does it move",
                "where does the shape go",
                "in which direction is the shape moving",
            ],
            Self::Speed => &[
                "how fast does it move",
                "is the shape fast or slow",
                "at what speed does the shape move",
            ],
            Self::Count | Self::First | Self::Last => self.forms(),
        }
    }

    /// The ways to ask.
    fn forms(self) -> &'static [&'static str] {
        match self {
            Self::Color => &[
                "what color is the {shape}",
                "which color does the {shape} have",
                "what is the color of the {shape}",
            ],
            Self::Shape => &[
                "what shape is the {color} object",
                "which shape is {color}",
                "what is the shape of the {color} thing",
            ],
            Self::Size => &[
                "what size is the {color} {shape}",
                "how large is the {color} {shape}",
                "is the {color} {shape} small or big",
            ],
            Self::Direction => &[
                "which direction does the {color} {shape} move",
                "where does the {color} {shape} go",
                "in which direction is the {color} {shape} moving",
            ],
            Self::Speed => &[
                "how fast does the {color} {shape} move",
                "is the {color} {shape} fast or slow",
                "at what speed does the {color} {shape} move",
            ],
            Self::Count => &[
                "how many shapes are there",
                "how many objects are in the video",
                "how many shapes can be seen",
            ],
            Self::First => &["what happens first", "what is the first thing that happens"],
            Self::Last => &["what happens last", "what is the last thing that happens"],
        }
    }

    /// Every answer a question of this kind can have.
    pub(crate) fn answers(self) -> Vec<String> {
        let words: Vec<&str> = match self {
            Self::Color => Color::ALL.map(|one| first(one.names())).to_vec(),
            Self::Shape => Shape::ALL.map(|one| first(one.names())).to_vec(),
            Self::Size => Size::ALL.map(|one| first(one.names())).to_vec(),
            Self::Direction => Direction::ALL.map(|one| first(one.names())).to_vec(),
            Self::Speed => Speed::ALL.map(speed_name).to_vec(),
            Self::Count => COUNTS.to_vec(),
            Self::First | Self::Last => return events(),
        };
        words.into_iter().map(str::to_owned).collect()
    }
}

impl Question {
    /// Every question that has one clear answer.
    pub(crate) fn all(story: &Story) -> Vec<Self> {
        let shapes = 0..story.actors.len();
        let about = |kind| shapes.clone().map(move |actor| Self { kind, actor });
        QuestionKind::ALL
            .into_iter()
            .flat_map(about)
            .filter(|question| question.answer(story).is_some())
            .collect()
    }

    /// The answer, where there is one clear answer.
    pub(crate) fn answer(&self, story: &Story) -> Option<String> {
        let actor = story.actors.get(self.actor)?;
        let about_all = self.actor == 0;
        let word = match self.kind {
            QuestionKind::Color => first(actor.color.names()),
            QuestionKind::Shape => first(actor.shape.names()),
            QuestionKind::Size => first(actor.size.names()),
            QuestionKind::Direction => {
                let mut moves = story.moves(self.actor);
                let only = moves.next().filter(|_| moves.next().is_none());
                first(only?.names())
            }
            QuestionKind::Speed => speed_name(story.told_speed(self.actor)?),
            QuestionKind::Count if about_all => {
                COUNTS.get(story.actors.len().checked_sub(1)?).copied()?
            }
            QuestionKind::First if about_all => return event_of(story, 0),
            QuestionKind::Last if about_all => {
                return event_of(story, story.phases().checked_sub(1)?);
            }
            QuestionKind::Count | QuestionKind::First | QuestionKind::Last => return None,
        };
        Some(word.to_owned())
    }

    /// One of the ways to ask, in a benchmark whose clips have `most` shapes at most.
    pub(crate) fn text<R: Rng + ?Sized>(&self, story: &Story, most: usize, rng: &mut R) -> String {
        let forms = match most {
            1 => self.kind.forms_of_one(),
            _ => self.kind.forms(),
        };
        let form = pick(forms, rng);
        let Some(actor) = story.actors.get(self.actor) else {
            return form.to_owned();
        };
        let places = [
            ("{color}", pick(actor.color.names(), rng)),
            ("{shape}", pick(actor.shape.names(), rng)),
        ];
        fill(form, &places)
    }
}

/// The only event of a phase, in a story of several phases.
fn event_of(story: &Story, phase: usize) -> Option<String> {
    let mut events = story.phase(phase);
    let only = events.next().filter(|_| events.next().is_none())?;
    let shape = story.actors.get(only.actor)?.shape;
    (story.phases() > 1).then(|| event_name(shape, only.action))
}

/// A shape and what it does, in a few words.
pub(crate) fn event_name(shape: Shape, action: Action) -> String {
    let shape = first(shape.names());
    match action {
        Action::Move(direction) => format!("{shape} moves {}", first(direction.names())),
        Action::Appear => format!("{shape} appears"),
        Action::Disappear => format!("{shape} disappears"),
    }
}

fn events() -> Vec<String> {
    let moves = Direction::ALL.map(Action::Move).into_iter();
    let actions = moves.chain([Action::Appear, Action::Disappear]);
    Shape::ALL
        .into_iter()
        .flat_map(|shape| actions.clone().map(move |action| event_name(shape, action)))
        .collect()
}

/// Every answer, each once, in a fixed order.
pub(crate) fn answers() -> Vec<String> {
    let kinds = QuestionKind::ALL.into_iter();
    let kinds = kinds.filter(|&kind| kind != QuestionKind::Last);
    kinds.flat_map(QuestionKind::answers).collect()
}

/// Every form of a question.
pub(crate) fn question_forms() -> impl Iterator<Item = &'static str> {
    let kinds = QuestionKind::ALL.into_iter();
    kinds.flat_map(|kind| kind.forms().iter().chain(kind.forms_of_one()).copied())
}

/// The numbers of shapes, from one.
const COUNTS: [&str; 3] = ["one", "two", "three"];

/// The first of several names is the one an answer uses.
fn first(names: &'static [&'static str]) -> &'static str {
    names.first().copied().unwrap_or_default()
}

fn speed_name(speed: Speed) -> &'static str {
    match speed {
        Speed::Slow => "slow",
        Speed::Fast => "fast",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Actor, Event};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    /// First a big blue ring moves left, then a small red circle appears.
    fn story() -> Story {
        let actor = |color, shape, size| Actor {
            color,
            shape,
            size,
            speed: Some(Speed::Fast),
        };
        let event = |phase, action| Event {
            phase,
            actor: phase,
            action,
        };
        Story::new(
            vec![
                actor(Color::Blue, Shape::Ring, Size::Big),
                actor(Color::Red, Shape::Circle, Size::Small),
            ],
            vec![
                event(0, Action::Move(Direction::Left)),
                event(1, Action::Appear),
            ],
        )
    }

    fn ask(kind: QuestionKind, actor: usize) -> Option<String> {
        Question { kind, actor }.answer(&story())
    }

    #[test]
    fn the_answers_follow_from_the_story() {
        let expected = [
            (QuestionKind::Color, 0, Some("blue")),
            (QuestionKind::Shape, 1, Some("circle")),
            (QuestionKind::Size, 1, Some("small")),
            (QuestionKind::Direction, 0, Some("left")),
            (QuestionKind::Direction, 1, None),
            (QuestionKind::Speed, 0, None),
            (QuestionKind::Count, 0, Some("two")),
            (QuestionKind::Count, 1, None),
            (QuestionKind::First, 0, Some("ring moves left")),
            (QuestionKind::Last, 0, Some("circle appears")),
        ];
        for (kind, actor, answer) in expected {
            assert_eq!(ask(kind, actor).as_deref(), answer, "{kind:?}");
        }
        // Played backwards, the circle goes first and the ring comes back.
        let last = Question {
            kind: QuestionKind::Last,
            actor: 0,
        };
        let backwards = last.answer(&story().reversed());
        assert_eq!(backwards.as_deref(), Some("ring moves right"));
    }

    #[test]
    fn the_list_of_answers_is_closed_and_has_each_once() {
        let all = answers();

        assert_eq!(all.len(), all.iter().collect::<HashSet<_>>().len());
        // Colours, shapes, sizes, directions, speeds, counts, and six shapes doing six things.
        assert_eq!(all.len(), 8 + 6 + 2 + 4 + 2 + 3 + 36);
    }

    #[test]
    fn a_question_does_not_tell_its_answer() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for question in Question::all(&story()) {
            for most in [1, 3].repeat(10) {
                let text = question.text(&story(), most, &mut rng);
                let answer = question.answer(&story()).unwrap();

                // "small or big" names both.
                let told = text.split(' ').any(|word| word == answer);
                assert!(!told || question.kind == QuestionKind::Size, "{text}");
                assert!(!text.contains('{'), "{text}");
            }
        }
    }
}
