//! Multi-head attention with an additive bias or mask.
//!
//! Vaswani et al., "Attention Is All You Need" (2017), section 3.2; the windowed form with its
//! learned relative position bias and shift mask is Liu et al., "Video Swin Transformer" (2022).

use burn::prelude::*;
use burn::tensor::activation::softmax;

/// Computes `softmax(scale * q k^T + bias + mask) v` for each batch entry and head.
///
/// Gradients flow to `q`, `k`, `v` and `bias`; the mask is a constant. Bias and mask may be of
/// another float type than `q`, `k` and `v`.
///
/// # Shapes
///
/// - q, output: `[batch, heads, tokens_q, head_dim]`
/// - k, v: `[batch, heads, tokens_k, head_dim]`
/// - bias: `[heads, tokens_q, tokens_k]`
/// - mask: `[groups, tokens_q, tokens_k]`, added; entry `b` of the batch uses group `b % groups`
///
/// # Panics
///
/// Panics if the shapes do not fit, or if `batch` is not a multiple of `groups`.
pub fn attention<B: Backend>(
    q: Tensor<B, 4>,
    k: Tensor<B, 4>,
    v: Tensor<B, 4>,
    scale: f64,
    bias: Option<Tensor<B, 3>>,
    mask: Option<Tensor<B, 3>>,
) -> Tensor<B, 4> {
    let [batch, heads, tokens_q, head_dim] = q.dims();
    let [.., tokens_k, _] = k.dims();
    assert_eq!(
        k.dims(),
        [batch, heads, tokens_k, head_dim],
        "attention: k does not fit q"
    );
    assert_eq!(v.dims(), k.dims(), "attention: v does not fit k");
    check_additions(
        batch,
        [heads, tokens_q, tokens_k],
        bias.as_ref(),
        mask.as_ref(),
    );

    #[cfg(feature = "flex")]
    if let Some(output) =
        crate::dispatch::attention(&q, &k, &v, scale, bias.as_ref(), mask.as_ref())
    {
        return output;
    }
    portable(q, k, v, scale, bias, mask)
}

/// Attention straight from the packed projection, such as within windows.
///
/// `q` is scaled by `head_dim^-0.5`. Gradients flow to `qkv` and `bias`; the mask is a constant.
/// Bias and mask may be of another float type than `qkv`.
///
/// # Shapes
///
/// - qkv: `[windows, tokens, 3 * dim]`: q, then k, then v, each `heads` times `head_dim`
/// - bias: `[heads, tokens, tokens]`
/// - mask: `[groups, tokens, tokens]`, added; window `w` uses group `w % groups`
/// - output: `[windows, tokens, dim]`
///
/// # Panics
///
/// Panics if the shapes do not fit, or if `windows` is not a multiple of `groups`.
pub fn window_attention<B: Backend>(
    qkv: Tensor<B, 3>,
    heads: usize,
    bias: Option<Tensor<B, 3>>,
    mask: Option<Tensor<B, 3>>,
) -> Tensor<B, 3> {
    let [windows, tokens, packed] = qkv.dims();
    assert!(
        heads > 0 && packed.is_multiple_of(3 * heads),
        "window attention: the packed axis is not three times the heads' dims"
    );
    check_additions(
        windows,
        [heads, tokens, tokens],
        bias.as_ref(),
        mask.as_ref(),
    );

    #[cfg(feature = "flex")]
    if let Some(output) =
        crate::dispatch::window_attention(&qkv, heads, bias.as_ref(), mask.as_ref())
    {
        return output;
    }
    portable_windows(qkv, heads, bias, mask)
}

/// Multi-head attention over separate projections with a mask over the keys.
///
/// `q` is scaled by `head_dim^-0.5`. Gradients flow to `q`, `k` and `v`; the mask and the factors, such
/// as those of [`dropout_factors`](crate::dropout_factors), are constants, and may be of another float
/// type.
///
/// # Shapes
///
/// - q, output: `[batch, tokens_q, dim]`
/// - k, v: `[batch, tokens_k, dim]`
/// - key_mask: `[batch, tokens_k]`, added to every query's scores
/// - factors: `[batch, heads, tokens_q, tokens_k]`, multiplied with the attention weights
///
/// # Panics
///
/// Panics if the shapes do not fit.
pub fn masked_attention<B: Backend>(
    q: Tensor<B, 3>,
    k: Tensor<B, 3>,
    v: Tensor<B, 3>,
    heads: usize,
    key_mask: Tensor<B, 2>,
    factors: Option<Tensor<B, 4>>,
) -> Tensor<B, 3> {
    let [batch, _, dim] = q.dims();
    let [_, tokens_k, _] = k.dims();
    assert_eq!(
        k.dims(),
        [batch, tokens_k, dim],
        "masked attention: k does not fit q"
    );
    assert_eq!(v.dims(), k.dims(), "masked attention: v does not fit k");
    assert_eq!(
        key_mask.dims(),
        [batch, tokens_k],
        "masked attention: the mask needs one entry a key"
    );
    assert!(
        heads > 0 && dim.is_multiple_of(heads),
        "masked attention: the dim is not a multiple of the heads"
    );

    #[cfg(feature = "flex")]
    if let Some(output) =
        crate::dispatch::masked_attention(&q, &k, &v, heads, &key_mask, factors.as_ref())
    {
        return output;
    }
    portable_masked(q, k, v, heads, key_mask, factors)
}

