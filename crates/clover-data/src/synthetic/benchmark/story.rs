//! What happens in a clip: shapes, and the order in which they move, appear and disappear.

use serde::{Deserialize, Serialize};

use crate::synthetic::{Attributes, Color, Direction, Shape, Size};

/// How fast a shape moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum Speed {
    Slow,
    Fast,
}

/// A shape that does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Actor {
    /// Its colour.
    pub color: Color,
    /// Its outline.
    pub shape: Shape,
    /// How large it is.
    pub size: Size,
    /// How fast it moves, when it moves.
    pub speed: Speed,
}

/// What a shape does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// It moves.
    Move(Direction),
    /// It was not there before.
    Appear,
    /// It is not there afterwards.
    Disappear,
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Event {
    /// When: events of one phase happen at the same time, phases follow each other.
    pub phase: usize,
    /// Which of the story's shapes.
    pub actor: usize,
    /// What it does.
    pub action: Action,
}

/// Everything that is told of a clip. The first shape is the one whose combination of attributes
/// decides about the split.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Story {
    /// The shapes, no two of one colour or outline.
    pub actors: Vec<Actor>,
    /// What happens, in the order of the phases and, within one, of the shapes.
    pub events: Vec<Event>,
}

/// In which single respect a clip differs from its twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// In none: it is the twin.
    Nothing,
    /// The colour of one shape.
    Color,
    /// The outline of one shape.
    Shape,
    /// The size of one shape.
    Size,
    /// How fast one shape moves.
    Speed,
    /// Where one shape moves.
    Direction,
    /// Which event comes first.
    Order,
    /// The direction of time: it is the twin played backwards.
    Time,
}

impl Speed {
    /// Both speeds.
    pub const ALL: [Self; 2] = [Self::Slow, Self::Fast];

    /// The other speed.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Slow => Self::Fast,
            Self::Fast => Self::Slow,
        }
    }
}

impl Action {
    /// What is seen when time runs backwards.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Move(direction) => Self::Move(direction.opposite()),
            Self::Appear => Self::Disappear,
            Self::Disappear => Self::Appear,
        }
    }
}

impl Difference {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Color => "color",
            Self::Shape => "shape",
            Self::Size => "size",
            Self::Speed => "speed",
            Self::Direction => "direction",
            Self::Order => "order",
            Self::Time => "time",
        }
    }
}

impl Story {
    /// A story of these shapes and events; the events are put in order.
    pub(super) fn new(actors: Vec<Actor>, mut events: Vec<Event>) -> Self {
        events.sort_by_key(|event| (event.phase, event.actor));
        Self { actors, events }
    }

    /// The number of phases.
    pub fn phases(&self) -> usize {
        let phases = self.events.iter().map(|event| event.phase + 1);
        phases.max().unwrap_or(0)
    }

    /// What happens in a phase.
    pub fn phase(&self, phase: usize) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.phase == phase)
    }

    /// What one shape does, in order.
    pub fn deeds(&self, actor: usize) -> impl Iterator<Item = &Event> {
        self.events.iter().filter(move |event| event.actor == actor)
    }

    /// Where one shape moves, in order.
    pub fn moves(&self, actor: usize) -> impl Iterator<Item = Direction> {
        self.deeds(actor).filter_map(|event| match event.action {
            Action::Move(direction) => Some(direction),
            Action::Appear | Action::Disappear => None,
        })
    }

    /// The story as it is seen when time runs backwards.
    #[must_use]
    pub fn reversed(&self) -> Self {
        self.mirrored(Action::reversed)
    }

    /// The same events in the opposite order.
    #[must_use]
    pub fn reordered(&self) -> Self {
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

    /// Whether captions tell the speed: with several shapes one after the other they would be too
    /// long.
    pub fn tells_speed(&self) -> bool {
        self.actors.len() == 1 || self.phases() == 1
    }

    /// Whether two stories sound the same: an untold speed does not count.
    pub(super) fn told(&self) -> Self {
        let mut told = self.clone();
        for (number, actor) in told.actors.iter_mut().enumerate() {
            if !self.tells_speed() || self.moves(number).next().is_none() {
                actor.speed = Speed::Slow;
            }
        }
        told
    }

    /// The combinations of attributes one shape shows, one for each direction it moves in.
    pub fn combinations(&self, actor: usize) -> impl Iterator<Item = Attributes> {
        let shape = self.actors.get(actor).copied();
        self.moves(actor).filter_map(move |direction| {
            shape.map(|shape| Attributes {
                color: shape.color,
                shape: shape.shape,
                size: shape.size,
                direction,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CIRCLE: Actor = Actor {
        color: Color::Red,
        shape: Shape::Circle,
        size: Size::Big,
        speed: Speed::Slow,
    };

    fn event(phase: usize, actor: usize, action: Action) -> Event {
        Event {
            phase,
            actor,
            action,
        }
    }

    #[test]
    fn backwards_the_last_event_comes_first_and_undoes_itself() {
        let star = Actor {
            shape: Shape::Star,
            ..CIRCLE
        };
        let events = vec![
            event(0, 0, Action::Move(Direction::Left)),
            event(1, 1, Action::Appear),
        ];
        let story = Story::new(vec![CIRCLE, star], events);

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
        let events = vec![
            event(0, 0, Action::Move(Direction::Left)),
            event(1, 0, Action::Move(Direction::Right)),
        ];
        let story = Story::new(vec![CIRCLE], events);

        assert_eq!(story.reversed(), story);
        assert_ne!(story.reordered(), story);
    }
}
