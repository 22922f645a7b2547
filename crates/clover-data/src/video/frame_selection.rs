//! Which frames of a video sampling chooses among: all of them, those of a span, or those on screen
//! at the moments of a regular grid.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::decoder::VideoDecoder;
use super::limits::at_most;
use super::{DecodeLimits, Span};
use crate::DataError;

/// Frames a second that a grid may have.
pub const FPS: RangeInclusive<f64> = 0.001..=1_000.0;
/// A frame may appear this much after a moment and be the one on screen at it: containers round
/// times to milliseconds.
const TOLERANCE: Duration = Duration::from_millis(1);

/// The frames of a video that [`FrameSampling`](super::FrameSampling) chooses among.
///
/// By default all, each once, which is what published results were computed with. The frames of a
/// video with a variable rate do not lie at equal distances of time; `fps` makes that so.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct FrameSelection {
    /// The span whose frames are taken; where none appears within it, the nearest one.
    pub span: Option<Span>,
    /// Takes, this many times a second from the start of the span, the frame on screen; one may be
    /// taken several times or never.
    pub fps: Option<f64>,
}

impl FrameSelection {
    /// The numbers of the selected frames of a video that errors call `name`, in the order they are
    /// shown; `None` for all.
    ///
    /// # Errors
    ///
    /// When the span lies beyond the end, the rate is none, the video does not say when its frames
    /// are shown, or more are selected than `limits` allow.
    pub fn frames(
        &self,
        video: &dyn VideoDecoder,
        name: &Path,
        limits: &DecodeLimits,
    ) -> Result<Option<Vec<usize>>, DataError> {
        if self.span.is_none() && self.fps.is_none() {
            return Ok(None);
        }
        let times = video.times().filter(|times| !times.is_empty());
        let Some(times) = times else {
            return Err(DataError::NoFrameTimes {
                path: name.to_path_buf(),
            });
        };
        let seconds = video.seconds();
        if let (Some(span), Some(seconds)) = (self.span, seconds) {
            span.check_within(seconds)
                .map_err(|source| DataError::Span {
                    path: name.to_path_buf(),
                    source,
                })?;
        }
        let Some(fps) = self.fps else {
            return Ok(self.span.map(|span| within(span, &times)));
        };
        check_fps(fps)?;
        let moments = self.moments(fps, &times, seconds);
        let count = moments.len() as u64;
        at_most(name, "the number of frames", count, limits.max_frames)?;
        Ok(Some(moments.on_screen(&times)))
    }

    fn moments(&self, fps: f64, times: &[Duration], seconds: Option<f64>) -> Moments {
        let last = times.last().copied().unwrap_or_default();
        // Without an end, the last frame is shown for no longer than it takes to see it.
        let mut end = seconds.unwrap_or((last + 2 * TOLERANCE).as_secs_f64());
        let mut start = 0.0;
        if let Some(span) = self.span {
            start = span.start() as f64 / 1000.0;
            end = end.min(span.end() as f64 / 1000.0);
        }
        Moments { start, end, fps }
    }
}

/// Refuses a grid without meaning.
pub(crate) fn check_fps(fps: f64) -> Result<(), DataError> {
    if FPS.contains(&fps) {
        return Ok(());
    }
    Err(DataError::ShareOutOfRange {
        key: "fps",
        value: fps,
        smallest: *FPS.start(),
        largest: *FPS.end(),
    })
}

/// The frames of a span; at least the nearest.
fn within(span: Span, times: &[Duration]) -> Vec<usize> {
    let frames: Vec<usize> = (0..times.len())
        .filter(|frame| span.contains(times[*frame]))
        .collect();
    if !frames.is_empty() {
        return frames;
    }
    let nearest = (0..times.len()).min_by_key(|frame| span.distance(times[*frame]));
    nearest.into_iter().collect()
}

/// A regular grid, in seconds.
#[derive(Debug, Clone, Copy)]
struct Moments {
    start: f64,
    end: f64,
    fps: f64,
}

