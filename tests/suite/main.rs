//! One test program for the whole workspace, on the backend that `clover-test-backend` chooses.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of this is a test: what fails must say so, and parity prints its deviations"
)]

mod adapted_run;
mod check_data;
mod clip_recipes;
mod device_traffic;
mod early_stop;
mod full_disk;
mod gradients;
mod hostile_files;
mod hostile_input;
mod hostile_media;
mod killed_run;
mod library_index;
mod loader_memory;
mod locked_folder;
mod mixed_run;
mod odd_data;
mod own_vocabulary;
mod parity;
mod rate_range;
mod real_videos;
mod recipes;
mod small_run;
mod starting_run;
mod task_recipes;
mod tasks;
mod timed_run;
mod training;
mod two_processes;
mod validated_run;

use clover_test_backend::{TestAutodiffBackend, TestBackend};
