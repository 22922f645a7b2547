//! The one place that looks at a tensor's type and hands it to a flex kernel.
//!
//! Every function here answers `None` where no kernel covers the tensors: another backend, another
//! dtype than `f32`. The caller then composes plain tensor operations. The comparison of type ids
//! is decided when a function is instantiated, so it costs nothing on other backends.

use crate::adamw::{AdamWTensors, AdamWUpdate};
use crate::dropout::Rule;
use crate::flex;
use crate::flex::attention::{Attention, Heads, Layout};
use crate::flex::cross_entropy::CrossEntropy;
use crate::flex::dropout::Dropout;
use crate::flex::gelu::Gelu;
use crate::flex::indices;
use crate::flex::layer_norm::LayerNorm;
use crate::flex::linear::Linear;
use crate::flex::rows::{Gather, Index, Permutation};
use crate::kernel::{Kernel, track};
use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::strategy::{BalancedCheckpointing, NoCheckpointing};
use burn::prelude::*;
use burn::tensor::ops::{FloatTensor, IntTensor};
use burn::tensor::{DType, TensorPrimitive};
use burn_flex::{Flex, FlexTensor};
use std::any::{Any, TypeId};
use std::sync::Arc;

/// A flex tensor under autodiff, whatever the checkpointing strategy.
type TrackedTensor = crate::kernel::TrackedTensor<Flex>;

fn is<B: Backend, Other: Backend>() -> bool {
    TypeId::of::<B>() == TypeId::of::<Other>()
}

pub(crate) fn covers<B: Backend>() -> bool {
    is::<B, Flex>()
        || is::<B, Autodiff<Flex, NoCheckpointing>>()
        || is::<B, Autodiff<Flex, BalancedCheckpointing>>()
}

/// The same value under the type that it is known to have.
fn cast<From: Any, To: Clone + 'static>(value: &From) -> Option<To> {
    (value as &dyn Any).downcast_ref::<To>().cloned()
}

fn float<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Option<FloatTensor<B>> {
    if !covers::<B>() || tensor.dtype() != DType::F32 {
        return None;
    }
    match tensor.clone().into_primitive() {
        TensorPrimitive::Float(primitive) => Some(primitive),
        TensorPrimitive::QFloat(_) => None,
    }
}

/// A tensor that takes no gradient.
fn constant<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Option<FlexTensor> {
    let primitive = float(tensor)?;
    if is::<B, Flex>() {
        return cast(&primitive);
    }
    cast::<_, TrackedTensor>(&primitive).map(|tracked| tracked.primitive)
}

/// A tensor outside of any graph.
fn bare<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Option<FlexTensor> {
    is::<B, Flex>().then(|| constant(tensor)).flatten()
}

