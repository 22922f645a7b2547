//! Where the coded pictures of a track lie, and the order they are shown in.
//!
//! The boxes of an mp4 file say how many samples share a duration, a chunk, an offset; here those
//! runs become a plain list. Every count is checked against what the file can hold before anything
//! is allocated.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use mp4_atom::{Ctts, Stbl, Stsc, StszSamples, Stts};

use super::DecodeLimits;
use super::limits::at_most;
use super::mp4_boxes::broken;
use crate::DataError;

/// Far beyond the times of any video, in any unit; sums of a few of them do not overflow.
pub(super) const LATEST: i64 = i64::MAX / 32;

/// The bytes of one coded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) offset: u64,
    pub(super) size: u32,
}

/// The coded pictures of an mp4 track, in the order they are decoded, with times in its unit.
#[derive(Debug, Default)]
pub(super) struct CodedSamples {
    /// Where they lie.
    pub(super) samples: Vec<Sample>,
    /// When each is shown, before any edit.
    pub(super) times: Vec<i64>,
    /// Whether decoding can begin at each.
    pub(super) begins: Vec<bool>,
    /// When the last is decoded, and the next would be.
    pub(super) decoded: Range<i64>,
    /// When none is shown any more.
    pub(super) shown_until: i64,
}

impl CodedSamples {
    /// Reads the list off the boxes of a track in a file of `file_bytes` bytes.
    pub(super) fn of_boxes(
        boxes: &Stbl,
        file_bytes: u64,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<Self, DataError> {
        let count = match &boxes.stsz.samples {
            StszSamples::Identical { count, .. } => *count as usize,
            StszSamples::Different { sizes } => sizes.len(),
        };
        check_count(count as u64, file_bytes, path, limits)?;
        let samples = places(boxes, count, file_bytes).map_err(|fault| broken(path, fault))?;
        let mut coded = Self::default();
        for (sample, (duration, delay)) in samples.into_iter().zip(steps(boxes, count)) {
            coded.push(sample, duration, delay, boxes.stss.is_none(), path, limits)?;
        }
        for number in boxes.stss.iter().flat_map(|keys| &keys.entries) {
            // Counted from one.
            if let Some(begins) = coded.begins.get_mut((*number as usize).wrapping_sub(1)) {
                *begins = true;
            }
        }
        Ok(coded)
    }

    /// Adds the next picture: it is decoded when the one before is over, and shown `delay` later.
    pub(super) fn push(
        &mut self,
        sample: Sample,
        duration: u32,
        delay: i32,
        begins: bool,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<(), DataError> {
        let what = "the size of a coded frame in bytes";
        at_most(path, what, sample.size.into(), limits.max_decoded_bytes)?;
        let time = self.decoded.end + i64::from(delay);
        self.samples.push(sample);
        self.times.push(time);
        self.begins.push(begins);
        self.decoded = self.decoded.end..self.decoded.end + i64::from(duration);
        self.shown_until = self.shown_until.max(time + i64::from(duration));
        Ok(())
    }

    /// Pictures in the order they are shown in the track.
    pub(super) fn order_of(&self, pictures: Range<usize>) -> Vec<usize> {
        let mut order: Vec<usize> = pictures.collect();
        order.sort_by_key(|sample| self.times[*sample]);
        order
    }
}

/// Refuses more coded pictures than are allowed or than a file has bytes.
pub(super) fn check_count(
    count: u64,
    file_bytes: u64,
    path: &Path,
    limits: &DecodeLimits,
) -> Result<(), DataError> {
    let what = "the number of frames";
    at_most(path, what, count, limits.max_frames.min(file_bytes))
}

/// A picture that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) sample: usize,
    /// When, in the track's unit.
    pub(super) time: i64,
}

/// The coded pictures of a track, and the frames that are shown of them.
#[derive(Debug)]
pub(super) struct SampleTable {
    /// Where the pictures lie, in the order they are decoded.
    pub(super) samples: Vec<Sample>,
    /// Whether decoding can begin at a sample.
    pub(super) begins: Vec<bool>,
    /// The sample shown as frame 0, 1, 2 and so on. One may be missing, and one may stand here twice.
    pub(super) sample_of_frame: Vec<usize>,
    /// The frame a sample is shown as; of a hidden one, what is shown of those decoded after it.
    pub(super) frame_of_sample: Vec<usize>,
    /// When each frame is shown; nothing where the file does not say.
    pub(super) times: Vec<Duration>,
    /// When the last is shown no more.
    pub(super) seconds: Option<f64>,
}

impl SampleTable {
    /// The table of the frames `shown` until `end`, with `timescale` units a second.
    pub(super) fn shown(coded: CodedSamples, shown: Vec<Shown>, end: i64, timescale: u32) -> Self {
        let mut times = Vec::new();
        let mut seconds = None;
        if timescale > 0 {
            times.extend(shown.iter().map(|frame| duration(frame.time, timescale)));
            seconds = (end > 0).then(|| end as f64 / f64::from(timescale));
        }
        let order = shown.into_iter().map(|frame| frame.sample).collect();
        Self::sorted(coded.samples, order, coded.begins, times, seconds)
    }

