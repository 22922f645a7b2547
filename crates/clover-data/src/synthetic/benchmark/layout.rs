//! Where the shapes of a story are at each moment.
//!
//! Time runs from 0 to 1, lengths are shares of the picture's side. What is drawn here fits all
//! companions of a story: room is kept for a big and fast shape, whichever it is.

use rand::Rng;

use super::story::{Action, Event, Speed, Story};
use crate::synthetic::Size;

/// Layouts tried before the one with the most room between the shapes is taken.
const TRIES: usize = 40;

/// Moments at which the room between two shapes is measured.
const MOMENTS: usize = 9;

/// The largest radius of a shape that leaves room for others.
const LARGEST: f32 = 0.16;

/// How much larger shapes are where no clip has two of them.
const ALONE: f32 = 1.3;

/// What the story leaves open about one shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The middle of its way, from the left and from the top.
    pub middle: [f32; 2],
    /// Where its radius is in the range of its size, from 0 to 1.
    pub girth: f32,
    /// Where its speed is in the range of slow or fast, from 0 to 1.
    pub pace: f32,
    /// Whether no clip of the benchmark has a second shape: there is room for larger ones that go
    /// farther.
    pub alone: bool,
}

impl Place {
    /// The distance of the shape's outermost points from its centre; the sizes leave a gap.
    pub fn radius(&self, size: Size) -> f32 {
        let usual = match size {
            Size::Small => 0.08 + 0.015 * self.girth,
            Size::Big => 0.14 + (LARGEST - 0.14) * self.girth,
        };
        if self.alone { usual * ALONE } else { usual }
    }

    /// The centre of a shape at a moment, or nothing while it is not to be seen.
    pub(super) fn center(&self, story: &Story, actor: usize, moment: f32) -> Option<[f32; 2]> {
        let there = story.deeds(actor).all(|event| {
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
        let speed = story.actors.get(actor).map_or(Speed::Slow, |one| one.speed);
        let (mut at, mut low, mut high) = ([0.0_f32; 2], [0.0_f32; 2], [0.0_f32; 2]);
        let mut end = [0.0_f32; 2];
        for event in story.deeds(actor) {
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
    fn way(&self, story: &Story, event: &Event, speed: Speed) -> [f32; 2] {
        let Action::Move(direction) = event.action else {
            return [0.0; 2];
        };
        let [from, to] = window(story, event.phase);
        // Sides of the picture in the time of the clip.
        let speed = match (speed, self.alone) {
            (Speed::Slow, false) => 0.24 + 0.06 * self.pace,
            (Speed::Fast, false) => 0.56 + 0.06 * self.pace,
            (Speed::Slow, true) => 0.36 + 0.04 * self.pace,
            (Speed::Fast, true) => 0.68 + 0.04 * self.pace,
        };
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

/// Draws what the story leaves open; the shapes stay inside the picture and, where there is room,
/// apart from each other. `shapes` is the largest number of them that any clip has: the size of a
/// shape does not tell how many there are in its own.
pub(super) fn draw_layout<R: Rng + ?Sized>(
    story: &Story,
    shapes: usize,
    rng: &mut R,
) -> Vec<Place> {
    let alone = shapes == 1;
    let mut best = places(story, alone, rng);
    let mut room = least_distance(story, &best);
    for _ in 1..TRIES {
        if room >= 2.0 * LARGEST {
            break;
        }
        let next = places(story, alone, rng);
        let distance = least_distance(story, &next);
        if distance > room {
            (best, room) = (next, distance);
        }
    }
    best
}

fn places<R: Rng + ?Sized>(story: &Story, alone: bool, rng: &mut R) -> Vec<Place> {
    // Room is kept for the largest and fastest.
    let most = Place {
        middle: [0.0; 2],
        girth: 1.0,
        pace: 1.0,
        alone,
    };
    (0..story.actors.len())
        .map(|actor| {
            // There and back is as long as there.
            let mut half = [0.0_f32; 2];
            for event in story.deeds(actor) {
                let way = most.way(story, event, Speed::Fast);
                half = [0, 1].map(|axis| half[axis].max(way[axis].abs() / 2.0));
            }
            Place {
                middle: half.map(|half| {
                    let margin = most.radius(Size::Big) + half;
                    rng.random_range(margin..=1.0 - margin)
                }),
                girth: rng.random(),
                pace: rng.random(),
                alone,
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
    use crate::synthetic::benchmark::combinations::Combinations;
    use crate::synthetic::benchmark::family::family;
    use crate::synthetic::benchmark::plot::draw_story;
    use crate::synthetic::benchmark::{BenchmarkConfig, Split};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn shapes_stay_inside_in_every_companion_and_mostly_apart() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut apart = 0;
        // Of 500 stories, 200 are of a benchmark of single shapes, which are larger.
        for number in 0..500 {
            let shapes = if number < 300 { 3 } else { 1 };
            let story = draw_story(&combinations, Split::Train, shapes, &mut rng);
            let places = draw_layout(&story, shapes, &mut rng);
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
        assert!(apart > 440, "{apart} of 500");
    }

    #[test]
    fn a_shape_moves_where_the_story_says() {
        let combinations = Combinations::new(&BenchmarkConfig::default());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..300 {
            let story = draw_story(&combinations, Split::Train, 3, &mut rng);
            let places = draw_layout(&story, 3, &mut rng);
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
