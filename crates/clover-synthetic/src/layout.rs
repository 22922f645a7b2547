//! Where the shapes of a story are at each moment.
//!
//! Time runs from 0 to 1, lengths are shares of the image's side. What is drawn here fits all
//! companions of a story: room is kept for a big and fast shape, whichever it is.

use rand::Rng;

use crate::attributes::{Size, Speed};
use crate::config::{BenchmarkConfig, Stories};
use crate::story::{Action, Event, Story};

/// Layouts tried before the one with the most room between the shapes is taken.
const TRIES: usize = 40;

/// Moments at which the room between two shapes is measured.
const MOMENTS: usize = 9;

/// The largest radius of a shape that leaves room for others.
const LARGEST: f32 = 0.16;

/// How much room the shapes of a benchmark have: a size does not tell how many there are in a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// There may be others.
    Shared,
    /// No clip has a second shape: they are larger and go farther.
    Alone,
    /// And each moves once, never fast: they are larger still.
    SingleMove,
}

/// What the story leaves open about one shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// The middle of its way, from the left and from the top.
    pub(crate) middle: [f32; 2],
    /// Where its radius is in the range of its size, from 0 to 1.
    pub(crate) radius_fraction: f32,
    /// Where its speed is in the range of slow or fast, from 0 to 1.
    pub(crate) speed_fraction: f32,
    pub(crate) room: Room,
}

impl Room {
    pub(crate) fn of(config: &BenchmarkConfig) -> Self {
        match (config.stories, config.shapes) {
            (Stories::SingleMove, _) => Self::SingleMove,
            (Stories::Any, 1) => Self::Alone,
            (Stories::Any, _) => Self::Shared,
        }
    }
}

impl Place {
    /// The distance of the shape's outermost points from its centre; the sizes leave a gap.
    pub(crate) fn radius(&self, size: Size) -> f32 {
        let [least, more] = match (size, self.room) {
            (Size::Small, Room::SingleMove) => [0.24, 0.02],
            (Size::Big, Room::SingleMove) => [0.37, 0.01],
            (Size::Small, _) => [0.08, 0.015],
            (Size::Big, _) => [0.14, LARGEST - 0.14],
        };
        let usual = least + more * self.radius_fraction;
        match self.room {
            Room::Shared | Room::SingleMove => usual,
            Room::Alone => 1.3 * usual,
        }
    }

    /// The centre of a shape at a moment, or nothing while it is not to be seen.
    pub(crate) fn center(&self, story: &Story, actor: usize, moment: f32) -> Option<[f32; 2]> {
        let there = story.events_of(actor).all(|event| {
            let [from, to] = window(story, event.phase);
            let middle = f32::midpoint(from, to);
            match event.action {
                Action::Appear => moment >= middle,
                Action::Disappear => moment < middle,
                Action::Move(_) => true,
            }
        });
        there.then(|| self.center_if_there(story, actor, moment))
    }

    fn center_if_there(&self, story: &Story, actor: usize, moment: f32) -> [f32; 2] {
        let speed = story.actors.get(actor).and_then(|one| one.speed);
        let (mut at, mut low, mut high) = ([0.0_f32; 2], [0.0_f32; 2], [0.0_f32; 2]);
        let mut end = [0.0_f32; 2];
        for event in story.events_of(actor) {
            let [from, to] = window(story, event.phase);
            let done = ((moment - from) / (to - from)).clamp(0.0, 1.0);
            let way = self.way(story, event, speed);
            for axis in 0..2 {
                at[axis] += done * way[axis];
                end[axis] += way[axis];
                low[axis] = low[axis].min(end[axis]);
                high[axis] = high[axis].max(end[axis]);
            }
        }
        // The whole way lies evenly around its middle, in whichever direction it is gone.
        [0, 1].map(|axis| self.middle[axis] + at[axis] - f32::midpoint(low[axis], high[axis]))
    }

    /// How far an event takes the shape, to the right and down.
    fn way(&self, story: &Story, event: &Event, speed: Option<Speed>) -> [f32; 2] {
        let Action::Move(direction) = event.action else {
            return [0.0; 2];
        };
        let [from, to] = window(story, event.phase);
        // Sides of the image in the time of the clip.
        let [least, more] = match (speed, self.room) {
            (Some(Speed::Slow), Room::Shared) => [0.24, 0.06],
            (Some(Speed::Fast), Room::Shared) => [0.56, 0.06],
            (Some(Speed::Slow), _) => [0.36, 0.04],
            (Some(Speed::Fast), _) => [0.68, 0.04],
            (None, _) => [0.26, 0.02],
        };
        let speed = least + more * self.speed_fraction;
        direction.step().map(|step| step * speed * (to - from))
    }
}

