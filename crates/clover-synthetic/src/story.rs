//! What happens in a clip: shapes, and the order in which they move, appear and disappear.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use serde::Serialize;

use crate::attributes::{Attributes, Color, Direction, Shape, Size, Speed};
use crate::combinations::{Block, Combinations};
use crate::config::Split;

/// A shape that does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Actor {
    pub(crate) color: Color,
    pub(crate) shape: Shape,
    pub(crate) size: Size,
    /// How fast it moves, when it moves; without, at a speed that all clips share and none tells.
    pub(crate) speed: Option<Speed>,
}

/// What a shape does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Move(Direction),
    /// It was not there before.
    Appear,
    /// It is not there afterwards.
    Disappear,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    /// When: events of one phase happen at the same time, phases follow each other.
    pub(crate) phase: usize,
    /// Which of the story's shapes.
    pub(crate) actor: usize,
    pub(crate) action: Action,
}

/// Everything that is told of a clip. The first shape is the one whose combination of attributes
/// decides about the split.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Story {
    /// The shapes, no two of one colour or outline.
    pub(crate) actors: Vec<Actor>,
    /// What happens, in the order of the phases and, within one, of the shapes.
    pub(crate) events: Vec<Event>,
}

/// In which single respect a clip differs from its twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Difference {
    /// In none: it is the twin.
    Nothing,
    Color,
    Shape,
    Size,
    Speed,
    Direction,
    /// Which event comes first.
    Order,
    /// The direction of time: it is the twin played backwards.
    Time,
    /// How many shapes there are: of two sentences, as no twin has more or fewer.
    Count,
}

impl Action {
    /// What is seen when time runs backwards.
    pub(crate) fn reversed(self) -> Self {
        match self {
            Self::Move(direction) => Self::Move(direction.opposite()),
            Self::Appear => Self::Disappear,
            Self::Disappear => Self::Appear,
        }
    }
}

impl Difference {
    /// Its name in files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Color => "color",
            Self::Shape => "shape",
            Self::Size => "size",
            Self::Speed => "speed",
            Self::Direction => "direction",
            Self::Order => "order",
            Self::Time => "time",
            Self::Count => "count",
        }
    }
}

impl Story {
    /// A story of these shapes and events; the events are put in order.
    pub(crate) fn new(actors: Vec<Actor>, mut events: Vec<Event>) -> Self {
        events.sort_by_key(|event| (event.phase, event.actor));
        Self { actors, events }
    }

    /// One shape moves once, at a speed that is not told.
    pub(crate) fn single_move(shown: &Attributes) -> Self {
        let actor = Actor {
            color: shown.color,
            shape: shown.shape,
            size: shown.size,
            speed: None,
        };
        Self::new(vec![actor], vec![alone(0, Action::Move(shown.direction))])
    }

    /// The number of phases.
    pub(crate) fn phases(&self) -> usize {
        let phases = self.events.iter().map(|event| event.phase + 1);
        phases.max().unwrap_or(0)
    }

    /// What happens in a phase.
    pub(crate) fn phase(&self, phase: usize) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.phase == phase)
    }

    /// What one shape does, in order.
    pub(crate) fn events_of(&self, actor: usize) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.actor == actor)
    }

    /// Where one shape moves, in order.
    pub(crate) fn moves(&self, actor: usize) -> impl Iterator<Item = Direction> {
        self.events_of(actor)
            .filter_map(|event| match event.action {
                Action::Move(direction) => Some(direction),
                Action::Appear | Action::Disappear => None,
            })
    }

    /// The story as it is seen when time runs backwards.
    pub(crate) fn reversed(&self) -> Self {
        self.mirrored(Action::reversed)
    }

    /// The same events in the opposite order.
    pub(crate) fn reordered(&self) -> Self {
        self.mirrored(|action| action)
    }

    fn mirrored(&self, change: impl Fn(Action) -> Action) -> Self {
        let phases = self.phases();
        let events = self.events.iter().map(|event| Event {
            phase: phases - 1 - event.phase,
            action: change(event.action),
            ..*event
        });
        Self::new(self.actors.clone(), events.collect())
    }

    /// The speed of a shape that moves, where captions tell it: with several shapes one after the
    /// other they would be too long.
    pub(crate) fn told_speed(&self, actor: usize) -> Option<Speed> {
        let tells = self.actors.len() == 1 || self.phases() == 1;
        let moves = self.moves(actor).next().is_some();
        self.actors.get(actor)?.speed.filter(|_| tells && moves)
    }

    /// What captions tell: two stories that differ in an untold speed sound the same.
    pub(crate) fn told(&self) -> Self {
        let mut told = self.clone();
        for (number, actor) in told.actors.iter_mut().enumerate() {
            actor.speed = self.told_speed(number);
        }
        told
    }

    /// The combinations of attributes one shape shows, one for each direction it moves in.
    #[cfg(test)]
    pub(crate) fn combinations(&self, actor: usize) -> impl Iterator<Item = Attributes> {
        let Actor {
            color, shape, size, ..
        } = self.actors[actor];
        self.moves(actor).map(move |direction| Attributes {
            color,
            shape,
            size,
            direction,
        })
    }
}

