//! Where to compute: the backends this program was built with, picked at run time.

use anyhow::Result;
use burn::backend::Autodiff;
use burn::tensor::backend::AutodiffBackend;
use clap::ValueEnum;

/// A backend and its first device. Each is there when its cargo feature was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceName {
    /// Fast pure-Rust CPU.
    #[cfg(feature = "flex")]
    Flex,
    /// Reference CPU backend.
    #[cfg(feature = "ndarray")]
    Ndarray,
    /// NVIDIA GPU.
    #[cfg(feature = "cuda")]
    Cuda,
    /// GPU through Vulkan, Metal or WebGPU.
    #[cfg(feature = "wgpu")]
    Wgpu,
}

#[cfg(not(any(
    feature = "flex",
    feature = "ndarray",
    feature = "cuda",
    feature = "wgpu"
)))]
compile_error!("one of the features flex, ndarray, cuda and wgpu must be on");

impl Default for DeviceName {
    fn default() -> Self {
        Self::value_variants()[0]
    }
}

/// Work that runs on any backend.
pub(crate) trait Work {
    /// What comes out.
    type Output;

    /// Does it.
    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output>;
}

impl DeviceName {
    /// Runs `work` here.
    pub(crate) fn run<W: Work>(self, work: W) -> Result<W::Output> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => work.run::<Autodiff<burn_flex::Flex>>(Default::default()),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => work.run::<Autodiff<burn_ndarray::NdArray<f32>>>(Default::default()),
            #[cfg(feature = "cuda")]
            Self::Cuda => work.run::<Autodiff<burn_cuda::Cuda<f32, i32>>>(Default::default()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => work.run::<Autodiff<burn_wgpu::Wgpu<f32, i32>>>(Default::default()),
        }
    }
}
