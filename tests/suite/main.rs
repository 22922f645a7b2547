//! One test program for the whole workspace, on ndarray or, with `--features test-flex`, on flex.

mod parity;

#[cfg(not(feature = "test-flex"))]
type TestBackend = burn_ndarray::NdArray<f32>;
#[cfg(feature = "test-flex")]
type TestBackend = burn_flex::Flex;
type TestAutodiffBackend = burn::backend::Autodiff<TestBackend>;
