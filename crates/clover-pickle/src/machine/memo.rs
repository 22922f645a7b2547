//! Values that a pickle remembers by number, to name them again.

use super::Machine;
use crate::{PickleError, PickleFault};

impl Machine<'_> {
    pub(super) fn remember(&mut self, code: u8) -> Result<(), PickleError> {
        let index = match code {
            0x94 => self.memo.len() as u32,
            b'p' => self.memo_line()?,
            b'q' => self.cursor.u8()?.into(),
            _ => self.cursor.u32()?,
        };
        let place = self.top()?;
        if self.memo.len() >= self.vocabulary.max_values() {
            return Err(self.too_many());
        }
        self.memo.insert(index, place);
        Ok(())
    }

    pub(super) fn recall(&mut self, code: u8) -> Result<(), PickleError> {
        let index = match code {
            b'g' => self.memo_line()?,
            b'h' => self.cursor.u8()?.into(),
            _ => self.cursor.u32()?,
        };
        match self.memo.get(&index) {
            Some(&place) => self.push(place),
            None => Err(self.error(PickleFault::Memo { index })),
        }
    }

    fn memo_line(&mut self) -> Result<u32, PickleError> {
        let line = std::str::from_utf8(self.cursor.line()?.trim_ascii());
        let index = line.ok().and_then(|line| line.parse().ok());
        index.ok_or_else(|| self.error(PickleFault::Number))
    }
}
