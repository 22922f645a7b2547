//! Event files, which TensorBoard shows while a run goes.
//!
//! A file is a sequence of records, each `length (u64), checksum of the length, event, checksum of
//! the event`, all little-endian; an event is a protocol buffer (`tensorflow/core/util/event.proto`)
//! of which scalars need six fields, so that they are written here by hand.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::TrainerError;

/// The version of the format. Since 2, a session's beginning makes readers forget what an
/// interrupted one before it had written from that step on.
const VERSION: &str = "brain.Event:2";
/// `SessionLog.status`: a session begins.
const START: u64 = 1;

/// Kinds of fields in a protocol buffer.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const FIXED_32: u64 = 5;

/// The open event file of a session of a run. Every session writes its own, into one folder.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// A new file in `folder`, for the steps after the `done` first ones.
    ///
    /// # Errors
    ///
    /// The folder or the file cannot be written.
    pub fn create(folder: &Path, done: u64) -> Result<Self, TrainerError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TrainerError::Write { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let seconds = seconds_now();
        // Readers take files in the order of their names.
        let path = (0..)
            .map(|number| format!("events.out.tfevents.{seconds:010.0}.clover.{number}"))
            .map(|name| folder.join(name))
            .find(|path| !path.exists())
            .unwrap_or_default();
        let file = File::create_new(&path).map_err(failed(&path))?;
        let mut events = Self { path, file };
        events.write(&event(0, 3, VERSION.as_bytes()))?;
        let mut session = Vec::new();
        number_field(&mut session, 1, START);
        events.write(&event(done + 1, 7, &session))?;
        Ok(events)
    }

    /// Adds what was measured after `step` steps, under `group/name` each.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn append<N: AsRef<str>>(
        &mut self,
        step: u64,
        scalars: &[(N, f64)],
    ) -> Result<(), TrainerError> {
        let mut summary = Vec::new();
        for (tag, value) in scalars {
            let mut scalar = Vec::new();
            bytes_field(&mut scalar, 1, tag.as_ref().as_bytes());
            key(&mut scalar, 2, FIXED_32);
            scalar.extend((*value as f32).to_le_bytes());
            bytes_field(&mut summary, 1, &scalar);
        }
        self.write(&event(step, 5, &summary))
    }

    /// One record in one write: a reader beside sees all of it or, at worst, a file cut short.
    fn write(&mut self, event: &[u8]) -> Result<(), TrainerError> {
        self.file
            .write_all(&record(event))
            .map_err(|source| TrainerError::Write {
                path: self.path.clone(),
                source,
            })
    }
}

/// An event of now, of which `field` says what `content` is.
fn event(step: u64, field: u64, content: &[u8]) -> Vec<u8> {
    let mut event = Vec::new();
    key(&mut event, 1, FIXED_64);
    event.extend(seconds_now().to_le_bytes());
    number_field(&mut event, 2, step);
    bytes_field(&mut event, field, content);
    event
}

fn seconds_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

fn key(message: &mut Vec<u8>, field: u64, kind: u64) {
    varint(message, field << 3 | kind);
}

fn number_field(message: &mut Vec<u8>, field: u64, value: u64) {
    key(message, field, VARINT);
    varint(message, value);
}

fn bytes_field(message: &mut Vec<u8>, field: u64, content: &[u8]) {
    key(message, field, BYTES);
    varint(message, content.len() as u64);
    message.extend(content);
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn record(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked_checksum(&length).to_le_bytes());
    record.extend(content);
    record.extend(masked_checksum(content).to_le_bytes());
    record
}

/// A checksum that may itself be checksummed.
fn masked_checksum(content: &[u8]) -> u32 {
    crc32c(content).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Castagnoli's CRC-32. Bit by bit: records are small.
fn crc32c(content: &[u8]) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0x82f6_3b78;
    !content.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| {
            (crc >> 1) ^ (REVERSED_POLYNOMIAL * (crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrain::StepMetrics;

    #[test]
    fn checksum_is_castagnolis() {
        // RFC 3720, section B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn numbers_take_seven_bits_a_byte() {
        let mut bytes = Vec::new();

        varint(&mut bytes, 300);

        assert_eq!(bytes, [0xac, 0x02]);
    }

    #[test]
    fn a_record_is_framed_by_its_length_and_two_checksums() {
        let record = record(b"123456789");

        assert_eq!(record.len(), 8 + 4 + 9 + 4);
        assert_eq!(record[..8], 9_u64.to_le_bytes());
        assert_eq!(record[12..21], *b"123456789");
        // 0xe3069283 turned by 15 bits, plus the mask.
        let masked = 0x2507_c60d_u32.wrapping_add(0xa282_ead8);
        assert_eq!(record[21..], masked.to_le_bytes());
    }

    #[test]
    fn a_session_tells_its_version_its_beginning_and_every_step() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = EventFile::create(folder.path(), 6).unwrap();
        let scalars = StepMetrics::of_step(7).scalars();
        events.append(7, &scalars).unwrap();

        let file = fs::read(&events.path).unwrap();
        let records = records(&file);
        let [version, session, step] = records.as_slice() else {
            panic!("{} records", records.len());
        };
        assert!(version.ends_with(VERSION.as_bytes()));
        // Step 7, a session log of two bytes: its status is START.
        assert!(session.ends_with(&[0x10, 7, 0x3a, 2, 0x08, 1]));
        assert_eq!(step[9..11], [0x10, 7]);
        for (tag, value) in scalars {
            let mut scalar = vec![0x0a, tag.len() as u8];
            scalar.extend(tag.as_bytes());
            scalar.push(0x15);
            scalar.extend((value as f32).to_le_bytes());
            assert!(
                step.windows(scalar.len()).any(|part| part == scalar),
                "{tag}"
            );
        }
    }

    #[test]
    fn another_session_writes_another_file() {
        let folder = tempfile::tempdir().unwrap();

        let first = EventFile::create(folder.path(), 0).unwrap();
        let second = EventFile::create(folder.path(), 0).unwrap();

        assert!(first.path < second.path);
    }

    fn records(mut file: &[u8]) -> Vec<&[u8]> {
        let mut records = Vec::new();
        while let Some((length, rest)) = file.split_first_chunk() {
            let length = u64::from_le_bytes(*length) as usize;
            records.push(&rest[4..4 + length]);
            file = &rest[4 + length + 4..];
        }
        records
    }
}
