//! Pair tests: a clip told truly, and once more in the same words but one.
//!
//! A model that puts the true sentence nearer to the clip has seen the one respect in which the two differ.
//! But for one: how many shapes there are also follows from how many the sentence goes on to tell of, so that a
//! model may know a wrong number by the sentence alone. (Questions ask for it, without such a hint.)

use rand::Rng;
use rand::seq::IteratorRandom;

use crate::attributes::{Color, Shape, Size, Speed};
use crate::caption::Wording;
use crate::family::has_another_order;
use crate::story::{Action, Difference, Story};

/// What is told apart in the same wording, beside how many shapes there are.
const SKILLS: [Difference; 6] = [
    Difference::Color,
    Difference::Shape,
    Difference::Size,
    Difference::Speed,
    Difference::Direction,
    Difference::Order,
];

/// Two sentences about a clip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PairTest {
    /// The respect in which they differ.
    pub(crate) skill: Difference,
    /// The one that fits.
    pub(crate) right: String,
    /// The one that does not.
    pub(crate) wrong: String,
}

/// A test of each skill that a story has: the value of one shape or event is any other of its attribute, all
/// equally likely, or the first and the last event are exchanged. The right sentence is the same in all. Where
/// clips of the benchmark have several shapes (`most`, at most), a last test says another number of them, any that
/// clips have; where the sentence says none, it is told in a sentence that does and is else the same.
///
/// A direction becomes its opposite: which combinations are held out is decided by axis, so that a model which
/// knows no direction could prefer, or avoid, the other axis by the colors and shapes that were trained with it.
pub(crate) fn pair_tests<R: Rng + ?Sized>(
    story: &Story,
    most: usize,
    rng: &mut R,
) -> Vec<PairTest> {
    let wording = Wording::draw(story, most, rng);
    let right = wording.tell(story);
    let mut tests = Vec::with_capacity(SKILLS.len() + 1);
    for skill in SKILLS {
        let wrong = match skill {
            Difference::Order => has_another_order(story).then(|| wording.tell_reordered(story)),
            _ => changed(story, skill, rng).map(|other| wording.tell(&other)),
        };
        tests.extend(wrong.map(|wrong| PairTest {
            skill,
            right: right.clone(),
            wrong,
        }));
    }
    let others = (1..=most).filter(|&shapes| shapes != story.actors.len());
    tests.extend(others.choose(rng).map(|other| {
        let wording = wording.counting(rng);
        PairTest {
            skill: Difference::Count,
            right: wording.tell(story),
            wrong: wording.tell_counting(story, other),
        }
    }));
    tests
}

/// The story with another value of one attribute, where it has the attribute and captions tell it.
fn changed<R: Rng + ?Sized>(story: &Story, skill: Difference, rng: &mut R) -> Option<Story> {
    let mut other = story.clone();
    if skill == Difference::Direction {
        let moves = other
            .events
            .iter_mut()
            .filter_map(|event| match &mut event.action {
                Action::Move(direction) => Some(direction),
                Action::Appear | Action::Disappear => None,
            });
        let direction = moves.choose(rng)?;
        *direction = direction.opposite();
        return Some(other);
    }
    // The speed of a shape that moves twice is told twice.
    let told_once =
        |actor: usize| story.told_speed(actor).is_some() && story.moves(actor).count() == 1;
    let shown = |actor: &usize| skill != Difference::Speed || told_once(*actor);
    let number = (0..story.actors.len()).filter(shown).choose(rng)?;
    let actor = other.actors.get_mut(number)?;
    match skill {
        Difference::Color => actor.color = another(Color::ALL, actor.color, rng)?,
        Difference::Shape => actor.shape = another(Shape::ALL, actor.shape, rng)?,
        Difference::Size => actor.size = another(Size::ALL, actor.size, rng)?,
        Difference::Speed => actor.speed = another(Speed::ALL, actor.speed?, rng),
        Difference::Nothing
        | Difference::Direction
        | Difference::Order
        | Difference::Time
        | Difference::Count => return None,
    }
    Some(other)
}

