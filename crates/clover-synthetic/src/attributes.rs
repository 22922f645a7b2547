//! What a shape looks like and does: colours, outlines, sizes, directions, speeds, and their names.

/// An attribute: its values, each with the words that name it. The first word is the one of answers.
macro_rules! attribute {
    ($(#[$about:meta])* $name:ident { $($value:ident = [$($word:literal),+]),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum $name {
            $($value),+
        }

        impl $name {
            /// All values.
            pub(crate) const ALL: [Self; [$(stringify!($value)),+].len()] = [$(Self::$value),+];

            /// The words that name it.
            pub(crate) fn names(self) -> &'static [&'static str] {
                match self {
                    $(Self::$value => &[$($word),+]),+
                }
            }
        }
    };
}

attribute! {
    /// The colour of a shape.
    Color {
        Red = ["red", "scarlet"],
        Green = ["green"],
        Blue = ["blue"],
        Yellow = ["yellow"],
        Purple = ["purple", "violet"],
        Orange = ["orange"],
        Cyan = ["cyan", "turquoise"],
        White = ["white"],
    }
}

attribute! {
    /// The outline of a shape.
    Shape {
        Circle = ["circle", "disc"],
        Square = ["square", "box"],
        Triangle = ["triangle"],
        Diamond = ["diamond", "rhombus"],
        Cross = ["cross", "plus"],
        Ring = ["ring"],
    }
}

attribute! {
    /// How large a shape is.
    Size {
        Small = ["small", "little", "tiny"],
        Big = ["big", "large", "huge"],
    }
}

attribute! {
    /// Where a shape moves.
    Direction {
        Left = ["left", "to the left", "leftwards"],
        Right = ["right", "to the right", "rightwards"],
        Up = ["up", "to the top", "upwards"],
        Down = ["down", "to the bottom", "downwards"],
    }
}

attribute! {
    /// How fast a shape moves.
    Speed {
        Slow = ["slowly", "gently", "at a low speed"],
        Fast = ["quickly", "fast", "rapidly", "at a high speed"],
    }
}

/// The combination that decides which split a clip belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Attributes {
    pub(crate) color: Color,
    pub(crate) shape: Shape,
    pub(crate) size: Size,
    pub(crate) direction: Direction,
}

impl Color {
    /// The red, green and blue levels a shape is filled with.
    pub(crate) fn rgb(self) -> [u8; 3] {
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

impl Size {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Small => Self::Big,
            Self::Big => Self::Small,
        }
    }
}

impl Speed {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Slow => Self::Fast,
            Self::Fast => Self::Slow,
        }
    }
}

impl Direction {
    /// The direction that undoes this one.
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    /// One step in this direction; the second number grows downwards.
    pub(crate) fn step(self) -> [f32; 2] {
        match self {
            Self::Left => [-1.0, 0.0],
            Self::Right => [1.0, 0.0],
            Self::Up => [0.0, -1.0],
            Self::Down => [0.0, 1.0],
        }
    }
}

/// All names of all attributes.
pub(crate) fn attribute_names() -> impl Iterator<Item = &'static str> {
    let names = Color::ALL.map(Color::names).into_iter();
    let names = names.chain(Shape::ALL.map(Shape::names));
    let names = names.chain(Size::ALL.map(Size::names));
    let names = names.chain(Direction::ALL.map(Direction::names));
    let names = names.chain(Speed::ALL.map(Speed::names));
    names.flatten().copied()
}
