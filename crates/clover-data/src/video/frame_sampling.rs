//! Which frames of a video are used.
//!
//! With `n` frames in the video, `k` clips of `c` frames `d` apart, and the span `s = c * d`. A
//! list is clip-major: all frames of the first clip, then those of the second. The published
//! pre-training uses single frames, so a "clip" is one frame and the `k` clips make the clip the
//! model sees.

use rand::Rng;
use serde::{Deserialize, Serialize};

/// Whether the choice is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SamplingMode {
    /// A random offset within each of `k` equal stretches.
    Train,
    /// The middle of each stretch.
    Test,
}

/// How frames are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameSampling {
    /// Clips taken from one video, `k`.
    pub clips: usize,
    /// Frames of one clip, `c`.
    pub clip_len: usize,
    /// Distance of two frames of a clip, `d`.
    pub interval: usize,
    /// How [`indices`](Self::indices) chooses.
    pub mode: SamplingMode,
}

impl FrameSampling {
    /// Single frames, each drawn from its own stretch of the video.
    pub fn train_frames(frames: usize) -> Self {
        Self {
            clips: frames,
            clip_len: 1,
            interval: 1,
            mode: SamplingMode::Train,
        }
    }

    /// Single frames in the middle of equal stretches of the video.
    pub fn test_frames(frames: usize) -> Self {
        Self {
            mode: SamplingMode::Test,
            ..Self::train_frames(frames)
        }
    }

    /// The test split of TGIF-Action and TGIF-Transition: eight clips of four frames, three
    /// apart, shown as four views of eight frames.
    pub fn tgif_test() -> Self {
        Self {
            clips: 8,
            clip_len: 4,
            interval: 3,
            mode: SamplingMode::Test,
        }
    }

    /// Frames in a list.
    pub fn len(&self) -> usize {
        self.clips * self.clip_len
    }

    /// Tells whether no frame is chosen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many views the list is cut into.
    ///
    /// Lists of single frames are one view, however long. Longer clips make one view a frame of
    /// a clip, and a view is `clips` consecutive entries of the list (two whole clips for TGIF),
    /// not one frame of each clip: what the released code's reshape comes to.
    pub fn views(&self) -> usize {
        self.clip_len
    }

    /// The chosen frames of a video with `total_frames` frames, as the mode says.
    ///
    /// # Panics
    ///
    /// Panics if the video has no frames.
    pub fn indices(&self, total_frames: usize, rng: &mut impl Rng) -> Vec<usize> {
        match self.mode {
            SamplingMode::Train => self.train(total_frames, rng),
            SamplingMode::Test => self.test(total_frames),
        }
    }

    /// Frames for training.
    ///
    /// # Panics
    ///
    /// Panics if the video has no frames.
    pub fn train(&self, total_frames: usize, rng: &mut impl Rng) -> Vec<usize> {
        let offsets = match self.room(total_frames).div_euclid(self.clips.max(1) as i64) {
            average @ 1.. => {
                let stretch = average.unsigned_abs() as usize;
                (0..self.clips)
                    .map(|clip| clip * stretch + rng.random_range(0..stretch))
                    .collect()
            }
            _ => self
                .train_without_randomness(total_frames)
                .unwrap_or_else(|| self.sorted_draws(total_frames, rng)),
        };
        self.frames_at(offsets, total_frames)
    }

    /// Frames for training of a video so short that nothing is random; `None` for the
    /// others.
    ///
    /// # Panics
    ///
    /// Panics if the video has no frames.
    pub fn train_short(&self, total_frames: usize) -> Option<Vec<usize>> {
        let average = self.room(total_frames).div_euclid(self.clips.max(1) as i64);
        if average > 0 {
            return None;
        }
        let offsets = self.train_without_randomness(total_frames)?;
        Some(self.frames_at(offsets, total_frames))
    }

    /// Frames for evaluation.
    ///
    /// # Panics
    ///
    /// Panics if the video has no frames.
    pub fn test(&self, total_frames: usize) -> Vec<usize> {
        // In doubles and in this order, as published: exact fractions differ where a product
        // falls just short of an integer.
        let average = self.room(total_frames).max(0) as f64 / self.clips as f64;
        let offsets = (0..self.clips)
            .map(|clip| (clip as f64 * average + average / 2.0) as usize)
            .collect();
        self.frames_at(offsets, total_frames)
    }