/// The kinds of story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plot {
    /// One shape moves.
    Single,
    /// One shape moves there and back.
    Turn,
    /// One shape moves and disappears, or appears and moves.
    Vanish,
    /// Two shapes at the same time.
    Together,
    /// Two shapes one after the other.
    Sequence,
    /// Three shapes one after the other.
    Three,
    /// Two shapes at the same time, a third before or after.
    TwoAndOne,
}

/// As often as they stand here. Few have a single shape: there are so few of those that two clips
/// of a large benchmark would often fit the same caption.
const PLOTS: [Plot; 12] = [
    Plot::Single,
    Plot::Turn,
    Plot::Vanish,
    Plot::Together,
    Plot::Together,
    Plot::Sequence,
    Plot::Sequence,
    Plot::Sequence,
    Plot::Sequence,
    Plot::Three,
    Plot::Three,
    Plot::TwoAndOne,
];

impl Plot {
    /// How many shapes it has.
    fn shapes(self) -> usize {
        match self {
            Self::Single | Self::Turn | Self::Vanish => 1,
            Self::Together | Self::Sequence => 2,
            Self::Three | Self::TwoAndOne => 3,
        }
    }

    /// The phase in which each shape acts.
    fn phases<R: Rng + ?Sized>(self, rng: &mut R) -> Vec<usize> {
        let mut phases = match self {
            Self::Single | Self::Turn | Self::Vanish => vec![0],
            Self::Together => vec![0, 0],
            Self::Sequence => vec![0, 1],
            Self::Three => vec![0, 1, 2],
            Self::TwoAndOne if rng.random() => vec![0, 0, 1],
            Self::TwoAndOne => vec![0, 1, 1],
        };
        phases.shuffle(rng);
        phases
    }
}

/// Draws a story of at most so many shapes, whose first one shows a combination of the split; in a
/// story to train on, no shape shows a combination that is held out.
pub(crate) fn draw_story<R: Rng + ?Sized>(
    combinations: &Combinations,
    split: Split,
    shapes: usize,
    rng: &mut R,
) -> Story {
    let own: Vec<Block> = combinations.blocks(split).collect();
    let block = own.choose(rng).copied().unwrap_or_default();
    let plots: Vec<Plot> = PLOTS
        .into_iter()
        .filter(|plot| plot.shapes() <= shapes)
        .collect();
    let plot = plots.choose(rng).copied().unwrap_or(Plot::Single);
    let direction = block.direction(rng);
    let mut cast = Cast {
        combinations,
        free: match split {
            Split::Train => own,
            Split::Validation | Split::Test => Combinations::all_blocks().collect(),
        },
        used: Vec::new(),
        actors: Vec::new(),
        actions: Vec::new(),
    };
    cast.add(block, Action::Move(direction), rng);
    for _ in 1..plot.shapes() {
        cast.add_other(plot == Plot::Together, rng);
    }
    let events = match plot {
        Plot::Turn => vec![
            alone(0, Action::Move(direction)),
            alone(1, Action::Move(direction.opposite())),
        ],
        Plot::Vanish if rng.random() => vec![
            alone(0, Action::Move(direction)),
            alone(1, Action::Disappear),
        ],
        Plot::Vanish => vec![alone(0, Action::Appear), alone(1, Action::Move(direction))],
        _ => cast.events(&plot.phases(rng)),
    };
    Story::new(cast.actors, events)
}

/// What the only shape does.
fn alone(phase: usize, action: Action) -> Event {
    Event {
        phase,
        actor: 0,
        action,
    }
}

/// The shapes found so far and what each does.
struct Cast<'a> {
    combinations: &'a Combinations,
    free: Vec<Block>,
    used: Vec<Block>,
    actors: Vec<Actor>,
    actions: Vec<Action>,
}

