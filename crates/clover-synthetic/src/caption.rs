//! Tells a story in one sentence, one of many.
//!
//! Without commas and question marks, as the captions and questions of the published sets are.
//! "Right before" and "right after" would be read as one idea, so something always stands between
//! a direction and those two words.
//!
//! A sentence is drawn with the names of attributes left open, so that the same [`Wording`] also tells
//! a story that differs in one of them, or the same events in the opposite order.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::attributes::Speed;
use crate::story::{Action, Event, Story};

/// Sentences drawn before a repetition is left out.
const TRIES: usize = 20;

/// What a sentence begins with, as often as it stands here.
const OPENINGS: [&str; 8] = [
    "{0}",
    "{0}",
    "{0}",
    "{0}",
    "in this video {0}",
    "we see that {0}",
    "a video in which {0}",
    "here {0}",
];

/// A single event, without "that".
const SIGHTS: [&str; 4] = [
    "there is {s} {0}",
    "we see {s} {0}",
    "{s} can be seen {0}",
    "a video of {s} {0}",
];

/// Two events at the same time.
const TOGETHER: [&str; 4] = [
    "{0} while {1}",
    "{0} and at the same time {1}",
    "while {0} {1}",
    "{0} as {1}",
];

/// Two events one after the other.
const SEQUENCE: [&str; 8] = [
    "first {0} then {1}",
    "{0} and then {1}",
    "{0} some time before {1}",
    "after {0} {1}",
    "{1} but only after {0}",
    "{0} and after that {1}",
    "at first {0} and later {1}",
    "before {1} {0}",
];

/// Two events of one shape one after the other.
const SAME: [&str; 7] = [
    "{s} {0} and then {1}",
    "first {s} {0} then it {1}",
    "{s} {0} some time before it {1}",
    "after {s} {0} it {1}",
    "{s} {1} but only after it {0}",
    "{s} {0} and after that it {1}",
    "at first {s} {0} and later it {1}",
];

/// Three events one after the other.
const THREE: [&str; 4] = [
    "first {0} then {1} and finally {2}",
    "{0} then {1} and at the end {2}",
    "first {0} next {1} and last {2}",
    "{0} some time before {1} and then {2}",
];

/// Two phases of which one has two events.
const MIXED: [&str; 3] = [
    "first {0} then {1}",
    "{0} and then {1}",
    "at first {0} and later {1}",
];

const SUBJECTS: [&str; 6] = [
    "{a} {size} {color} {shape}",
    "the {size} {color} {shape}",
    "one {size} {color} {shape}",
    "{a} {size} {shape} in {color}",
    "the {color} {shape} of {size} size",
    "the {shape} that is {size} and {color}",
];

const TOLD_MOVES: [&str; 3] = [
    "{moves} {direction} {speed}",
    "{moves} {speed} {direction}",
    "is {moving} {speed} {direction}",
];
const MOVES: [&str; 2] = ["{moves} {direction}", "is {moving} {direction}"];
const MOVING: [&str; 1] = ["{moving} {direction}"];
const TOLD_MOVING: [&str; 2] = [
    "{moving} {direction} {speed}",
    "{moving} {speed} {direction}",
];
const VERBS: [&str; 7] = [
    "moves", "slides", "glides", "travels", "drifts", "goes", "heads",
];
const PARTICIPLES: [&str; 7] = [
    "moving",
    "sliding",
    "gliding",
    "traveling",
    "drifting",
    "going",
    "heading",
];
const APPEARS: [&str; 4] = ["appears", "shows up", "becomes visible", "comes into view"];
const DISAPPEARS: [&str; 4] = ["disappears", "vanishes", "goes away", "goes out of view"];

