//! What passes for a caption.

use std::path::Path;

use crate::DataError;

/// A caption of more words is an error: the longest texts of the eleven tasks have a few hundred.
pub const MAX_CAPTION_WORDS: usize = 2_000;

/// A caption of more bytes is an error, so that one endless word is refused too.
pub const MAX_CAPTION_BYTES: usize = 32 * 1024;

/// Trims a caption and checks it; `path` and `line` are where it stands.
pub(super) fn check_caption(text: &str, path: &Path, line: usize) -> Result<String, DataError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(DataError::MissingCaption {
            path: path.to_path_buf(),
            line,
        });
    }
    // One word more than allowed is enough to know; the rest of a huge text is not walked.
    let words = text.split_whitespace().take(MAX_CAPTION_WORDS + 1).count();
    if words > MAX_CAPTION_WORDS || text.len() > MAX_CAPTION_BYTES {
        return Err(DataError::CaptionTooLong {
            path: path.to_path_buf(),
            line,
            words: MAX_CAPTION_WORDS,
            bytes: MAX_CAPTION_BYTES,
        });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<String, DataError> {
        check_caption(text, Path::new("pairs.csv"), 3)
    }

    #[test]
    fn blanks_around_a_caption_are_dropped() {
        assert_eq!(check("  a cat \n").unwrap(), "a cat");
    }

    #[test]
    fn a_caption_of_blanks_names_file_and_line() {
        let message = check(" \t").unwrap_err().to_string();

        assert!(
            message.contains("pairs.csv") && message.contains('3'),
            "{message}"
        );
    }

    #[test]
    fn ten_thousand_words_are_too_long() {
        let error = check(&"word ".repeat(10_000)).unwrap_err();

        assert!(matches!(error, DataError::CaptionTooLong { line: 3, .. }));
        assert!(check(&"word ".repeat(MAX_CAPTION_WORDS)).is_ok());
    }

    #[test]
    fn one_endless_word_is_too_long() {
        assert!(check(&"x".repeat(MAX_CAPTION_BYTES + 1)).is_err());
    }
}
