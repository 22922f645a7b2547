//! Which bytes of a file are asked for: RFC 9110, section 14.

use std::ops::Range;

/// What a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no range, one that cannot be read, or several, which need not be heeded.
    All,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// Bytes that are not there.
    Nothing,
}

impl Wanted {
    /// Reads the header for a file of `length` bytes.
    pub(crate) fn of(header: Option<&str>, length: u64) -> Self {
        let Some((unit, range)) = header.and_then(|header| header.split_once('=')) else {
            return Self::All;
        };
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return Self::All;
        }
        let Some((first, last)) = range.trim().split_once('-') else {
            return Self::All;
        };
        let range = match (number(first), number(last)) {
            // Of the end so many.
            (Number::None, Number::Some(count)) => length.saturating_sub(count)..length,
            (Number::Some(first), Number::None) => first..length,
            (Number::Some(first), Number::Some(last)) if first <= last => {
                first..last.saturating_add(1).min(length)
            }
            _ => return Self::All,
        };
        match range.is_empty() {
            true => Self::Nothing,
            false => Self::Part(range),
        }
    }
}

enum Number {
    None,
    Some(u64),
    /// No number.
    Other,
}

fn number(text: &str) -> Number {
    match text {
        "" => Number::None,
        // A number beyond all files is beyond this one.
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Number::Some(text.parse().unwrap_or(u64::MAX))
        }
        _ => Number::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(header: &str) -> Wanted {
        Wanted::of(Some(header), 10)
    }

    #[test]
    fn one_range_is_heeded_and_cut_at_the_end() {
        assert_eq!(wanted("bytes=0-0"), Wanted::Part(0..1));
        assert_eq!(wanted("bytes=3-"), Wanted::Part(3..10));
        assert_eq!(wanted("bytes=3-99"), Wanted::Part(3..10));
        assert_eq!(wanted("bytes=-4"), Wanted::Part(6..10));
        assert_eq!(
            wanted("Bytes = -400".replace(" = ", "=").as_str()),
            Wanted::Part(0..10)
        );
        let huge = format!("bytes=2-{}9", u64::MAX);
        assert_eq!(wanted(&huge), Wanted::Part(2..10));
    }

    #[test]
    fn what_is_not_there_is_said() {
        assert_eq!(wanted("bytes=-0"), Wanted::Nothing);
        assert_eq!(wanted("bytes=10-"), Wanted::Nothing);
        assert_eq!(wanted("bytes=10-12"), Wanted::Nothing);
        let huge = format!("bytes={}9-", u64::MAX);
        assert_eq!(wanted(&huge), Wanted::Nothing);
        assert_eq!(Wanted::of(Some("bytes=0-"), 0), Wanted::Nothing);
    }

    #[test]
    fn what_cannot_be_read_and_several_ranges_are_passed_over() {
        let headers = [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=0-1,3-4",
            "bytes=0-5,2-7",
            "bytes=0-1,-0",
            "lines=0-1",
            "bytes=--5",
            "bytes=+1-2",
            "bytes=1 - 2",
        ];
        for header in headers {
            assert_eq!(wanted(header), Wanted::All, "{header}");
        }
        assert_eq!(Wanted::of(None, 10), Wanted::All);
    }
}