impl Moments {
    fn len(self) -> usize {
        let length = self.end - self.start - TOLERANCE.as_secs_f64();
        ((length * self.fps).ceil() as usize).max(1)
    }

    /// The last frame to appear until each moment; the first before any has.
    fn on_screen(self, times: &[Duration]) -> Vec<usize> {
        let mut frame = 0;
        let moments = (0..self.len()).map(|moment| self.start + moment as f64 / self.fps);
        let seen = moments.map(|moment| moment + TOLERANCE.as_secs_f64());
        seen.map(|seen| {
            while times
                .get(frame + 1)
                .is_some_and(|next| next.as_secs_f64() <= seen)
            {
                frame += 1;
            }
            frame
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::FrameSink;

    /// A video whose frames are shown at these milliseconds, until 1,000.
    struct Timed(&'static [u64]);

    impl VideoDecoder for Timed {
        fn coding(&self) -> &'static str {
            "nothing"
        }

        fn frame_count(&self) -> usize {
            self.0.len()
        }

        fn size(&self) -> [usize; 2] {
            [1, 1]
        }

        fn seconds(&self) -> Option<f64> {
            Some(1.0)
        }

        fn times(&self) -> Option<Vec<Duration>> {
            Some(self.0.iter().copied().map(Duration::from_millis).collect())
        }

        fn decode_each(
            &mut self,
            _indices: &[usize],
            _take: &mut FrameSink<'_>,
        ) -> Result<(), DataError> {
            unreachable!("selecting frames decodes none")
        }
    }

    fn select(
        times: &'static [u64],
        span: Option<[u64; 2]>,
        fps: Option<f64>,
    ) -> Result<Option<Vec<usize>>, DataError> {
        let span = span.map(|[start, end]| Span::new(start, end).unwrap());
        let limits = DecodeLimits {
            max_frames: 100,
            ..DecodeLimits::default()
        };
        FrameSelection { span, fps }.frames(&Timed(times), Path::new("a.mp4"), &limits)
    }

    #[test]
    fn without_a_span_and_a_rate_every_frame_is_taken_and_no_time_is_needed() {
        assert_eq!(select(&[], None, None).unwrap(), None);
        assert!(matches!(
            select(&[], Some([0, 1]), None),
            Err(DataError::NoFrameTimes { .. })
        ));
    }

    #[test]
    fn a_span_between_two_frames_is_the_nearest() {
        let times = &[0, 400, 700];

        assert_eq!(
            select(times, Some([350, 700]), None).unwrap(),
            Some(vec![1])
        );
        assert_eq!(
            select(times, Some([450, 500]), None).unwrap(),
            Some(vec![1])
        );
        assert_eq!(
            select(times, Some([600, 650]), None).unwrap(),
            Some(vec![2])
        );
        assert_eq!(
            select(times, Some([900, 1900]), None).unwrap(),
            Some(vec![2])
        );
    }

    #[test]
    fn a_rate_takes_what_is_on_screen_at_equal_distances_of_time() {
        // Fast at first, then slow; the third frame's time is rounded up.
        let times = &[0, 33, 67, 600];

        let regular = select(times, None, Some(5.0)).unwrap();
        let fast = select(times, Some([0, 100]), Some(30.0)).unwrap();

        assert_eq!(regular, Some(vec![0, 2, 2, 3, 3]));
        assert_eq!(fast, Some(vec![0, 1, 2]));
    }

    #[test]
    fn a_rate_that_is_none_or_takes_too_many_frames_is_refused() {
        for fps in [0.0, -1.0, f64::NAN, 1e9] {
            assert!(matches!(
                select(&[0], None, Some(fps)),
                Err(DataError::ShareOutOfRange { key: "fps", .. })
            ));
        }
        assert!(matches!(
            select(&[0], None, Some(500.0)),
            Err(DataError::OverLimit { .. })
        ));
    }
}
