//! The backend that every test of the workspace runs on: ndarray, or what a feature chooses.
//!
//! Only test programs depend on this crate. Another backend therefore builds them again, and none of
//! the libraries below them.

mod operations;
pub mod recorded;

pub use operations::operations;

/// The backend of tests without gradients.
#[cfg(not(any(feature = "flex", feature = "wgpu", feature = "cuda")))]
pub type TestBackend = burn_ndarray::NdArray<f32>;
/// The backend of tests without gradients.
#[cfg(all(feature = "flex", not(any(feature = "wgpu", feature = "cuda"))))]
pub type TestBackend = burn_flex::Flex;
/// The backend of tests without gradients.
#[cfg(all(feature = "wgpu", not(feature = "unfused"), not(feature = "cuda")))]
pub type TestBackend = burn_wgpu::Wgpu<f32, i32>;
/// The backend of tests without gradients.
#[cfg(all(feature = "wgpu", feature = "unfused", not(feature = "cuda")))]
pub type TestBackend = burn_wgpu::CubeBackend<burn_wgpu::WgpuRuntime, f32, i32, u32>;
/// The backend of tests without gradients.
#[cfg(feature = "cuda")]
pub type TestBackend = burn_cuda::Cuda<f32, i32>;
/// The same backend with gradients.
pub type TestAutodiffBackend = burn::backend::Autodiff<TestBackend>;
