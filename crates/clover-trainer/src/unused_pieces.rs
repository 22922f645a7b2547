//! How many pieces of a vocabulary the captions of a run use: those of a model that begins with nothing are
//! learned from them alone.

use std::collections::HashSet;
use std::fmt;

use clover_data::dataset::ClipTable;
use clover_data::text::Tokenizer;

use crate::TrainerError;

/// A longer list is not looked through: it is rich enough.
const ROWS: usize = 20_000;

/// So many pieces cost nothing, used or not.
const FEW: usize = 1_000;

/// A vocabulary of which captions use less than a quarter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedPieces {
    /// Pieces of the vocabulary.
    pub pieces: usize,
    /// Those that captions are cut into.
    pub used: usize,
    /// The captions.
    pub captions: usize,
}

impl UnusedPieces {
    /// Looks through some lists; nothing where enough pieces are used, or the lists are long.
    pub(crate) fn of(
        tables: &[&ClipTable],
        tokenizer: &Tokenizer,
        text_len: usize,
    ) -> Result<Option<Self>, TrainerError> {
        let pieces = tokenizer.vocabulary().len();
        let rows: usize = tables.iter().map(|table| table.len()).sum();
        if pieces <= FEW || rows > ROWS {
            return Ok(None);
        }
        let (mut used, mut captions) = (HashSet::new(), 0);
        for table in tables {
            for row in 0..table.len() {
                for caption in table.texts(row).all() {
                    // What is cut off is not learned either.
                    used.extend(tokenizer.encode(caption, text_len)?.ids);
                    captions += 1;
                }
                if used.len() * 4 >= pieces {
                    return Ok(None);
                }
            }
        }
        Ok(Some(Self {
            pieces,
            used: used.len(),
            captions,
        }))
    }
}

impl fmt::Display for UnusedPieces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100.0 * self.used as f64 / self.pieces as f64;
        write!(
            formatter,
            "the {} captions use {} of the vocabulary's {} word pieces ({share:.1} %), and nothing is learned about \
             the others; `--vocab auto` makes a vocabulary of the captions",
            self.captions, self.used, self.pieces
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clover_data::text::SpecialTokens;

    #[test]
    fn a_vocabulary_is_too_large_where_captions_use_less_than_a_quarter_of_it() {
        let words: Vec<String> = (0..1_195).map(|number| format!("w{number}")).collect();
        let special = SpecialTokens::NAMES.iter().copied();
        let pieces = special.chain(words.iter().map(String::as_str));
        let tokenizer = Tokenizer::from_vocab_lines(pieces, "vocab.txt").unwrap();
        let found = |count: usize| {
            let captions = words[..count]
                .chunks(20)
                .map(|words| ("a.gif", words.join(" ")));
            let table = ClipTable::of_captions(captions);
            UnusedPieces::of(&[&table], &tokenizer, 30).unwrap()
        };

        // Three of the special tokens are used as well.
        let few = found(200).unwrap();
        assert_eq!((few.pieces, few.used, few.captions), (1_200, 203, 10));
        let line = few.to_string();
        assert!(
            line.contains("203 of") && line.contains("(16.9 %)"),
            "{line}"
        );
        assert!(line.contains("`--vocab auto`"), "{line}");
        assert!(found(296).is_some());
        assert_eq!(found(300), None);
    }
}