/// When the events of a phase begin and end; all shapes rest in between.
fn window(story: &Story, phase: usize) -> [f32; 2] {
    match story.phases() {
        0 | 1 if story.actors.len() == 1 => [0.1, 0.9],
        0 | 1 => [0.2, 0.8],
        phases => {
            let part = 1.0 / phases as f32;
            [phase as f32 * part + 0.02, (phase + 1) as f32 * part - 0.02]
        }
    }
}

/// Draws what the story leaves open; the shapes stay inside the image and, where there is room,
/// apart from each other.
pub(crate) fn draw_layout<R: Rng + ?Sized>(story: &Story, room: Room, rng: &mut R) -> Vec<Place> {
    let mut best = places(story, room, rng);
    let mut apart = least_distance(story, &best);
    for _ in 1..TRIES {
        if apart >= 2.0 * LARGEST {
            break;
        }
        let next = places(story, room, rng);
        let distance = least_distance(story, &next);
        if distance > apart {
            (best, apart) = (next, distance);
        }
    }
    best
}

fn places<R: Rng + ?Sized>(story: &Story, room: Room, rng: &mut R) -> Vec<Place> {
    // Room is kept for the largest and fastest.
    let most = Place {
        middle: [0.0; 2],
        radius_fraction: 1.0,
        speed_fraction: 1.0,
        room,
    };
    let actors = story.actors.iter().enumerate();
    actors
        .map(|(number, actor)| {
            let fastest = actor.speed.map(|_| Speed::Fast);
            // There and back is as long as there.
            let mut half = [0.0_f32; 2];
            for event in story.events_of(number) {
                let way = most.way(story, event, fastest);
                half = [0, 1].map(|axis| half[axis].max(way[axis].abs() / 2.0));
            }
            Place {
                middle: half.map(|half| {
                    let margin = most.radius(Size::Big) + half;
                    rng.random_range(margin..=1.0 - margin)
                }),
                radius_fraction: rng.random(),
                speed_fraction: rng.random(),
                room,
            }
        })
        .collect()
}

/// How close two centres come.
fn least_distance(story: &Story, places: &[Place]) -> f32 {
    let mut least = f32::INFINITY;
    for moment in 0..MOMENTS {
        let moment = moment as f32 / (MOMENTS - 1) as f32;
        let centers: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(actor, place)| place.center_if_there(story, actor, moment))
            .collect();
        for (number, one) in centers.iter().enumerate() {
            for other in &centers[number + 1..] {
                let [x, y] = [one[0] - other[0], one[1] - other[1]];
                least = least.min((x * x + y * y).sqrt());
            }
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combinations::Combinations;
    use crate::config::Split;
    use crate::family::family;
    use crate::story::draw_story;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn shapes_stay_inside_in_every_companion_and_mostly_apart() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut apart = 0;
        let moves = combinations.of(Split::Train);
        for number in 0..600 {
            let (story, room) = match number {
                0..300 => (
                    draw_story(&combinations, Split::Train, 3, &mut rng),
                    Room::Shared,
                ),
                300..500 => (
                    draw_story(&combinations, Split::Train, 1, &mut rng),
                    Room::Alone,
                ),
                _ => (
                    Story::single_move(&moves[number % moves.len()]),
                    Room::SingleMove,
                ),
            };
            let places = draw_layout(&story, room, &mut rng);
            apart += usize::from(least_distance(&story, &places) >= 2.0 * LARGEST);
            for member in family(story, &combinations, &mut rng) {
                for (number, place) in places.iter().enumerate() {
                    let radius = place.radius(member.drawn.actors[number].size);
                    for moment in 0..=20 {
                        let moment = moment as f32 / 20.0;

                        let center = place.center_if_there(&member.drawn, number, moment);

                        let inside = |at: f32| at >= radius - 1e-5 && at <= 1.0 - radius + 1e-5;
                        assert!(center.into_iter().all(inside), "{center:?} {member:?}");
                    }
                }
            }
        }
        assert!(apart > 540, "{apart} of 600");
    }

    #[test]
    fn a_shape_moves_where_the_story_says() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..300 {
            let story = draw_story(&combinations, Split::Train, 3, &mut rng);
            let places = draw_layout(&story, Room::Shared, &mut rng);
            for event in &story.events {
                let Action::Move(direction) = event.action else {
                    continue;
                };
                let [from, to] = window(&story, event.phase);
                let place = &places[event.actor];

                let [before, after] =
                    [from, to].map(|moment| place.center_if_there(&story, event.actor, moment));

                let [x, y] = direction.step();
                let gone = (after[0] - before[0]) * x + (after[1] - before[1]) * y;
                // The slowest in a third of the time.
                assert!(gone > 0.06, "{gone} {event:?}");
            }
        }
    }
}
