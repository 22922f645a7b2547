//! What a kernel is, and how it becomes a step of the autodiff graph.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use std::fmt::Debug;

/// A tensor under autodiff; the same type whatever the checkpointing strategy.
pub(crate) type TrackedTensor<B> = FloatTensor<Autodiff<B>>;

/// An operation of `N` differentiable inputs on the backend `B` with its own backward pass.
pub(crate) trait Kernel<B: Backend, const N: usize>: Debug + Clone + Send + 'static {
    /// What the backward pass needs.
    type Saved: Debug + Clone + Send + 'static;

    /// The output, and what the backward pass will need if there is to be one.
    fn forward(&self, inputs: [FloatTensor<B>; N]) -> (FloatTensor<B>, Self::Saved);

    /// The output where there is no backward pass.
    #[cfg(feature = "flex")]
    fn infer(&self, inputs: [FloatTensor<B>; N]) -> FloatTensor<B> {
        self.forward(inputs).0
    }

    /// The gradient of each input that is wanted.
    fn backward(
        &self,
        saved: Self::Saved,
        gradient: FloatTensor<B>,
        wanted: [bool; N],
    ) -> [Option<FloatTensor<B>>; N];
}

/// A [`Kernel`] as a step of the autodiff graph.
#[derive(Debug)]
struct GraphStep<K>(K);

impl<B: Backend, K: Kernel<B, N>, const N: usize> Backward<B, N> for GraphStep<K> {
    type State = K::Saved;

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let results = self.0.backward(ops.state, gradient, wanted);
        for (parent, result) in ops.parents.into_iter().zip(results) {
            if let (Some(parent), Some(result)) = (parent, result) {
                gradients.register::<B>(parent.id, result);
            }
        }
    }
}

/// Runs a kernel and registers its backward pass.
///
/// Its outputs are kept, never computed again, whatever the checkpointing strategy.
pub(crate) fn track<B: Backend, C: CheckpointStrategy, K: Kernel<B, N>, const N: usize>(
    kernel: K,
    inputs: [TrackedTensor<B>; N],
) -> TrackedTensor<B> {
    let nodes = inputs.each_ref().map(|input| input.node.clone());
    let (output, saved) = kernel.forward(inputs.map(|input| input.primitive));
    match GraphStep(kernel)
        .prepare::<C>(nodes)
        .compute_bound()
        .stateful()
    {
        OpsKind::Tracked(step) => step.finish(saved, output),
        OpsKind::UnTracked(step) => step.finish(output),
    }
}