/// Any of the other values.
fn another<T: Copy + PartialEq, const N: usize, R: Rng + ?Sized>(
    all: [T; N],
    own: T,
    rng: &mut R,
) -> Option<T> {
    all.into_iter().filter(|&value| value != own).choose(rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::{Attributes, Direction};
    use crate::combinations::Combinations;
    use crate::phrases::COUNTS;
    use crate::story::draw_story;
    use crate::{BenchmarkConfig, Split};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashMap;

    /// The words of two sentences that are left when the same ones at both ends are taken away.
    fn different(test: &PairTest) -> [String; 2] {
        let [right, wrong] = [&test.right, &test.wrong].map(|text| {
            let words = text.split(' ');
            words.collect::<Vec<_>>()
        });
        let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
            pairs.take_while(|(one, other)| one == other).count()
        };
        let start = same(&mut right.iter().zip(&wrong));
        let shorter = right.len().min(wrong.len());
        let end = same(&mut right.iter().rev().zip(wrong.iter().rev())).min(shorter - start);
        [&right, &wrong].map(|words| words[start..words.len() - end].join(" "))
    }

    /// The number of the value that a name, or its last or first words, stand for.
    fn value(names: &[&[&str]], word: &str) -> Option<usize> {
        let stands_for = |name: &&str| {
            let (last, first) = (format!(" {word}"), format!("{word} "));
            *name == word || name.ends_with(&last) || name.starts_with(&first)
        };
        names.iter().position(|names| names.iter().any(stands_for))
    }

    #[test]
    fn the_sentences_of_a_pair_differ_in_one_attribute_alone() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut found: HashMap<&str, usize> = HashMap::new();
        let counts = [0, 1, 2].map(|shapes| COUNTS.map(|names| names[shapes]));
        for _ in 0..2_000 {
            let story = draw_story(&combinations, Split::Test, 3, &mut rng);
            for test in pair_tests(&story, 3, &mut rng) {
                *found.entry(test.skill.name()).or_default() += 1;
                assert_ne!(test.right, test.wrong);
                let names: Vec<&[&str]> = match test.skill {
                    Difference::Color => Color::ALL.map(Color::names).to_vec(),
                    Difference::Shape => Shape::ALL.map(Shape::names).to_vec(),
                    Difference::Size => Size::ALL.map(Size::names).to_vec(),
                    Difference::Speed => Speed::ALL.map(Speed::names).to_vec(),
                    Difference::Direction => Direction::ALL.map(Direction::names).to_vec(),
                    Difference::Count => counts.iter().map(|names| &names[..]).collect(),
                    _ => {
                        let [right, wrong] = [&test.right, &test.wrong].map(|text| {
                            let mut words: Vec<_> = text.split(' ').collect();
                            words.sort_unstable();
                            words.join(" ")
                        });
                        assert_eq!(right, wrong);
                        continue;
                    }
                };

                let [right, wrong] = different(&test).map(|words| value(&names, &words));

                assert!(
                    right.is_some() && wrong.is_some() && right != wrong,
                    "{test:?}"
                );
            }
        }
        // Every story has a colour, a shape, a size, a move and a number of shapes; the others some.
        for skill in ["color", "shape", "size", "direction", "count"] {
            assert_eq!(found[skill], 2_000, "{found:?}");
        }
        assert!(found["speed"] > 400 && found["order"] > 1_000, "{found:?}");
    }

    #[test]
    fn a_number_of_shapes_is_told_from_any_other_that_the_benchmark_shows() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let shapes = |text: &str| {
            let counts = [0, 1, 2].map(|shapes| COUNTS.map(|names| names[shapes]));
            counts
                .iter()
                .position(|names| names.iter().any(|name| text.contains(&format!("{name} "))))
                .map(|shapes| shapes + 1)
        };
        let (mut pairs, mut same) = (HashMap::new(), 0);
        for _ in 0..1_000 {
            let story = draw_story(&combinations, Split::Test, 2, &mut rng);

            let mut tests = pair_tests(&story, 2, &mut rng);

            let count = tests.pop().unwrap();
            let told = [&count.right, &count.wrong].map(|text| shapes(text).unwrap());
            assert_eq!(
                (count.skill, told[0]),
                (Difference::Count, story.actors.len())
            );
            *pairs.entry(told).or_insert(0) += 1;
            // The right sentence of all, where that says how many there are.
            let says = shapes(&tests[0].right).is_some();
            assert_eq!(tests[0].right == count.right, says, "{count:?}");
            same += usize::from(says);
        }
        assert_eq!(pairs.len(), 2, "{pairs:?}");
        assert!(same.abs_diff(333) < 60, "{same}");
    }

    #[test]
    fn all_other_values_are_equally_likely() {
        let story = Story::single_move(&Attributes {
            color: Color::Red,
            shape: Shape::Ring,
            size: Size::Big,
            direction: Direction::Up,
        });
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut counts = HashMap::new();
        for _ in 0..3_000 {
            for test in pair_tests(&story, 1, &mut rng) {
                assert!(![Difference::Order, Difference::Count].contains(&test.skill));
                let other = match test.skill {
                    Difference::Color => value(&Color::ALL.map(Color::names), &different(&test)[1]),
                    Difference::Shape => value(&Shape::ALL.map(Shape::names), &different(&test)[1]),
                    _ => continue,
                };
                *counts.entry((test.skill, other)).or_insert(0) += 1;
            }
        }

        // Seven other colours and five other shapes.
        assert_eq!(counts.len(), 7 + 5);
        for (&(skill, _), &count) in &counts {
            let expected = if skill == Difference::Color {
                3_000 / 7
            } else {
                3_000 / 5
            };
            assert!(i32::abs(count - expected) < 120, "{counts:?}");
        }
    }
}