/// Several different sentences about a story; fewer where the same ones are drawn again and again.
pub(crate) fn captions<R: Rng + ?Sized>(story: &Story, count: usize, rng: &mut R) -> Vec<String> {
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
pub(crate) fn narrate<R: Rng + ?Sized>(story: &Story, rng: &mut R) -> String {
    Wording::draw(story, rng).tell(story)
}

/// A sentence in which the names of attributes are still open.
#[derive(Debug, Clone)]
pub(crate) struct Wording {
    /// With `{0}`, `{1}` and `{2}` where the phases are told.
    form: String,
    /// What is told of each phase, with `{n0}`, `{n1}` and so on where names stand.
    phases: Vec<String>,
    names: Names,
}

/// The names that a sentence has places for.
#[derive(Debug, Clone, Default)]
struct Names(Vec<(Named, usize)>);

/// What a name stands for: an attribute of a shape, or the direction of an event, by their numbers.
#[derive(Debug, Clone, Copy)]
enum Named {
    Color(usize),
    Shape(usize),
    Size(usize),
    Speed(usize),
    Direction(usize),
}

impl Wording {
    /// Draws a sentence that fits a story, whatever the values of its attributes.
    pub(crate) fn draw<R: Rng + ?Sized>(story: &Story, rng: &mut R) -> Self {
        let mut names = Names::default();
        let (form, phases) = match story.events.as_slice() {
            [only] if matches!(only.action, Action::Move(_)) && rng.random_bool(0.4) => {
                let shape = names.subject(story, only, rng);
                let seen = names.participle(story, only, rng);
                (fill(pick(&SIGHTS, rng), &[("{s}", &shape)]), vec![seen])
            }
            [first, second] if first.actor == second.actor && first.phase != second.phase => {
                let shape = names.subject(story, first, rng);
                let told = [first, second].map(|event| names.predicate(story, event, rng));
                let sentence = fill(pick(&SAME, rng), &[("{s}", &shape)]);
                (opened(&sentence, rng), told.to_vec())
            }
            _ => {
                let told = names.phases(story, rng);
                (opened(form_of(story, rng), rng), told)
            }
        };
        Self {
            form,
            phases,
            names,
        }
    }

    /// Tells a story that has the same shapes and events, but may differ in values of attributes.
    pub(crate) fn tell(&self, story: &Story) -> String {
        self.with_phases(story, self.phases.iter())
    }

    /// The same with the first and the last event exchanged.
    pub(crate) fn tell_reordered(&self, story: &Story) -> String {
        self.with_phases(story, self.phases.iter().rev())
    }

    fn with_phases<'p>(&self, story: &Story, phases: impl Iterator<Item = &'p String>) -> String {
        let places: Vec<_> = ["{0}", "{1}", "{2}"]
            .into_iter()
            .zip(phases.map(String::as_str))
            .collect();
        with_articles(&self.names.put_into(fill(&self.form, &places), story))
    }
}

fn opened<R: Rng + ?Sized>(sentence: &str, rng: &mut R) -> String {
    fill(pick(&OPENINGS, rng), &[("{0}", sentence)])
}

/// Whether phases follow each other of which one has several events: inside such a sentence only the
/// plainest form stays clear.
fn is_mixed(story: &Story) -> bool {
    let phases = story.phases();
    phases > 1 && (0..phases).any(|phase| story.phase(phase).count() > 1)
}

/// How the phases of a story are put together.
fn form_of<R: Rng + ?Sized>(story: &Story, rng: &mut R) -> &'static str {
    let forms: &[&str] = match story.phases() {
        0 | 1 => &["{0}"],
        2 if is_mixed(story) => &MIXED,
        2 => &SEQUENCE,
        _ => &THREE,
    };
    pick(forms, rng)
}

impl Named {
    /// The names of its value in a story; none where the story has no such value.
    fn names(self, story: &Story) -> &'static [&'static str] {
        let actor = |number: usize| story.actors.get(number);
        let names = match self {
            Self::Color(number) => actor(number).map(|actor| actor.color.names()),
            Self::Shape(number) => actor(number).map(|actor| actor.shape.names()),
            Self::Size(number) => actor(number).map(|actor| actor.size.names()),
            Self::Speed(number) => {
                let speed = actor(number).and_then(|actor| actor.speed);
                speed.map(Speed::names)
            }
            Self::Direction(event) => match story.events.get(event).map(|event| event.action) {
                Some(Action::Move(direction)) => Some(direction.names()),
                _ => None,
            },
        };
        names.unwrap_or_default()
    }
}

