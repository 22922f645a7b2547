//! A span of a video, in time.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The longest time that is believed, in seconds: some 31 years.
const LONGEST: f64 = 1e9;
/// By how many seconds a span may end after its video: annotations round up.
const ROUNDED_UP: f64 = 1.0;

/// From one moment of a video to another, in milliseconds from where it begins to play.
///
/// The frames of a span are those that appear at its start or later, and before its end. A whole
/// video is no span: where one is optional, `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    start: u64,
    end: u64,
}

/// Why two numbers are no span.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpanError {
    /// A text says no time.
    #[error(
        "{found:?} is no time: write seconds (12.5) or hours, minutes and seconds (00:00:12.5)"
    )]
    NotATime {
        /// The text.
        found: String,
    },

    /// A figure is no time of a video.
    #[error("{seconds} s is no time of a video")]
    Impossible {
        /// The figure.
        seconds: f64,
    },

    /// The end does not come after the start.
    #[error("the span {span} does not end after it begins")]
    Reversed {
        /// Start and end.
        span: String,
    },

    /// The video ends earlier.
    #[error("the span {span} reaches beyond the end of the video at {seconds:.3} s")]
    BeyondEnd {
        /// Start and end.
        span: String,
        /// How long the video is shown.
        seconds: f64,
    },
}

impl Span {
    /// From `start` to `end`, in milliseconds.
    ///
    /// # Errors
    ///
    /// When the end does not come after the start.
    pub fn new(start: u64, end: u64) -> Result<Self, SpanError> {
        let span = Self { start, end };
        if end <= start {
            return Err(SpanError::Reversed {
                span: span.to_string(),
            });
        }
        Ok(span)
    }

    /// From `start` to `end`, in seconds, rounded to milliseconds.
    ///
    /// # Errors
    ///
    /// When a figure is negative, infinite or none, or the end does not come after the start.
    pub fn from_seconds(start: f64, end: f64) -> Result<Self, SpanError> {
        Self::new(milliseconds(start)?, milliseconds(end)?)
    }

    /// From `start` to `end`, each in seconds or as `hh:mm:ss.ms`; hours, and digits after the
    /// point, may be missing.
    ///
    /// # Errors
    ///
    /// When a text says no time, or the end does not come after the start.
    pub fn parse(start: &str, end: &str) -> Result<Self, SpanError> {
        Self::from_seconds(seconds(start)?, seconds(end)?)
    }

    /// Milliseconds from where the video begins to play.
    pub fn start(self) -> u64 {
        self.start
    }

    /// The first millisecond that is no part of it.
    pub fn end(self) -> u64 {
        self.end
    }

    /// Tells whether a frame that appears at `time` is one of the span's.
    pub fn contains(self, time: Duration) -> bool {
        (self.start..self.end).contains(&rounded(time))
    }

    /// Milliseconds between `time` and the span; zero within.
    pub(super) fn distance(self, time: Duration) -> u64 {
        let time = rounded(time);
        let before = self.start.saturating_sub(time);
        before.max((time + 1).saturating_sub(self.end))
    }

    /// Checks that the span lies within a video that is shown for `seconds`. Its end may lie up to
    /// a second after the video's: annotations round up.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn check_within(self, seconds: f64) -> Result<(), SpanError> {
        let [start, end] = [self.start, self.end].map(|time| time as f64 / 1000.0);
        if start >= seconds || end > seconds + ROUNDED_UP {
            return Err(SpanError::BeyondEnd {
                span: self.to_string(),
                seconds,
            });
        }
        Ok(())
    }
}

impl Serialize for Span {
    /// Start and end in seconds.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [self.start, self.end]
            .map(|time| time as f64 / 1000.0)
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Span {
    /// Start and end, each in seconds or as `hh:mm:ss.ms`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected seconds or a time such as \"00:00:12.5\""
        )]
        enum Moment {
            Seconds(f64),
            Text(String),
        }
        let read = |moment| match moment {
            Moment::Seconds(found) => Ok(found),
            Moment::Text(text) => seconds(&text),
        };
        let [start, end] = <[Moment; 2]>::deserialize(deserializer)?;
        read(start)
            .and_then(|start| Self::from_seconds(start, read(end)?))
            .map_err(de::Error::custom)
    }
}

