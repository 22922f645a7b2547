//! How many texts of a list are longer than a model reads: what is cut off is not learned, and nobody
//! would notice.

use std::fmt;

use clover_data::dataset::{ClipTable, Texts};
use clover_data::text::{QuestionForm, Tokenizer};

use crate::TrainerError;

/// Rows that are looked at, spread over the list.
const ROWS: usize = 2_000;

/// Texts that lose their ends.
#[derive(Clone, Debug, PartialEq)]
pub struct CutTexts {
    /// How many of those looked at.
    pub cut: usize,
    /// Texts looked at.
    pub texts: usize,
    /// As many word pieces half of them have at most, with the tokens around them.
    pub median: usize,
    /// As many 95 % of them have at most.
    pub most: usize,
    /// Those of the longest.
    pub longest: usize,
    /// Word pieces that are read.
    pub text_len: usize,
}

impl CutTexts {
    /// Looks at some texts of a list; nothing where none is cut. Options are read as `form` has them.
    pub(crate) fn of(
        table: &ClipTable,
        form: QuestionForm,
        tokenizer: &Tokenizer,
        text_len: usize,
    ) -> Result<Option<Self>, TrainerError> {
        let mut lengths = Vec::new();
        let some = table.spread(ROWS);
        for row in 0..some.len() {
            for text in texts_of(&some.texts(row), form) {
                lengths.push(tokenizer.full_len(&text)?);
            }
        }
        lengths.sort_unstable();
        let cut = lengths.iter().filter(|&&length| length > text_len).count();
        // The shortest length that so many percent do not exceed.
        let reached = |percent: usize| {
            let place = (lengths.len() * percent).div_ceil(100).saturating_sub(1);
            lengths.get(place).copied().unwrap_or(0)
        };
        Ok((cut > 0).then(|| Self {
            cut,
            texts: lengths.len(),
            median: reached(50),
            most: reached(95),
            longest: reached(100),
            text_len,
        }))
    }
}

fn texts_of(texts: &Texts, form: QuestionForm) -> Vec<String> {
    match texts {
        Texts::Choice {
            question, options, ..
        } => form.texts(question, options),
        Texts::Question { question, .. } => vec![question.clone()],
        Texts::None | Texts::Captions(_) => texts.all().into_iter().map(str::to_owned).collect(),
    }
}

impl fmt::Display for CutTexts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = 100.0 * self.cut as f64 / self.texts as f64;
        write!(
            formatter,
            "{share:.1} % of the texts are longer than text_len = {} word pieces and lose their ends: half \
             have up to {}, 95 % up to {}, the longest of {} has {}; `text_len={}` reads 95 % of them whole",
            self.text_len, self.median, self.most, self.texts, self.longest, self.most
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_cut_are_counted() {
        let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog"];
        let tokenizer = Tokenizer::from_vocab_lines(pieces, "vocab.txt").unwrap();
        let captions = [("a.gif", "a dog"), ("b.gif", "a dog a dog"), ("c.gif", "a")];
        let table = ClipTable::of_captions(captions);
        let cut = |text_len| {
            let found = CutTexts::of(&table, QuestionForm::Alone, &tokenizer, text_len);
            found.unwrap()
        };

        assert_eq!(cut(6), None);
        let found = cut(4).unwrap();
        assert_eq!((found.cut, found.texts), (1, 3));
        assert_eq!((found.median, found.most, found.longest), (4, 6, 6));
        let line = found.to_string();
        assert!(line.starts_with("33.3 % of the texts"), "{line}");
        assert!(line.contains("`text_len=6`"), "{line}");
    }
}
