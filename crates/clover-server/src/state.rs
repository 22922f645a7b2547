//! What all requests share.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use clover_data::dataset::{ClipReading, Randomness};
use clover_data::video::{ClipSource, NormalizedClip, Span};
use clover_inference::{AttentionOverlay, ClipKey, InferenceError, VideoIndex};
use tokio::sync::watch;

use crate::access::Access;
use crate::catalog::Catalog;
use crate::decoding::Decoding;
use crate::image_cache::ImageCache;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::queue::Queue;
use crate::uploads::Uploads;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) access: Access,
    pub(crate) queue: Arc<Queue>,
    pub(crate) decoding: Decoding,
    pub(crate) cache: ImageCache,
    pub(crate) metrics: Metrics,
    /// None where nobody may send files.
    pub(crate) uploads: Option<Uploads>,
    pub(crate) overlay: AttentionOverlay,
    /// What the bundle answers questions with.
    pub(crate) answers: &'static str,
    /// Captions of the model's own, where names of files say nothing.
    pub(crate) captions: Vec<String>,
    catalog: RwLock<Arc<Catalog>>,
    stopping: watch::Sender<bool>,
    pub(crate) openapi: std::sync::OnceLock<String>,
}

/// What a state is made of, beside what it makes itself.
pub(crate) struct Parts {
    pub(crate) access: Access,
    pub(crate) queue: Arc<Queue>,
    pub(crate) metrics: Metrics,
    pub(crate) uploads: Option<Uploads>,
    pub(crate) overlay: AttentionOverlay,
    pub(crate) answers: &'static str,
    pub(crate) captions: Vec<String>,
    pub(crate) index: Arc<VideoIndex>,
    pub(crate) cache: PathBuf,
}

impl State {
    pub(crate) fn new(parts: Parts) -> Self {
        parts.metrics.rows(parts.index.rows());
        Self {
            access: parts.access,
            queue: parts.queue,
            decoding: Decoding::new(),
            cache: ImageCache::new(parts.cache),
            metrics: parts.metrics,
            uploads: parts.uploads,
            overlay: parts.overlay,
            answers: parts.answers,
            captions: parts.captions,
            catalog: RwLock::new(Arc::new(Catalog::new(parts.index))),
            stopping: watch::Sender::new(false),
            openapi: std::sync::OnceLock::new(),
        }
    }

    /// The videos as they are known now; what holds it is not bothered by changes.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        let catalog = self.catalog.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&catalog)
    }

    /// Another reading of the index takes the place of the last one, unless it was made with another bundle.
    pub(crate) fn replace_index(&self, mut index: VideoIndex) -> Result<(), InferenceError> {
        let old = Arc::clone(&self.catalog().index);
        if !index.settings().is_like(old.settings()) {
            tracing::warn!("the index was built anew with another bundle: start the server again");
            return Ok(());
        }
        if old.inverted_file().is_some() {
            index.read_inverted_file()?;
        }
        let index = Arc::new(index);
        self.metrics.rows(index.rows());
        self.queue.replace_index(Arc::clone(&index));
        let catalog = Arc::new(Catalog::new(index));
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = catalog;
        Ok(())
    }

    /// Tells all that go on for long to end.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Hears of the end.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Reads a clip, or a span of it, as the model sees it.
    pub(crate) async fn read_clip(
        &self,
        catalog: &Arc<Catalog>,
        clip: &ClipKey,
        span: Option<Span>,
    ) -> Result<NormalizedClip, Problem> {
        let reading = ClipReading {
            limits: crate::decoding::limits(),
            ..self.overlay.reading.clone()
        };
        let (catalog, clip) = (Arc::clone(catalog), clip.clone());
        let read = move || {
            let (source, part) = catalog.index.open_clip(&clip)?;
            let mut rng = Randomness::new(0).for_item(0, 0);
            Ok(reading.read(source, span.or(part), &mut rng)?)
        };
        self.decoding.run(read).await
    }

    /// What a clip is read from, and the part that is meant.
    pub(crate) async fn open_clip(
        &self,
        catalog: &Arc<Catalog>,
        clip: &ClipKey,
    ) -> Result<(ClipSource, Option<Span>), Problem> {
        let (catalog, clip) = (Arc::clone(catalog), clip.clone());
        let opened = tokio::task::spawn_blocking(move || catalog.index.open_clip(&clip)).await;
        let gone = |_| InferenceError::NotFinite;
        let opened = opened.map_err(gone).and_then(|opened| opened);
        opened.map_err(|error| Problem::of_inference(&error))
    }
}