    /// The table of samples that are all shown, at `times`.
    pub(super) fn of_coded(
        samples: Vec<Sample>,
        times: &[Duration],
        begins: Vec<bool>,
        seconds: Option<f64>,
    ) -> Self {
        let mut order: Vec<usize> = (0..samples.len()).collect();
        order.sort_by_key(|sample| times[*sample]);
        let times = order.iter().map(|sample| times[*sample]).collect();
        Self::sorted(samples, order, begins, times, seconds)
    }

    fn sorted(
        samples: Vec<Sample>,
        sample_of_frame: Vec<usize>,
        begins: Vec<bool>,
        times: Vec<Duration>,
        seconds: Option<f64>,
    ) -> Self {
        let mut shown_as = vec![None; samples.len()];
        for (frame, sample) in sample_of_frame.iter().enumerate().rev() {
            shown_as[*sample] = Some(frame);
        }
        let mut frame_of_sample = vec![0; samples.len()];
        let mut next = sample_of_frame.len().saturating_sub(1);
        for (sample, frame) in shown_as.into_iter().enumerate().rev() {
            next = frame.unwrap_or(next);
            frame_of_sample[sample] = next;
        }
        Self {
            samples,
            begins,
            sample_of_frame,
            frame_of_sample,
            times,
            seconds,
        }
    }
}

/// A time that is not negative, as nanoseconds.
fn duration(time: i64, timescale: u32) -> Duration {
    let time = u128::from(time.max(0).unsigned_abs()) * 1_000_000_000 / u128::from(timescale);
    Duration::from_nanos(u64::try_from(time).unwrap_or(u64::MAX))
}

fn places(boxes: &Stbl, count: usize, file_bytes: u64) -> Result<Vec<Sample>, &'static str> {
    if count == 0 {
        return Ok(Vec::new());
    }
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

/// How long each sample lasts, and how much later than it is decoded it is shown.
fn steps(boxes: &Stbl, count: usize) -> impl Iterator<Item = (u32, i32)> {
    let Stts { entries } = &boxes.stts;
    let durations = entries
        .iter()
        .flat_map(|run| repeat(run.sample_delta, run.sample_count));
    let delays = boxes.ctts.iter().flat_map(|Ctts { entries }| entries);
    // Negative ones are written in boxes of the version without a sign, too.
    let delays = delays.flat_map(|run| repeat(run.sample_offset as i32, run.sample_count));
    durations
        .chain(std::iter::repeat(0))
        .zip(delays.chain(std::iter::repeat(0)))
        .take(count)
}

fn repeat<T: Clone>(value: T, times: u32) -> impl Iterator<Item = T> {
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

    fn read(boxes: &Stbl, file_bytes: u64) -> Result<CodedSamples, DataError> {
        let limits = DecodeLimits::default();
        CodedSamples::of_boxes(boxes, file_bytes, Path::new("a.mp4"), &limits)
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
        // The last two are -5 with a sign, and without one.
        boxes.ctts = Some(Ctts {
            entries: vec![delay(0), delay(10), delay(-5), delay(0xffff_fffb)],
        });
        boxes.stss = Some(Stss { entries: vec![1] });

        let coded = read(&boxes, 340).unwrap();

        assert_eq!(coded.times, [0, 15, 5, 10]);
        assert_eq!(coded.order_of(0..4), [0, 2, 3, 1]);
        assert_eq!(coded.begins, [true, false, false, false]);
        assert_eq!(coded.shown_until, 20);
    }

    #[test]
    fn hidden_pictures_have_the_number_of_the_next_frame() {
        let coded = read(&boxes(), 340).unwrap();
        let shown = |sample, time| Shown { sample, time };

        let table = SampleTable::shown(coded, vec![shown(1, 0), shown(3, 5), shown(1, 10)], 15, 10);

        assert_eq!(table.sample_of_frame, [1, 3, 1]);
        assert_eq!(table.frame_of_sample, [0, 0, 1, 1]);
        assert_eq!(table.times, [0, 500, 1000].map(Duration::from_millis));
        assert_eq!(table.seconds, Some(1.5));
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