impl Cast<'_> {
    fn add<R: Rng + ?Sized>(&mut self, block: Block, action: Action, rng: &mut R) {
        self.actors.push(Actor {
            color: self.combinations.color(block.colors, rng),
            shape: self.combinations.shape(block.shapes, rng),
            size: *Size::ALL.choose(rng).unwrap_or(&Size::Small),
            speed: Speed::ALL.choose(rng).copied(),
        });
        self.actions.push(action);
        self.used.push(block);
    }

    /// Adds a shape of other pairs: no companion of one then looks like another.
    fn add_other<R: Rng + ?Sized>(&mut self, moves: bool, rng: &mut R) {
        let unused = |block: &Block| {
            let clash = |used: &Block| used.colors == block.colors || used.shapes == block.shapes;
            !self.used.iter().any(clash)
        };
        let movers: Vec<Block> = self.free.iter().copied().filter(unused).collect();
        let others: Vec<Block> = Combinations::all_blocks().filter(unused).collect();
        let added = match movers.choose(rng) {
            Some(block) if moves || rng.random_bool(0.7) => {
                Some((*block, Action::Move(block.direction(rng))))
            }
            // What does not move shows no combination.
            _ => others.choose(rng).map(|block| {
                let appears = rng.random();
                let action = if appears {
                    Action::Appear
                } else {
                    Action::Disappear
                };
                (*block, action)
            }),
        };
        if let Some((block, action)) = added {
            self.add(block, action, rng);
        }
    }

    fn events(&self, phases: &[usize]) -> Vec<Event> {
        let actions = self.actions.iter().enumerate();
        actions
            .zip(phases)
            .map(|((actor, &action), &phase)| Event {
                phase,
                actor,
                action,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BenchmarkConfig;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    #[test]
    fn backwards_the_last_event_comes_first_and_undoes_itself() {
        let [circle, ring] = [Shape::Circle, Shape::Ring].map(|shape| Actor {
            color: Color::Red,
            shape,
            size: Size::Big,
            speed: Some(Speed::Slow),
        });
        let event = |phase, actor, action| Event {
            phase,
            actor,
            action,
        };
        let events = vec![
            event(0, 0, Action::Move(Direction::Left)),
            event(1, 1, Action::Appear),
        ];
        let story = Story::new(vec![circle, ring], events);

        let reversed = story.reversed();

        let expected = [
            event(0, 1, Action::Disappear),
            event(1, 0, Action::Move(Direction::Right)),
        ];
        assert_eq!(reversed.events, expected);
        assert_eq!(reversed.reversed(), story);
    }

    #[test]
    fn there_and_back_looks_the_same_backwards_but_not_in_the_other_order() {
        let actors = Story::single_move(&Attributes {
            color: Color::Red,
            shape: Shape::Circle,
            size: Size::Big,
            direction: Direction::Left,
        })
        .actors;
        let [there, back] = [(0, Direction::Left), (1, Direction::Right)]
            .map(|(at, to)| alone(at, Action::Move(to)));
        let story = Story::new(actors, vec![there, back]);

        assert_eq!(story.reversed(), story);
        assert_ne!(story.reordered(), story);
    }

    #[test]
    fn a_story_keeps_to_the_combinations_of_its_split() {
        for share in [0.01, 0.1, 0.4] {
            let config = BenchmarkConfig {
                validation_share: share,
                test_share: share,
                ..BenchmarkConfig::default()
            };
            let combinations = Combinations::new(&config);
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            for split in Split::ALL {
                let allowed = combinations.of(split);
                for _ in 0..500 {
                    let story = draw_story(&combinations, split, 3, &mut rng);

                    let own = |actor| {
                        let mut shown = story.combinations(actor);
                        shown.all(|shown| allowed.contains(&shown))
                    };
                    assert!(story.moves(0).next().is_some() && own(0), "{story:?}");
                    if split == Split::Train {
                        assert!((0..story.actors.len()).all(own), "{story:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_phase_has_an_event_and_no_two_shapes_look_alike() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut sizes = HashSet::new();
        for number in 0..600 {
            let most = number % 3 + 1;
            let story = draw_story(&combinations, Split::Train, most, &mut rng);

            assert!((0..story.phases()).all(|phase| story.phase(phase).next().is_some()));
            let colors: HashSet<_> = story.actors.iter().map(|actor| actor.color).collect();
            let shapes: HashSet<_> = story.actors.iter().map(|actor| actor.shape).collect();
            let count = story.actors.len();
            assert_eq!((colors.len(), shapes.len()), (count, count));
            assert!(count <= most);
            sizes.insert((count, story.phases()));
        }
        let expected = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (3, 3)];
        assert_eq!(sizes, HashSet::from(expected));
    }
}
