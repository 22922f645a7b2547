//! Decoding for requests: a few at a time, away from the threads that answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clover_data::catch_panic;
use clover_data::video::DecodeLimits;
use clover_inference::InferenceError;
use tokio::sync::Semaphore;

use crate::problem::Problem;
use crate::queue::DEADLINE;

/// Files that are decoded at the same time.
const AT_ONCE: usize = 2;
/// Requests that wait for that; more are refused.
const WAITING: usize = 128;

/// What one file may cost a request: less than an index gives it.
pub(crate) fn limits() -> DecodeLimits {
    DecodeLimits {
        max_decoded_bytes: 512 << 20,
        max_seconds: 20,
        ..DecodeLimits::default()
    }
}

/// Who may decode.
#[derive(Clone, Debug)]
pub(crate) struct Decoding {
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// One that waits, as long as it does.
struct Waits<'w>(&'w AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Decoding {
    pub(crate) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::default(),
        }
    }

    /// Runs what reads a file.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, InferenceError> + Send + 'static,
    ) -> Result<T, Problem> {
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let waits = Waits(&self.waiting);
        if before >= WAITING {
            return Err(Problem::busy(
                "too many videos wait to be read; ask again soon",
            ));
        }
        let place = Arc::clone(&self.places).acquire_owned();
        let place = tokio::time::timeout(DEADLINE, place).await;
        let Ok(Ok(place)) = place else {
            return Err(Problem::too_late());
        };
        drop(waits);
        let done = tokio::task::spawn_blocking(move || {
            // Also where the client leaves, no other takes the place before this is done.
            let _place = place;
            catch_panic(work)
        });
        match tokio::time::timeout(DEADLINE, done).await {
            Ok(Ok(Ok(Ok(value)))) => Ok(value),
            Ok(Ok(Ok(Err(error)))) => Err(Problem::of_inference(&error)),
            Ok(_) => {
                let status = axum::http::StatusCode::UNPROCESSABLE_ENTITY;
                Err(Problem::new(status, "the video cannot be decoded"))
            }
            Err(_) => Err(Problem::too_late()),
        }
    }
}
