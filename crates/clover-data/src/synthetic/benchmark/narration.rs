//! Tells a story in one sentence, one of many.

use rand::Rng;
use rand::seq::SliceRandom;

use super::grammar::{
    MIXED, OPENINGS, SAME, SEQUENCE, SIGHTS, THREE, TOGETHER, fill, participle, phrases, pick,
    predicate, subject,
};
use super::story::{Action, Event, Story};
use crate::synthetic::caption::with_articles;

/// Sentences drawn before a repetition is left out.
const TRIES: usize = 20;

/// Several different sentences about a story; fewer where chance keeps repeating itself.
pub(super) fn captions<R: Rng + ?Sized>(story: &Story, count: usize, rng: &mut R) -> Vec<String> {
    let mut captions = Vec::with_capacity(count);
    for _ in 0..count {
        for _ in 0..TRIES {
            let caption = narrate(story, rng);
            if !captions.contains(&caption) {
                captions.push(caption);
                break;
            }
        }
    }
    captions
}

/// One of the many sentences that tell the story, and nothing but the story.
pub(super) fn narrate<R: Rng + ?Sized>(story: &Story, rng: &mut R) -> String {
    let sentence = match story.events.as_slice() {
        [only] if matches!(only.action, Action::Move(_)) && rng.random_bool(0.4) => {
            let shape = subject_of(story, only, rng);
            let places = [
                ("{s}", shape.as_str()),
                ("{0}", &participle(story, only, rng)),
            ];
            fill(pick(&SIGHTS, rng), &places)
        }
        [first, second] if first.actor == second.actor && first.phase != second.phase => {
            let shape = subject_of(story, first, rng);
            let (before, after) = (predicate(story, first, rng), predicate(story, second, rng));
            let places = [("{s}", shape.as_str()), ("{0}", &before), ("{1}", &after)];
            opened(&fill(pick(&SAME, rng), &places), rng)
        }
        _ => opened(&phase_after_phase(story, rng), rng),
    };
    with_articles(&sentence)
}

fn opened<R: Rng + ?Sized>(sentence: &str, rng: &mut R) -> String {
    fill(pick(&OPENINGS, rng), &[("{0}", sentence)])
}

fn phase_after_phase<R: Rng + ?Sized>(story: &Story, rng: &mut R) -> String {
    let phases: Vec<Vec<&Event>> = (0..story.phases())
        .map(|phase| story.phase(phase).collect())
        .collect();
    let mixed = phases.len() > 1 && phases.iter().any(|events| events.len() > 1);
    let told: Vec<String> = phases
        .iter()
        // Inside a longer sentence only the plainest form stays clear.
        .map(|events| {
            at_the_same_time(
                story,
                events,
                if mixed { &TOGETHER[..1] } else { &TOGETHER },
                rng,
            )
        })
        .collect();
    let forms: &[&str] = match told.len() {
        0 | 1 => &["{0}"],
        2 if mixed => &MIXED,
        2 => &SEQUENCE,
        _ => &THREE,
    };
    let places: Vec<_> = ["{0}", "{1}", "{2}"]
        .into_iter()
        .zip(told.iter().map(String::as_str))
        .collect();
    fill(pick(forms, rng), &places)
}

/// The events of one phase; which of them is told first is chance.
fn at_the_same_time<R: Rng + ?Sized>(
    story: &Story,
    events: &[&Event],
    forms: &[&'static str],
    rng: &mut R,
) -> String {
    let mut clauses: Vec<String> = events
        .iter()
        .map(|event| {
            let shape = subject_of(story, event, rng);
            format!("{shape} {}", predicate(story, event, rng))
        })
        .collect();
    clauses.shuffle(rng);
    match clauses.as_slice() {
        [first, second] => fill(pick(forms, rng), &[("{0}", first), ("{1}", second)]),
        clauses => clauses.join(" and "),
    }
}

fn subject_of<R: Rng + ?Sized>(story: &Story, event: &Event, rng: &mut R) -> String {
    let actor = story.actors.get(event.actor);
    actor.map_or_else(String::new, |actor| subject(actor, rng))
}

/// Every word a caption can contain, names of attributes apart.
pub(super) fn caption_words() -> impl Iterator<Item = &'static str> {
    phrases()
        .flat_map(str::split_whitespace)
        .filter(|word| !word.starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::benchmark::Speed;
    use crate::synthetic::benchmark::story::Actor;
    use crate::synthetic::{Color, Direction, Shape, Size};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    fn sequence() -> Story {
        let actor = |color, shape| Actor {
            color,
            shape,
            size: Size::Big,
            speed: Speed::Slow,
        };
        let event = |actor, direction| Event {
            phase: actor,
            actor,
            action: Action::Move(direction),
        };
        Story::new(
            vec![
                actor(Color::Blue, Shape::Star),
                actor(Color::Green, Shape::Triangle),
            ],
            vec![event(0, Direction::Left), event(1, Direction::Up)],
        )
    }

    #[test]
    fn one_story_is_told_in_many_ways() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);

        let told: HashSet<_> = (0..200).map(|_| narrate(&sequence(), &mut rng)).collect();

        assert!(told.len() > 190, "{}", told.len());
        assert!(told.iter().all(|text| !text.contains(['{', '}', ','])));
    }

    #[test]
    fn the_order_of_events_can_be_told_from_every_sentence() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for _ in 0..500 {
            let text = narrate(&sequence(), &mut rng);
            let text = format!(" {text} ");

            let star = text.find(" star ").unwrap();
            let triangle = text.find(" triangle ").unwrap();
            // Only these two forms tell the later event first.
            let inverted = text.contains(" but only after ")
                || (text.contains(" before ") && !text.contains(" some time before "));
            assert_eq!(star < triangle, !inverted, "{text}");
        }
    }

    #[test]
    fn the_captions_of_a_story_are_different() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);

        let told = captions(&sequence(), 8, &mut rng);

        assert_eq!(told.iter().collect::<HashSet<_>>().len(), 8);
    }
}
