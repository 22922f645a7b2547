//! The bytes of a pickle and how far they are read.

use super::{PickleError, PickleFault};

#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// The byte that is read next.
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn error(&self, fault: PickleFault) -> PickleError {
        PickleError {
            offset: self.offset,
            fault,
        }
    }

    /// The bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        if length > self.left() {
            return Err(self.error(PickleFault::Truncated));
        }
        let start = self.offset;
        self.offset += length;
        Ok(&self.bytes[start..self.offset])
    }

    /// The bytes up to the next line end, which is read past.
    pub(super) fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = &self.bytes[self.offset..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let end = end.ok_or_else(|| self.error(PickleFault::Truncated))?;
        self.offset += end + 1;
        Ok(&rest[..end])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, PickleError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, PickleError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, PickleError> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes whose length stands before them, in one, four or eight bytes.
    pub(super) fn prefixed(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let length = match width {
            1 => self.u8()?.into(),
            4 => self.u32()?.into(),
            _ => self.u64()?,
        };
        let length = usize::try_from(length).map_err(|_| self.error(PickleFault::Truncated))?;
        self.take(length)
    }
}
