//! Attention among the tokens of one window.
//!
//! Liu et al., "Video Swin Transformer" (CVPR 2022), section 3.2, equation 1:
//! `softmax(q k^T / sqrt(d) + bias) v`, with −100 added across the regions of a shifted window.

use burn::module::Param;
use burn::nn::Linear;
use burn::prelude::*;
use clover_kernels::ColumnLookup;

use super::relative_position_bias::{relative_position_bias, relative_positions};
use crate::fused::project;
use crate::init::{truncated_normal, truncated_normal_linear};

/// Configuration to create a [`WindowAttention`] using the [init function](WindowAttentionConfig::init).
#[derive(Config, Debug)]
pub struct WindowAttentionConfig {
    /// Width of the tokens.
    pub channels: usize,
    /// Attention heads; each sees `channels / heads` channels.
    pub heads: usize,
    /// The full window: frames, height, width. It sizes the bias table.
    pub window: [usize; 3],
}

/// Multi-head attention with a relative position bias.
///
/// Should be created with [`WindowAttentionConfig`].
#[derive(Module, Debug)]
pub struct WindowAttention<B: Backend> {
    qkv: Linear<B>,
    projection: Linear<B>,
    relative_position_bias_table: Param<Tensor<B, 2>>,
    heads: usize,
}

impl WindowAttentionConfig {
    /// Initializes a new [`WindowAttention`] module.
    ///
    /// # Panics
    ///
    /// Panics if `heads` does not divide `channels`.
    pub fn init<B: Backend>(&self, device: &B::Device) -> WindowAttention<B> {
        assert_eq!(
            self.channels % self.heads,
            0,
            "window attention: heads must divide channels"
        );
        let table_shape = [relative_positions(self.window), self.heads];
        WindowAttention {
            qkv: truncated_normal_linear(self.channels, 3 * self.channels, device),
            projection: truncated_normal_linear(self.channels, self.channels, device),
            relative_position_bias_table: truncated_normal(table_shape, 0.02, device),
            heads: self.heads,
        }
    }
}

impl<B: Backend> WindowAttention<B> {
    /// Lets the tokens of each window attend to each other; `bias` says which offset each pair of
    /// them has.
    ///
    /// # Shapes
    ///
    /// - windows: `[windows, tokens, channels]`
    /// - mask: `[windows of one sample, tokens, tokens]`, additive; a batch repeats it
    /// - output: `[windows, tokens, channels]`
    pub fn forward(
        &self,
        windows: Tensor<B, 3>,
        bias: &ColumnLookup<B>,
        mask: Option<Tensor<B, 3>>,
    ) -> Tensor<B, 3> {
        let [_, tokens, _] = windows.dims();
        let bias = relative_position_bias(&self.relative_position_bias_table, bias, tokens);
        let qkv = project(&self.qkv, windows);
        project(
            &self.projection,
            clover_kernels::window_attention(qkv, self.heads, Some(bias), mask),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::video_encoder::relative_position_bias::{
        relative_position_block, relative_position_lookup,
    };
    use crate::video_encoder::window::{WindowGeometry, WindowPartition};
    use burn::tensor::{Distribution, TensorData, Tolerance};

    const WINDOW: [usize; 3] = [2, 2, 3];
    const HEADS: usize = 2;
    const CHANNELS: usize = 8;

    fn values<const D: usize>(tensor: Tensor<TestBackend, D>) -> Vec<f32> {
        tensor.into_data().to_vec().unwrap()
    }

    /// Weight `[input, output]` and bias of a layer, as a function of one token.
    fn linear_oracle(linear: &Linear<TestBackend>) -> impl Fn(&[f32]) -> Vec<f32> + use<> {
        let [_, outputs] = linear.weight.dims();
        let weight = values(linear.weight.val());
        let bias = values(linear.bias.as_ref().unwrap().val());
        move |x| {
            (0..outputs)
                .map(|o| {
                    bias[o]
                        + x.iter()
                            .enumerate()
                            .map(|(i, x)| x * weight[i * outputs + o])
                            .sum::<f32>()
                })
                .collect()
        }
    }

    /// Equation 1 in plain loops, one window at a time.
    fn oracle(
        attention: &WindowAttention<TestBackend>,
        windows: &[f32],
        tokens: usize,
        mask: &[f32],
    ) -> Vec<f32> {
        let (qkv, projection) = (
            linear_oracle(&attention.qkv),
            linear_oracle(&attention.projection),
        );
        let table = values(attention.relative_position_bias_table.val());
        let rows = relative_position_block(WINDOW, tokens);
        let head_dim = CHANNELS / HEADS;
        let mut output = Vec::new();
        for (window, x) in windows.chunks(tokens * CHANNELS).enumerate() {
            let packed: Vec<_> = x.chunks(CHANNELS).map(&qkv).collect();
            let masks = mask.len() / (tokens * tokens);
            for query in 0..tokens {
                let mut context = vec![0.0; CHANNELS];
                for head in 0..HEADS {
                    let part = |token: usize, kind: usize, channel: usize| {
                        packed[token][kind * CHANNELS + head * head_dim + channel]
                    };
                    let logits: Vec<f32> = (0..tokens)
                        .map(|key| {
                            let dot: f32 = (0..head_dim)
                                .map(|channel| part(query, 0, channel) * part(key, 1, channel))
                                .sum();
                            let pair = query * tokens + key;
                            dot / (head_dim as f32).sqrt()
                                + table[rows[pair] * HEADS + head]
                                + mask[(window % masks) * tokens * tokens + pair]
                        })
                        .collect();
                    let total: f32 = logits.iter().map(|logit| logit.exp()).sum();
                    for (key, logit) in logits.iter().enumerate() {
                        for channel in 0..head_dim {
                            context[head * head_dim + channel] +=
                                logit.exp() / total * part(key, 2, channel);
                        }
                    }
                }
                output.extend(projection(&context));
            }
        }
        output
    }

    #[test]
    fn equals_the_plain_loops_on_a_shifted_padded_grid() {
        let device = Default::default();
        <TestBackend as Backend>::seed(&device, 7);
        let attention =
            WindowAttentionConfig::new(CHANNELS, HEADS, WINDOW).init::<TestBackend>(&device);
        let geometry = WindowGeometry::new([3, 4, 5], WINDOW, [1, 1, 1]);
        let partition = WindowPartition::new(2, geometry, &device);
        let tokens = Tensor::random([2, 3, 4, 5, CHANNELS], Distribution::Default, &device);
        let windows = partition.partition(tokens);
        let [_, window_tokens, _] = windows.dims();
        let mask = partition.mask().unwrap();
        let bias = relative_position_lookup(WINDOW, window_tokens, &device);

        let output = attention.forward(windows.clone(), &bias, Some(mask.clone()));

        let expected = oracle(&attention, &values(windows), window_tokens, &values(mask));
        let expected = TensorData::new(expected, output.dims());
        output
            .into_data()
            .assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-5));
    }
}
