//! Reading the windows of a clip, a few at a time, on whichever thread is free.

use clover_data::DataError;
use clover_data::catch_panic;
use clover_data::dataset::{ClipReading, ClipRow, ClipTable, Randomness, SkippedItem};
use clover_data::video::{NormalizedClip, Span};

/// Windows of a clip that are read in one pass. Half of the frames of each are those of its neighbour,
/// and no more than this many windows of a video are held in memory at once.
pub(super) const WINDOWS: usize = 16;

/// Part of a clip: all of it, or some of its windows.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// The table it stands in, and its row there.
    pub(super) place: (usize, usize),
    /// None for the whole clip.
    pub(super) windows: Option<Vec<Span>>,
}

/// What could be read of a chunk.
#[derive(Debug, Default)]
pub(super) struct ChunkRead {
    /// Start and end of each window, in milliseconds, both zero for the whole clip; and its frames.
    pub(super) clips: Vec<([u64; 2], NormalizedClip)>,
    /// Why there are not more.
    pub(super) fault: Option<String>,
}

impl Chunk {
    /// Reads what can be read: a window that is broken costs itself alone.
    pub(super) fn read(&self, tables: &[&ClipTable], reading: &ClipReading) -> ChunkRead {
        let (table, row) = (tables[self.place.0], self.place.1);
        let name = table.name(row);
        let mut read = ChunkRead::default();
        let Some(windows) = &self.windows else {
            match guarded(&name, || one(table, row, reading, None)) {
                Ok(clip) => read.clips.push(([0, 0], clip)),
                Err(error) => read.fault = Some(fault(&name, &error)),
            }
            return read;
        };
        let times = windows.iter().map(|window| [window.start(), window.end()]);
        if let Ok(clips) = guarded(&name, || together(table, row, reading, windows)) {
            read.clips = times.zip(clips).collect();
            return read;
        }
        for (&window, times) in windows.iter().zip(times) {
            match guarded(&name, || one(table, row, reading, Some(window))) {
                Ok(clip) => read.clips.push((times, clip)),
                Err(error) if read.fault.is_none() => read.fault = Some(fault(&name, &error)),
                Err(_) => {}
            }
        }
        read
    }
}

/// Does something with a clip; a decoder that panics on a hostile file costs that file alone.
pub(super) fn guarded<T>(
    name: &str,
    work: impl FnOnce() -> Result<T, DataError>,
) -> Result<T, DataError> {
    catch_panic(work).unwrap_or_else(|_| {
        Err(DataError::ReaderPanicked {
            name: name.to_owned(),
        })
    })
}

/// An error with all its causes, without the name that stands before it anyway.
pub(super) fn fault(name: &str, error: &dyn std::error::Error) -> String {
    SkippedItem::new(name.to_owned(), error).reason
}

/// One window, or all of the clip.
fn one(
    table: &ClipTable,
    row: usize,
    reading: &ClipReading,
    window: Option<Span>,
) -> Result<NormalizedClip, DataError> {
    let ClipRow { clip, span, .. } = table.read(row)?;
    reading.read(
        clip,
        window.or(span),
        &mut Randomness::new(0).for_item(0, 0),
    )
}

fn together(
    table: &ClipTable,
    row: usize,
    reading: &ClipReading,
    windows: &[Span],
) -> Result<Vec<NormalizedClip>, DataError> {
    let clip = table.read(row)?.clip;
    let name = clip.name().to_path_buf();
    let mut video = clip.open(&reading.limits)?;
    let mut rng = Randomness::new(0).for_item(0, 0);
    reading.read_spans(video.as_mut(), &name, windows, &mut rng)
}