impl Names {
    /// Draws which of the names of a value is used, and leaves a place for it.
    fn draw<R: Rng + ?Sized>(&mut self, named: Named, story: &Story, rng: &mut R) -> String {
        let names = named.names(story);
        let drawn = pick(names, rng);
        let number = names.iter().position(|&name| name == drawn);
        self.0.push((named, number.unwrap_or_default()));
        format!("{{n{}}}", self.0.len() - 1)
    }

    /// Puts the names that values have in a story into their places. Where a value has fewer names than
    /// the one the sentence was drawn for, counting begins again.
    fn put_into(&self, sentence: String, story: &Story) -> String {
        let names = self.0.iter().enumerate();
        names.fold(sentence, |sentence, (place, &(named, number))| {
            let names = named.names(story);
            let name = names.get(number % names.len().max(1)).copied();
            sentence.replace(&format!("{{n{place}}}"), name.unwrap_or_default())
        })
    }

    /// What happens in each phase.
    fn phases<R: Rng + ?Sized>(&mut self, story: &Story, rng: &mut R) -> Vec<String> {
        let forms = if is_mixed(story) {
            &TOGETHER[..1]
        } else {
            &TOGETHER
        };
        let mut told = Vec::with_capacity(story.phases());
        for phase in 0..story.phases() {
            let mut clauses: Vec<String> = story
                .phase(phase)
                .map(|event| {
                    let shape = self.subject(story, event, rng);
                    format!("{shape} {}", self.predicate(story, event, rng))
                })
                .collect();
            // Which of them is told first is chance.
            clauses.shuffle(rng);
            told.push(match clauses.as_slice() {
                [first, second] => fill(pick(forms, rng), &[("{0}", first), ("{1}", second)]),
                clauses => clauses.join(" and "),
            });
        }
        told
    }

    /// The shape of an event with its size and colour; the article is still open.
    fn subject<R: Rng + ?Sized>(&mut self, story: &Story, event: &Event, rng: &mut R) -> String {
        let [size, color, shape] = [Named::Size, Named::Color, Named::Shape]
            .map(|named| self.draw(named(event.actor), story, rng));
        let places = [("{size}", &*size), ("{color}", &color), ("{shape}", &shape)];
        fill(pick(&SUBJECTS, rng), &places)
    }

    /// What a shape does, as the rest of a sentence.
    fn predicate<R: Rng + ?Sized>(&mut self, story: &Story, event: &Event, rng: &mut R) -> String {
        let forms: &[&str] = match (event.action, story.told_speed(event.actor)) {
            (Action::Move(_), Some(_)) => &TOLD_MOVES,
            (Action::Move(_), None) => &MOVES,
            (Action::Appear, _) => &APPEARS,
            (Action::Disappear, _) => &DISAPPEARS,
        };
        self.action(forms, story, event, rng)
    }

    /// What a shape is seen doing.
    fn participle<R: Rng + ?Sized>(&mut self, story: &Story, event: &Event, rng: &mut R) -> String {
        let forms: &[&str] = match story.told_speed(event.actor) {
            Some(_) => &TOLD_MOVING,
            None => &MOVING,
        };
        self.action(forms, story, event, rng)
    }

    fn action<R: Rng + ?Sized>(
        &mut self,
        forms: &[&'static str],
        story: &Story,
        event: &Event,
        rng: &mut R,
    ) -> String {
        let form = pick(forms, rng);
        let Action::Move(_) = event.action else {
            return form.to_owned();
        };
        let number = story.events.iter().position(|other| other == event);
        let (moves, moving) = (pick(&VERBS, rng), pick(&PARTICIPLES, rng));
        let direction = self.draw(Named::Direction(number.unwrap_or_default()), story, rng);
        let speed = self.draw(Named::Speed(event.actor), story, rng);
        let places = [
            ("{moves}", moves),
            ("{moving}", moving),
            ("{direction}", &direction),
            ("{speed}", &speed),
        ];
        fill(form, &places)
    }
}

/// Puts "a" or "an" where a sentence has `{a}`.
fn with_articles(sentence: &str) -> String {
    let words: Vec<&str> = sentence.split(' ').collect();
    let article = |at: usize| match words.get(at + 1).and_then(|next| next.chars().next()) {
        Some('a' | 'e' | 'i' | 'o' | 'u') => "an",
        _ => "a",
    };
    let spoken: Vec<&str> = words
        .iter()
        .enumerate()
        .map(|(at, &word)| if word == "{a}" { article(at) } else { word })
        .collect();
    spoken.join(" ")
}

/// Every word of a caption that is no name of an attribute.
pub(crate) fn caption_words() -> impl Iterator<Item = &'static str> {
    let lists: [&[&str]; 17] = [
        &OPENINGS,
        &SIGHTS,
        &TOGETHER,
        &SEQUENCE,
        &SAME,
        &THREE,
        &MIXED,
        &SUBJECTS,
        &TOLD_MOVES,
        &MOVES,
        &TOLD_MOVING,
        &MOVING,
        &VERBS,
        &PARTICIPLES,
        &APPEARS,
        &DISAPPEARS,
        &["a", "an"],
    ];
    let phrases = lists.into_iter().flatten().copied();
    phrases
        .flat_map(str::split_whitespace)
        .filter(|word| !word.starts_with('{'))
}

