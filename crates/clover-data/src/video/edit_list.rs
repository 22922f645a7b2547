//! Edit lists of mp4 files: which pictures of a track are shown, and when.
//!
//! ISO/IEC 14496-12, section 8.6.6. A list cuts pieces out of a track and puts them one after the
//! other: `media_time` is where a piece begins in the track, `segment_duration` how long it is
//! shown. What lies before a cut is decoded, as later pictures may refer to it, and not shown.
//!
//! Followed is what FFmpeg does, which is what most clips were made and looked at with:
//!
//! - a picture belongs to a piece if it appears within it: the one that a cut goes through does not;
//! - the first frame is shown at zero, or when the empty pieces before it end;
//! - to the pictures of fragments a list is a shift in time alone: it was written before they were.
//!
//! Where FFmpeg shows less than the standard says, the standard is followed: a piece without a
//! duration at the end of a list reaches to the track's end, an empty one between others takes
//! its time, a rate is applied, a rate of zero stands still at a picture, and a piece that lies
//! within one picture shows it.

use std::ops::Range;
use std::path::Path;

use mp4_atom::{ElstEntry, Trak};

use super::DecodeLimits;
use super::limits::at_most;
use super::mp4_boxes::broken;
use super::sample_table::{CodedSamples, LATEST, SampleTable, Shown};
use crate::DataError;

/// How the pictures of a track are shown.
#[derive(Debug)]
pub(super) struct EditList {
    /// Without edits, everything is shown.
    edits: Vec<Edit>,
    /// How many pictures it is about: those listed beside it.
    pictures: usize,
    /// Where they end in the track.
    track_end: i64,
}

/// One piece, in the track's unit.
#[derive(Debug)]
struct Edit {
    /// When it is shown.
    shown: Range<i64>,
    /// Where it begins in the track; nothing for an empty one.
    from: Option<i64>,
    /// How much faster than the track it is shown.
    rate: f64,
}

impl EditList {
    /// Reads the list of a track whose pictures in `moov` are `coded`.
    pub(super) fn of_track(track: &Trak, movie_timescale: u32, coded: &CodedSamples) -> Self {
        let entries = track.edts.as_ref().and_then(|edits| edits.elst.as_ref());
        let entries = entries.map_or(&[][..], |list| &list.entries);
        let units = [movie_timescale, track.mdia.mdhd.timescale];
        Self {
            edits: edits(entries, units),
            pictures: coded.samples.len(),
            track_end: coded.shown_until,
        }
    }

