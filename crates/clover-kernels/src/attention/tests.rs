use super::*;
use crate::TestBackend;
use crate::agreement::{assert_agree, assert_close, leaf, scattered};

/// Sums over hundreds of keys in another order, and exponentials of their own.
const TOLERANCE: f32 = 2e-5;

#[test]
fn equal_scores_average_the_values_and_a_masked_key_is_left_out() {
    let device = Default::default();
    let zeros = Tensor::<TestBackend, 3>::zeros([1, 3, 2], &device);
    let v = Tensor::from_data([[[3.0, 0.0], [6.0, 3.0], [0.0, 90.0]]], &device);
    let mask = Tensor::from_data([[0.0, 0.0, -1e4]], &device);

    let output = masked_attention(zeros.clone(), zeros, v, 1, mask, None);

    let expected = Tensor::from_data([[[4.5, 1.5]; 3]], &device);
    assert_close("output", output, expected, 1e-6);
}

#[test]
fn bias_weighs_each_head_and_the_mask_each_window() {
    let device = Default::default();
    // Two windows of two tokens, two heads of one channel; q and k are zero.
    let qkv = [
        [0.0, 0.0, 0.0, 0.0, 4.0, 8.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ];
    let qkv = Tensor::<TestBackend, 3>::from_data([qkv, qkv], &device);
    let third = 3.0_f32.ln();
    let bias = Tensor::from_data([[[third, 0.0]; 2], [[0.0, third]; 2]], &device);
    let mask = Tensor::from_data([[[0.0, 0.0]; 2], [[0.0, -1e4]; 2]], &device);

    let output = window_attention(qkv, 2, Some(bias), Some(mask));

    // Shares of the first token: 3/4 in head one, 1/4 in head two, all where it is alone.
    let expected = Tensor::from_data([[[3.0, 2.0]; 2], [[4.0, 8.0]; 2]], &device);
    assert_close("output", output, expected, 1e-6);
}

#[test]
fn scores_are_scaled_by_the_root_of_the_head_dim() {
    let device = Default::default();
    let q = Tensor::<TestBackend, 3>::from_data([[[3.0_f32.ln(), 0.0, 0.0, 0.0]]], &device);
    let k = [[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]];
    let v = [[4.0, 0.0, 0.0, 0.0], [0.0, 8.0, 0.0, 0.0]];
    let (k, v) = (
        Tensor::from_data([k], &device),
        Tensor::from_data([v], &device),
    );

    let output = masked_attention(q, k, v, 1, Tensor::zeros([1, 2], &device), None);

    let expected = Tensor::from_data([[[3.0, 2.0, 0.0, 0.0]]], &device);
    assert_close("output", output, expected, 1e-6);
}

#[test]
fn windows_agree_with_the_composition() {
    for (windows, tokens, heads, head_dim, groups) in [
        (1, 1, 1, 8, 0),
        (2, 7, 3, 8, 2),
        (4, 49, 2, 16, 2),
        (2, 98, 2, 32, 1),
        (3, 50, 1, 64, 0),
        (1, 196, 1, 32, 1),
        (1, 392, 1, 32, 0),
        (2, 5, 2, 3, 0),
    ] {
        let qkv = leaf([windows, tokens, 3 * heads * head_dim], 1);
        let bias = leaf([heads, tokens, tokens], 2);
        // The first group stays zero, as the inner windows of a clip do.
        let mask = (groups > 0).then(|| {
            let mask = scattered([groups, tokens, tokens], 3);
            mask.slice_fill(0..groups / 2, 0.0)
        });

        assert_agree!(
            TOLERANCE,
            [qkv, bias],
            window_attention(qkv.clone(), heads, Some(bias.clone()), mask.clone()),
            portable_windows(qkv.clone(), heads, Some(bias.clone()), mask.clone())
        );
        assert_agree!(
            TOLERANCE,
            [qkv],
            window_attention(qkv.clone(), heads, None, mask.clone()),
            portable_windows(qkv.clone(), heads, None, mask.clone())
        );
    }
}

#[test]
fn separate_heads_agree_with_the_composition() {
    for (batch, heads, tokens_q, tokens_k, head_dim) in [
        (1, 1, 1, 1, 8),
        (2, 3, 7, 20, 16),
        (4, 1, 49, 13, 5),
        (2, 2, 13, 100, 64),
    ] {
        let q = leaf([batch, heads, tokens_q, head_dim], 1);
        let k = leaf([batch, heads, tokens_k, head_dim], 2);
        let v = leaf([batch, heads, tokens_k, head_dim], 3);
        let bias = leaf([heads, tokens_q, tokens_k], 4);
        let mask = scattered([batch / batch.min(2), tokens_q, tokens_k], 5);

        assert_agree!(
            TOLERANCE,
            [q, k, v, bias],
            attention(
                q.clone(),
                k.clone(),
                v.clone(),
                0.3,
                Some(bias.clone()),
                Some(mask.clone())
            ),
            portable(
                q.clone(),
                k.clone(),
                v.clone(),
                0.3,
                Some(bias.clone()),
                Some(mask.clone())
            )
        );
        assert_agree!(
            TOLERANCE,
            [q, k, v],
            attention(q.clone(), k.clone(), v.clone(), 0.3, None, None),
            portable(q.clone(), k.clone(), v.clone(), 0.3, None, None)
        );
    }
}

#[test]
fn masked_keys_agree_with_the_composition() {
    for (batch, heads, tokens_q, tokens_k, head_dim) in
        [(1, 1, 1, 1, 8), (2, 3, 30, 30, 16), (3, 2, 7, 41, 32)]
    {
        let q = leaf([batch, tokens_q, heads * head_dim], 1);
        let k = leaf([batch, tokens_k, heads * head_dim], 2);
        let v = leaf([batch, tokens_k, heads * head_dim], 3);
        let key_mask = scattered([batch, tokens_k], 4).greater_elem(1.5).float() * -1e4;
        // The first text is empty: every key has the lowest score there is.
        let key_mask = key_mask.slice_fill(0..1, f32::MIN);

        assert_agree!(
            TOLERANCE,
            [q, k, v],
            masked_attention(
                q.clone(),
                k.clone(),
                v.clone(),
                heads,
                key_mask.clone(),
                None
            ),
            portable_masked(
                q.clone(),
                k.clone(),
                v.clone(),
                heads,
                key_mask.clone(),
                None
            )
        );
    }
}

#[test]
fn factors_agree_with_the_composition() {
    for (batch, heads, tokens, head_dim) in [(1, 1, 1, 8), (2, 3, 30, 16), (3, 2, 41, 64)] {
        let [q, k, v] = [1, 2, 3].map(|seed| leaf([batch, tokens, heads * head_dim], seed));
        let key_mask = scattered([batch, tokens], 4).greater_elem(1.5).float() * -1e4;
        let factors = scattered([batch, heads, tokens, tokens], 5);
        let factors = Some(factors.greater_elem(-1.6).float() / 0.9);

        assert_agree!(
            TOLERANCE,
            [q, k, v],
            masked_attention(
                q.clone(),
                k.clone(),
                v.clone(),
                heads,
                key_mask.clone(),
                factors.clone()
            ),
            portable_masked(
                q.clone(),
                k.clone(),
                v.clone(),
                heads,
                key_mask.clone(),
                factors.clone()
            )
        );
    }
}

#[test]
fn factors_weigh_the_attention_of_each_head() {
    let device = Default::default();
    // Two heads of one channel; equal scores give each of the two keys one half.
    let zeros = Tensor::<TestBackend, 3>::zeros([1, 1, 2], &device);
    let keys = Tensor::zeros([1, 2, 2], &device);
    let v = Tensor::from_data([[[2.0, 2.0], [4.0, 4.0]]], &device);
    let factors = Tensor::from_data([[[[2.0, 0.0]], [[0.0, 2.0]]]], &device);
    let mask = Tensor::zeros([1, 2], &device);

    let output = masked_attention(zeros, keys, v, 2, mask, Some(factors));

    assert_close(
        "output",
        output,
        Tensor::from_data([[[2.0, 4.0]]], &device),
        1e-6,
    );
}

#[test]
#[should_panic(expected = "the batch is not a multiple of the mask's groups")]
fn mask_of_groups_that_do_not_divide_the_windows_is_refused() {
    let device = Default::default();
    let qkv = Tensor::<TestBackend, 3>::zeros([3, 2, 6], &device);
    let bias = Tensor::zeros([1, 2, 2], &device);

    window_attention(qkv, 1, Some(bias), Some(Tensor::zeros([2, 2, 2], &device)));
}
