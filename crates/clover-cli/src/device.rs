//! Where to compute: the backends this program was built with, picked at run time.

use std::ffi::OsString;

use anyhow::{Result, ensure};
use burn::backend::Autodiff;
#[cfg(any(feature = "ndarray", feature = "cuda", feature = "wgpu"))]
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;
use burn::tensor::backend::{AutodiffBackend, Backend, Device, DeviceId};
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

/// Keeps what the backward pass needs.
type StoreActivations<B> = Autodiff<B>;
/// Keeps the results of costly operations and computes the others again.
#[cfg(any(feature = "ndarray", feature = "cuda", feature = "wgpu"))]
type RecomputeActivations<B> = Autodiff<B, BalancedCheckpointing>;

/// Runs work on the backend of a device.
macro_rules! on_backend {
    ($device:expr, $work:expr, $autodiff:ident) => {
        match $device {
            #[cfg(feature = "flex")]
            // Recomputing saves nothing here (`clover-trainer/benches`): a second copy of all
            // training would only take time to build.
            Self::Flex => $work.run::<StoreActivations<burn_flex::Flex>>(Default::default()),
            #[cfg(feature = "ndarray")]
            Self::Ndarray => $work.run::<$autodiff<burn_ndarray::NdArray<f32>>>(Default::default()),
            #[cfg(feature = "cuda")]
            Self::Cuda => $work.run::<$autodiff<burn_cuda::Cuda<f32, i32>>>(Default::default()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => $work.run::<$autodiff<burn_wgpu::Wgpu<f32, i32>>>(Default::default()),
        }
    };
}

/// Work that runs on any backend.
pub(crate) trait Work {
    /// What comes out.
    type Output;

    /// Does it.
    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output>;
}

/// A device of a backend by its number, where 0 is the backend's own choice.
pub(crate) fn numbered_device<B: Backend>(first: B::Device, number: u16) -> Result<B::Device> {
    if number == 0 {
        return Ok(first);
    }
    // Discrete GPUs are the first kind of any backend that has several.
    let kind = 0;
    let count = B::device_count(kind);
    ensure!(
        usize::from(number) < count,
        "there is no device {number} of {}: the backend has {count}",
        B::name(&first)
    );
    Ok(<B::Device>::from_id(DeviceId {
        type_id: kind,
        index_id: number,
    }))
}

impl DeviceName {
    /// The arguments by which this program is told to compute here.
    pub(crate) fn arguments(self) -> Vec<OsString> {
        let value = self.to_possible_value();
        let words = value.map(|value| ["--device".into(), value.get_name().into()]);
        words.into_iter().flatten().collect()
    }

    /// Whether it computes on this machine's processors.
    pub(crate) fn is_cpu(self) -> bool {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => true,
            #[cfg(feature = "ndarray")]
            Self::Ndarray => true,
            #[cfg(feature = "cuda")]
            Self::Cuda => false,
            #[cfg(feature = "wgpu")]
            Self::Wgpu => false,
        }
    }

    /// Runs `work` here.
    pub(crate) fn run<W: Work>(self, work: W) -> Result<W::Output> {
        on_backend!(self, work, StoreActivations)
    }

    /// Runs `work` here, with gradient checkpointing if asked to.
    #[cfg_attr(
        not(any(feature = "ndarray", feature = "cuda", feature = "wgpu")),
        expect(unused_variables, reason = "flex has one way only")
    )]
    pub(crate) fn train<W: Work>(self, work: W, gradient_checkpointing: bool) -> Result<W::Output> {
        #[cfg(any(feature = "ndarray", feature = "cuda", feature = "wgpu"))]
        if gradient_checkpointing {
            return on_backend!(self, work, RecomputeActivations);
        }
        on_backend!(self, work, StoreActivations)
    }
}
