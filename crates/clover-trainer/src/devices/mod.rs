//! Many devices and machines that train as one.
//!
//! Every peer holds the whole model and encodes its share of the global batch. The embeddings of
//! all peers are gathered, each peer computes the losses of the whole batch and back-propagates
//! into its own rows, and the gradients of all peers are added: the gradient of the global batch,
//! whatever the number of peers (or, by recipe, scaled as published: [`GradientScaling`]).
//!
//! There is one primitive, the sum of a vector over all peers; everything else is a sum in which
//! others hold zeros. Between the devices of a process it is `burn-collective`'s all-reduce.
//! Between processes it goes over the websocket of `burn-communication`, on which
//! `burn-collective`'s own level of nodes is built as well. That level cannot serve: in Burn 0.21
//! its second all-reduce never returns, as the list of nodes that have come to its barrier is
//! cleared on a copy, and its reduce and broadcast are unimplemented. Sums are taken in the order
//! of ranks or of devices, so that a run can be repeated to the bit.
//!
//! burn-train's data-parallel strategy (NCCL on CUDA) cannot serve: it lives inside its own
//! training loop, on CubeCL backends alone, and reduces gradients only, while the contrastive
//! losses need the embeddings of all peers before there is a gradient.

mod error;
#[cfg(feature = "collective")]
mod group;
#[cfg(feature = "collective")]
mod local;
#[cfg(feature = "collective")]
mod nodes;
mod peer;
mod same_parameters;
mod summed_gradients;

pub use error::DevicesError;
#[cfg(feature = "collective")]
pub use group::{Group, Nodes};
pub use peer::Peer;
pub(crate) use same_parameters::same_parameters;
pub(crate) use summed_gradients::sum_gradients;

use serde::{Deserialize, Serialize};

/// How much the losses that compare samples weigh against the word loss on several devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradientScaling {
    /// As on one device: the gradient of the global batch.
    #[default]
    FullBatch,
    /// As the released code does: the gradient of alignment and ranking is divided by the number
    /// of devices, and the word loss is the mean of the devices' own means.
    Published,
}

#[cfg(test)]
#[cfg(feature = "collective")]
pub(crate) mod tests;
