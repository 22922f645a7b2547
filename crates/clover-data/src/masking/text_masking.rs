//! The choice of which words to hide.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::random_token::mask_random_tokens;
use super::replacement::MaskedTokens;
use super::semantic::{candidate_counts, choose_words};
use super::whole_word::mask_whole_words;
use crate::DataError;
use crate::text::{Encoding, PartOfSpeech, PartOfSpeechTagger, Tokenizer};

/// How the words to hide are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum TextMasking {
    /// Nouns and verb phrases (Clover, section 3.3).
    Semantic {
        /// The share of the candidates that is hidden.
        ratio: f64,
    },
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
    /// The published setting.
    fn default() -> Self {
        Self::Semantic { ratio: 0.3 }
    }
}

impl TextMasking {
    /// Checks the numbers of a choice that came from a file.
    ///
    /// # Errors
    ///
    /// When a share or probability is outside `[0, 1]`.
    pub fn validate(&self) -> Result<(), DataError> {
        let (key, value) = match *self {
            Self::Semantic { ratio } | Self::WholeWord { ratio } => ("text masking ratio", ratio),
            Self::RandomToken { probability } => ("text masking probability", probability),
        };
        if (0.0..=1.0).contains(&value) {
            Ok(())
        } else {
            Err(DataError::NotAShare { key, value })
        }
    }
}

/// Hides words of encoded captions.
#[derive(Debug, Clone)]
pub struct TextMasker(Masker);

#[derive(Debug, Clone)]
enum Masker {
    Semantic {
        ratio: f64,
        tagger: PartOfSpeechTagger,
    },
    WholeWord {
        ratio: f64,
    },
    RandomToken {
        probability: f64,
    },
}

impl TextMasker {
    /// Prepares a choice; only semantic masking has a model of its own to read, the tagger's.
    ///
    /// # Errors
    ///
    /// As [`TextMasking::validate`].
    pub fn new(masking: TextMasking) -> Result<Self, DataError> {
        masking.validate()?;
        Ok(Self(match masking {
            TextMasking::Semantic { ratio } => Masker::Semantic {
                ratio,
                tagger: PartOfSpeechTagger::new(),
            },
            TextMasking::WholeWord { ratio } => Masker::WholeWord { ratio },
            TextMasking::RandomToken { probability } => Masker::RandomToken { probability },
        }))
    }

    /// Hides words of one row. `tags` are the tags of the encoding's words where they are known
    /// already; otherwise the tagger is asked, if tags are needed at all.
    pub fn mask<R: Rng + ?Sized>(
        &self,
        encoding: &Encoding,
        tags: Option<&[PartOfSpeech]>,
        tokenizer: &Tokenizer,
        rng: &mut R,
    ) -> MaskedTokens {
        let vocabulary = tokenizer.vocabulary();
        let (ratio, tagger) = match &self.0 {
            Masker::Semantic { ratio, tagger } => (*ratio, tagger),
            Masker::WholeWord { ratio } => {
                return mask_whole_words(encoding, *ratio, vocabulary, rng);
            }
            Masker::RandomToken { probability } => {
                return mask_random_tokens(encoding, *probability, vocabulary, rng);
            }
        };
        let counts = match tags {
            Some(tags) => candidate_counts(tags),
            None => {
                let words = tokenizer.words(encoding);
                // The tagger knows words by their small letters.
                let words: Vec<_> = words.iter().map(|word| word.to_lowercase()).collect();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                candidate_counts(&tagger.tag(&words))
            }
        };
        let mut chosen = choose_words(counts, ratio, rng);
        chosen.sort_unstable();
        let positions = chosen
            .into_iter()
            .filter_map(|word| encoding.words.get(word).cloned())
            .flatten();
        MaskedTokens::replace(encoding, positions, vocabulary, rng)
    }

    /// Whether tags make a difference.
    pub fn asks_for_tags(&self) -> bool {
        matches!(self.0, Masker::Semantic { .. })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::text::TokenizerKind;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const LINES: [&str; 12] = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "man", "is", "riding", "skate",
        "##board", "very",
    ];