    /// `n - s + 1`: how many places a clip could begin at; not positive for a short video.
    fn room(&self, total_frames: usize) -> i64 {
        total_frames as i64 - (self.clip_len * self.interval) as i64 + 1
    }

    fn train_without_randomness(&self, total_frames: usize) -> Option<Vec<usize>> {
        let span = self.clip_len * self.interval;
        if total_frames > self.clips.max(span) {
            return None;
        }
        let room = self.room(total_frames);
        let Some(room) = usize::try_from(room).ok().filter(|room| *room < self.clips) else {
            return Some(vec![0; self.clips]);
        };
        let ratio = room as f64 / self.clips as f64;
        let offsets = (0..self.clips).map(|clip| (clip as f64 * ratio).round_ties_even() as usize);
        Some(offsets.collect())
    }

    fn sorted_draws(&self, total_frames: usize, rng: &mut impl Rng) -> Vec<usize> {
        let last = total_frames - self.clip_len * self.interval;
        let mut offsets: Vec<usize> = (0..self.clips)
            .map(|_| rng.random_range(0..=last))
            .collect();
        offsets.sort_unstable();
        offsets
    }

    fn frames_at(&self, offsets: Vec<usize>, total_frames: usize) -> Vec<usize> {
        assert!(total_frames > 0, "frame sampling: the video has no frames");
        offsets
            .into_iter()
            .flat_map(|offset| (0..self.clip_len).map(move |step| offset + step * self.interval))
            // A short video starts again from its beginning.
            .map(|frame| frame % total_frames)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn test_frames_are_the_middles_of_equal_stretches() {
        assert_eq!(
            FrameSampling::test_frames(8).test(100),
            [6, 18, 31, 43, 56, 68, 81, 93]
        );
    }

    #[test]
    fn a_product_just_below_an_integer_is_rounded_down() {
        // 7 * (8 / 12) + (8 / 12) / 2 is 5, and 4.999... in doubles.
        assert_eq!(FrameSampling::test_frames(12).test(8)[7], 4);
    }

    #[test]
    fn a_short_video_repeats_frames_in_evaluation() {
        assert_eq!(
            FrameSampling::test_frames(8).test(3),
            [0, 0, 0, 1, 1, 2, 2, 2]
        );
    }

    #[test]
    fn clips_longer_than_the_video_start_at_zero_and_wrap_around() {
        let frames = FrameSampling::tgif_test().test(5);

        assert_eq!(frames[..8], [0, 3, 1, 4, 0, 3, 1, 4]);
    }

    #[test]
    fn a_short_video_is_spread_in_training_with_ties_to_even() {
        let sampling = FrameSampling::train_frames(12);

        assert_eq!(
            sampling.train_short(3),
            Some(vec![0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 0])
        );
        assert_eq!(sampling.train_short(100), None);
    }

    #[test]
    fn training_draws_one_frame_from_each_stretch() {
        let sampling = FrameSampling::train_frames(4);
        let mut rng = ChaCha8Rng::seed_from_u64(1);

        let lists: Vec<Vec<usize>> = (0..50).map(|_| sampling.train(40, &mut rng)).collect();

        for list in &lists {
            for (clip, frame) in list.iter().enumerate() {
                assert!((10 * clip..10 * clip + 10).contains(frame));
            }
        }
        assert!(lists.iter().any(|list| list != &lists[0]));
    }

    #[test]
    fn clips_that_fit_but_overlap_are_drawn_in_order() {
        let sampling = FrameSampling {
            mode: SamplingMode::Train,
            ..FrameSampling::tgif_test()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(2);

        let list = sampling.train(15, &mut rng);

        let offsets: Vec<usize> = list.chunks(4).map(|clip| clip[0]).collect();
        assert!(offsets.is_sorted() && offsets.iter().all(|offset| *offset <= 3));
        assert!(list.chunks(4).all(|clip| clip[3] == clip[0] + 9));
    }

    #[test]
    fn tgif_lists_are_four_views_of_eight_entries() {
        let sampling = FrameSampling::tgif_test();

        assert_eq!(
            (sampling.views(), sampling.len() / sampling.views()),
            (4, 8)
        );
        assert_eq!(FrameSampling::test_frames(32).views(), 1);
    }
}
