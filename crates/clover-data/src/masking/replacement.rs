//! What a chosen piece is replaced by (Devlin et al., "BERT", section 3.1).

use rand::Rng;

use crate::text::{Encoding, Vocabulary};

/// The label of a position the word loss leaves out.
pub const IGNORED_LABEL: i64 = -100;

/// A row of token ids with some pieces hidden, and what stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedTokens {
    /// The row the model reads.
    pub ids: Vec<u32>,
    /// The original id at every chosen position, [`IGNORED_LABEL`] elsewhere.
    pub labels: Vec<i64>,
}

impl MaskedTokens {
    /// The row as it is, with nothing to predict.
    pub fn unmasked(encoding: &Encoding) -> Self {
        Self {
            ids: encoding.ids.clone(),
            labels: vec![IGNORED_LABEL; encoding.ids.len()],
        }
    }

    /// Hides the pieces at `positions`.
    ///
    /// Each piece by itself becomes `[MASK]` in 80 % of cases, a random piece
    /// ([`Vocabulary::random_piece`]) in 10 %, and stays in 10 %; all three are predicted.
    pub fn replace<R: Rng + ?Sized>(
        encoding: &Encoding,
        positions: impl IntoIterator<Item = usize>,
        vocabulary: &Vocabulary,
        rng: &mut R,
    ) -> Self {
        let mut masked = Self::unmasked(encoding);
        for position in positions {
            let original = encoding.ids[position];
            masked.labels[position] = i64::from(original);
            if rng.random_bool(0.8) {
                masked.ids[position] = vocabulary.special().mask;
            } else if rng.random_bool(0.5) {
                masked.ids[position] = vocabulary.random_piece(rng);
            }
        }
        masked
    }

    /// The positions to predict.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.labels.len()).filter(|&at| self.labels[at] != IGNORED_LABEL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn vocabulary() -> Vocabulary {
        let words: Vec<String> = (0..995).map(|word| format!("w{word}")).collect();
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        let lines = special.into_iter().chain(words.iter().map(String::as_str));
        Vocabulary::from_lines(lines, "vocab.txt").unwrap()
    }

    fn row(len: usize) -> Encoding {
        Encoding {
            ids: vec![500; len],
            attention_mask: vec![1; len],
            words: Vec::new(),
        }
    }

    #[test]
    fn pieces_are_hidden_eight_times_in_ten() {
        let row = row(20_000);
        let mut rng = ChaCha8Rng::seed_from_u64(1);

        let masked = MaskedTokens::replace(&row, 0..20_000, &vocabulary(), &mut rng);

        // Four standard errors of a share of 0.8 over 20,000 draws are 0.012, of 0.1 are 0.009.
        let share = |id| masked.ids.iter().filter(|&&x| x == id).count() as f64 / 20_000.0;
        assert!((share(4) - 0.8001).abs() < 0.012, "{}", share(4));
        assert!((share(500) - 0.1001).abs() < 0.009, "{}", share(500));
        assert!(masked.labels.iter().all(|&label| label == 500));
    }

    #[test]
    fn other_positions_are_left_alone_and_ignored() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);

        let masked = MaskedTokens::replace(&row(4), [2], &vocabulary(), &mut rng);

        assert_eq!(masked.labels, [-100, -100, 500, -100]);
        assert_eq!([masked.ids[0], masked.ids[1], masked.ids[3]], [500; 3]);
        assert_eq!(masked.positions().collect::<Vec<_>>(), [2]);
    }
}
