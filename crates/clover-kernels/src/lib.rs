//! Fused tensor operations for Clover's hot paths.
//!
//! Every operation is an ordinary function over any [`Backend`](burn::tensor::backend::Backend):
//! by default it is a composition of Burn's own tensor operations. With the feature `flex`, tensors
//! that live on the flex CPU backend (bare, or under `Autodiff`) are handed to a hand-written
//! kernel with its own backward pass instead. The choice is made from the tensor's type at run
//! time, so callers need no further trait bound and other backends work unchanged.
//!
//! | operation | what is fused |
//! |---|---|
//! | [`linear`] | product and bias |
//! | [`gelu`], [`quick_gelu`] | the exact (erf) form and CLIP's, vectorised |
//! | [`layer_norm`] | moments, scale and shift |
//! | [`window_attention`] | packed q, k, v, bias, mask, softmax, and the product with v |
//! | [`attention`], [`masked_attention`] | the same for separate q, k, v |
//! | [`softmax_cross_entropy`] | log-softmax and the label's entry |
//! | [`dropout`], [`dropout_factors`] | noise that follows from a key, without state |
//! | [`adamw`], [`sum_of_squares`] | an optimizer's update, and the norm of gradients before it |
//! | [`gather_rows`], [`RowPermutation`] | roll, window partition and padding as one row copy |
//! | [`ColumnLookup`] | a table's columns by an index that stays: a relative position bias |
//!
//! On every backend the last two rows back-propagate by gathering instead of scattering, once
//! [`register_autodiff`] has seen the backend.
//!
//! ```
//! use burn::tensor::{Tensor, backend::Backend};
//!
//! fn mlp_activation<B: Backend>(hidden: Tensor<B, 3>) -> Tensor<B, 3> {
//!     clover_kernels::gelu(hidden)
//! }
//!
//! let hidden = Tensor::<burn_ndarray::NdArray<f32>, 3>::zeros([1, 2, 4], &Default::default());
//! assert_eq!(mlp_activation(hidden).into_scalar_sum(), 0.0);
//! # trait SumOut { fn into_scalar_sum(self) -> f32; }
//! # impl SumOut for Tensor<burn_ndarray::NdArray<f32>, 3> {
//! #     fn into_scalar_sum(self) -> f32 { self.sum().into_scalar() }
//! # }
//! ```

mod adamw;
#[cfg(test)]
mod agreement;
mod attention;
mod autodiff;
#[cfg(test)]
mod checkpointing;
mod columns;
mod cross_entropy;
#[cfg(feature = "flex")]
mod dispatch;
mod dropout;
#[cfg(feature = "flex")]
mod flex;
mod gathered;
mod gelu;
mod kernel;
mod layer_norm;
mod linear;
mod rows;
mod sum_of_squares;

pub use adamw::{AdamWTensors, AdamWUpdate, adamw};
pub use attention::{attention, masked_attention, window_attention};
pub use autodiff::register_autodiff;
pub use columns::ColumnLookup;
pub use cross_entropy::softmax_cross_entropy;
pub use dropout::{dropout, dropout_factors};
pub use gelu::{gelu, quick_gelu};
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use rows::{RowPermutation, gather_rows};
pub use sum_of_squares::sum_of_squares;

/// The compositions of plain tensor operations that the operations fall back to.
///
/// Kernels are tested and measured against these; callers want the operations above.
pub mod portable {
    pub use crate::adamw::portable as adamw;
    pub use crate::attention::portable as attention;
    pub use crate::attention::portable_masked as masked_attention;
    pub use crate::attention::portable_windows as window_attention;
    pub use crate::cross_entropy::portable as softmax_cross_entropy;
    pub use crate::gelu::portable as gelu;
    pub use crate::gelu::portable_quick as quick_gelu;
    pub use crate::layer_norm::portable as layer_norm;
    pub use crate::linear::portable as linear;
    pub use crate::sum_of_squares::portable as sum_of_squares;
}

#[cfg(test)]
pub(crate) use clover_test_backend::TestBackend;
