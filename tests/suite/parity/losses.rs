//! `losses.safetensors`.
