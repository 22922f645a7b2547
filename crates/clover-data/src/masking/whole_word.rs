//! Random masking of whole words: every word is a candidate once.

use rand::Rng;

use super::replacement::MaskedTokens;
use super::semantic::choose_words;
use crate::text::{Encoding, Vocabulary};

/// Hides all pieces of `max(1, round(ratio * words))` random words, rounding to even.
///
/// The ratio is a share of the words of the sentence, 0.3 in the published settings; a sentence
/// without words is left as it is.
pub fn mask_whole_words<R: Rng + ?Sized>(
    encoding: &Encoding,
    ratio: f64,
    vocabulary: &Vocabulary,
    rng: &mut R,
) -> MaskedTokens {
    let mut chosen = choose_words(vec![1; encoding.words.len()], ratio, rng);
    chosen.sort_unstable();
    let positions = chosen
        .into_iter()
        .flat_map(|word| encoding.words[word].clone());
    MaskedTokens::replace(encoding, positions, vocabulary, rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Tokenizer;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const LINES: [&str; 8] = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "##c",
    ];

    fn hidden(text: &str, seed: u64) -> Vec<usize> {
        let tokenizer = Tokenizer::from_vocab_lines(LINES, "vocab.txt").unwrap();
        let encoding = tokenizer.encode(text, 16).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let masked = mask_whole_words(&encoding, 0.3, tokenizer.vocabulary(), &mut rng);
        masked.positions().collect()
    }

    #[test]
    fn all_pieces_of_a_word_are_hidden_together() {
        // Two words of three pieces each: one is chosen, whole.
        for seed in 0..20 {
            let hidden = hidden("abc abc", seed);

            assert!(hidden == [1, 2, 3] || hidden == [4, 5, 6], "{hidden:?}");
        }
    }

    #[test]
    fn the_number_of_words_rounds_to_even() {
        // 0.3 * 5 = 1.5 rounds to 2; 0.3 * 6 = 1.8 to 2; 0.3 * 1 = 0.3 is raised to 1.
        assert_eq!(hidden("a a a a a", 0).len(), 2);
        assert_eq!(hidden("a a a a a a", 0).len(), 2);
        assert_eq!(hidden("a", 0).len(), 1);
    }

    #[test]
    fn an_empty_text_hides_nothing() {
        assert!(hidden("", 0).is_empty());
    }

    #[test]
    fn every_word_is_hidden_sooner_or_later() {
        let mut seen: Vec<usize> = (0..50).flat_map(|seed| hidden("a a a", seed)).collect();
        seen.sort_unstable();
        seen.dedup();

        assert_eq!(seen, [1, 2, 3]);
    }
}
