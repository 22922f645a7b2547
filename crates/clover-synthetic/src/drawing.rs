//! The frames of a clip, anti-aliased, with few colours: a GIF's palette then holds them exactly.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, ImageResult, RgbaImage};
use rand::Rng;

use crate::attributes::{Color, Shape};
use crate::layout::Place;
use crate::story::Story;

/// Samples along each side of a pixel; a pixel is one of `1 + SAMPLES * SAMPLES` mixtures of the
/// shape's colour and a background tone, which makes 20 colours a frame with two tones.
const SAMPLES: usize = 3;

/// The inner radius of a ring; its outer one is 1.
const RING_HOLE: f32 = 0.55;

/// How long each frame is shown.
const FRAME_MILLISECONDS: u32 = 100;

/// A clip before it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scene {
    /// What happens, as it is drawn.
    pub(crate) drawn: Story,
    /// Where each shape is.
    pub(crate) places: Vec<Place>,
    /// What is behind the shapes; no caption tells.
    pub(crate) background: Background,
    /// Whether the frames are shown from the last to the first.
    pub(crate) backwards: bool,
}

/// What is behind the shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Background {
    tone: [u8; 3],
    pattern: Pattern,
}

/// Where the background's first tone is, and where the second, which is slightly lighter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pattern {
    /// The first everywhere.
    Plain,
    /// Horizontal stripes of this many pixels.
    Stripes(usize),
    /// Squares of this many pixels.
    Checks(usize),
}

/// A shape to paint.
struct Figure {
    color: Color,
    shape: Shape,
    /// The distance of its outermost points from its centre, as a share of the image's side.
    radius: f32,
}

impl Background {
    /// Draws tones and a pattern.
    pub(crate) fn sample<R: Rng + ?Sized>(rng: &mut R) -> Self {
        // Dark and nearly grey, so that every colour stands out.
        let grey = rng.random_range(20..=50_u8);
        let tone = [(); 3].map(|()| grey + rng.random_range(0..=8_u8));
        let pattern = match rng.random_range(0..3) {
            0 => Pattern::Plain,
            1 => Pattern::Stripes(rng.random_range(3..=8)),
            _ => Pattern::Checks(rng.random_range(3..=8)),
        };
        Self { tone, pattern }
    }

    fn paint(&self, size: usize) -> Vec<u8> {
        let mut image = Vec::with_capacity(size * size * 3);
        for row in 0..size {
            for column in 0..size {
                let lighter = match self.pattern {
                    Pattern::Plain => false,
                    Pattern::Stripes(width) => row / width % 2 == 1,
                    Pattern::Checks(width) => (row / width + column / width) % 2 == 1,
                };
                image.extend(self.tone.map(|level| level + 12 * u8::from(lighter)));
            }
        }
        image
    }
}

impl Scene {
    /// What happens, as it is seen.
    #[cfg(test)]
    pub(crate) fn seen(&self) -> Story {
        if self.backwards {
            self.drawn.reversed()
        } else {
            self.drawn.clone()
        }
    }

    /// Draws the frames, each `size x size` pixels of red, green and blue, rows from the top.
    pub(crate) fn render(&self, frames: usize, size: usize) -> Vec<Vec<u8>> {
        let backdrop = self.background.paint(size);
        let last = frames.saturating_sub(1).max(1) as f32;
        let drawn = (0..frames).map(|frame| {
            let mut image = backdrop.clone();
            self.paint(&mut image, frame as f32 / last, size);
            image
        });
        // Turned as images: companions that differ in time have the same frames, bit for bit.
        if self.backwards {
            drawn.rev().collect()
        } else {
            drawn.collect()
        }
    }

    fn paint(&self, image: &mut [u8], moment: f32, size: usize) {
        let actors = self.drawn.actors.iter().zip(&self.places);
        for (number, (actor, place)) in actors.enumerate() {
            let figure = Figure {
                color: actor.color,
                shape: actor.shape,
                radius: place.radius(actor.size),
            };
            if let Some(center) = place.center(&self.drawn, number, moment) {
                figure.paint(image, center, size);
            }
        }
    }
}

impl Figure {
    /// Paints the shape; its centre is given in shares of the image's side.
    fn paint(&self, image: &mut [u8], center: [f32; 2], size: usize) {
        let side = size as f32;
        let from = |at: f32| (((at - self.radius) * side).floor().max(0.0) as usize).min(size);
        let to = |at: f32| (((at + self.radius) * side).ceil().max(0.0) as usize).min(size);
        let color = self.color.rgb();
        for row in from(center[1])..to(center[1]) {
            for column in from(center[0])..to(center[0]) {
                let covered = self.coverage(center, side, [column, row]);
                let pixel = &mut image[(row * size + column) * 3..][..3];
                for (level, shape_level) in pixel.iter_mut().zip(color) {
                    *level = mix(*level, shape_level, covered);
                }
            }
        }
    }

    /// How many samples of a pixel lie inside the shape.
    fn coverage(&self, center: [f32; 2], side: f32, pixel: [usize; 2]) -> usize {
        let place = |axis: usize, sample: usize| {
            let at = pixel[axis] as f32 + (sample as f32 + 0.5) / SAMPLES as f32;
            (at / side - center[axis]) / self.radius
        };
        (0..SAMPLES * SAMPLES)
            .filter(|sample| {
                let (x, y) = (place(0, sample % SAMPLES), place(1, sample / SAMPLES));
                is_inside(self.shape, x, y)
            })
            .count()
    }
}

fn mix(background: u8, shape: u8, covered: usize) -> u8 {
    let all = SAMPLES * SAMPLES;
    let sum = usize::from(background) * (all - covered) + usize::from(shape) * covered;
    (sum / all) as u8
}

