//! Tells a story in one sentence, one of many.
//!
//! Without commas and question marks, as the captions and questions of the published sets are.
//! "Right before" and "right after" would be read as one idea, so something always stands between
//! a direction and those two words.
//!
//! A sentence is drawn with the names of attributes left open, so that the same [`Wording`] also tells
//! a story that differs in one of them, or the same events in the opposite order. Where clips of a benchmark
//! differ in how many shapes there are, a third of the wordings say so.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::attributes::Speed;
use crate::phrases::{
    APPEARS, COUNTING_OPENINGS, COUNTS, DISAPPEARS, MIXED, MOVES, MOVING, OPENINGS, PARTICIPLES,
    SAME, SEQUENCE, SIGHTS, SUBJECTS, THREE, TOGETHER, TOLD_MOVES, TOLD_MOVING, VERBS, fill, pick,
};
use crate::story::{Action, Event, Story};

/// Sentences drawn before a repetition is left out.
const TRIES: usize = 20;

/// The share of wordings that say how many shapes there are.
const COUNTING_SHARE: f64 = 1.0 / 3.0;

/// Several different sentences about a story; fewer where the same ones are drawn again and again.
/// `most` is the number of shapes that a clip of the benchmark has at most.
pub(crate) fn captions<R: Rng + ?Sized>(
    story: &Story,
    most: usize,
    count: usize,
    rng: &mut R,
) -> Vec<String> {
    let mut captions = Vec::with_capacity(count);
    for _ in 0..count {
        for _ in 0..TRIES {
            let caption = narrate(story, most, rng);
            if !captions.contains(&caption) {
                captions.push(caption);
                break;
            }
        }
    }
    captions
}

/// One of the many sentences that tell the story, and nothing but the story.
pub(crate) fn narrate<R: Rng + ?Sized>(story: &Story, most: usize, rng: &mut R) -> String {
    Wording::draw(story, most, rng).tell(story)
}

/// A sentence in which the names of attributes are still open.
#[derive(Debug, Clone)]
pub(crate) struct Wording {
    /// With `{0}` where the sentence follows.
    opening: &'static str,
    /// What it begins with instead where it says how many shapes there are.
    count: Option<Count>,
    /// With `{0}`, `{1}` and `{2}` where the phases are told.
    form: String,
    /// What is told of each phase, with `{n0}`, `{n1}` and so on where names stand.
    phases: Vec<String>,
    names: Names,
}

