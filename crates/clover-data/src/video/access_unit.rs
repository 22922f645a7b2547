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
}

impl AccessUnit {
    /// Splits a sample whose units have lengths of `length_bytes` bytes.
    pub(super) fn of_sample(sample: &[u8], length_bytes: usize) -> Result<Self, &'static str> {
        let mut units = Self::default();
        let mut rest = sample;
        while !rest.is_empty() {
            let cut = "a coded frame ends within a unit";
            let (length, after) = rest.split_at_checked(length_bytes).ok_or(cut)?;
            let length = length
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            let (unit, after) = after.split_at_checked(length).ok_or(cut)?;
            units.push(unit);
            rest = after;
        }
        Ok(units)
    }

    /// Adds a unit.
    pub(super) fn push(&mut self, unit: &[u8]) {
        // An empty unit says nothing, and its start code could be taken for another's.
        if !unit.is_empty() {
            self.bytes.extend(START_CODE);
            let start = self.bytes.len();
            self.bytes.extend_from_slice(unit);
            self.units.push(start..self.bytes.len());
        }
    }

    /// All units, each with its start code.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The units with sequence parameters.
    pub(super) fn sequence_parameters(&self) -> impl Iterator<Item = &[u8]> {
        self.units
            .iter()
            .map(|unit| &self.bytes[unit.clone()])
            .filter(|unit| unit[0] & 0x1f == 7)
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
            .filter(|header| (1..=5).contains(&(header & 0x1f)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_become_start_codes() {
        let unit = AccessUnit::of_sample(&[0, 2, 0x65, 9, 0, 1, 0x01], 2).unwrap();

        assert_eq!(unit.bytes(), [0, 0, 0, 1, 0x65, 9, 0, 0, 0, 1, 0x01]);
        assert!(unit.begins_group() && unit.is_reference());
    }

    #[test]
    fn a_length_beyond_the_sample_is_an_error() {
        assert!(AccessUnit::of_sample(&[0, 0, 0, 9, 0x65], 4).is_err());
        assert!(AccessUnit::of_sample(&[0, 0], 4).is_err());
    }

    #[test]
    fn a_picture_no_other_refers_to_has_no_reference_bits() {
        let dropped = AccessUnit::of_sample(&[1, 0x06, 1, 0x01], 1).unwrap();
        let kept = AccessUnit::of_sample(&[1, 0x41], 1).unwrap();

        assert!(!dropped.is_reference());
        assert!(kept.is_reference() && !kept.begins_group());
    }
}