/// Tells whether a point lies inside a shape whose outermost points are at distance one.
fn is_inside(shape: Shape, x: f32, y: f32) -> bool {
    match shape {
        Shape::Circle => x * x + y * y <= 1.0,
        Shape::Square => x.abs() <= 0.8 && y.abs() <= 0.8,
        Shape::Triangle => y <= 0.8 && x.abs() <= (y + 1.0) / 1.8,
        Shape::Diamond => x.abs() / 0.65 + y.abs() <= 1.0,
        Shape::Cross => {
            let (short, long) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
            short <= 0.3 && long <= 1.0
        }
        Shape::Ring => (RING_HOLE * RING_HOLE..=1.0).contains(&(x * x + y * y)),
    }
}

/// The frames as an animated GIF.
pub(crate) fn encode_gif(frames: &[Vec<u8>], size: usize) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    // The encoder keeps the colours exactly while a frame has at most 256; the speed does not matter.
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 30);
    encoder.set_repeat(Repeat::Infinite)?;
    let delay = Delay::from_numer_denom_ms(FRAME_MILLISECONDS, 1);
    for image in frames {
        let mut opaque = RgbaImage::new(size as u32, size as u32);
        for (pixel, rgb) in opaque.pixels_mut().zip(image.chunks_exact(3)) {
            pixel.0 = [rgb[0], rgb[1], rgb[2], u8::MAX];
        }
        encoder.encode_frame(Frame::from_parts(opaque, 0, 0, delay))?;
    }
    drop(encoder);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::{Direction, Size, Speed};
    use crate::layout::Room;
    use crate::story::{Action, Actor, Event};
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;
    use std::collections::HashSet;
    use std::io::Cursor;

    /// A large red shape in the middle.
    fn scene(shape: Shape, action: Action) -> Scene {
        let actor = Actor {
            color: Color::Red,
            shape,
            size: Size::Big,
            speed: Some(Speed::Fast),
        };
        let event = Event {
            phase: 0,
            actor: 0,
            action,
        };
        Scene {
            drawn: Story::new(vec![actor], vec![event]),
            places: vec![Place {
                middle: [0.5, 0.5],
                radius_fraction: 0.5,
                speed_fraction: 0.5,
                room: Room::Shared,
            }],
            background: Background {
                tone: [20; 3],
                pattern: Pattern::Stripes(4),
            },
            backwards: false,
        }
    }

    const LEFT: Action = Action::Move(Direction::Left);

    /// The pixels wholly inside the shape.
    fn filled(frame: &[u8]) -> Vec<usize> {
        let pixels = frame.chunks_exact(3).enumerate();
        let red = pixels.filter(|(_, pixel)| *pixel == Color::Red.rgb());
        red.map(|(at, _)| at).collect()
    }

    #[test]
    fn backwards_the_same_frames_come_in_the_other_order() {
        let scene = scene(Shape::Circle, LEFT);
        let turned = Scene {
            backwards: true,
            ..scene.clone()
        };

        let (mut forwards, backwards) = (scene.render(8, 32), turned.render(8, 32));

        assert_ne!(forwards, backwards);
        forwards.reverse();
        assert_eq!(forwards, backwards);
    }

    #[test]
    fn a_shape_moves_left_in_the_image() {
        let frames = scene(Shape::Circle, LEFT).render(8, 64);

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
        let frames = scene(Shape::Circle, Action::Appear).render(8, 32);

        let there = frames.iter().map(|frame| !filled(frame).is_empty());

        let expected = [false, false, false, false, true, true, true, true];
        assert!(there.eq(expected));
    }

    #[test]
    fn a_circle_fills_its_area() {
        let scene = scene(Shape::Circle, LEFT);

        let frames = scene.render(1, 256);

        let radius = scene.places[0].radius(Size::Big) * 256.0;
        let area = std::f32::consts::PI * radius * radius;
        // The rim, a pixel wide, is mixed and not counted.
        let rim = 2.0 * std::f32::consts::PI * radius;
        let found = filled(&frames[0]).len() as f32;
        assert!(
            found <= area && found >= area - 1.5 * rim,
            "{found} of {area}"
        );
    }

    #[test]
    fn shapes_of_one_size_look_different() {
        let images = Shape::ALL.map(|shape| filled(&scene(shape, LEFT).render(1, 64)[0]));

        let different: HashSet<_> = images.iter().collect();
        assert_eq!(different.len(), Shape::ALL.len());
        assert!(images.iter().all(|pixels| pixels.len() > 40));
    }

    #[test]
    fn a_ring_has_a_hole() {
        assert!(is_inside(Shape::Ring, 0.0, -0.99));
        assert!(is_inside(Shape::Ring, 0.56, 0.0));
        assert!(!is_inside(Shape::Ring, 0.0, 0.5));
        assert!(!is_inside(Shape::Ring, 0.8, 0.8));
    }

    #[test]
    fn a_gif_keeps_every_pixel_of_its_few_colors() {
        let drawn = scene(Shape::Ring, LEFT).render(8, 64);

        let gif = encode_gif(&drawn, 64).unwrap();

        let decoder = GifDecoder::new(Cursor::new(gif)).unwrap();
        let decoded = decoder.into_frames().collect_frames().unwrap();
        assert_eq!(decoded.len(), drawn.len());
        for (frame, image) in decoded.iter().zip(drawn) {
            let pixels = frame.buffer().pixels();
            let rgb: Vec<u8> = pixels.flat_map(|pixel| pixel.0[..3].to_vec()).collect();
            let colors: HashSet<_> = rgb.chunks_exact(3).collect();
            assert!(colors.len() <= 20, "{}", colors.len());
            assert_eq!(rgb, image);
        }
    }
}
