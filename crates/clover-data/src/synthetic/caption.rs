//! A small grammar that says the same in many ways.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::scene::{Attributes, Color, Direction, Shape, Size};

/// The sentence forms; `{a}` becomes "a" or "an".
const FORMS: [&str; 8] = [
    "{a} {size} {color} {shape} {moves} {direction}",
    "the {size} {color} {shape} {moves} {direction}",
    "there is {a} {size} {color} {shape} {moving} {direction}",
    "{a} {color} {shape} that is {size} {moves} {direction}",
    "{a} {size} {shape} in {color} is {moving} {direction}",
    "{moving} {direction} is {a} {size} {color} {shape}",
    "we see {a} {color} {shape} of {size} size {moving} {direction}",
    "a video of {a} {size} {color} {shape} that {moves} {direction}",
];

const MOVES: [&str; 4] = ["moves", "slides", "glides", "travels"];
const MOVING: [&str; 4] = ["moving", "sliding", "gliding", "traveling"];

impl Color {
    /// The ways to name the colour.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Red => &["red", "scarlet"],
            Self::Green => &["green"],
            Self::Blue => &["blue"],
            Self::Yellow => &["yellow"],
            Self::Purple => &["purple", "violet"],
            Self::Orange => &["orange"],
            Self::Cyan => &["cyan", "turquoise"],
            Self::White => &["white"],
        }
    }
}

impl Shape {
    /// The ways to name the shape.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Circle => &["circle", "disc"],
            Self::Square => &["square", "box"],
            Self::Triangle => &["triangle"],
            Self::Diamond => &["diamond", "rhombus"],
            Self::Star => &["star"],
            Self::Cross => &["cross", "plus"],
        }
    }
}

impl Size {
    /// The ways to name the size.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Small => &["small", "little", "tiny"],
            Self::Big => &["big", "large", "huge"],
        }
    }
}

impl Direction {
    /// The ways to name the direction.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Left => &["left", "to the left", "leftwards"],
            Self::Right => &["right", "to the right", "rightwards"],
            Self::Up => &["up", "to the top", "upwards"],
            Self::Down => &["down", "to the bottom", "downwards"],
        }
    }
}

/// One of the many sentences that describe the attributes, all four of them.
pub fn caption<R: Rng + ?Sized>(attributes: &Attributes, rng: &mut R) -> String {
    let mut pick = |choices: &[&'static str]| choices.choose(rng).copied().unwrap_or_default();
    let words = [
        ("{size}", pick(attributes.size.names())),
        ("{color}", pick(attributes.color.names())),
        ("{shape}", pick(attributes.shape.names())),
        ("{moves}", pick(&MOVES)),
        ("{moving}", pick(&MOVING)),
        ("{direction}", pick(attributes.direction.names())),
    ];
    let form = pick(&FORMS).to_owned();
    let sentence = words
        .iter()
        .fold(form, |sentence, (slot, word)| sentence.replace(slot, word));
    with_articles(&sentence)
}

/// Every word a caption can contain.
pub(super) fn caption_words() -> impl Iterator<Item = &'static str> {
    let names = Color::ALL.map(Color::names).into_iter();
    let names = names.chain(Shape::ALL.map(Shape::names));
    let names = names.chain(Size::ALL.map(Size::names));
    let names = names.chain(Direction::ALL.map(Direction::names));
    let phrases = names
        .flatten()
        .copied()
        .chain(MOVES)
        .chain(MOVING)
        .chain(FORMS);
    phrases
        .flat_map(str::split_whitespace)
        .filter(|word| !word.starts_with('{'))
        .chain(["a", "an"])
}

/// Puts "a" or "an" where a sentence has `{a}`.
pub(super) fn with_articles(sentence: &str) -> String {
    let words: Vec<&str> = sentence.split(' ').collect();
    let article = |at: usize| match words.get(at + 1).and_then(|next| next.chars().next()) {
        Some('a' | 'e' | 'i' | 'o' | 'u') => "an",
        _ => "a",
    };
    let spoken: Vec<&str> = words
        .iter()
        .enumerate()
        .map(|(at, &word)| if word == "{a}" { article(at) } else { word })
        .collect();
    spoken.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use std::collections::HashSet;

    fn mentions(text: &str, names: &[&str]) -> bool {
        let text = format!(" {text} ");
        names.iter().any(|name| text.contains(&format!(" {name} ")))
    }

    #[test]
    fn every_caption_tells_all_four_attributes_and_no_other() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for attributes in Attributes::all() {
            let text = caption(&attributes, &mut rng);

            assert!(!text.contains(['{', '}']), "{text}");
            for color in Color::ALL {
                assert_eq!(
                    mentions(&text, color.names()),
                    color == attributes.color,
                    "{text}"
                );
            }
            for shape in Shape::ALL {
                assert_eq!(
                    mentions(&text, shape.names()),
                    shape == attributes.shape,
                    "{text}"
                );
            }
            for size in Size::ALL {
                assert_eq!(
                    mentions(&text, size.names()),
                    size == attributes.size,
                    "{text}"
                );
            }
            for direction in Direction::ALL {
                let told = mentions(&text, direction.names());
                assert_eq!(told, direction == attributes.direction, "{text}");
            }
        }
    }

    #[test]
    fn one_scene_is_described_in_many_ways() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let attributes = Attributes::all()[0];

        let captions: HashSet<_> = (0..200).map(|_| caption(&attributes, &mut rng)).collect();

        assert!(captions.len() > 100, "{}", captions.len());
    }

    #[test]
    fn the_article_follows_the_next_word() {
        assert_eq!(with_articles("{a} orange box"), "an orange box");
        assert_eq!(with_articles("we see {a} big box"), "we see a big box");
    }

    #[test]
    fn the_word_list_covers_every_caption() {
        let words: HashSet<_> = caption_words().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);

        for attributes in Attributes::all() {
            let text = caption(&attributes, &mut rng);

            assert!(text.split(' ').all(|word| words.contains(word)), "{text}");
        }
    }
}