/// One of several phrases.
pub(crate) fn pick<R: Rng + ?Sized>(phrases: &[&'static str], rng: &mut R) -> &'static str {
    phrases.choose(rng).copied().unwrap_or_default()
}

/// Puts phrases into the places of a form.
pub(crate) fn fill(form: &str, places: &[(&str, &str)]) -> String {
    places
        .iter()
        .fold(form.to_owned(), |text, (place, phrase)| {
            text.replace(place, phrase)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::{Attributes, Color, Direction, Shape, Size};
    use crate::story::Actor;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    fn sequence() -> Story {
        let actor = |color, shape| Actor {
            color,
            shape,
            size: Size::Big,
            speed: Some(Speed::Slow),
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

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
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
    fn a_wording_tells_other_values_and_the_other_order_in_the_same_words() {
        let (wording, mut other) = (Wording::draw(&sequence(), &mut rng(4)), sequence());
        other.actors[1].size = Size::Small;
        let words = |text: String| {
            let words = text.split(' ').map(str::to_owned);
            words.collect::<Vec<_>>()
        };

        let [told, changed] = [sequence(), other].map(|story| words(wording.tell(&story)));
        let mut reordered = words(wording.tell_reordered(&sequence()));

        assert_eq!(told.len(), changed.len());
        let differs = |(one, other): &(&String, &String)| one != other;
        assert_eq!(told.iter().zip(&changed).filter(differs).count(), 1);
        assert_ne!(told, reordered);
        let mut told = told;
        told.sort_unstable();
        reordered.sort_unstable();
        assert_eq!(told, reordered);
    }

    #[test]
    fn the_captions_of_a_story_are_different() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);

        let told = captions(&sequence(), 8, &mut rng);

        assert_eq!(told.iter().collect::<HashSet<_>>().len(), 8);
    }

    #[test]
    fn a_direction_never_stands_before_after_or_before() {
        for form in SEQUENCE.iter().chain(&SAME).chain(&THREE) {
            for bad in ["{0} before", "{0} after", "{1} before", "{1} after"] {
                assert!(!form.contains(bad), "{form}");
            }
        }
    }

    #[test]
    fn the_article_follows_the_next_word() {
        assert_eq!(with_articles("{a} orange box"), "an orange box");
        assert_eq!(with_articles("we see {a} big box"), "we see a big box");
    }

    #[test]
    fn a_single_move_is_told_with_all_four_attributes_and_no_other() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let shown = Attributes {
            color: Color::Purple,
            shape: Shape::Cross,
            size: Size::Big,
            direction: Direction::Up,
        };
        let own = [
            shown.color.names(),
            shown.shape.names(),
            shown.size.names(),
            shown.direction.names(),
        ];
        for _ in 0..200 {
            let text = format!(" {} ", narrate(&Story::single_move(&shown), &mut rng));

            let tells = |name: &&str| text.contains(&format!(" {name} "));
            for names in own {
                assert!(names.iter().any(tells), "{text}");
            }
            let others = crate::attributes::attribute_names().filter(tells);
            let known = |name: &str| own.iter().any(|names| names.contains(&name));
            assert!(others.into_iter().all(known), "{text}");
            assert!(!text.contains(['{', '}', ',']), "{text}");
        }
    }
}
