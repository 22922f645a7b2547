//! The fusion encoder: three BERT layers over the video tokens followed by the text tokens.
//!
//! Clover, section 3.1. The fused representation of a pair is the output at the text's `[CLS]`.

mod embeddings;

pub use embeddings::{FusionEmbeddings, FusionEmbeddingsConfig};

use burn::prelude::*;

use crate::Noise;
use crate::transformer::{TransformerLayer, TransformerLayerConfig, padding_logits};

/// Configuration to create a [`FusionEncoder`] using the [init function](FusionEncoderConfig::init).
#[derive(Config, Debug)]
pub struct FusionEncoderConfig {
    /// Channels of the video encoder's output. Base: 1024.
    pub video_channels: usize,
    /// Width of text and fused tokens. Base: 768.
    pub hidden: usize,
    /// Attention heads. Base: 12.
    pub heads: usize,
    /// Width inside the feed-forward network. Base: 3072.
    pub inner: usize,
    /// Rows of the time position table: time steps after the video encoder. Base: 4 (8 frames).
    pub time_positions: usize,
    /// Rows of the space position table: regions after the video encoder. Base: 49 (224 px).
    pub space_positions: usize,
    /// Transformer layers. Clover, section 3.1: 3.
    #[config(default = 3)]
    pub layers: usize,
    /// Dropout of attention weights and residual branches. BERT: 0.1.
    #[config(default = 0.1)]
    pub dropout: f64,
}

/// Lets video and text tokens attend to each other.
///
/// Should be created with [`FusionEncoderConfig`].
#[derive(Module, Debug)]
pub struct FusionEncoder<B: Backend> {
    embeddings: FusionEmbeddings<B>,
    layers: Vec<TransformerLayer<B>>,
}

/// The last hidden states of a fused pair, split by what stood at each position.
#[derive(Clone, Debug)]
pub struct FusedTokens<B: Backend> {
    /// `[batch, tokens, dim]`: time-major, then row-major in space.
    pub video: Tensor<B, 3>,
    /// `[batch, text_len, dim]`: position 0 is `[CLS]`.
    pub text: Tensor<B, 3>,
}

impl FusionEncoderConfig {
    /// Initializes a new [`FusionEncoder`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `hidden`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> FusionEncoder<B> {
        let layer = TransformerLayerConfig::new(self.hidden, self.heads, self.inner)
            .with_dropout(self.dropout);
        FusionEncoder {
            embeddings: FusionEmbeddingsConfig::new(
                self.video_channels,
                self.hidden,
                self.time_positions,
                self.space_positions,
            )
            .init(device),
            layers: (0..self.layers).map(|_| layer.init(device)).collect(),
        }
    }
}

