//! The choice of which words to hide.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::random_token::mask_random_tokens;
use super::replacement::MaskedTokens;
use super::whole_word::mask_whole_words;
use crate::DataError;
use crate::text::{Encoding, Vocabulary};

/// How the words to hide are chosen.
///
/// A variant that hides given candidates draws them with
/// [`choose_words`](super::choose_words), as whole-word masking does with all words.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TextMasking {
    /// Whole words at random.
    WholeWord {
        /// The share of the words that is hidden.
        ratio: f64,
    },
    /// Single pieces at random.
    RandomToken {
        /// The probability of each piece.
        probability: f64,
    },
}

impl Default for TextMasking {
    fn default() -> Self {
        Self::WholeWord { ratio: 0.3 }
    }
}

impl TextMasking {
    /// Checks the figures of a choice that came from a file.
    ///
    /// # Errors
    ///
    /// When a share or probability is outside `[0, 1]`.
    pub fn validate(&self) -> Result<(), DataError> {
        let (key, value) = match *self {
            Self::WholeWord { ratio } => ("text masking ratio", ratio),
            Self::RandomToken { probability } => ("text masking probability", probability),
        };
        if (0.0..=1.0).contains(&value) {
            Ok(())
        } else {
            Err(DataError::NotAShare { key, value })
        }
    }

    /// Hides words of one row.
    pub fn mask<R: Rng + ?Sized>(
        &self,
        encoding: &Encoding,
        vocabulary: &Vocabulary,
        rng: &mut R,
    ) -> MaskedTokens {
        match *self {
            Self::WholeWord { ratio } => mask_whole_words(encoding, ratio, vocabulary, rng),
            Self::RandomToken { probability } => {
                mask_random_tokens(encoding, probability, vocabulary, rng)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_above_one_is_refused() {
        let error = TextMasking::WholeWord { ratio: 1.5 }
            .validate()
            .unwrap_err();

        assert!(error.to_string().contains("ratio"), "{error}");
        assert!(TextMasking::default().validate().is_ok());
    }

    #[test]
    fn a_share_that_is_not_a_number_is_refused() {
        let masking = TextMasking::RandomToken {
            probability: f64::NAN,
        };

        assert!(masking.validate().is_err());
    }
}
