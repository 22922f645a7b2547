//! Fragments of mp4 files: coded pictures that are not listed in `moov` but in boxes `moof`, each
//! beside its own pictures.
//!
//! ISO/IEC 14496-12, section 8.8. Recordings are written so, as are downloads of what is streamed.
//! An index (`sidx`) repeats what the fragments say and is not needed.

use std::collections::HashMap;
use std::path::Path;

use mp4_atom::{Atom, Moof, Mvex, Tfdt, Tfhd, Traf, Trak, Trex, Trun, TrunSamples};

use super::DecodeLimits;
use super::media::Media;
use super::mp4_boxes::{Boxes, TopLevel, broken, unreadable};
use super::sample_table::{CodedSamples, LATEST, Sample, check_count};
use crate::DataError;

/// Of a picture's flags: decoding cannot begin at it, and that it depends on others.
const NOT_SYNC: u32 = 0x0001_0000;
const DEPENDS: u32 = 0x0100_0000;

/// What is needed to read the fragments of a track.
#[derive(Debug)]
pub(super) struct Fragments {
    track: u32,
    /// What holds for each track's pictures unless its fragments say otherwise.
    defaults: HashMap<u32, Trex>,
}

impl Fragments {
    /// Reads what `moov` says of fragments; nothing if there are none.
    pub(super) fn of_track(
        moov: &[u8],
        track: &Trak,
        coded: &CodedSamples,
        path: &Path,
    ) -> Result<Option<Self>, DataError> {
        let mut announced = coded.samples.is_empty();
        let mut defaults = HashMap::new();
        for child in Boxes::new(moov, path) {
            let (kind, body) = child?;
            if kind == Mvex::KIND {
                announced = true;
                for trex in children::<Trex>(body, path) {
                    let trex = trex?;
                    defaults.entry(trex.track_id).or_insert(trex);
                }
            }
        }
        Ok(announced.then_some(Self {
            track: track.tkhd.track_id,
            defaults,
        }))
    }

    /// Appends the pictures of all fragments of a file of `file_bytes` bytes.
    pub(super) fn read(
        &self,
        file: &mut Media,
        file_bytes: u64,
        path: &Path,
        limits: &DecodeLimits,
        coded: &mut CodedSamples,
    ) -> Result<(), DataError> {
        let mut reading = Reading {
            fragments: self,
            file_bytes,
            path,
            limits,
            late: 0,
            coded,
        };
        let mut boxes = TopLevel::new(file, file_bytes, path, limits);
        while let Some(found) = boxes.next()? {
            if found.kind == Moof::KIND {
                let contents = boxes.contents(found)?;
                reading.fragment(&contents, found.start)?;
            }
        }
        Ok(())
    }
}

/// Fragments on their way into the list.
struct Reading<'a> {
    fragments: &'a Fragments,
    file_bytes: u64,
    path: &'a Path,
    limits: &'a DecodeLimits,
    /// How much later pictures are decoded than their fragments say.
    late: i64,
    coded: &'a mut CodedSamples,
}

/// What holds for the pictures of a track in a fragment.
struct Defaults {
    duration: u32,
    size: u32,
    flags: u32,
}

