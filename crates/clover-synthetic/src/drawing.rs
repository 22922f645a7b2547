//! Draws a scene, anti-aliased, with few colours: a GIF's palette then holds them exactly.

use super::scene::{Background, Color, Pattern, Scene, Shape};

/// Samples along each side of a pixel; a pixel is one of `1 + SAMPLES * SAMPLES` mixtures of the
/// shape's colour and a background tone, which makes 20 colours a frame with two tones.
const SAMPLES: usize = 3;

/// The unit vectors from the centre of a five-pointed star to its points; the second number grows
/// downwards.
const STAR_POINTS: [[f32; 2]; 5] = [
    [0.0, -1.0],
    [0.951_056_5, -0.309_017],
    [0.587_785_25, 0.809_017],
    [-0.587_785_25, 0.809_017],
    [-0.951_056_5, -0.309_017],
];

/// The distance of the lines of a pentagram from its centre, `cos(72 degrees)`.
const STAR_LINE: f32 = 0.309_017;

/// A shape to paint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figure {
    /// Its colour.
    pub(super) color: Color,
    /// Its outline.
    pub(super) shape: Shape,
    /// The distance of its outermost points from its centre, as a share of the picture's side.
    pub(super) radius: f32,
}

/// Draws the frames of a scene, each `size x size` pixels of red, green and blue, rows from the top.
pub fn render(scene: &Scene, frames: usize, size: usize) -> Vec<Vec<u8>> {
    let backdrop = paint_background(&scene.background, size);
    let figure = Figure {
        color: scene.attributes.color,
        shape: scene.attributes.shape,
        radius: scene.radius,
    };
    (0..frames)
        .map(|frame| {
            // A clip of one frame shows the middle of the way.
            let way = match frames {
                1 => 0.5,
                _ => frame as f32 / (frames - 1) as f32,
            };
            let center =
                [0, 1].map(|axis| scene.start[axis] + way * (scene.end[axis] - scene.start[axis]));
            let mut picture = backdrop.clone();
            paint_figure(&mut picture, &figure, center, size);
            picture
        })
        .collect()
}

/// Paints what is behind the shapes.
pub(super) fn paint_background(background: &Background, size: usize) -> Vec<u8> {
    let mut picture = Vec::with_capacity(size * size * 3);
    for row in 0..size {
        for column in 0..size {
            let other = match background.pattern {
                Pattern::Plain => false,
                Pattern::Stripes(width) => row / width % 2 == 1,
                Pattern::Checks(width) => (row / width + column / width) % 2 == 1,
            };
            let tone = if other {
                background.other_tone
            } else {
                background.tone
            };
            picture.extend_from_slice(&tone);
        }
    }
    picture
}

/// Paints a shape whose centre is given in shares of the picture's side.
pub(super) fn paint_figure(picture: &mut [u8], figure: &Figure, center: [f32; 2], size: usize) {
    let side = size as f32;
    let from = |at: f32| (((at - figure.radius) * side).floor().max(0.0) as usize).min(size);
    let to = |at: f32| (((at + figure.radius) * side).ceil().max(0.0) as usize).min(size);
    let color = figure.color.rgb();
    for row in from(center[1])..to(center[1]) {
        for column in from(center[0])..to(center[0]) {
            let covered = coverage(figure, center, side, [column, row]);
            let pixel = &mut picture[(row * size + column) * 3..][..3];
            for (level, shape_level) in pixel.iter_mut().zip(color) {
                *level = mix(*level, shape_level, covered);
            }
        }
    }
}

/// How many samples of a pixel lie inside the shape.
fn coverage(figure: &Figure, center: [f32; 2], side: f32, pixel: [usize; 2]) -> usize {
    let place = |axis: usize, sample: usize| {
        let at = pixel[axis] as f32 + (sample as f32 + 0.5) / SAMPLES as f32;
        (at / side - center[axis]) / figure.radius
    };
    (0..SAMPLES * SAMPLES)
        .filter(|sample| {
            let (x, y) = (place(0, sample % SAMPLES), place(1, sample / SAMPLES));
            is_inside(figure.shape, x, y)
        })
        .count()
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
        // A tip lies outside one line of the pentagram, the middle outside none.
        Shape::Star => {
            let outside = |point: &&[f32; 2]| point[0] * x + point[1] * y > STAR_LINE;
            STAR_POINTS.iter().filter(outside).count() <= 1
        }
        Shape::Cross => {
            let (short, long) = (x.abs().min(y.abs()), x.abs().max(y.abs()));
            short <= 0.3 && long <= 1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{Attributes, Color, Direction, Size};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    fn scene(shape: Shape, size: Size, direction: Direction) -> Scene {
        let attributes = Attributes {
            color: Color::Red,
            shape,
            size,
            direction,
        };
        Scene::sample(attributes, &mut ChaCha8Rng::seed_from_u64(0))
    }

    /// The pixels wholly inside the shape.
    fn filled(frame: &[u8]) -> Vec<usize> {
        let pixels = frame.chunks_exact(3).enumerate();
        let red = pixels.filter(|(_, pixel)| *pixel == Color::Red.rgb());
        red.map(|(at, _)| at).collect()
    }

    #[test]
    fn the_shape_moves_to_where_the_direction_says() {
        let mean_column = |frame: &[u8]| {
            let filled = filled(frame);
            filled.iter().map(|at| (at % 64) as f32).sum::<f32>() / filled.len() as f32
        };

        let frames = render(&scene(Shape::Circle, Size::Small, Direction::Left), 8, 64);

        let columns: Vec<f32> = frames.iter().map(|frame| mean_column(frame)).collect();
        assert!(
            columns.is_sorted_by(|first, second| first > second),
            "{columns:?}"
        );
        // At least 0.28 of 64 pixels.
        assert!(columns[0] - columns[7] > 17.0, "{columns:?}");
    }

    #[test]
    fn a_circle_fills_its_area() {
        let scene = scene(Shape::Circle, Size::Big, Direction::Up);

        let frames = render(&scene, 1, 256);

        let radius = scene.radius * 256.0;
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
        let pictures: HashSet<Vec<usize>> = Shape::ALL
            .iter()
            .map(|&shape| filled(&render(&scene(shape, Size::Big, Direction::Up), 1, 64)[0]))
            .collect();

        assert_eq!(pictures.len(), Shape::ALL.len());
        assert!(pictures.iter().all(|pixels| pixels.len() > 200));
    }

    #[test]
    fn a_star_has_points_and_notches() {
        assert!(is_inside(Shape::Star, 0.0, -0.99));
        assert!(!is_inside(Shape::Star, 0.0, 0.5));
        assert!(is_inside(Shape::Star, 0.0, 0.0));
        assert!(!is_inside(Shape::Star, 0.0, -1.01));
    }

    #[test]
    fn a_frame_has_few_colours() {
        for frame in render(&scene(Shape::Star, Size::Big, Direction::Down), 8, 64) {
            let colors: HashSet<_> = frame.chunks_exact(3).collect();

            assert!(colors.len() <= 20, "{}", colors.len());
        }
    }
}
