//! Random masking of single pieces (Devlin et al., "BERT", section 3.1): the baseline.

use rand::Rng;

use super::replacement::MaskedTokens;
use crate::text::{Encoding, Vocabulary};

/// Hides every piece that is not a special token with the given probability, 0.15 in BERT.
///
/// # Panics
///
/// Panics if `probability` is outside `[0, 1]`.
pub fn mask_random_tokens<R: Rng + ?Sized>(
    encoding: &Encoding,
    probability: f64,
    vocabulary: &Vocabulary,
    rng: &mut R,
) -> MaskedTokens {
    let positions: Vec<usize> = encoding
        .words
        .iter()
        .flat_map(Clone::clone)
        .filter(|_| rng.random_bool(probability))
        .collect();
    MaskedTokens::replace(encoding, positions, vocabulary, rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Tokenizer;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn only_ordinary_pieces_are_hidden() {
        let lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"];
        let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
        let encoding = tokenizer.encode("a [SEP] a", 8).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(0);

        let all = mask_random_tokens(&encoding, 1.0, tokenizer.vocabulary(), &mut rng);
        let none = mask_random_tokens(&encoding, 0.0, tokenizer.vocabulary(), &mut rng);

        assert_eq!(all.positions().collect::<Vec<_>>(), [1, 3]);
        assert_eq!(none, MaskedTokens::unmasked(&encoding));
    }
}
