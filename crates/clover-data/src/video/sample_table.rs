//! Where the coded pictures of an mp4 track lie, and the order they are shown in.
//!
//! The boxes say how many samples share a duration, a chunk, an offset; here those runs become a
//! plain list. Every count is checked against what the file can hold before anything is allocated.

use std::path::Path;

use mp4_atom::{Ctts, Stbl, Stsc, StszSamples, Stts};

use super::DecodeLimits;
use super::limits::at_most;
use crate::DataError;

/// The bytes of one coded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) offset: u64,
    pub(super) size: u32,
}

/// The coded pictures of a track, in the order they are decoded.
#[derive(Debug)]
pub(super) struct SampleTable {
    /// Where they lie.
    pub(super) samples: Vec<Sample>,
    /// The sample shown as frame 0, 1, 2 and so on.
    pub(super) sample_of_frame: Vec<usize>,
    /// The inverse: the frame a sample is shown as.
    pub(super) frame_of_sample: Vec<usize>,
    /// Whether decoding can begin at a sample.
    pub(super) begins: Vec<bool>,
}

impl SampleTable {
    /// Reads the list off the boxes of a track in a file of `file_bytes` bytes.
    ///
    /// Edit lists are not applied: a frame that one would hide is still counted.
    pub(super) fn read(
        boxes: &Stbl,
        file_bytes: u64,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let broken = |fault| DataError::BrokenVideo {
            path: path.to_path_buf(),
            fault,
        };
        let count = match &boxes.stsz.samples {
            StszSamples::Identical { count, .. } => *count as usize,
            StszSamples::Different { sizes } => sizes.len(),
        };
        limits.check_frames(path, count)?;
        let samples = places(boxes, count, file_bytes).map_err(broken)?;
        for sample in &samples {
            let what = "the size of a coded frame in bytes";
            at_most(path, what, sample.size.into(), limits.max_decoded_bytes)?;
        }
        let sample_of_frame = match &boxes.ctts {
            Some(delays) => display_order(&boxes.stts, delays, count),
            // Without delays, pictures are shown as they are decoded.
            None => (0..count).collect(),
        };
        let mut begins = vec![boxes.stss.is_none(); count];
        for number in boxes.stss.iter().flat_map(|keys| &keys.entries) {
            // Counted from one.
            if let Some(begins) = begins.get_mut((*number as usize).wrapping_sub(1)) {
                *begins = true;
            }
        }
        Ok(Self::sorted(samples, sample_of_frame, begins))
    }

    /// The table of samples that are shown at `times`.
    pub(super) fn of_coded(samples: Vec<Sample>, times: &[u64], begins: Vec<bool>) -> Self {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.sort_by_key(|sample| times[*sample]);
        Self::sorted(samples, order, begins)
    }

    fn sorted(samples: Vec<Sample>, sample_of_frame: Vec<usize>, begins: Vec<bool>) -> Self {
        let mut frame_of_sample = vec![0; samples.len()];
        for (frame, sample) in sample_of_frame.iter().enumerate() {
            frame_of_sample[*sample] = frame;
        }
        Self {
            samples,
            sample_of_frame,
            frame_of_sample,
            begins,
        }
    }
}

fn places(boxes: &Stbl, count: usize, file_bytes: u64) -> Result<Vec<Sample>, &'static str> {
    let chunks: Vec<u64> = match (&boxes.stco, &boxes.co64) {
        (Some(chunks), _) => chunks.entries.iter().copied().map(u64::from).collect(),
        (None, Some(chunks)) => chunks.entries.clone(),
        (None, None) => return Err("its mp4 boxes do not say where the frames lie"),
    };
    let mut samples = Vec::with_capacity(count);
    for (chunk, start) in chunks.iter().enumerate() {
        let mut offset = *start;
        let room = count - samples.len();
        for _ in 0..samples_of_chunk(&boxes.stsc, chunk).min(room) {
            let size = match &boxes.stsz.samples {
                StszSamples::Identical { size, .. } => *size,
                StszSamples::Different { sizes } => sizes[samples.len()],
            };
            let end = offset.checked_add(size.into());
            let end = end.filter(|end| *end <= file_bytes);
            samples.push(Sample { offset, size });
            offset = end.ok_or("its frames lie beyond its end: the file is cut short")?;
        }
    }
    if samples.len() < count {
        return Err("its mp4 boxes place fewer frames than they count");
    }
    Ok(samples)
}

