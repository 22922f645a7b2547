//! Semantic masking: nouns and verb phrases are hidden (Clover, section 3.3).
//!
//! These are the steps after tagging, as in the published code, where a word that several verb
//! spans share is listed, and therefore counted and drawn, several times.

use std::ops::Range;

use rand::Rng;
use rand::seq::SliceRandom;

use crate::text::PartOfSpeech;

/// The words tagged as nouns or proper nouns.
pub fn noun_words(tags: &[PartOfSpeech]) -> Vec<usize> {
    let is_noun =
        |&word: &usize| matches!(tags[word], PartOfSpeech::Noun | PartOfSpeech::ProperNoun);
    (0..tags.len()).filter(is_noun).collect()
}

/// All spans of words, overlapping ones too, that match `VERB? ADV* AUX* VERB+`.
pub fn verb_spans(tags: &[PartOfSpeech]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for start in 0..tags.len() {
        for end in start + 1..=tags.len() {
            if is_verb_phrase(&tags[start..end]) {
                spans.push(start..end);
            }
        }
    }
    spans
}

/// The candidates to hide, as word numbers: nouns first, then every word of every verb span.
pub fn semantic_candidates(tags: &[PartOfSpeech]) -> Vec<usize> {
    let mut candidates = noun_words(tags);
    candidates.extend(verb_spans(tags).into_iter().flatten());
    candidates
}

/// Draws the words to hide from a list of candidates that may repeat words.
///
/// The list is shuffled and read until `max(1, round(ratio * length))` different words are found;
/// the length counts repetitions and the rounding is to even. An empty list hides nothing.
pub fn choose_words<R: Rng + ?Sized>(
    mut candidates: Vec<usize>,
    ratio: f64,
    rng: &mut R,
) -> Vec<usize> {
    candidates.shuffle(rng);
    first_words(&candidates, ratio)
}

/// The first different words of a list already shuffled, `max(1, round(ratio * length))` of them.
pub fn first_words(shuffled: &[usize], ratio: f64) -> Vec<usize> {
    let wanted = ((ratio * shuffled.len() as f64).round_ties_even() as usize).max(1);
    let mut chosen = Vec::with_capacity(wanted);
    for &word in shuffled {
        if chosen.len() == wanted {
            break;
        }
        if !chosen.contains(&word) {
            chosen.push(word);
        }
    }
    chosen
}

fn is_verb_phrase(tags: &[PartOfSpeech]) -> bool {
    let after_optional_verb = match tags {
        [PartOfSpeech::Verb, rest @ ..] => is_adverbs_auxiliaries_verbs(rest),
        _ => false,
    };
    after_optional_verb || is_adverbs_auxiliaries_verbs(tags)
}

fn is_adverbs_auxiliaries_verbs(tags: &[PartOfSpeech]) -> bool {
    let count = |tags: &[PartOfSpeech], tag| tags.iter().take_while(|&&t| t == tag).count();
    let tags = &tags[count(tags, PartOfSpeech::Adverb)..];
    let tags = &tags[count(tags, PartOfSpeech::Auxiliary)..];
    !tags.is_empty() && tags.iter().all(|&tag| tag == PartOfSpeech::Verb)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{TaggedToken, align_tags};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const PUBLISHED_RATIO: f64 = 0.3;

    fn tags(names: &str) -> Vec<PartOfSpeech> {
        names.split(' ').map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn an_auxiliary_is_a_candidate_only_before_a_verb() {
        // a young man is riding a skateboard down the street
        let tags = tags("DET ADJ NOUN AUX VERB DET NOUN ADP DET NOUN");

        let candidates = semantic_candidates(&tags);

        // The nouns; "is riding" as two words; "riding" by itself.
        assert_eq!(candidates, [2, 6, 9, 3, 4, 4]);
        assert_eq!(first_words(&candidates, PUBLISHED_RATIO), [2, 6]);
    }

    #[test]
    fn words_of_overlapping_verb_spans_repeat() {
        // people begin quickly dancing and singing
        let tags = tags("NOUN VERB ADV VERB CCONJ VERB");

        let candidates = semantic_candidates(&tags);

        assert_eq!(candidates, [0, 1, 1, 2, 3, 2, 3, 3, 5]);
        // Nine entries give round(2.7) = 3 words; the second "begin" is skipped.
        assert_eq!(first_words(&candidates, PUBLISHED_RATIO), [0, 1, 2]);
    }

    #[test]
    fn auxiliaries_before_an_adverb_match_no_span() {
        // she has been slowly running
        let candidates = semantic_candidates(&tags("PRON AUX AUX ADV VERB"));

        assert_eq!(candidates, [3, 4, 4]);
    }

    #[test]
    fn two_verbs_in_a_row_are_three_spans() {
        // woman wants to try cooking spaghetti
        let candidates = semantic_candidates(&tags("NOUN VERB PART VERB VERB NOUN"));

        assert_eq!(candidates, [0, 5, 1, 3, 3, 4, 4]);
        assert_eq!(first_words(&candidates, PUBLISHED_RATIO), [0, 5]);
    }

    #[test]
    fn a_word_the_tagger_split_counts_as_its_last_part() {
        // the cat cannot jump high: "can" is an auxiliary, "not" a particle.
        let tagged = [
            ("the", PartOfSpeech::Other),
            ("cat", PartOfSpeech::Noun),
            ("can", PartOfSpeech::Auxiliary),
            ("not", PartOfSpeech::Other),
            ("jump", PartOfSpeech::Verb),
            ("high", PartOfSpeech::Adverb),
        ]
        .map(|(text, tag)| TaggedToken {
            text: text.to_owned(),
            tag,
        });

        let tags = align_tags(&["the", "cat", "cannot", "jump", "high"], &tagged);

        assert_eq!(semantic_candidates(&tags), [1, 3]);
    }

    #[test]
    fn a_sentence_without_candidates_hides_nothing() {
        let candidates = semantic_candidates(&tags("ADJ CCONJ ADV ADJ"));

        let chosen = choose_words(candidates, 0.3, &mut ChaCha8Rng::seed_from_u64(0));

        assert!(chosen.is_empty());
    }

    #[test]
    fn a_word_listed_more_often_is_chosen_more_often() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);

        let often = (0..4_000)
            .filter(|_| choose_words(vec![0, 1, 1], 0.3, &mut rng) == [1])
            .count();

        // Two thirds of 4,000, give or take four standard errors of 30.
        assert!((often as f64 - 2_667.0).abs() < 120.0, "{often}");
    }
}
