//! What an answer looks at: the attention of one text position to the regions and frames of its clip.
//!
//! Clover, section 3.1: video and text meet in the fusion encoder, and a question is answered from one
//! text position of its output. Its row of the last layer's attention says where the answer came from.

use burn::prelude::*;

use crate::fusion_encoder::FusionEncoder;

/// How much a position of each text attends to each video token, averaged over heads. What is left of
/// a text's sum to 1 went to the text, and to the token before it where there is one.
///
/// # Shapes
///
/// - video: `[batch, frames, height, width, channels]`, as the video encoder returns it
/// - token: `[1, 1, dim]`, if any
/// - text: `[batch, text_len, dim]`
/// - attention_mask: `[batch, text_len]`
/// - positions: `[batch]`, as `row * text_len + column`
/// - output: `[batch, frames, height, width]`
///
/// # Panics
///
/// As [`FusionEncoder::last_attention`]; and if there is not one position a text.
pub(super) fn video_attention<B: Backend>(
    encoder: &FusionEncoder<B>,
    video: Tensor<B, 5>,
    token: Option<Tensor<B, 3>>,
    text: Tensor<B, 3>,
    attention_mask: Tensor<B, 2, Int>,
    positions: Tensor<B, 1, Int>,
) -> Tensor<B, 4> {
    let [_, frames, height, width, _] = video.dims();
    let [batch, text_len, _] = text.dims();
    assert_eq!(
        positions.dims(),
        [batch],
        "video attention: one position a text is needed"
    );
    let regions = frames * height * width;
    let attention = encoder.last_attention(video, token, text, attention_mask);
    let [_, tokens, _] = attention.dims();
    let of_texts = attention
        .narrow(1, tokens - text_len, text_len)
        .narrow(2, 0, regions)
        .reshape([batch * text_len, regions]);
    clover_kernels::gather_rows(of_texts, positions).reshape([batch, frames, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::fusion_encoder::FusionEncoderConfig;
    use burn::tensor::Distribution;

    const TEXT_LEN: usize = 3;

    /// Two clips of 2 x 2 x 3 regions, and their texts.
    struct Pair {
        encoder: FusionEncoder<TestBackend>,
        video: Tensor<TestBackend, 5>,
        text: Tensor<TestBackend, 3>,
        mask: Tensor<TestBackend, 2, Int>,
    }

    impl Pair {
        fn new(layers: usize) -> Self {
            let device = Default::default();
            <TestBackend as Backend>::seed(&device, 6);
            Self {
                encoder: FusionEncoderConfig::new(6, 8, 2, 16, 2, 6)
                    .with_layers(layers)
                    .init(&device),
                video: Tensor::random([2, 2, 2, 3, 6], Distribution::Default, &device),
                text: Tensor::random([2, TEXT_LEN, 8], Distribution::Default, &device),
                mask: Tensor::from_data([[1, 1, 1], [1, 1, 0]], &device),
            }
        }

        fn attention(
            &self,
            video: Tensor<TestBackend, 5>,
            token: Option<Tensor<TestBackend, 3>>,
            positions: [i64; 2],
        ) -> Vec<f32> {
            let positions = Tensor::from_ints(positions, &Default::default());
            let (text, mask) = (self.text.clone(), self.mask.clone());
            let found = video_attention(&self.encoder, video, token, text, mask, positions);
            assert_eq!(found.dims(), [2, 2, 2, 3]);
            found.into_data().to_vec().unwrap()
        }
    }

    #[test]
    fn each_text_has_the_row_of_its_position_whatever_stands_before_it() {
        let pair = Pair::new(3);
        let token = Tensor::ones([1, 1, 8], &Default::default());

        for (token, before) in [(None, 12), (Some(token), 13)] {
            // The second place of the first text, the first of the second.
            let found = pair.attention(pair.video.clone(), token.clone(), [1, 3]);

            let all = pair.encoder.last_attention(
                pair.video.clone(),
                token,
                pair.text.clone(),
                pair.mask.clone(),
            );
            let tokens = before + TEXT_LEN;
            let all: Vec<f32> = all.into_data().to_vec().unwrap();
            let row = |row: usize, place: usize| {
                let start = (row * tokens + before + place) * tokens;
                &all[start..start + 12]
            };
            assert_eq!(found, [row(0, 1), row(1, 0)].concat());
            for clip in found.chunks(12) {
                let sum: f32 = clip.iter().sum();
                assert!(clip.iter().all(|&share| share > 0.0) && sum < 1.0, "{sum}");
            }
        }
    }

    #[test]
    fn what_is_seen_in_a_region_changes_the_attention_to_it_alone() {
        // One layer: a token's own logit depends on nothing else.
        let pair = Pair::new(1);
        let cls = [0, TEXT_LEN as i64];
        let before = pair.attention(pair.video.clone(), None, cls);
        // Another image in the second frame, upper row, last column of the first clip.
        let other = pair.video.clone().slice_assign(
            [0..1, 1..2, 0..1, 2..3, 0..6],
            Tensor::from_data(
                [[[[[5.0, -5.0, 5.0, 0.0, -5.0, 9.0]]]]],
                &Default::default(),
            ),
        );

        let after = pair.attention(other, None, cls);

        // The others share what is left in the same proportion.
        let factors: Vec<f32> = before.iter().zip(&after).map(|(a, b)| b / a).collect();
        let changed = 6 + 2;
        for (region, factor) in factors[..12].iter().enumerate() {
            let differs = (factor - factors[0]).abs();
            assert_eq!(differs > 1e-4, region == changed, "{region}: {factors:?}");
        }
        assert_eq!(before[12..], after[12..]);
    }

    #[test]
    #[should_panic(expected = "one position a text is needed")]
    fn positions_of_other_texts_are_refused() {
        let Pair {
            encoder,
            video,
            text,
            mask,
        } = Pair::new(1);

        let positions = Tensor::from_ints([0], &Default::default());

        video_attention(&encoder, video, None, text, mask, positions);
    }
}