impl<B: Backend> FusionEncoder<B> {
    /// Fuses video features with text features.
    ///
    /// # Shapes
    ///
    /// - video: `[batch, frames, height, width, channels]`, as the video encoder returns it
    /// - text: `[batch, text_len, dim]`, as the text encoder returns it
    /// - attention_mask: `[batch, text_len]`, 1 for tokens and 0 for padding
    ///
    /// # Panics
    ///
    /// Panics if the clip has more time steps than the time table, or another number of regions
    /// than the space table.
    pub fn forward(
        &self,
        video: Tensor<B, 5>,
        text: Tensor<B, 3>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> FusedTokens<B> {
        self.fuse(video, None, text, attention_mask, noise)
    }

    /// Fuses video features, one learned token, and text features, in this order.
    ///
    /// The token stands between the two as it is: no type embedding, no LayerNorm. Fill-in-the-blank
    /// fine-tuning has it (Clover's released code); its own output is not used.
    ///
    /// # Shapes
    ///
    /// - video: `[batch, frames, height, width, channels]`
    /// - token: `[1, 1, dim]`
    /// - text: `[batch, text_len, dim]`
    /// - attention_mask: `[batch, text_len]`
    ///
    /// # Panics
    ///
    /// As [`FusionEncoder::forward`].
    pub fn forward_with_token(
        &self,
        video: Tensor<B, 5>,
        token: Tensor<B, 3>,
        text: Tensor<B, 3>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> FusedTokens<B> {
        self.fuse(video, Some(token), text, attention_mask, noise)
    }

    /// How much each token of the last layer looks at each other one, averaged over heads: what an
    /// overlay of attention over regions and frames shows.
    ///
    /// # Shapes
    ///
    /// - video: `[batch, frames, height, width, channels]`
    /// - token: `[1, 1, dim]`, as in [`forward_with_token`](Self::forward_with_token), if any
    /// - text: `[batch, text_len, dim]`
    /// - attention_mask: `[batch, text_len]`
    /// - output: `[batch, tokens, tokens]`, video tokens first; each row sums to 1
    ///
    /// # Panics
    ///
    /// As [`FusionEncoder::forward`]; and if there are no layers.
    pub fn last_attention(
        &self,
        video: Tensor<B, 5>,
        token: Option<Tensor<B, 3>>,
        text: Tensor<B, 3>,
        attention_mask: Tensor<B, 2, Int>,
    ) -> Tensor<B, 3> {
        let (sequence, padding) = self.sequence(video, token, text, attention_mask);
        let last = self.layers.len().checked_sub(1);
        assert!(last.is_some(), "fusion encoder: no layers to look into");
        let last = last.unwrap_or_default();
        let x = self.layers[..last].iter().fold(sequence, |x, layer| {
            layer.forward(x, padding.clone(), &mut Noise::quiet())
        });
        self.layers[last].attention_weights(x, padding)
    }

    fn fuse(
        &self,
        video: Tensor<B, 5>,
        token: Option<Tensor<B, 3>>,
        text: Tensor<B, 3>,
        attention_mask: Tensor<B, 2, Int>,
        noise: &mut Noise,
    ) -> FusedTokens<B> {
        let [_, frames, height, width, _] = video.dims();
        let [_, text_len, _] = text.dims();
        let (sequence, padding) = self.sequence(video, token, text, attention_mask);
        let [_, tokens, _] = sequence.dims();
        let fused = self.layers.iter().fold(sequence, |x, layer| {
            layer.forward(x, padding.clone(), noise)
        });
        FusedTokens {
            video: fused.clone().narrow(1, 0, frames * height * width),
            text: fused.narrow(1, tokens - text_len, text_len),
        }
    }

    /// All tokens in order, and the logits of their padding.
    fn sequence(
        &self,
        video: Tensor<B, 5>,
        token: Option<Tensor<B, 3>>,
        text: Tensor<B, 3>,
        attention_mask: Tensor<B, 2, Int>,
    ) -> (Tensor<B, 3>, Tensor<B, 2>) {
        let [batch, text_len, dim] = text.dims();
        let mut parts = vec![self.embeddings.video(video)];
        parts.extend(token.map(|token| token.expand([batch, 1, dim])));
        parts.push(self.embeddings.text(text));
        let sequence = Tensor::cat(parts, 1);

        let [_, tokens, _] = sequence.dims();
        let seen = Tensor::zeros([batch, tokens - text_len], &sequence.device());
        (
            sequence,
            Tensor::cat(vec![seen, padding_logits(attention_mask)], 1),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::{Distribution, Tolerance};

    fn encoder(
        device: &<TestBackend as burn::tensor::backend::BackendTypes>::Device,
    ) -> FusionEncoder<TestBackend> {
        <TestBackend as Backend>::seed(device, 4);
        FusionEncoderConfig::new(6, 8, 2, 16, 2, 4).init(device)
    }

    #[test]
    fn the_text_sees_the_video_but_not_its_own_padding() {
        let device = Default::default();
        let encoder = encoder(&device);
        let video = Tensor::random([1, 2, 2, 2, 6], Distribution::Default, &device);
        let text = Tensor::random([1, 3, 8], Distribution::Default, &device);
        let other_padding = Tensor::cat(
            vec![
                text.clone().narrow(1, 0, 2),
                Tensor::ones([1, 1, 8], &device),
            ],
            1,
        );
        let mask = Tensor::from_data([[1, 1, 0]], &device);
        let cls = |video, text| {
            encoder
                .forward(video, text, mask.clone(), &mut Noise::quiet())
                .text
                .narrow(1, 0, 1)
                .into_data()
        };

        let reference = cls(video.clone(), text.clone());

        cls(video.clone(), other_padding).assert_approx_eq::<f32>(&reference, Tolerance::default());
        let other_video = cls(video + 1.0, text);
        let [a, b] = [&reference, &other_video].map(|data| data.to_vec::<f32>().unwrap());
        assert!(a.iter().zip(&b).any(|(a, b)| (a - b).abs() > 1e-3));
    }

    #[test]
    fn a_still_image_uses_the_first_time_position_only() {
        let device = Default::default();
        let encoder = encoder(&device);
        let image = Tensor::random([1, 1, 2, 2, 6], Distribution::Default, &device);
        let text = Tensor::random([1, 3, 8], Distribution::Default, &device);

        let fused = encoder.forward(
            image,
            text,
            Tensor::ones([1, 3], &device),
            &mut Noise::quiet(),
        );

        assert_eq!(fused.video.dims(), [1, 4, 8]);
        assert_eq!(fused.text.dims(), [1, 3, 8]);
    }

    #[test]
    #[should_panic(expected = "9 regions, but the space table has 4")]
    fn another_number_of_regions_is_refused() {
        let device = Default::default();
        let video = Tensor::zeros([1, 1, 3, 3, 6], &device);

        encoder(&device).forward(
            video,
            Tensor::zeros([1, 2, 8], &device),
            Tensor::ones([1, 2], &device),
            &mut Noise::quiet(),
        );
    }
}