/// How many samples a chunk holds: what the last run says that began at or before it.
fn samples_of_chunk(runs: &Stsc, chunk: usize) -> usize {
    let later = runs
        .entries
        .partition_point(|run| run.first_chunk as usize <= chunk + 1);
    match later.checked_sub(1) {
        Some(run) => runs.entries[run].samples_per_chunk as usize,
        None => 0,
    }
}

/// Samples sorted by the time they are shown: the sum of the durations before, and a delay.
fn display_order(durations: &Stts, delays: &Ctts, count: usize) -> Vec<usize> {
    let durations = durations
        .entries
        .iter()
        .flat_map(|run| repeat(run.sample_delta.into(), run.sample_count));
    let delays = delays
        .entries
        .iter()
        .flat_map(|run| repeat(run.sample_offset, run.sample_count));
    let mut times = Vec::with_capacity(count);
    let mut decoded_at = 0_i64;
    let pairs = durations
        .chain(std::iter::repeat(0))
        .zip(delays.chain(std::iter::repeat(0)));
    for (duration, delay) in pairs.take(count) {
        times.push(decoded_at + delay);
        decoded_at += duration;
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|sample| times[*sample]);
    order
}

fn repeat(value: i64, times: u32) -> impl Iterator<Item = i64> {
    std::iter::repeat_n(value, times as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mp4_atom::{CttsEntry, Stco, StscEntry, Stss, Stsz, SttsEntry};

    /// Four samples of 10, 20, 30, 40 bytes in chunks of two and one.
    fn boxes() -> Stbl {
        let run = |first_chunk, samples_per_chunk| StscEntry {
            first_chunk,
            samples_per_chunk,
            sample_description_index: 1,
        };
        Stbl {
            stsz: Stsz {
                samples: StszSamples::Different {
                    sizes: vec![10, 20, 30, 40],
                },
            },
            stsc: Stsc {
                entries: vec![run(1, 2), run(2, 1)],
            },
            stco: Some(Stco {
                entries: vec![100, 200, 300],
            }),
            stts: Stts {
                entries: vec![SttsEntry {
                    sample_count: 4,
                    sample_delta: 5,
                }],
            },
            ..Stbl::default()
        }
    }

    fn read(boxes: &Stbl, file_bytes: u64) -> Result<SampleTable, DataError> {
        SampleTable::read(
            boxes,
            file_bytes,
            Path::new("a.mp4"),
            &DecodeLimits::default(),
        )
    }

    #[test]
    fn samples_follow_each_other_within_a_chunk() {
        let table = read(&boxes(), 340).unwrap();

        let places: Vec<(u64, u32)> = table.samples.iter().map(|s| (s.offset, s.size)).collect();
        assert_eq!(places, [(100, 10), (110, 20), (200, 30), (300, 40)]);
        assert_eq!(table.begins, [true; 4]);
    }

    #[test]
    fn a_file_cut_within_its_last_frame_is_an_error() {
        let error = read(&boxes(), 339).unwrap_err();

        assert_eq!(
            error.to_string(),
            "a.mp4: its frames lie beyond its end: the file is cut short"
        );
    }

    #[test]
    fn delays_decide_the_order_of_display() {
        // Decoded as I P B B, shown as I B B P.
        let delay = |sample_offset| CttsEntry {
            sample_count: 1,
            sample_offset,
        };
        let mut boxes = boxes();
        boxes.ctts = Some(Ctts {
            entries: vec![delay(5), delay(15), delay(0), delay(0)],
        });
        boxes.stss = Some(Stss { entries: vec![1] });

        let table = read(&boxes, 340).unwrap();

        assert_eq!(table.sample_of_frame, [0, 2, 3, 1]);
        assert_eq!(table.frame_of_sample, [0, 3, 1, 2]);
        assert_eq!(table.begins, [true, false, false, false]);
    }

    #[test]
    fn a_count_no_file_could_hold_is_refused_before_it_is_believed() {
        let mut boxes = boxes();
        boxes.stsz.samples = StszSamples::Identical {
            count: u32::MAX,
            size: 1,
        };

        assert!(matches!(
            read(&boxes, 340),
            Err(DataError::OverLimit { .. })
        ));
    }

    #[test]
    fn a_table_with_too_few_places_is_an_error() {
        let mut boxes = boxes();
        boxes.stco = Some(Stco { entries: vec![100] });

        assert!(matches!(
            read(&boxes, 340),
            Err(DataError::BrokenVideo { .. })
        ));
    }
}