impl fmt::Display for Span {
    /// Seconds, as in `1.5..12`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [start, end] = [self.start, self.end].map(|time| time as f64 / 1000.0);
        write!(formatter, "{start}..{end}")
    }
}

/// Containers round times to milliseconds, so all are compared so.
fn rounded(time: Duration) -> u64 {
    let time = (time.as_nanos() + 500_000) / 1_000_000;
    u64::try_from(time).unwrap_or(u64::MAX - 1)
}

fn milliseconds(seconds: f64) -> Result<u64, SpanError> {
    // No figure at all is in no range.
    if !(0.0..=LONGEST).contains(&seconds) {
        return Err(SpanError::Impossible { seconds });
    }
    Ok((seconds * 1000.0).round() as u64)
}

/// The seconds that a text says.
fn seconds(text: &str) -> Result<f64, SpanError> {
    let wrong = || SpanError::NotATime {
        found: text.to_owned(),
    };
    let mut parts = text.trim().rsplit(':');
    let last = parts.next().unwrap_or_default();
    let mut sum: f64 = last.parse().map_err(|_| wrong())?;
    let mut unit = 1.0;
    for part in parts {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        // What follows a colon is less than what stands before it counts.
        let short = (0.0..60.0 * unit).contains(&sum);
        unit *= 60.0;
        if !digits || !short || unit > 3600.0 {
            return Err(wrong());
        }
        sum += unit * part.parse::<f64>().map_err(|_| wrong())?;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(start: &str, end: &str) -> Result<[u64; 2], String> {
        Span::parse(start, end)
            .map(|span| [span.start(), span.end()])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn seconds_and_clock_times_are_read() {
        assert_eq!(parsed("0", "12.5"), Ok([0, 12_500]));
        assert_eq!(parsed("1:02", "01:00:03.0415"), Ok([62_000, 3_603_042]));
        assert_eq!(parsed(" 90 ", "00:01:30.001"), Ok([90_000, 90_001]));
    }

    #[test]
    fn what_is_no_span_is_refused_with_the_reason() {
        for (start, end, reason) in [
            ("NaN", "1", "NaN s is no time of a video"),
            ("0", "inf", "inf s is no time of a video"),
            ("-1", "1", "-1 s is no time of a video"),
            ("2", "1.5", "the span 2..1.5 does not end after it begins"),
            ("2", "2.0001", "the span 2..2 does not end after it begins"),
        ] {
            assert_eq!(parsed(start, end), Err(reason.to_owned()));
        }
        for text in [
            "", "a", "1:60", "1:60:00", "-1:00", "1:-1", "1:nan", "1:1:1:1", ":5",
        ] {
            let error = parsed(text, "100000").unwrap_err();
            assert!(
                error.contains("is no time: write seconds"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_span_beyond_the_end_is_refused_and_a_rounded_end_is_not() {
        let within = |start, end| Span::new(start, end).unwrap().check_within(9.6);

        assert!(within(9_500, 10_000).is_ok());
        assert_eq!(
            within(9_600, 9_700).unwrap_err().to_string(),
            "the span 9.6..9.7 reaches beyond the end of the video at 9.600 s"
        );
        assert!(within(0, 10_601).is_err());
    }

    #[test]
    fn a_time_is_rounded_before_it_is_compared() {
        let span = Span::new(67, 100).unwrap();
        let thirtieths = [1, 2, 3].map(|frame| Duration::from_nanos(frame * 1_000_000_000 / 30));

        assert_eq!(
            thirtieths.map(|time| span.contains(time)),
            [false, true, false]
        );
        assert_eq!(thirtieths.map(|time| span.distance(time)), [34, 0, 1]);
    }
}