    /// The frames that are shown of all pictures of a track with `timescale` units a second.
    pub(super) fn apply(
        &self,
        coded: CodedSamples,
        timescale: u32,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<SampleTable, DataError> {
        let mut shown = Timeline::default();
        let listed = if self.edits.is_empty() {
            shown.add(&coded, 0..coded.samples.len(), 0, coded.shown_until);
            coded.samples.len()
        } else {
            self.pieces(&coded, &mut shown, path, limits)?;
            self.pictures
        };
        if listed < coded.samples.len() {
            self.fragments(&coded, &mut shown);
        }
        if shown.frames.is_empty() {
            return Err(broken(path, "its edit list shows none of its frames"));
        }
        // Pictures may appear late for the sake of reordering: that is no delay.
        let first = shown.frames[0].time - shown.delay;
        for frame in &mut shown.frames {
            frame.time -= first;
        }
        Ok(SampleTable::shown(
            coded,
            shown.frames,
            shown.end - first,
            timescale,
        ))
    }

    fn pieces(
        &self,
        coded: &CodedSamples,
        shown: &mut Timeline,
        path: &Path,
        limits: &DecodeLimits,
    ) -> Result<(), DataError> {
        let order = coded.order_of(0..self.pictures);
        let place = |time: i64| order.partition_point(|sample| coded.times[*sample] < time);
        for edit in &self.edits {
            let Some(from) = edit.from else { continue };
            let length = (edit.shown.end - edit.shown.start) as f64 * edit.rate;
            let until = if edit.shown.end == LATEST {
                self.track_end
            } else {
                from.saturating_add(length.round() as i64)
            };
            let stands_still = edit.rate <= 0.0;
            let mut samples = place(from)..place(until);
            let begun = place(from + 1);
            let within_one = samples.is_empty() && begun > 0 && from < self.track_end.min(until);
            if stands_still || within_one {
                let on_screen = begun.saturating_sub(1);
                samples = on_screen..(on_screen + 1).min(order.len());
            }
            if samples.is_empty() {
                continue;
            }
            let frames = shown.frames.len() as u64 + samples.len() as u64;
            at_most(path, "the number of frames", frames, limits.max_frames)?;
            if shown.frames.is_empty() {
                shown.delay = edit.shown.start;
            }
            let shown_at = |time: i64| {
                let since = if stands_still {
                    0.0
                } else {
                    (time - from).max(0) as f64 / edit.rate
                };
                edit.shown.start.saturating_add(since.round() as i64)
            };
            for sample in &order[samples] {
                shown.frames.push(Shown {
                    sample: *sample,
                    time: shown_at(coded.times[*sample]).min(LATEST),
                });
            }
            shown.end = if stands_still {
                edit.shown.end
            } else {
                shown_at(until.min(self.track_end)).min(LATEST)
            };
        }
        Ok(())
    }

    /// Fragments follow: as far behind the first piece as in the track, but not before the last.
    fn fragments(&self, coded: &CodedSamples, shown: &mut Timeline) {
        let mut first = self
            .edits
            .iter()
            .filter_map(|edit| Some((edit, edit.from?)));
        let (start, from) = first
            .next()
            .map_or((0, 0), |(edit, from)| (edit.shown.start, from));
        let pictures = self.pictures..coded.samples.len();
        let earliest = coded.times[pictures.clone()].iter().min();
        let earliest = earliest.map_or(0, |time| time - from + start);
        let mut late = (shown.end - earliest).max(0);
        if shown.frames.is_empty() {
            (late, shown.delay) = (0, start);
        }
        let shift = start - from + late;
        shown.add(coded, pictures, shift, coded.shown_until + shift);
    }
}

/// The entries of a list, in the unit of the track instead of the movie's.
fn edits(entries: &[ElstEntry], [movie, track]: [u32; 2]) -> Vec<Edit> {
    // Without a unit the durations say nothing.
    if movie == 0 || track == 0 {
        return Vec::new();
    }
    let in_track = |time: u64| {
        let time = u128::from(time) * u128::from(track) + u128::from(movie / 2);
        i64::try_from(time / u128::from(movie)).map_or(LATEST, |time| time.min(LATEST))
    };
    let mut clock = 0_u64;
    let mut edits = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let start = in_track(clock);
        clock = clock.saturating_add(entry.segment_duration);
        let endless = entry.segment_duration == 0 && at + 1 == entries.len();
        edits.push(Edit {
            shown: start..if endless { LATEST } else { in_track(clock) },
            from: entry
                .media_time
                .map(|time| i64::try_from(time).map_or(LATEST, |time| time.min(LATEST))),
            rate: rate(entry),
        });
    }
    edits
}

/// How fast a piece is shown. Backwards is what no player does: it is shown forwards.
fn rate(entry: &ElstEntry) -> f64 {
    let parts = [entry.media_rate.integer(), entry.media_rate.decimal()];
    let rate = f64::from(parts[0]) + f64::from(parts[1] as u16) / 65_536.0;
    if rate < 0.0 { 1.0 } else { rate }
}

/// Frames in the order they are shown.
#[derive(Debug, Default)]
struct Timeline {
    frames: Vec<Shown>,
    /// When the first is shown.
    delay: i64,
    /// When the last is shown no more.
    end: i64,
}

impl Timeline {
    /// Adds pictures as they follow each other in the track, `shift` later.
    fn add(&mut self, coded: &CodedSamples, pictures: Range<usize>, shift: i64, end: i64) {
        let order = coded.order_of(pictures);
        self.frames.extend(order.into_iter().map(|sample| Shown {
            sample,
            time: coded.times[sample] + shift,
        }));
        self.end = end;
    }
}
