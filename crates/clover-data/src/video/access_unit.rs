//! The coded bytes of one picture: units with their length before them in an mp4 file, with a
//! start code before them for the decoders.

use std::ops::Range;

/// What announces a unit.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The units of one picture.
#[derive(Debug, Default)]
pub(super) struct AccessUnit {
    bytes: Vec<u8>,
    units: Vec<Range<usize>>,
    guarded: bool,
}

impl AccessUnit {
    /// Splits a sample whose units have lengths of `length_bytes` bytes; `arithmetic` if its
    /// slices are coded that way.
    ///
    /// Fails where a unit ends early or holds bytes that no coder writes.
    pub(super) fn of_sample(
        sample: &[u8],
        length_bytes: usize,
        arithmetic: bool,
    ) -> Result<Self, &'static str> {
        let mut units = Self {
            guarded: arithmetic,
            ..Self::default()
        };
        let mut rest = sample;
        while !rest.is_empty() {
            let cut = "a coded frame ends within a unit";
            let (length, after) = rest.split_at_checked(length_bytes).ok_or(cut)?;
            let length = length
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            let (unit, after) = after.split_at_checked(length).ok_or(cut)?;
            units.push(unit);
            let slice = unit.first().is_some_and(|header| is_slice(*header));
            if slice && holds_forbidden_bytes(unit) {
                return Err("a coded frame holds bytes that no coder writes");
            }
            rest = after;
        }
        if units.slice_headers().next().is_none() {
            return Err("a coded frame holds no picture");
        }
        Ok(units)
    }

    /// Adds a unit.
    pub(super) fn push(&mut self, unit: &[u8]) {
        // An empty unit says nothing, and its start code could be taken for another's.
        if !unit.is_empty() {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(unit);
            self.units.push(start..self.bytes.len());
        }
    }

    /// All units, each with its start code; `guard` follows every slice coded arithmetically.
    ///
    /// The decoders read zeros beyond a slice that was cut short, and zeros decode as "nothing
    /// changes": a wrong picture without an error. A whole slice never depends on what follows
    /// it, so other bytes can be put there to notice.
    pub(super) fn stream(&self, guard: &[u8]) -> Vec<u8> {
        let room = self.units.len() * (START_CODE.len() + guard.len());
        let mut stream = Vec::with_capacity(self.bytes.len() + room);
        for unit in &self.units {
            stream.extend(START_CODE);
            stream.extend_from_slice(&self.bytes[unit.clone()]);
            if self.guarded && is_slice(self.bytes[unit.start]) {
                stream.extend_from_slice(guard);
            }
        }
        stream
    }

    /// The units with sequence parameters.
    pub(super) fn sequence_parameters(&self) -> impl Iterator<Item = &[u8]> {
        self.of_type(7)
    }

    /// The units with picture parameters.
    pub(super) fn picture_parameters(&self) -> impl Iterator<Item = &[u8]> {
        self.of_type(8)
    }

    fn of_type(&self, unit_type: u8) -> impl Iterator<Item = &[u8]> {
        self.units
            .iter()
            .map(|unit| &self.bytes[unit.clone()])
            .filter(move |unit| unit[0] & 0x1f == unit_type)
    }

    /// Whether decoding can begin here: no later picture refers to one before this.
    pub(super) fn begins_group(&self) -> bool {
        self.slice_headers().any(|header| header & 0x1f == 5)
    }

    /// Whether other pictures may refer to this one.
    pub(super) fn is_reference(&self) -> bool {
        self.slice_headers().any(|header| header & 0x60 != 0)
    }

    fn slice_headers(&self) -> impl Iterator<Item = u8> {
        self.units
            .iter()
            .map(|unit| self.bytes[unit.start])
            .filter(|header| is_slice(*header))
    }
}

/// Whether a unit with this first byte holds a part of a picture.
fn is_slice(header: u8) -> bool {
    (1..=5).contains(&(header & 0x1f))
}

/// Whether a start code, or zeros long enough for one, lie within a unit: coders break them up, so
/// they are what is left where a part of a file was never written.
fn holds_forbidden_bytes(unit: &[u8]) -> bool {
    // Some writers pad a unit with a few zeros.
    let padding = unit.iter().rev().take_while(|byte| **byte == 0).count();
    padding > START_CODE.len()
        || unit[..unit.len() - padding]
            .windows(3)
            .any(|bytes| bytes[0] == 0 && bytes[1] == 0 && bytes[2] < 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_become_start_codes() {
        let unit = AccessUnit::of_sample(&[0, 2, 0x65, 9, 0, 1, 0x01], 2, false).unwrap();

        assert_eq!(unit.stream(&[7]), [0, 0, 0, 1, 0x65, 9, 0, 0, 0, 1, 0x01]);
        assert!(unit.begins_group() && unit.is_reference());
    }

    #[test]
    fn a_guard_follows_slices_coded_arithmetically_and_nothing_else() {
        let unit = AccessUnit::of_sample(&[1, 0x06, 2, 0x41, 9], 1, true).unwrap();

        assert_eq!(
            unit.stream(&[7, 7]),
            [0, 0, 0, 1, 0x06, 0, 0, 0, 1, 0x41, 9, 7, 7]
        );
    }

    #[test]
    fn a_length_beyond_the_sample_is_an_error() {
        assert!(AccessUnit::of_sample(&[0, 0, 0, 9, 0x65], 4, false).is_err());
        assert!(AccessUnit::of_sample(&[0, 0], 4, false).is_err());
    }

    #[test]
    fn a_picture_no_other_refers_to_has_no_reference_bits() {
        let dropped = AccessUnit::of_sample(&[1, 0x06, 1, 0x01], 1, false).unwrap();
        let kept = AccessUnit::of_sample(&[1, 0x41], 1, false).unwrap();

        assert!(!dropped.is_reference());
        assert!(kept.is_reference() && !kept.begins_group());
    }

    #[test]
    fn a_sample_of_zeros_or_messages_holds_no_picture() {
        assert!(AccessUnit::of_sample(&[0; 400], 4, false).is_err());
        assert!(AccessUnit::of_sample(&[1, 0x06], 1, false).is_err());
    }

    #[test]
    fn zeros_where_a_part_was_never_written_are_noticed() {
        let sample = |unit: &[u8]| [&[unit.len() as u8], unit].concat();
        let split = |unit: &[u8]| AccessUnit::of_sample(&sample(unit), 1, true);

        assert!(split(&[0x41, 7, 0, 0, 3, 1, 0x80, 0, 0]).is_ok());
        assert!(split(&[0x41, 7, 0, 0, 0, 1, 0x80]).is_err());
        assert!(split(&[0x41, 7, 0, 0, 0, 0, 0]).is_err());
    }
}
