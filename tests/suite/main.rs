//! One test program for the whole workspace, on ndarray or, with `--features test-flex`, on flex.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of this is a test: what fails must say so, and parity prints its deviations"
)]

mod check_data;
mod full_disk;
mod gradients;
mod hostile_input;
mod hostile_media;
mod killed_run;
mod loader_memory;
mod mixed_run;
mod odd_data;
mod parity;
mod real_videos;
mod recipes;
mod small_run;
mod starting_run;
mod task_recipes;
mod tasks;
mod training;
mod validated_run;

#[cfg(not(feature = "test-flex"))]
type TestBackend = burn_ndarray::NdArray<f32>;
#[cfg(feature = "test-flex")]
type TestBackend = burn_flex::Flex;
type TestAutodiffBackend = burn::backend::Autodiff<TestBackend>;
