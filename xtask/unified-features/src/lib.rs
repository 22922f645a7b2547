//! No code: the manifest of this crate turns on, for every member of the workspace, the features that
//! any of them needs of a shared dependency.
//!
//! Cargo unifies features over the selected packages only. Without this crate, `cargo bench -p
//! clover-kernels` after `cargo build` would build Burn again, with other features of small crates
//! deep below it. Programs outside the workspace do not get these features: members depend on this
//! crate where `clover_workspace` is set, which `.cargo/config.toml` does.
//!
//! `cargo xtask tidy` compares the selections and names what is missing here.
