//! The backend that every test of the workspace runs on: ndarray, or flex with the feature `flex`.
//!
//! Only test programs depend on this crate. Another backend therefore builds them again, and none of
//! the libraries below them.

mod operations;
pub mod recorded;

pub use operations::operations;

/// The backend of tests without gradients.
#[cfg(not(feature = "flex"))]
pub type TestBackend = burn_ndarray::NdArray<f32>;
/// The backend of tests without gradients.
#[cfg(feature = "flex")]
pub type TestBackend = burn_flex::Flex;

/// The same backend with gradients.
pub type TestAutodiffBackend = burn::backend::Autodiff<TestBackend>;
