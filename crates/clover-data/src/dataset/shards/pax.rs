//! The records of a pax extended header: what a tar header has no room for.
//!
//! POSIX.1-2017, pax, "pax Extended Header": `length key=value\n`, the length that of the whole
//! record in decimal.

/// What a pax header says about the member after it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PaxRecords {
    /// The complete name.
    pub(super) path: Option<Vec<u8>>,
    /// The size of the content.
    pub(super) size: Option<u64>,
    /// Whether the content is stored with holes.
    pub(super) sparse: bool,
}

impl PaxRecords {
    /// Reads the records; `None` where they are not records.
    pub(super) fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut records = Self::default();
        // Some writers fill the block up with zeros.
        while bytes.first().is_some_and(|&byte| byte != 0) {
            let blank = bytes.iter().take(20).position(|&byte| byte == b' ')?;
            let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
            if length <= blank + 1 || length > bytes.len() {
                return None;
            }
            let (record, rest) = bytes.split_at(length);
            bytes = rest;
            let record = record[blank + 1..].strip_suffix(b"\n")?;
            let equals = record.iter().position(|&byte| byte == b'=')?;
            records.take(&record[..equals], &record[equals + 1..])?;
        }
        Some(records)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"size" => self.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
            _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
            _ => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_size_are_read_and_the_rest_is_passed_over() {
        let records = PaxRecords::parse(b"13 path=a/bc\n9 size=7\n19 mtime=1700000000\n\0\0");

        let expected = PaxRecords {
            path: Some(b"a/bc".to_vec()),
            size: Some(7),
            sparse: false,
        };
        // The second record is one byte short of what it says.
        assert_eq!(records, None);
        let records = PaxRecords::parse(b"13 path=a/bc\n9 size=7\n20 mtime=1700000000\n\0\0");
        assert_eq!(records, Some(expected));
    }

    #[test]
    fn a_member_with_holes_is_known() {
        let records = PaxRecords::parse(b"22 GNU.sparse.major=1\n").unwrap();

        assert!(records.sparse);
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bytes in [
            &b"path=a\n"[..],
            b"99 path=a\n",
            b"0 path=a\n",
            b"2 \n",
            b"8 path=a",
            b"9 path a\n",
            b"9 size=x\n",
            b"99999999999999999999999 path=a\n",
        ] {
            assert_eq!(PaxRecords::parse(bytes), None, "{bytes:?}");
        }
    }
}
