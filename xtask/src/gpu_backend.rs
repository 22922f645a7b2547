//! The backends of a GPU that tests can run on, and whether this machine has what one needs.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

/// A backend of Burn for GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GpuBackend {
    /// Vulkan, Metal or DirectX.
    Wgpu,
    /// NVIDIA.
    Cuda,
}

/// Where the Vulkan loader looks for drivers on Linux.
const VULKAN_DRIVERS: [&str; 3] = [
    "/usr/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
];
/// Made by the driver of NVIDIA's cards.
const NVIDIA_DEVICE: &str = "/dev/nvidiactl";

impl GpuBackend {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "wgpu" => Some(Self::Wgpu),
            "cuda" => Some(Self::Cuda),
            _ => None,
        }
    }

    /// The feature of `clover-test-backend`.
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Self::Wgpu => "clover-test-backend/wgpu",
            Self::Cuda => "clover-test-backend/cuda",
        }
    }

    /// Whether there is a driver; says so where there is none.
    pub(crate) fn has_driver(self, out: &mut impl Write) -> Result<bool> {
        let missing = match self {
            // Other systems bring theirs.
            Self::Wgpu if cfg!(target_os = "linux") && !any_vulkan_driver() => {
                "a Vulkan driver; Debian's mesa-vulkan-drivers has one that needs no GPU"
            }
            Self::Cuda if !Path::new(NVIDIA_DEVICE).exists() => "an NVIDIA GPU and its driver",
            _ => return Ok(true),
        };
        writeln!(out, "SKIPPED: tests on {self:?}; there is no {missing}")?;
        Ok(false)
    }
}

fn any_vulkan_driver() -> bool {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    named.iter().any(|name| std::env::var_os(name).is_some())
        || VULKAN_DRIVERS.iter().any(|folder| {
            let entries = std::fs::read_dir(folder);
            entries.is_ok_and(|mut entries| entries.next().is_some())
        })
}