impl Reading<'_> {
    /// Reads a fragment whose box begins at `start`.
    fn fragment(&mut self, moof: &[u8], start: u64) -> Result<(), DataError> {
        // Where the data of the next track begins unless it says otherwise.
        let mut next = start;
        for child in Boxes::new(moof, self.path) {
            let (kind, body) = child?;
            if kind == Traf::KIND {
                next = self.track_fragment(body, start, next)?;
            }
        }
        Ok(())
    }

    /// Reads a track's part of a fragment; where its data ends.
    fn track_fragment(&mut self, traf: &[u8], moof: u64, next: u64) -> Result<u64, DataError> {
        let Some(header) = children::<Tfhd>(traf, self.path).next().transpose()? else {
            return Err(broken(self.path, "a fragment does not name its track"));
        };
        let wanted = header.track_id == self.fragments.track;
        let trex = self.fragments.defaults.get(&header.track_id);
        let description = header
            .sample_description_index
            .or(trex.map(|trex| trex.default_sample_description_index));
        if wanted && description.is_some_and(|index| index > 1) {
            return Err(broken(self.path, "it changes its coding half way"));
        }
        let or = |own: Option<u32>, general: fn(&Trex) -> u32| {
            own.or_else(|| trex.map(general)).unwrap_or(0)
        };
        let defaults = Defaults {
            duration: or(header.default_sample_duration, |trex| {
                trex.default_sample_duration
            }),
            size: or(header.default_sample_size, |trex| trex.default_sample_size),
            flags: or(header.default_sample_flags, |trex| {
                trex.default_sample_flags
            }),
        };
        let implicit = if header.default_base_is_moof {
            moof
        } else {
            next
        };
        let base = header.base_data_offset.unwrap_or(implicit);
        let mut at = base;
        for child in Boxes::new(traf, self.path) {
            let (kind, body) = child?;
            if kind == Tfdt::KIND && wanted {
                self.decode_time(&decoded::<Tfdt>(body, self.path)?)?;
            } else if kind == Trun::KIND {
                let run = self.run(body)?;
                if let Some(offset) = run.data_offset {
                    let there = base.checked_add_signed(offset.into());
                    at = there.ok_or_else(|| self.cut_short())?;
                }
                at = if wanted {
                    self.add(&run, at, &defaults)?
                } else {
                    self.skip(&run, at, &defaults)?
                };
            }
        }
        Ok(at)
    }

    /// Decodes a run once the number of its pictures, which lies before them, is checked.
    fn run(&self, body: &[u8]) -> Result<Trun, DataError> {
        if let Some([_, _, _, _, a, b, c, d]) = body.first_chunk() {
            let count = u32::from_be_bytes([*a, *b, *c, *d]);
            let count = self.coded.samples.len() as u64 + u64::from(count);
            check_count(count, self.file_bytes, self.path, self.limits)?;
        }
        decoded(body, self.path)
    }

    fn decode_time(&mut self, said: &Tfdt) -> Result<(), DataError> {
        let late = || broken(self.path, "a fragment is later than any video");
        let said = i64::try_from(said.base_media_decode_time).map_err(|_| late())?;
        let mut time = said.saturating_add(self.late);
        // Where recordings were put one after the other, the second begins at zero again.
        if !self.coded.samples.is_empty() && time <= self.coded.decoded.start {
            time = self.coded.decoded.end;
        }
        if time > LATEST {
            return Err(late());
        }
        self.late = time - said;
        self.coded.decoded.end = time;
        Ok(())
    }

    /// Adds the pictures of a run whose data begins at `at`; where it ends.
    fn add(&mut self, run: &Trun, mut at: u64, defaults: &Defaults) -> Result<u64, DataError> {
        for entry in &run.samples {
            let size = entry.size.unwrap_or(defaults.size);
            let flags = entry.flags.unwrap_or(defaults.flags);
            let end = at.checked_add(size.into());
            let end = end.filter(|end| *end <= self.file_bytes);
            let end = end.ok_or_else(|| self.cut_short())?;
            self.coded.push(
                Sample { offset: at, size },
                entry.duration.unwrap_or(defaults.duration),
                // Negative ones are written in boxes of the version without a sign, too.
                entry.cts.unwrap_or(0) as i32,
                flags & (NOT_SYNC | DEPENDS) == 0,
                self.path,
                self.limits,
            )?;
            at = end;
        }
        Ok(at)
    }

    /// Where the data of another track's run ends.
    fn skip(&self, run: &Trun, at: u64, defaults: &Defaults) -> Result<u64, DataError> {
        let size = match &run.samples {
            TrunSamples::Inherited { count, .. } => u64::from(*count) * u64::from(defaults.size),
            TrunSamples::Explicit(entries) => {
                let sizes = entries.iter().map(|entry| entry.size);
                sizes
                    .map(|size| u64::from(size.unwrap_or(defaults.size)))
                    .sum()
            }
        };
        at.checked_add(size).ok_or_else(|| self.cut_short())
    }

    fn cut_short(&self) -> DataError {
        let fault = "its frames lie beyond its end: the file is cut short";
        broken(self.path, fault)
    }
}

/// The boxes of one kind within a box.
fn children<'a, T: Atom>(
    contents: &'a [u8],
    path: &'a Path,
) -> impl Iterator<Item = Result<T, DataError>> + 'a {
    Boxes::new(contents, path).filter_map(move |child| match child {
        Ok((kind, body)) => (kind == T::KIND).then(|| decoded(body, path)),
        Err(error) => Some(Err(error)),
    })
}

fn decoded<T: Atom>(body: &[u8], path: &Path) -> Result<T, DataError> {
    T::decode_body(&mut &body[..]).map_err(|source| unreadable(path, source))
}
