//! The HTTP service and the page: search, similar moments, questions, and the videos themselves.
//!
//! A [`Server`] opens an index with the bundle it was made with, and answers many clients with one model: a
//! thread takes what waits in one batch. It is meant for one machine or one household: it listens on a loopback
//! address unless there is a token, answers to known host names alone, shares nothing with other sites, names
//! videos by ids and never by paths, and takes files only where it was given a folder for them. What it computes,
//! keeps and waits for is bounded.
//!
//! The routes are described by the service itself, at `/docs` for readers and at `/openapi.json` for programs.

mod access;
mod animated_webp;
mod api;
mod byte_range;
mod catalog;
mod decoding;
mod error;
mod frames;
mod image_cache;
mod indexing;
mod inference;
mod jobs;
mod json;
mod metrics;
mod page;
mod problem;
mod queue;
mod request;
mod server;
mod state;
#[cfg(test)]
mod tests;
mod upload_space;
mod uploads;
mod watch;

pub use access::Token;
pub use error::ServerError;
pub use server::{Server, ServerConfig};