#[expect(clippy::expect_used, reason = "the types were compared before")]
fn from_bare<B: Backend, const D: usize>(tensor: FlexTensor) -> Tensor<B, D> {
    let primitive = cast::<_, FloatTensor<B>>(&tensor).expect("a flex tensor");
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

fn int<B: Backend>(tensor: &Tensor<B, 1, Int>) -> Option<FlexTensor> {
    if !covers::<B>() {
        return None;
    }
    let primitive: IntTensor<B> = tensor.clone().into_primitive();
    cast(&primitive)
}

fn launch<B: Backend, K: Kernel<Flex, N>, const N: usize, const D: usize>(
    kernel: K,
    inputs: [FloatTensor<B>; N],
) -> Option<Tensor<B, D>> {
    let output: FloatTensor<B> = if is::<B, Flex>() {
        let casts = every(inputs.each_ref().map(cast::<_, FlexTensor>))?;
        // The kernel works in place where it alone holds a tensor.
        drop(inputs);
        cast(&kernel.infer(casts))?
    } else if is::<B, Autodiff<Flex, NoCheckpointing>>() {
        let inputs = every(inputs.each_ref().map(cast::<_, TrackedTensor>))?;
        cast(&track::<Flex, NoCheckpointing, K, N>(kernel, inputs))?
    } else {
        let inputs = every(inputs.each_ref().map(cast::<_, TrackedTensor>))?;
        cast(&track::<Flex, BalancedCheckpointing, K, N>(kernel, inputs))?
    };
    Some(Tensor::from_primitive(TensorPrimitive::Float(output)))
}

fn every<T, const N: usize>(options: [Option<T>; N]) -> Option<[T; N]> {
    let values: Vec<T> = options.into_iter().collect::<Option<_>>()?;
    values.try_into().ok()
}

/// Gives the tensor back where no kernel covers it.
#[expect(clippy::expect_used, reason = "the tensor is covered")]
pub(crate) fn gelu<B: Backend, const D: usize>(
    kernel: Gelu,
    x: Tensor<B, D>,
) -> Result<Tensor<B, D>, Tensor<B, D>> {
    let Some(primitive) = float(&x) else {
        return Err(x);
    };
    drop(x);
    Ok(launch(kernel, [primitive]).expect("a flex tensor"))
}

pub(crate) fn layer_norm<B: Backend, const D: usize>(
    x: &Tensor<B, D>,
    gamma: &Tensor<B, 1>,
    beta: &Tensor<B, 1>,
    epsilon: f64,
) -> Option<Tensor<B, D>> {
    let inputs = [float(x)?, float(gamma)?, float(beta)?];
    launch(LayerNorm { epsilon }, inputs)
}

pub(crate) fn linear<B: Backend, const D: usize>(
    x: &Tensor<B, D>,
    weight: &Tensor<B, 2>,
    bias: Option<&Tensor<B, 1>>,
) -> Option<Tensor<B, D>> {
    let (x, weight) = (float(x)?, float(weight)?);
    match bias {
        Some(bias) => launch(Linear, [x, weight, float(bias)?]),
        None => launch(Linear, [x, weight]),
    }
}

pub(crate) fn softmax_cross_entropy<B: Backend>(
    logits: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 1>> {
    launch(
        CrossEntropy {
            labels: indices(&int(labels)?)?,
        },
        [float(logits)?],
    )
}

pub(crate) fn gather_rows<B: Backend>(
    x: &Tensor<B, 2>,
    index: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 2>> {
    launch(
        Gather {
            index: Index::new(int(index)?)?,
        },
        [float(x)?],
    )
}

pub(crate) fn permute_rows<B: Backend>(
    x: &Tensor<B, 2>,
    index: &Tensor<B, 1, Int>,
    inverse: &Tensor<B, 1, Int>,
) -> Option<Tensor<B, 2>> {
    let kernel = Permutation {
        index: Index::new(int(index)?)?,
        inverse: Index::new(int(inverse)?)?,
    };
    launch(kernel, [float(x)?])
}

pub(crate) fn attention<B: Backend>(
    q: &Tensor<B, 4>,
    k: &Tensor<B, 4>,
    v: &Tensor<B, 4>,
    scale: f64,
    bias: Option<&Tensor<B, 3>>,
    mask: Option<&Tensor<B, 3>>,
) -> Option<Tensor<B, 4>> {
    let [batch, heads, tokens_q, head_dim] = q.dims();
    let [.., tokens_k, _] = k.dims();
    let heads = Heads {
        batch,
        heads,
        tokens_q,
        tokens_k,
        head_dim,
        layout: Layout::Split,
    };
    let mask = optional(mask.map(constant))?;
    let kernel = Attention {
        heads,
        scale: scale as f32,
        mask,
        key_mask: None,
        factors: None,
    };
    let inputs = [float(q)?, float(k)?, float(v)?];
    with_bias(kernel, inputs, bias)
}

pub(crate) fn window_attention<B: Backend>(
    qkv: &Tensor<B, 3>,
    head_count: usize,
    bias: Option<&Tensor<B, 3>>,
    mask: Option<&Tensor<B, 3>>,
) -> Option<Tensor<B, 3>> {
    let [batch, tokens, packed] = qkv.dims();
    let heads = Heads {
        batch,
        heads: head_count,
        tokens_q: tokens,
        tokens_k: tokens,
        head_dim: packed / 3 / head_count,
        layout: Layout::Packed,
    };
    let mask = optional(mask.map(constant))?;
    let kernel = Attention {
        heads,
        scale: heads.usual_scale(),
        mask,
        key_mask: None,
        factors: None,
    };
    match bias {
        Some(bias) => launch(kernel, [float(qkv)?, float(bias)?]),
        None => launch(kernel, [float(qkv)?]),
    }
}

pub(crate) fn masked_attention<B: Backend>(
    q: &Tensor<B, 3>,
    k: &Tensor<B, 3>,
    v: &Tensor<B, 3>,
    head_count: usize,
    key_mask: &Tensor<B, 2>,
    factors: Option<&Tensor<B, 4>>,
) -> Option<Tensor<B, 3>> {
    let [batch, tokens_q, dim] = q.dims();
    let [_, tokens_k, _] = k.dims();
    let heads = Heads {
        batch,
        heads: head_count,
        tokens_q,
        tokens_k,
        head_dim: dim / head_count,
        layout: Layout::Interleaved,
    };
    let key_mask = Some(constant(key_mask)?);
    let factors = optional(factors.map(constant))?;
    let kernel = Attention {
        heads,
        scale: heads.usual_scale(),
        mask: None,
        key_mask,
        factors,
    };
    launch(kernel, [float(q)?, float(k)?, float(v)?])
}

pub(crate) fn dropout<B: Backend, const D: usize>(
    x: &Tensor<B, D>,
    keys: &[u64],
    rule: Rule,
) -> Option<Tensor<B, D>> {
    let keys = Arc::new(keys.to_vec());
    launch(Dropout { keys, rule }, [float(x)?])
}

/// Gives the tensors back where no kernel covers them.
pub(crate) fn adamw<B: Backend>(
    tensors: AdamWTensors<B>,
    gradient: &Tensor<B, 1>,
    update: &AdamWUpdate,
) -> Result<AdamWTensors<B>, AdamWTensors<B>> {
    let all = [&tensors.parameter, &tensors.moment_1, &tensors.moment_2];
    let Some((gradient, all)) = bare(gradient).zip(every(all.map(bare))) else {
        return Err(tensors);
    };
    // The kernel works in place where it alone holds the tensors.
    drop(tensors);
    let [parameter, moment_1, moment_2] = flex::adamw::adamw(all, &gradient, update).map(from_bare);
    Ok(AdamWTensors {
        parameter,
        moment_1,
        moment_2,
    })
}

pub(crate) fn sum_of_squares<B: Backend, const D: usize>(x: &Tensor<B, D>) -> Option<Tensor<B, 1>> {
    bare(x).map(|x| from_bare(flex::sum_of_squares::sum_of_squares(&x)))
}

/// An absent option stays absent; a present one must be covered.
fn optional<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    value.map_or(Some(None), |covered| covered.map(Some))
}

fn with_bias<B: Backend, const D: usize>(
    kernel: Attention,
    [q, k, v]: [FloatTensor<B>; 3],
    bias: Option<&Tensor<B, 3>>,
) -> Option<Tensor<B, D>> {
    match bias {
        Some(bias) => launch(kernel, [q, k, v, float(bias)?]),
        None => launch(kernel, [q, k, v]),
    }
}

#[cfg(test)]
mod tests;
