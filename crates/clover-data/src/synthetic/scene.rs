//! What there is to see in a synthetic clip.

use rand::Rng;

/// The colour of the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum Color {
    Red,
    Green,
    Blue,
    Yellow,
    Purple,
    Orange,
    Cyan,
    White,
}

/// The outline of the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    Star,
    Cross,
}

/// How large the shape is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum Size {
    Small,
    Big,
}

/// Where the shape moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum Direction {
    Left,
    Right,
    Up,
    Down,
}

/// Everything a caption tells about a clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attributes {
    /// The colour of the shape.
    pub color: Color,
    /// The outline of the shape.
    pub shape: Shape,
    /// How large the shape is.
    pub size: Size,
    /// Where the shape moves.
    pub direction: Direction,
}

/// How the background is painted; no caption tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// One tone.
    Plain,
    /// Two tones in horizontal stripes of this many pixels.
    Stripes(usize),
    /// Two tones in squares of this many pixels.
    Checks(usize),
}

/// What is behind the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Background {
    /// The first tone.
    pub tone: [u8; 3],
    /// The second tone, slightly lighter.
    pub other_tone: [u8; 3],
    /// Where which tone is.
    pub pattern: Pattern,
}

/// A clip before it is drawn; lengths are shares of the picture's side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// What the caption tells.
    pub attributes: Attributes,
    /// What is behind the shape.
    pub background: Background,
    /// The distance of the shape's outermost points from its centre.
    pub radius: f32,
    /// The centre in the first frame, from the left and from the top.
    pub start: [f32; 2],
    /// The centre in the last frame.
    pub end: [f32; 2],
}

impl Color {
    /// All colours.
    pub const ALL: [Self; 8] = [
        Self::Red,
        Self::Green,
        Self::Blue,
        Self::Yellow,
        Self::Purple,
        Self::Orange,
        Self::Cyan,
        Self::White,
    ];

    /// The red, green and blue levels the shape is filled with.
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Self::Red => [220, 40, 40],
            Self::Green => [50, 180, 60],
            Self::Blue => [50, 80, 230],
            Self::Yellow => [235, 225, 50],
            Self::Purple => [150, 50, 190],
            Self::Orange => [245, 140, 20],
            Self::Cyan => [60, 215, 225],
            Self::White => [245, 245, 245],
        }
    }
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 6] = [
        Self::Circle,
        Self::Square,
        Self::Triangle,
        Self::Diamond,
        Self::Star,
        Self::Cross,
    ];
}

impl Size {
    /// All sizes.
    pub const ALL: [Self; 2] = [Self::Small, Self::Big];

    /// The range a radius is drawn from; the ranges leave a gap between them.
    fn radius(self) -> std::ops::Range<f32> {
        match self {
            Self::Small => 0.15..0.17,
            Self::Big => 0.29..0.32,
        }
    }
}

impl Direction {
    /// All directions.
    pub const ALL: [Self; 4] = [Self::Left, Self::Right, Self::Up, Self::Down];

    /// The direction that undoes this one.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    /// One step in this direction; the second number grows downwards.
    pub(super) fn step(self) -> [f32; 2] {
        match self {
            Self::Left => [-1.0, 0.0],
            Self::Right => [1.0, 0.0],
            Self::Up => [0.0, -1.0],
            Self::Down => [0.0, 1.0],
        }
    }
}

impl Attributes {
    /// The number of different combinations.
    pub const COMBINATIONS: usize =
        Color::ALL.len() * Shape::ALL.len() * Size::ALL.len() * Direction::ALL.len();

    /// Every combination, in a fixed order.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::with_capacity(Self::COMBINATIONS);
        for color in Color::ALL {
            for shape in Shape::ALL {
                for size in Size::ALL {
                    all.extend(Direction::ALL.map(|direction| Self {
                        color,
                        shape,
                        size,
                        direction,
                    }));
                }
            }
        }
        all
    }
}

impl Scene {
    /// Draws everything the attributes leave open; the shape stays inside the picture.
    pub fn sample<R: Rng + ?Sized>(attributes: Attributes, rng: &mut R) -> Self {
        let radius = rng.random_range(attributes.size.radius());
        let travel = rng.random_range(0.28..0.34);
        let [step_x, step_y] = attributes.direction.step();
        // Half of the way lies on either side of the middle of the path.
        let half = [step_x * travel / 2.0, step_y * travel / 2.0];
        let middle = half.map(|half| {
            let margin = radius + half.abs();
            rng.random_range(margin..=1.0 - margin)
        });
        Self {
            attributes,
            background: Background::sample(rng),
            radius,
            start: [middle[0] - half[0], middle[1] - half[1]],
            end: [middle[0] + half[0], middle[1] + half[1]],
        }
    }
}

impl Background {
    /// Draws tones and a pattern.
    pub(super) fn sample<R: Rng + ?Sized>(rng: &mut R) -> Self {
        // Dark and nearly grey, so that every colour stands out.
        let grey = rng.random_range(20..=50_u8);
        let tone = [(); 3].map(|()| grey + rng.random_range(0..=8_u8));
        let pattern = match rng.random_range(0..3) {
            0 => Pattern::Plain,
            1 => Pattern::Stripes(rng.random_range(3..=8)),
            _ => Pattern::Checks(rng.random_range(3..=8)),
        };
        Self {
            tone,
            other_tone: tone.map(|level| level + 12),
            pattern,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    #[test]
    fn there_are_as_many_combinations_as_the_attributes_allow() {
        let all: HashSet<_> = Attributes::all().into_iter().collect();

        assert_eq!(all.len(), 384);
        assert_eq!(all.len(), Attributes::COMBINATIONS);
    }

    #[test]
    fn the_shape_stays_inside_and_moves_as_told() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for attributes in Attributes::all() {
            let scene = Scene::sample(attributes, &mut rng);

            for center in [scene.start, scene.end] {
                for place in center {
                    assert!(place - scene.radius >= -1e-5, "{scene:?}");
                    assert!(place + scene.radius <= 1.0 + 1e-5, "{scene:?}");
                }
            }
            let [x, y] = [scene.end[0] - scene.start[0], scene.end[1] - scene.start[1]];
            let seen = match attributes.direction {
                Direction::Left => -x,
                Direction::Right => x,
                Direction::Up => -y,
                Direction::Down => y,
            };
            assert!(seen > 0.27, "{scene:?}");
        }
    }
}
