//! Equality with the published implementation: every folder of recorded values is compared.
//!
//! `tests/fixtures` always is; other folders of the same form, with other sizes, join through
//! `CLOVER_PARITY_DIRS=dir1:dir2`. Each test prints the worst deviation of each file.

mod adamw;
mod clip;
mod clip_input;
mod deviation;
mod finetuning;
mod fixture;
pub(crate) mod gradient;
mod losses;
mod metrics;
mod pipeline;
mod pretraining;
mod video_encoder;
