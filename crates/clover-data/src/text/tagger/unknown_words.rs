//! What a word that no list knows may be, by its letters alone.

use super::verb_forms::VerbForms;
use crate::text::PartOfSpeech;

/// Endings that make adjectives, and rarely anything else.
const ADJECTIVE_ENDINGS: [&str; 10] = [
    "ful", "ous", "ive", "able", "ible", "less", "ish", "ic", "ical", "esque",
];

/// The verb forms an unknown word may be: those of a verb it extends (*unbuttons*), or by an ending
/// that new verbs take, too.
pub(super) fn verb_forms(word: &str) -> VerbForms {
    let extended = ["un", "re", "over", "out"].iter();
    let extended = extended.filter_map(|prefix| word.strip_prefix(prefix));
    if let Some(forms) = extended
        .map(VerbForms::listed)
        .find(|&forms| forms != VerbForms::NONE)
    {
        return forms;
    }
    let stem = ["ing", "ed", "s"]
        .iter()
        .find_map(|ending| word.strip_suffix(ending));
    match stem {
        Some(stem)
            if stem.len() >= 3
                && !stem.ends_with('s')
                && stem.contains(['a', 'e', 'i', 'o', 'u', 'y']) =>
        {
            VerbForms::by_ending(word)
        }
        _ => VerbForms::NONE,
    }
}

/// The most likely tag of an unknown word that is no verb.
pub(super) fn guess(word: &str) -> PartOfSpeech {
    let ends = |ending: &&str| {
        word.len() > ending.len() + 2 && word.ends_with(*ending) && !word.ends_with("fish")
    };
    if !word.chars().any(char::is_alphanumeric) {
        PartOfSpeech::Punctuation
    } else if word.starts_with(|c: char| c.is_ascii_digit()) {
        number_or_unit(word)
    } else if ends(&"ly") {
        PartOfSpeech::Adverb
    } else if ADJECTIVE_ENDINGS.iter().any(ends) {
        PartOfSpeech::Adjective
    } else {
        PartOfSpeech::Noun
    }
}

/// *1080* counts, *4k* and *1080p* name a thing, *3rd* orders.
fn number_or_unit(word: &str) -> PartOfSpeech {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
    match unit {
        "st" | "nd" | "rd" | "th" | "d" => PartOfSpeech::Adjective,
        _ if unit.chars().any(char::is_alphabetic) => PartOfSpeech::Noun,
        _ => PartOfSpeech::Numeral,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_adverbs_and_adjectives() {
        assert_eq!(guess("zestfully"), PartOfSpeech::Adverb);
        assert_eq!(guess("splashable"), PartOfSpeech::Adjective);
        assert_eq!(guess("timelapse"), PartOfSpeech::Noun);
    }

    #[test]
    fn digits_count_order_or_name() {
        assert_eq!(guess("1080"), PartOfSpeech::Numeral);
        assert_eq!(guess("3rd"), PartOfSpeech::Adjective);
        assert_eq!(guess("4k"), PartOfSpeech::Noun);
        assert_eq!(guess("—"), PartOfSpeech::Punctuation);
    }

    #[test]
    fn a_new_verb_shows_by_its_ending() {
        assert_eq!(verb_forms("vlogging"), VerbForms::GERUND);
        assert_eq!(verb_forms("string"), VerbForms::NONE);
        assert_eq!(verb_forms("gizmo"), VerbForms::NONE);
        assert_eq!(verb_forms("rebuttons"), VerbForms::THIRD);
    }
}
