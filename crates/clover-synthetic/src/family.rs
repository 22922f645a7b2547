//! Hard negatives: a story with four companions, each different from it in a single respect.

use rand::Rng;
use rand::seq::{IteratorRandom, SliceRandom};

use crate::attributes::Speed;
use crate::combinations::Combinations;
use crate::story::{Action, Difference, Event, Story};

/// The members of a family, the first story among them; the options of a multiple-choice question.
pub(crate) const MEMBERS: usize = 5;

/// A member of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// In which respect it differs from the first.
    pub(crate) difference: Difference,
    /// The shape that differs, where it is a single one.
    pub(crate) actor: Option<usize>,
    /// The story as it is drawn.
    pub(crate) drawn: Story,
    /// Whether the frames are shown from the last to the first.
    pub(crate) backwards: bool,
}

impl Member {
    /// The story as it is seen.
    pub(crate) fn seen(&self) -> Story {
        if self.backwards {
            self.drawn.reversed()
        } else {
            self.drawn.clone()
        }
    }
}

/// A story and its companions, no two of which sound the same. Time and order come first, where
/// they can differ; the rest is drawn.
pub(crate) fn family<R: Rng + ?Sized>(
    first: Story,
    combinations: &Combinations,
    rng: &mut R,
) -> Vec<Member> {
    let time = Member {
        difference: Difference::Time,
        actor: None,
        drawn: first.clone(),
        backwards: true,
    };
    let order = reordered(&first);
    let mut attributes = [
        Difference::Color,
        Difference::Shape,
        Difference::Size,
        Difference::Speed,
        Difference::Direction,
    ];
    attributes.shuffle(rng);
    let changed: Vec<_> = attributes
        .into_iter()
        .filter_map(|difference| changed(&first, difference, combinations, rng))
        .collect();

    let mut members = vec![Member {
        difference: Difference::Nothing,
        actor: None,
        drawn: first,
        backwards: false,
    }];
    for member in std::iter::once(time).chain(order).chain(changed) {
        let sounds = member.seen().told();
        let known = members.iter().any(|known| known.seen().told() == sounds);
        if members.len() < MEMBERS && !known {
            members.push(member);
        }
    }
    members
}

/// The same events in another order.
fn reordered(first: &Story) -> Option<Member> {
    has_another_order(first).then(|| Member {
        difference: Difference::Order,
        actor: None,
        drawn: first.reordered(),
        backwards: false,
    })
}

/// Whether the events of a story could follow each other otherwise: a shape that appears cannot do so
/// after it has moved.
pub(crate) fn has_another_order(story: &Story) -> bool {
    let moves = |event: &Event| matches!(event.action, Action::Move(_));
    story.phases() > 1 && (story.actors.len() > 1 || story.events.iter().all(moves))
}

/// The story with one attribute of one shape changed, where a shape has it and it is told.
fn changed<R: Rng + ?Sized>(
    first: &Story,
    difference: Difference,
    combinations: &Combinations,
    rng: &mut R,
) -> Option<Member> {
    let shown = |actor: &usize| match difference {
        Difference::Speed => first.told_speed(*actor).is_some(),
        Difference::Direction => first.moves(*actor).next().is_some(),
        _ => true,
    };
    let number = (0..first.actors.len()).filter(shown).choose(rng)?;
    let mut drawn = first.clone();
    let actor = drawn.actors.get_mut(number)?;
    match difference {
        Difference::Color => actor.color = combinations.other_color(actor.color),
        Difference::Shape => actor.shape = combinations.other_shape(actor.shape),
        Difference::Size => actor.size = actor.size.other(),
        Difference::Speed => actor.speed = actor.speed.map(Speed::other),
        Difference::Direction => {
            for event in drawn
                .events
                .iter_mut()
                .filter(|event| event.actor == number)
            {
                if let Action::Move(direction) = event.action {
                    event.action = Action::Move(direction.opposite());
                }
            }
        }
        Difference::Nothing | Difference::Order | Difference::Time | Difference::Count => {
            return None;
        }
    }
    Some(Member {
        difference,
        actor: Some(number),
        drawn,
        backwards: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Actor, draw_story};
    use crate::{BenchmarkConfig, Split};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    fn families(split: Split) -> Vec<Vec<Member>> {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        (0..400)
            .map(|_| {
                let story = draw_story(&combinations, split, 3, &mut rng);
                family(story, &combinations, &mut rng)
            })
            .collect()
    }

    #[test]
    fn a_family_is_complete_and_no_two_members_sound_the_same() {
        for members in families(Split::Test) {
            let told: HashSet<_> = members.iter().map(|member| member.seen().told()).collect();

            assert_eq!(
                (members.len(), told.len()),
                (MEMBERS, MEMBERS),
                "{members:?}"
            );
        }
    }

    #[test]
    fn a_companion_stays_in_the_split() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        for split in Split::ALL {
            let allowed = combinations.of(split);
            for member in families(split).iter().flatten() {
                let seen = member.seen();
                let first = seen.combinations(0).next().unwrap();

                assert!(allowed.contains(&first), "{member:?}");
            }
        }
    }

    #[test]
    fn a_companion_differs_in_one_respect() {
        for members in families(Split::Validation) {
            let first = members[0].seen();
            for member in &members[1..] {
                let seen = member.seen();

                let count = |change: fn(&Actor) -> String| {
                    let pairs = first.actors.iter().zip(&seen.actors);
                    pairs
                        .filter(|(old, new)| change(old) != change(new))
                        .count()
                };
                let differences = count(|actor| format!("{:?}", actor.color))
                    + count(|actor| format!("{:?}", actor.shape))
                    + count(|actor| format!("{:?}", actor.size))
                    + count(|actor| format!("{:?}", actor.speed))
                    + usize::from(first.events != seen.events);
                assert_eq!(differences, 1, "{member:?}");
            }
        }
    }

    #[test]
    fn time_is_turned_wherever_that_can_be_seen() {
        for members in families(Split::Test) {
            let first = members[0].seen();

            let turned = members.iter().any(|one| one.difference == Difference::Time);

            assert_eq!(turned, first.reversed() != first);
        }
    }
}
