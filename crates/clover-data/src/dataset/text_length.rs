//! How many tokens a text may have.

use crate::DataError;

/// BERT has no more positions.
const LONGEST: usize = 512;

/// Refuses a length without room for one piece between `[CLS]` and `[SEP]`, or beyond BERT's.
pub(super) fn check_text_len(text_len: usize) -> Result<(), DataError> {
    if (3..=LONGEST).contains(&text_len) {
        return Ok(());
    }
    Err(DataError::OutOfRange {
        key: "text_len",
        value: text_len,
        smallest: 3,
        largest: LONGEST,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_room_for_one_piece_at_least() {
        assert!(check_text_len(2).is_err());
        assert!(check_text_len(3).is_ok());
        assert!(check_text_len(513).is_err());
    }
}
