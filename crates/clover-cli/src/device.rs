//! Where to compute: the backends this program was built with, picked at run time.

use std::ffi::OsStr;
use std::fmt;
use std::str::FromStr;
use std::thread;

use anyhow::{Result, ensure};
use burn::backend::Autodiff;
#[cfg(any(feature = "ndarray", feature = "cuda", feature = "wgpu"))]
use burn::backend::autodiff::checkpoint::strategy::BalancedCheckpointing;
use burn::tensor::backend::{AutodiffBackend, Backend, Device, DeviceId};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser, ValueParserFactory};
use clap::{Arg, Command};

/// A backend and its first device. Each is there when its cargo feature was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    #[cfg(feature = "flex")]
    Flex,
    #[cfg(feature = "ndarray")]
    Ndarray,
    #[cfg(feature = "cuda")]
    Cuda,
    #[cfg(feature = "wgpu")]
    Wgpu,
}

/// Those that this program has, with their names and what help says of them.
const BUILT: &[(DeviceName, &str, &str)] = &[
    #[cfg(feature = "flex")]
    (DeviceName::Flex, "flex", "Fast pure-Rust CPU"),
    #[cfg(feature = "ndarray")]
    (DeviceName::Ndarray, "ndarray", "Reference CPU backend"),
    #[cfg(feature = "cuda")]
    (DeviceName::Cuda, "cuda", "NVIDIA GPU"),
    #[cfg(feature = "wgpu")]
    (
        DeviceName::Wgpu,
        "wgpu",
        "GPU through Vulkan, Metal or WebGPU",
    ),
];

#[cfg(not(any(
    feature = "flex",
    feature = "ndarray",
    feature = "cuda",
    feature = "wgpu"
)))]
compile_error!("one of the features flex, ndarray, cuda and wgpu must be on");

impl Default for DeviceName {
    fn default() -> Self {
        BUILT[0].0
    }
}

/// The backends there are; a program has those of its cargo features.
const BACKENDS: [&str; 4] = ["flex", "ndarray", "cuda", "wgpu"];

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let mut built = BUILT.iter();
        let found = built.find(|(_, name, _)| name.eq_ignore_ascii_case(word));
        found.map(|(device, ..)| *device).ok_or_else(|| {
            let names: Vec<&str> = BUILT.iter().map(|(_, name, _)| *name).collect();
            let names = names.join(", ");
            let only = format!("this program was not built for `{word}`, but for {names}");
            match BACKENDS.contains(&word) {
                true => format!(
                    "{only}; `cargo install --path crates/clover-cli --features {word}` builds one that is"
                ),
                false => only,
            }
        })
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = BUILT.iter().find(|(device, ..)| device == self);
        formatter.write_str(name.map_or("", |(_, name, _)| name))
    }
}

/// Reads a device as `--device` does: with the known ones in help and completions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeviceParser;

impl TypedValueParser for DeviceParser {
    type Value = DeviceName;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<DeviceName, clap::Error> {
        StringValueParser::new()
            .try_map(|word| word.parse::<DeviceName>())
            .parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let devices = BUILT.iter();
        Some(Box::new(devices.map(|(_, name, help)| {
            PossibleValue::new(*name).help(*help)
        })))
    }
}

impl ValueParserFactory for DeviceName {
    type Parser = DeviceParser;

    fn value_parser() -> DeviceParser {
        DeviceParser
    }
}

/// The processors that this program may use.
pub(crate) fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
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