fn check_additions<B: Backend>(
    batch: usize,
    scores: [usize; 3],
    bias: Option<&Tensor<B, 3>>,
    mask: Option<&Tensor<B, 3>>,
) {
    if let Some(bias) = bias {
        assert_eq!(
            bias.dims(),
            scores,
            "attention: the bias does not fit the scores"
        );
    }
    if let Some(mask) = mask {
        let [groups, tokens_q, tokens_k] = mask.dims();
        assert_eq!(
            [tokens_q, tokens_k],
            scores[1..],
            "attention: the mask does not fit the scores"
        );
        assert!(
            groups > 0 && batch.is_multiple_of(groups),
            "attention: the batch is not a multiple of the mask's groups"
        );
    }
}

/// The composition every backend has.
pub fn portable<B: Backend>(
    q: Tensor<B, 4>,
    k: Tensor<B, 4>,
    v: Tensor<B, 4>,
    scale: f64,
    bias: Option<Tensor<B, 3>>,
    mask: Option<Tensor<B, 3>>,
) -> Tensor<B, 4> {
    let dtype = q.dtype();
    let mut scores = q.mul_scalar(scale).matmul(k.swap_dims(2, 3));
    if let Some(bias) = bias {
        scores = scores + bias.cast(dtype).unsqueeze::<4>();
    }
    if let Some(mask) = mask {
        let [batch, heads, tokens_q, tokens_k] = scores.dims();
        let [groups, ..] = mask.dims();
        scores = (scores.reshape([batch / groups, groups, heads, tokens_q, tokens_k])
            + mask.cast(dtype).reshape([1, groups, 1, tokens_q, tokens_k]))
        .reshape([batch, heads, tokens_q, tokens_k]);
    }
    softmax(scores, 3).matmul(v)
}

/// [`window_attention`] by [`portable`].
pub fn portable_windows<B: Backend>(
    qkv: Tensor<B, 3>,
    heads: usize,
    bias: Option<Tensor<B, 3>>,
    mask: Option<Tensor<B, 3>>,
) -> Tensor<B, 3> {
    let [windows, tokens, packed] = qkv.dims();
    let dim = packed / 3;
    let head_dim = dim / heads;
    let [q, k, v] =
        [0, 1, 2].map(|part| split_heads(qkv.clone().narrow(2, part * dim, dim), heads));
    let output = portable(q, k, v, (head_dim as f64).powf(-0.5), bias, mask);
    output.swap_dims(1, 2).reshape([windows, tokens, dim])
}

/// [`masked_attention`] by plain operations.
pub fn portable_masked<B: Backend>(
    q: Tensor<B, 3>,
    k: Tensor<B, 3>,
    v: Tensor<B, 3>,
    heads: usize,
    key_mask: Tensor<B, 2>,
    factors: Option<Tensor<B, 4>>,
) -> Tensor<B, 3> {
    let [batch, tokens_q, dim] = q.dims();
    let [_, tokens_k] = key_mask.dims();
    let scale = ((dim / heads) as f64).powf(-0.5);
    let [q, k, v] = [q, k, v].map(|x| split_heads(x, heads));

    let dtype = q.dtype();
    let key_mask = key_mask.cast(dtype).reshape([batch, 1, 1, tokens_k]);
    let scores = q.mul_scalar(scale).matmul(k.swap_dims(2, 3)) + key_mask;
    let weights = softmax(scores, 3);
    let weights = match factors {
        Some(factors) => weights * factors.cast(dtype),
        None => weights,
    };
    weights
        .matmul(v)
        .swap_dims(1, 2)
        .reshape([batch, tokens_q, dim])
}

/// `[batch, tokens, dim]` to `[batch, heads, tokens, head_dim]`.
fn split_heads<B: Backend>(x: Tensor<B, 3>, heads: usize) -> Tensor<B, 4> {
    let [batch, tokens, dim] = x.dims();
    x.reshape([batch, tokens, heads, dim / heads])
        .swap_dims(1, 2)
}

#[cfg(test)]
mod tests;
