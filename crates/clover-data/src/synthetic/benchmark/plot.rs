//! Draws a story: who is in it, what happens, in which order.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::combinations::{Block, Combinations};
use super::config::Split;
use super::story::{Action, Actor, Event, Speed, Story};
use crate::synthetic::{Direction, Size};

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
}

/// Draws a story of at most so many shapes, whose first one shows a combination of the split; in a
/// story to train on, no shape shows a combination that is held out.
pub(super) fn draw_story<R: Rng + ?Sized>(
    combinations: &Combinations,
    split: Split,
    shapes: usize,
    rng: &mut R,
) -> Story {
    let own: Vec<Block> = combinations.blocks(split).collect();
    let block = own.choose(rng).copied().unwrap_or(Block {
        colors: 0,
        shapes: 0,
        vertical: false,
    });
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
        Plot::Turn => turn(direction),
        Plot::Vanish => vanish(direction, rng),
        _ => cast.events(&phases(plot, rng)),
    };
    Story::new(cast.actors, events)
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
            size: Size::ALL.choose(rng).copied().unwrap_or(Size::Small),
            speed: Speed::ALL.choose(rng).copied().unwrap_or(Speed::Slow),
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
        let action = match movers.choose(rng) {
            Some(block) if moves || rng.random_bool(0.7) => {
                Some((*block, Action::Move(block.direction(rng))))
            }
            // What does not move shows no combination.
            _ => others.choose(rng).map(|block| {
                let appears = rng.random();
                (
                    *block,
                    if appears {
                        Action::Appear
                    } else {
                        Action::Disappear
                    },
                )
            }),
        };
        if let Some((block, action)) = action {
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

/// The phase of each shape's deed.
fn phases<R: Rng + ?Sized>(plot: Plot, rng: &mut R) -> Vec<usize> {
    let mut phases = match plot {
        Plot::Single | Plot::Turn | Plot::Vanish => vec![0],
        Plot::Together => vec![0, 0],
        Plot::Sequence => vec![0, 1],
        Plot::Three => vec![0, 1, 2],
        Plot::TwoAndOne if rng.random() => vec![0, 0, 1],
        Plot::TwoAndOne => vec![0, 1, 1],
    };
    phases.shuffle(rng);
    phases
}

fn turn(direction: Direction) -> Vec<Event> {
    vec![
        deed(0, Action::Move(direction)),
        deed(1, Action::Move(direction.opposite())),
    ]
}

fn vanish<R: Rng + ?Sized>(direction: Direction, rng: &mut R) -> Vec<Event> {
    if rng.random() {
        vec![deed(0, Action::Move(direction)), deed(1, Action::Disappear)]
    } else {
        vec![deed(0, Action::Appear), deed(1, Action::Move(direction))]
    }
}

fn deed(phase: usize, action: Action) -> Event {
    Event {
        phase,
        actor: 0,
        action,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::benchmark::BenchmarkConfig;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

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
            for _ in 0..500 {
                for split in Split::ALL {
                    let story = draw_story(&combinations, split, 3, &mut rng);

                    let own = |actor| {
                        let mut shown = story.combinations(actor);
                        shown.all(|shown| combinations.split_of(&shown) == split)
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
    fn no_story_has_more_shapes_than_allowed() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for shapes in 1..=3 {
            let most = (0..200)
                .map(|_| draw_story(&combinations, Split::Train, shapes, &mut rng))
                .map(|story| story.actors.len())
                .max();

            assert_eq!(most, Some(shapes));
        }
    }

    #[test]
    fn every_phase_has_an_event_and_no_two_shapes_look_alike() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut sizes = HashSet::new();
        for _ in 0..500 {
            let story = draw_story(&combinations, Split::Train, 3, &mut rng);

            assert!((0..story.phases()).all(|phase| story.phase(phase).next().is_some()));
            let colors: HashSet<_> = story.actors.iter().map(|actor| actor.color).collect();
            let shapes: HashSet<_> = story.actors.iter().map(|actor| actor.shape).collect();
            assert_eq!(
                (colors.len(), shapes.len()),
                (story.actors.len(), colors.len())
            );
            sizes.insert((story.actors.len(), story.phases()));
        }
        let expected = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (3, 3)];
        assert_eq!(sizes, HashSet::from(expected));
    }
}
