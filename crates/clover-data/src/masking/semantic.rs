//! Semantic masking: nouns and verb phrases are hidden (Clover, section 3.3).
//!
//! These are the steps after tagging, as in the published code, where a word that several verb
//! spans share is listed, and therefore counted and drawn, several times. How often is all that
//! matters, so the list, which grows with the third power of the verbs in a row, is never made.

use std::ops::Range;

use rand::Rng;

use crate::text::PartOfSpeech;

/// All spans of words, overlapping ones too, that match `VERB? ADV* AUX* VERB+`, by start and end.
pub fn verb_spans(tags: &[PartOfSpeech]) -> impl Iterator<Item = Range<usize>> {
    (0..tags.len()).flat_map(|start| {
        let bare = ends(tags, start);
        // What begins with a verb and goes on with one is in the first range already.
        let longer = match tags[start] == PartOfSpeech::Verb {
            true => ends(tags, start + 1).start.max(bare.end)..ends(tags, start + 1).end,
            false => 0..0,
        };
        bare.chain(longer).map(move |end| start..end)
    })
}

/// The ends of the spans from `start` that match `ADV* AUX* VERB+`.
fn ends(tags: &[PartOfSpeech], start: usize) -> Range<usize> {
    let skip = |start: usize, tag| {
        let run = tags[start..].iter().take_while(|&&found| found == tag);
        start + run.count()
    };
    let auxiliaries = skip(start, PartOfSpeech::Adverb);
    let verbs = skip(auxiliaries, PartOfSpeech::Auxiliary);
    verbs + 1..skip(verbs, PartOfSpeech::Verb) + 1
}

/// How often each word is a candidate to hide: a noun once, any word once a verb span.
pub fn candidate_counts(tags: &[PartOfSpeech]) -> Vec<usize> {
    // How many spans more begin at a word than end before it.
    let mut changes = vec![0_isize; tags.len() + 1];
    for span in verb_spans(tags) {
        changes[span.start] += 1;
        changes[span.end] -= 1;
    }
    let mut spans = 0;
    let counts = tags.iter().zip(changes).map(|(tag, change)| {
        spans += change;
        let is_noun = matches!(tag, PartOfSpeech::Noun | PartOfSpeech::ProperNoun);
        spans.unsigned_abs() + usize::from(is_noun)
    });
    counts.collect()
}

/// Draws the words to hide from how often each is listed, as if the list were shuffled and read from
/// its start ([`first_words`]). Where nothing is listed, nothing is hidden.
pub fn choose_words<R: Rng + ?Sized>(
    mut counts: Vec<usize>,
    ratio: f64,
    rng: &mut R,
) -> Vec<usize> {
    let listed = counts.iter().sum();
    let mut left: usize = listed;
    let shuffled = std::iter::from_fn(|| {
        let mut place = rng.random_range(0..Some(left).filter(|&left| left > 0)?);
        let word = counts.iter().position(|&count| {
            let here = place < count;
            place -= if here { 0 } else { count };
            here
        })?;
        // Where the word comes again, it is passed over.
        left -= std::mem::take(&mut counts[word]);
        Some(word)
    });
    first_words(shuffled, listed, ratio)
}

/// The first different words of a shuffled list of `listed`, `max(1, round(ratio * listed))` of
/// them; the length counts repetitions, and the rounding is to even.
pub fn first_words(
    shuffled: impl IntoIterator<Item = usize>,
    listed: usize,
    ratio: f64,
) -> Vec<usize> {
    let wanted = ((ratio * listed as f64).round_ties_even() as usize).max(1);
    let mut chosen = Vec::new();
    for word in shuffled {
        if !chosen.contains(&word) {
            chosen.push(word);
        }
        if chosen.len() == wanted {
            break;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{TaggedToken, align_tags};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const PUBLISHED_RATIO: f64 = 0.3;

    /// The published list: the nouns, then every word of every span, found by trying all of them.
    fn semantic_candidates(tags: &[PartOfSpeech]) -> Vec<usize> {
        use PartOfSpeech::{Adverb, Auxiliary, Noun, ProperNoun, Verb};
        let matches = |tags: &[PartOfSpeech]| {
            let adverbs = tags.iter().skip_while(|&&tag| tag == Adverb);
            let mut verbs = adverbs.skip_while(|&&tag| tag == Auxiliary).peekable();
            verbs.peek().is_some() && verbs.all(|&tag| tag == Verb)
        };
        let is_noun = |&word: &usize| matches!(tags[word], Noun | ProperNoun);
        let mut listed: Vec<usize> = (0..tags.len()).filter(is_noun).collect();
        let mut spans = Vec::new();
        for start in 0..tags.len() {
            for end in start + 1..=tags.len() {
                let phrase = &tags[start..end];
                if matches(phrase) || phrase[0] == Verb && matches(&phrase[1..]) {
                    spans.push(start..end);
                }
            }
        }
        assert!(spans.iter().cloned().eq(verb_spans(tags)), "{tags:?}");
        listed.extend(spans.into_iter().flatten());
        let mut counts = vec![0; tags.len()];
        listed.iter().for_each(|&word| counts[word] += 1);
        assert_eq!(candidate_counts(tags), counts, "{tags:?}");
        listed
    }

    fn first(candidates: &[usize]) -> Vec<usize> {
        first_words(
            candidates.iter().copied(),
            candidates.len(),
            PUBLISHED_RATIO,
        )
    }

    #[test]
    fn counts_are_those_of_the_published_list_for_any_tags() {
        use PartOfSpeech::{Adverb, Auxiliary, Noun, Other, Verb};
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..2_000 {
            let length = rng.random_range(0..10);
            let tag = |_| [Adverb, Auxiliary, Noun, Other, Verb, Verb][rng.random_range(0..6)];
            let tags: Vec<_> = (0..length).map(tag).collect();

            // It compares them.
            let _listed = semantic_candidates(&tags);
        }
    }

    #[test]
    fn a_long_row_of_verbs_is_counted_and_not_listed() {
        let counts = candidate_counts(&[PartOfSpeech::Verb; 512]);

        // Spans that hold a word: so many starts times so many ends.
        assert_eq!((counts[0], counts[255], counts[511]), (512, 256 * 257, 512));
        let chosen = choose_words(counts, 0.3, &mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(chosen.len(), 512);
    }

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
        assert_eq!(first(&candidates), [2, 6]);
    }

    #[test]
    fn words_of_overlapping_verb_spans_repeat() {
        // people begin quickly dancing and singing
        let tags = tags("NOUN VERB ADV VERB CCONJ VERB");

        let candidates = semantic_candidates(&tags);

        assert_eq!(candidates, [0, 1, 1, 2, 3, 2, 3, 3, 5]);
        // Nine entries give round(2.7) = 3 words; the second "begin" is skipped.
        assert_eq!(first(&candidates), [0, 1, 2]);
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
        assert_eq!(first(&candidates), [0, 5]);
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
        let counts = candidate_counts(&tags("ADJ CCONJ ADV ADJ"));

        let chosen = choose_words(counts, 0.3, &mut ChaCha8Rng::seed_from_u64(0));

        assert!(chosen.is_empty());
    }

    #[test]
    fn a_word_listed_more_often_is_chosen_more_often() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);

        let often = (0..4_000)
            .filter(|_| choose_words(vec![1, 2], 0.3, &mut rng) == [1])
            .count();

        // Two thirds of 4,000, give or take four standard errors of 30.
        assert!((often as f64 - 2_667.0).abs() < 120.0, "{often}");
    }
}
