//! What a kernel is, and how it becomes a step of the autodiff graph.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::ops::FloatTensor;
use burn_flex::{Flex, FlexTensor};
use std::fmt::Debug;

/// A flex tensor under autodiff; the same type whatever the checkpointing strategy.
pub(crate) type TrackedTensor = FloatTensor<Autodiff<Flex>>;

/// A fused operation of `N` differentiable inputs with its own backward pass.
pub(crate) trait Kernel<const N: usize>: Debug + Clone + Send + 'static {
    /// What the backward pass needs.
    type Saved: Debug + Clone + Send + 'static;

    /// The output, and what the backward pass will need if there is to be one.
    fn forward(&self, inputs: [FlexTensor; N]) -> (FlexTensor, Self::Saved);

    /// The gradient of each input that is wanted.
    fn backward(
        &self,
        saved: Self::Saved,
        gradient: FlexTensor,
        wanted: [bool; N],
    ) -> [Option<FlexTensor>; N];
}

/// A [`Kernel`] as a step of the autodiff graph.
#[derive(Debug)]
struct GraphStep<K>(K);

impl<K: Kernel<N>, const N: usize> Backward<Flex, N> for GraphStep<K> {
    type State = K::Saved;

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let results = self.0.backward(ops.state, gradient, wanted);
        for (parent, result) in ops.parents.into_iter().zip(results) {
            if let (Some(parent), Some(result)) = (parent, result) {
                gradients.register::<Flex>(parent.id, result);
            }
        }
    }
}

/// Runs a kernel and registers its backward pass.
///
/// Its outputs are kept, never computed again, whatever the checkpointing strategy.
pub(crate) fn track<C: CheckpointStrategy, K: Kernel<N>, const N: usize>(
    kernel: K,
    inputs: [TrackedTensor; N],
) -> TrackedTensor {
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
