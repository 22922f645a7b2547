//! Words of captions that decide about their neighbours.

/// Those who do things in captions.
const LIVING: [&str; 76] = [
    "man", "woman", "boy", "girl", "guy", "lady", "person", "child", "kid", "baby", "toddler",
    "male", "female", "couple", "family", "group", "team", "crowd", "band", "mother", "father",
    "mom", "dad", "son", "daughter", "brother", "sister", "friend", "teacher", "student", "player",
    "chef", "cook", "singer", "dancer", "actor", "actress", "reporter", "host", "athlete",
    "worker", "doctor", "nurse", "driver", "rider", "farmer", "musician", "artist", "camera",
    "dog", "puppy", "cat", "kitten", "horse", "bird", "monkey", "bear", "elephant", "lion",
    "tiger", "cow", "sheep", "rabbit", "duck", "panda", "animal", "someone", "police", "people",
    "men", "women", "children", "boys", "girls", "kids", "guys",
];

/// Plurals without *s*, and groups that take a verb in the plural.
const PLURALS: [&str; 17] = [
    "people", "men", "women", "children", "police", "fish", "sheep", "cattle", "couple", "team",
    "family", "crowd", "group", "band", "geese", "mice", "feet",
];

/// What makes phrasal verbs, and directions.
const PARTICLES: [&str; 19] = [
    "up", "down", "off", "out", "away", "back", "over", "around", "along", "together", "forward",
    "left", "right", "aside", "apart", "through", "past", "onto", "into",
];

/// What a gerund tells the purpose of: *running shoes*, *a swimming pool*.
const COMPOUND_HEADS: [&str; 30] = [
    "shoes",
    "room",
    "pool",
    "show",
    "contest",
    "competition",
    "machine",
    "board",
    "class",
    "lesson",
    "bag",
    "boat",
    "rod",
    "match",
    "ring",
    "event",
    "suit",
    "gear",
    "cart",
    "lot",
    "season",
    "tutorial",
    "course",
    "center",
    "studio",
    "session",
    "area",
    "trip",
    "equipment",
    "tips",
];

/// Words that a base form follows.
const MODALS: [&str; 17] = [
    "can", "will", "may", "could", "would", "should", "might", "must", "do", "does", "did", "t",
    "let", "lets", "please", "ll", "cannot",
];

/// Beginnings of verbs that another verb follows: *starts dancing*.
const BEFORE_VERBS: [&str; 23] = [
    "start", "begin", "began", "begun", "keep", "kept", "stop", "continue", "go", "come", "try",
    "tries", "help", "enjoy", "practice", "finish", "like", "love", "get", "watch", "see", "make",
    "let",
];

/// Verbs with an actor and his verb behind them: *makes the coin vanish*.
const MAKE_OTHERS_ACT: [&str; 8] = [
    "let", "lets", "letting", "make", "makes", "made", "helps", "watches",
];

/// Spelled like verbs, but seldom meant so behind *to*.
const MOSTLY_NOUNS: [&str; 31] = [
    "water", "park", "hand", "face", "fire", "milk", "snow", "rain", "land", "ground", "flower",
    "fish", "star", "stage", "smoke", "oil", "pan", "pool", "pot", "bike", "boat", "crowd",
    "color", "model", "book", "box", "camp", "garden", "table", "head", "work",
];

pub(super) fn is_living(word: &str) -> bool {
    LIVING.contains(&word)
}

pub(super) fn is_particle(word: &str) -> bool {
    PARTICLES.contains(&word)
}

pub(super) fn heads_compounds(word: &str) -> bool {
    COMPOUND_HEADS.contains(&word)
}

pub(super) fn is_modal(word: &str) -> bool {
    MODALS.contains(&word)
}

pub(super) fn makes_others_act(word: &str) -> bool {
    MAKE_OTHERS_ACT.contains(&word)
}

pub(super) fn is_mostly_a_noun(word: &str) -> bool {
    MOSTLY_NOUNS.contains(&word)
}

pub(super) fn comes_before_verbs(word: &str) -> bool {
    BEFORE_VERBS.iter().any(|stem| word.starts_with(stem))
}

pub(super) fn is_plural(word: &str) -> bool {
    let singular = ["ss", "us", "is"].iter().any(|end| word.ends_with(end));
    word.ends_with('s') && !singular || PLURALS.contains(&word)
}
