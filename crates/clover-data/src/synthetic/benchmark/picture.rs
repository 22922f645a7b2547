//! Draws the frames of a scene.

use super::layout::Place;
use super::story::Story;
use crate::synthetic::Background;
use crate::synthetic::render::{Figure, paint_background, paint_figure};

/// A clip before it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkScene {
    /// What happens, as it is drawn.
    pub drawn: Story,
    /// Where each shape is.
    pub places: Vec<Place>,
    /// What is behind the shapes; no caption tells.
    pub background: Background,
    /// Whether the frames are shown from the last to the first.
    pub backwards: bool,
}

impl BenchmarkScene {
    /// What happens, as it is seen.
    pub fn seen(&self) -> Story {
        if self.backwards {
            self.drawn.reversed()
        } else {
            self.drawn.clone()
        }
    }

    /// Draws the frames, each `size x size` pixels of red, green and blue, rows from the top.
    pub fn render(&self, frames: usize, size: usize) -> Vec<Vec<u8>> {
        let backdrop = paint_background(&self.background, size);
        let last = frames.saturating_sub(1).max(1) as f32;
        let drawn = (0..frames).map(|frame| {
            let mut picture = backdrop.clone();
            self.paint(&mut picture, frame as f32 / last, size);
            picture
        });
        // Turned as pictures: companions that differ in time have the same frames, bit for bit.
        if self.backwards {
            drawn.rev().collect()
        } else {
            drawn.collect()
        }
    }

    fn paint(&self, picture: &mut [u8], moment: f32, size: usize) {
        let actors = self.drawn.actors.iter().zip(&self.places);
        for (number, (actor, place)) in actors.enumerate() {
            let figure = Figure {
                color: actor.color,
                shape: actor.shape,
                radius: place.radius(actor.size),
            };
            if let Some(center) = place.center(&self.drawn, number, moment) {
                paint_figure(picture, &figure, center, size);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::benchmark::{Action, Actor, Event, Speed};
    use crate::synthetic::{Color, Direction, Pattern, Shape, Size};

    fn scene(action: Action, backwards: bool) -> BenchmarkScene {
        let actor = Actor {
            color: Color::Red,
            shape: Shape::Circle,
            size: Size::Big,
            speed: Speed::Fast,
        };
        let event = Event {
            phase: 0,
            actor: 0,
            action,
        };
        BenchmarkScene {
            drawn: Story::new(vec![actor], vec![event]),
            places: vec![Place {
                middle: [0.5, 0.5],
                girth: 0.5,
                pace: 0.5,
                alone: false,
            }],
            background: Background {
                tone: [20; 3],
                other_tone: [32; 3],
                pattern: Pattern::Plain,
            },
            backwards,
        }
    }

    /// The pixels of the shape.
    fn filled(frame: &[u8]) -> Vec<usize> {
        let pixels = frame.chunks_exact(3).enumerate();
        let red = pixels.filter(|(_, pixel)| *pixel == Color::Red.rgb());
        red.map(|(at, _)| at).collect()
    }

    #[test]
    fn backwards_the_same_frames_come_in_the_other_order() {
        let action = Action::Move(Direction::Left);

        let mut forwards = scene(action, false).render(8, 32);
        let backwards = scene(action, true).render(8, 32);

        assert_ne!(forwards, backwards);
        forwards.reverse();
        assert_eq!(forwards, backwards);
    }

    #[test]
    fn a_shape_moves_left_in_the_picture() {
        let frames = scene(Action::Move(Direction::Left), false).render(8, 64);

        let columns = frames.iter().map(|frame| {
            let filled = filled(frame);
            filled.iter().map(|at| at % 64).sum::<usize>() as f32 / filled.len() as f32
        });
        let columns: Vec<f32> = columns.collect();
        assert!(columns.is_sorted_by(|first, second| first >= second));
        // 0.59 of the side in a clip, for 0.8 of its time.
        assert!(columns[0] - columns[7] > 28.0, "{columns:?}");
    }

    #[test]
    fn what_appears_is_there_in_the_second_half_only() {
        let frames = scene(Action::Appear, false).render(8, 32);

        let there: Vec<bool> = frames
            .iter()
            .map(|frame| !filled(frame).is_empty())
            .collect();

        assert_eq!(there, [false, false, false, false, true, true, true, true]);
    }
}
