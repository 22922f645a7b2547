//! Clover's encoders, heads and task modules, generic over any Burn backend.
//!
//! The tree follows the paper ("Clover: Towards A Unified Video-Language Alignment and Fusion
//! Model", CVPR 2023): [`video_encoder`] is the Video Swin Transformer, [`text_encoder`] is BERT, or
//! both are those of [`clip`]; [`fusion_encoder`] fuses both, [`heads`] turn their features into embeddings and predictions,
//! and [`tasks`] wires them for pre-training, retrieval and question answering. Sizes are named in
//! [`CloverConfig`]; weights are read and written under the published implementation's names by
//! `weights` (feature `weights`, on by default).
//!
//! Parameter paths such as `video_encoder.stages.0.blocks.1.attention.qkv.weight` are public:
//! checkpoints, optimizer groups and import tables name them.
//!
//! ```
//! use burn::tensor::{Tensor, Distribution};
//! use burn_ndarray::NdArray;
//! use clover_model::CloverConfig;
//!
//! let device = Default::default();
//! let config = CloverConfig::tiny(64).with_image_size(28).with_frames(2);
//! let clover = config.init::<NdArray>(&device);
//! let clips = Tensor::random([2, 3, 2, 28, 28], Distribution::Default, &device);
//! assert_eq!(clover.embed_video(clips).dims(), [2, config.embedding()]);
//! ```

mod clover;
mod fused;
mod init;
mod noise;
mod one_of;
mod preset;

pub mod clip;
pub mod fusion_encoder;
pub mod heads;
pub mod tasks;
pub mod text_encoder;
pub mod transformer;
pub mod video_encoder;
#[cfg(feature = "weights")]
pub mod weights;

pub use clover::{Clover, CloverConfig};
pub use clover_kernels::register_autodiff;
pub use init::materialize_parameters;
pub use noise::Noise;
pub use preset::{Preset, UnknownPreset};

#[cfg(test)]
pub(crate) use clover_test_backend::TestBackend;
