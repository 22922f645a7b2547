//! How pairs are packed.

use std::ops::{Range, RangeInclusive};

use serde::Serialize;

use super::super::shards::ShardError;
use crate::DataError;
use crate::video::{DecodeLimits, FrameSampling};

/// How many frames of a clip may be stored.
pub const PACKED_FRAMES: RangeInclusive<usize> = 1..=1_000;

/// Which frames of a clip are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackFrames {
    /// This many, in the middle of equal stretches; all of a clip that has no more.
    Evenly(usize),
    /// One in `stride`, from the first one on, at most `max`.
    Every {
        /// The distance of two frames.
        stride: usize,
        /// The most frames stored.
        max: usize,
    },
}

/// One of several jobs that pack into one folder: it writes every `of`-th shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The job, from zero.
    pub index: usize,
    /// The number of jobs.
    pub of: usize,
}

/// How pairs are packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackConfig {
    /// Which frames are stored.
    pub frames: PackFrames,
    /// The shorter side of a stored frame; smaller ones are stored as they are.
    pub short_side: usize,
    /// The quality of the JPEG images, from 1 to 100.
    pub quality: u8,
    /// Pairs a shard, broken ones included.
    pub samples_per_shard: usize,
    /// Which shards this job writes.
    pub part: Part,
    /// Shards that are written at the same time.
    pub threads: usize,
    /// What reading a clip may cost.
    pub limits: DecodeLimits,
}

impl PackConfig {
    /// Shards of 1,000 pairs with images of 256 pixels along the shorter side, all by one job.
    pub fn new(frames: PackFrames) -> Self {
        Self {
            frames,
            short_side: 256,
            quality: 90,
            samples_per_shard: 1_000,
            part: Part { index: 0, of: 1 },
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            limits: DecodeLimits::default(),
        }
    }

    pub(super) fn validate(&self) -> Result<(), DataError> {
        let (frames, stride) = match self.frames {
            PackFrames::Evenly(frames) => (frames, 1),
            PackFrames::Every { stride, max } => (max, stride),
        };
        for (key, value, range) in [
            ("frames of a clip", frames, PACKED_FRAMES),
            ("stride", stride, 1..=100_000),
            ("pixels along the shorter side", self.short_side, 16..=4_096),
            ("quality", usize::from(self.quality), 1..=100),
            ("samples per shard", self.samples_per_shard, 1..=1_000_000),
        ] {
            if !range.contains(&value) {
                return Err(DataError::OutOfRange {
                    key,
                    value,
                    smallest: *range.start(),
                    largest: *range.end(),
                });
            }
        }
        if self.part.index >= self.part.of {
            return Err(ShardError::NoSuchPart {
                what: "part",
                number: self.part.index,
                of: self.part.of,
            }
            .into());
        }
        Ok(())
    }

    /// The numbers and the items of the shards this job writes.
    pub(super) fn shards(&self, items: usize) -> Vec<(usize, Range<usize>)> {
        (0..items.div_ceil(self.samples_per_shard))
            .skip(self.part.index)
            .step_by(self.part.of)
            .map(|shard| {
                let start = shard * self.samples_per_shard;
                (shard, start..items.min(start + self.samples_per_shard))
            })
            .collect()
    }
}

impl PackFrames {
    /// The numbers of the stored frames of a clip with `total` frames, which is not zero.
    pub(super) fn indices(self, total: usize) -> Vec<usize> {
        match self {
            Self::Evenly(frames) if total > frames => {
                FrameSampling::test_frames(frames).test(total)
            }
            Self::Evenly(_) => (0..total).collect(),
            Self::Every { stride, max } => (0..total).step_by(stride).take(max).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spread_evenly_or_at_a_distance() {
        assert_eq!(PackFrames::Evenly(4).indices(8), [1, 3, 5, 7]);
        assert_eq!(PackFrames::Evenly(4).indices(3), [0, 1, 2]);
        let every = PackFrames::Every { stride: 3, max: 3 };
        assert_eq!(every.indices(100), [0, 3, 6]);
        assert_eq!(every.indices(4), [0, 3]);
    }

    #[test]
    fn parts_share_the_shards_out() {
        let mut config = PackConfig::new(PackFrames::Evenly(8));
        config.samples_per_shard = 10;
        let all = config.shards(35);
        let mut parts = Vec::new();
        for index in 0..2 {
            config.part = Part { index, of: 2 };
            parts.extend(config.shards(35));
        }

        parts.sort_by_key(|(shard, _)| *shard);

        assert_eq!(parts, all);
        assert_eq!(all[3], (3, 30..35));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let refused = |change: fn(&mut PackConfig)| {
            let mut config = PackConfig::new(PackFrames::Evenly(8));
            change(&mut config);
            config.validate().is_err()
        };

        assert!(!refused(|_| ()));
        assert!(refused(|config| config.frames = PackFrames::Evenly(0)));
        assert!(refused(
            |config| config.frames = PackFrames::Every { stride: 0, max: 1 }
        ));
        assert!(refused(|config| config.quality = 0));
        assert!(refused(|config| config.short_side = 1));
        assert!(refused(|config| config.samples_per_shard = 0));
        assert!(refused(|config| config.part = Part { index: 2, of: 2 }));
    }
}
