//! Samples of noise in the shape of real ones, for measurements.

use clover_data::dataset::PretrainingSample;
use clover_data::masking::{IGNORED_LABEL, MaskedTokens, RegionMask};
use clover_data::video::{Clip, PixelPipeline};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Words of BERT-base uncased.
pub(crate) const VOCABULARY: usize = 30_522;
const TEXT_LEN: usize = 20;
const MASKED_A_TEXT: usize = 3;
/// BERT's `[MASK]`.
const MASK_ID: u32 = 103;

/// Clips of noise through the pipeline that reads a data set, and texts of random words.
pub(crate) fn samples(count: usize, frames: usize, pixels: usize) -> Vec<PretrainingSample> {
    let mut rng = StdRng::seed_from_u64(1);
    (0..count)
        .map(|row| {
            let bytes = (0..frames * pixels * pixels * 3).map(|_| rng.random());
            let clip = Clip::new(frames, pixels, pixels, bytes.collect());
            let clip = PixelPipeline::test_resize(pixels).apply(&clip, &mut rng);
            let word = |_| rng.random_range(1000..VOCABULARY as u32);
            let token_ids: Vec<u32> = (0..TEXT_LEN).map(word).collect();
            let mut masked = MaskedTokens {
                ids: token_ids.clone(),
                labels: vec![IGNORED_LABEL; TEXT_LEN],
            };
            for (place, &id) in token_ids.iter().enumerate().skip(1).take(MASKED_A_TEXT) {
                masked.labels[place] = i64::from(id);
                masked.ids[place] = MASK_ID;
            }
            PretrainingSample {
                clip,
                token_ids,
                masked,
                attention_mask: vec![1; TEXT_LEN],
                region_mask: RegionMask::sample(RegionMask::PUBLISHED_TARGET, &mut rng),
                name: row.to_string(),
            }
        })
        .collect()
}