/// An opening with a place for how many shapes there are, and what the numbers of shapes are called.
#[derive(Debug, Clone, Copy)]
struct Count {
    opening: &'static str,
    names: &'static [&'static str],
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
    /// Draws a sentence that fits a story, whatever the values of its attributes. Where no clip has more than
    /// one shape (`most`), none is said to have one.
    pub(crate) fn draw<R: Rng + ?Sized>(story: &Story, most: usize, rng: &mut R) -> Self {
        let mut names = Names::default();
        // Drawn first: of companions told with the same random numbers, all say it or none does.
        let counts = most > 1 && rng.random_bool(COUNTING_SHARE);
        let count = counts.then(|| Count::draw(rng));
        let (opening, form, phases) = match story.events.as_slice() {
            [only] if matches!(only.action, Action::Move(_)) && !counts && rng.random_bool(0.4) => {
                let shape = names.subject(story, only, rng);
                let seen = names.participle(story, only, rng);
                let sight = fill(pick(&SIGHTS, rng), &[("{s}", &shape)]);
                ("{0}", sight, vec![seen])
            }
            [first, second] if first.actor == second.actor && first.phase != second.phase => {
                let shape = names.subject(story, first, rng);
                let told = [first, second].map(|event| names.predicate(story, event, rng));
                let sentence = fill(pick(&SAME, rng), &[("{s}", &shape)]);
                (pick(&OPENINGS, rng), sentence, told.to_vec())
            }
            _ => {
                let told = names.phases(story, rng);
                let form = form_of(story, rng).to_owned();
                (pick(&OPENINGS, rng), form, told)
            }
        };
        Self {
            opening,
            count,
            form,
            phases,
            names,
        }
    }

    /// The same sentence, which says how many shapes there are whether it did so or not.
    pub(crate) fn counting<R: Rng + ?Sized>(mut self, rng: &mut R) -> Self {
        self.count.get_or_insert_with(|| Count::draw(rng));
        self
    }

    /// Tells a story that has the same shapes and events, but may differ in values of attributes.
    pub(crate) fn tell(&self, story: &Story) -> String {
        self.tell_counting(story, story.actors.len())
    }

    /// The same with another number of shapes, where the sentence says one.
    pub(crate) fn tell_counting(&self, story: &Story, shapes: usize) -> String {
        self.with_phases(story, shapes, self.phases.iter())
    }

    /// The same with the first and the last event exchanged.
    pub(crate) fn tell_reordered(&self, story: &Story) -> String {
        self.with_phases(story, story.actors.len(), self.phases.iter().rev())
    }

    fn with_phases<'p>(
        &self,
        story: &Story,
        shapes: usize,
        phases: impl Iterator<Item = &'p String>,
    ) -> String {
        let places: Vec<_> = ["{0}", "{1}", "{2}"]
            .into_iter()
            .zip(phases.map(String::as_str))
            .collect();
        let sentence = self.names.put_into(fill(&self.form, &places), story);
        let opened = match self.count {
            Some(count) => fill(count.opening, &[("{count}", count.name(shapes))]),
            None => self.opening.to_owned(),
        };
        with_articles(&fill(&opened, &[("{0}", &sentence)]))
    }
}

impl Count {
    fn draw<R: Rng + ?Sized>(rng: &mut R) -> Self {
        Self {
            opening: pick(&COUNTING_OPENINGS, rng),
            names: COUNTS.choose(rng).copied().unwrap_or_default(),
        }
    }

    fn name(self, shapes: usize) -> &'static str {
        let number = shapes.checked_sub(1);
        number
            .and_then(|number| self.names.get(number))
            .copied()
            .unwrap_or_default()
    }
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
                actor(Color::Blue, Shape::Ring),
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

        let told: HashSet<_> = (0..200)
            .map(|_| narrate(&sequence(), 3, &mut rng))
            .collect();

        assert!(told.len() > 190, "{}", told.len());
        assert!(told.iter().all(|text| !text.contains(['{', '}', ','])));
    }

    #[test]
    fn the_order_of_events_can_be_told_from_every_sentence() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for _ in 0..500 {
            let text = narrate(&sequence(), 3, &mut rng);
            let text = format!(" {text} ");

            let ring = text.find(" ring ").unwrap();
            let triangle = text.find(" triangle ").unwrap();
            // Only these two forms tell the later event first.
            let inverted = text.contains(" but only after ")
                || (text.contains(" before ") && !text.contains(" some time before "));
            assert_eq!(ring < triangle, !inverted, "{text}");
        }
    }

    #[test]
    fn a_wording_tells_other_values_and_the_other_order_in_the_same_words() {
        let (wording, mut other) = (Wording::draw(&sequence(), 3, &mut rng(4)), sequence());
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
    fn a_third_of_the_sentences_say_how_many_shapes_there_are_where_that_differs() {
        let counted = |most| {
            let mut rng = rng(2);
            let texts = (0..3_000).map(|_| narrate(&sequence(), most, &mut rng));
            let counted = ["two shapes ", "two objects "];
            let says = |text: &String| counted.iter().any(|count| text.contains(count));
            texts.filter(says).count()
        };

        assert!(counted(3).abs_diff(1_000) < 100, "{}", counted(3));
        assert_eq!(counted(1), 0);
    }

    #[test]
    fn the_captions_of_a_story_are_different() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);

        let told = captions(&sequence(), 3, 8, &mut rng);

        assert_eq!(told.iter().collect::<HashSet<_>>().len(), 8);
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
            let text = format!(" {} ", narrate(&Story::single_move(&shown), 1, &mut rng));

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