    fn hidden(text: &str, tags: Option<&[PartOfSpeech]>) -> Vec<usize> {
        let tokenizer = Tokenizer::from_vocab_lines(LINES, "vocab.txt").unwrap();
        let encoding = tokenizer.encode(text, 12).unwrap();
        let masker = TextMasker::new(TextMasking::Semantic { ratio: 1.0 }).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let masked = masker.mask(&encoding, tags, &tokenizer, &mut rng);
        masked.positions().collect()
    }

    #[test]
    fn nouns_and_verb_phrases_are_hidden_with_all_their_pieces() {
        let hidden = hidden("a man is riding a skateboard", None);

        assert_eq!(hidden, [2, 3, 4, 6, 7]);
    }

    #[test]
    fn tags_that_are_known_are_not_guessed() {
        let mut tags = [PartOfSpeech::Other; 6];
        tags[0] = PartOfSpeech::Noun;

        let hidden = hidden("a man is riding a skateboard", Some(&tags));

        assert_eq!(hidden, [1]);
    }

    #[test]
    fn a_caption_without_noun_and_verb_is_left_as_it_is() {
        assert!(hidden("very very", None).is_empty());
        assert!(hidden("", None).is_empty());
    }

    #[test]
    fn a_share_above_one_is_refused() {
        let error = TextMasker::new(TextMasking::WholeWord { ratio: 1.5 }).unwrap_err();

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

    /// CLIP's byte pairs, learned from the captions that are masked.
    fn byte_pairs() -> Tokenizer {
        let texts = ["a man is riding a bike", "the man is riding"].repeat(4);
        Tokenizer::train(TokenizerKind::Bpe, texts, 540).unwrap()
    }

    #[test]
    fn words_of_byte_pairs_are_hidden_with_all_their_pieces() {
        let tokenizer = byte_pairs();
        let encoding = tokenizer
            .encode("A man is riding a skateboard", 40)
            .unwrap();
        let pieces = |word: usize| encoding.words[word].clone();
        assert!(pieces(5).len() > 2, "{encoding:?}");
        let hidden = |masking| {
            let masker = TextMasker::new(masking).unwrap();
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let masked = masker.mask(&encoding, None, &tokenizer, &mut rng);
            masked.positions().collect::<Vec<_>>()
        };

        let nouns_and_verbs: Vec<_> = [1, 2, 3, 5].into_iter().flat_map(pieces).collect();
        assert_eq!(
            hidden(TextMasking::Semantic { ratio: 1.0 }),
            nouns_and_verbs
        );
        let all: Vec<_> = (0..6).flat_map(pieces).collect();
        assert_eq!(hidden(TextMasking::WholeWord { ratio: 1.0 }), all);
        assert_eq!(hidden(TextMasking::RandomToken { probability: 1.0 }), all);
        let one = hidden(TextMasking::WholeWord { ratio: 0.1 });
        assert!((0..6).any(|word| pieces(word).eq(one.iter().copied())));
    }

    #[test]
    fn a_hidden_byte_pair_becomes_the_mask_or_a_piece_of_a_word() {
        let tokenizer = byte_pairs();
        let encoding = tokenizer.encode(&"man ".repeat(8_000), 8_002).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let masker = TextMasker::new(TextMasking::RandomToken { probability: 1.0 }).unwrap();

        let masked = masker.mask(&encoding, None, &tokenizer, &mut rng);

        let vocabulary = tokenizer.vocabulary();
        let count = vocabulary.len() as u32;
        let ids = &masked.ids[1..8_001];
        let share = |ids: &dyn Fn(u32) -> bool| {
            masked.ids[1..8_001].iter().filter(|id| ids(**id)).count() as f64 / 8_000.0
        };
        // Four standard errors of a share of 0.8 over 8,000 draws are 0.018, of 0.1 are 0.014.
        assert!((share(&|id| id == count) - 0.8).abs() < 0.018);
        let replaced = share(&|id| id != count && id != encoding.ids[1]);
        assert!((replaced - 0.1).abs() < 0.014, "{replaced}");
        assert!(
            ids.iter()
                .all(|id| *id == count || !vocabulary.is_special(*id))
        );
        // "!" has the id 0, which stands for padding elsewhere.
        let drawn: BTreeSet<u32> = (0..20_000)
            .map(|_| vocabulary.random_piece(&mut rng))
            .collect();
        assert!(drawn.into_iter().eq(0..count - 2));
    }
}
