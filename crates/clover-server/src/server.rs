//! A server: opened on an index, bound to an address, run until it is asked to stop.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use burn::prelude::*;
use clover_inference::{Answerer, Answers, Bundle, NeutralTexts, Searcher, VideoIndex};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use crate::access::{Access, Token};
use crate::api;
use crate::error::ServerError;
use crate::indexing::Indexing;
use crate::inference;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::state::{Parts, State};
use crate::uploads::Uploads;
use crate::watch::watch_index;

/// Clients that are connected; others wait at the door.
const CONNECTIONS: usize = 2_048;
/// Bytes of a request's line and headers.
const HEADERS: usize = 32 << 10;
const HEADERS_WITHIN: Duration = Duration::from_secs(15);
/// What runs when the server is asked to stop has so long to finish.
const FINISH_WITHIN: Duration = Duration::from_secs(10);
/// How often is asked whether to stop.
const PAUSE: Duration = Duration::from_millis(50);
/// Captions that are kept as texts to try.
const CAPTIONS: usize = 6;

/// How a server is reached, and what it may do.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen; a port of 0 takes a free one.
    pub listen: SocketAddr,
    /// The bundle that answers questions; that of the index if not given.
    pub bundle: Option<PathBuf>,
    /// Other names that the server is called by, with a port or good for all.
    pub allow_hosts: Vec<String>,
    /// What clients must know. Needed where other machines reach the address.
    pub token: Option<Token>,
    /// Where files that clients send are kept; none are taken if not given.
    pub upload_dir: Option<PathBuf>,
    /// Bytes of such a file.
    pub max_upload: u64,
    /// Bytes of all files in that folder together.
    pub max_upload_dir: u64,
    /// Where small images are kept, 512 MiB at most; in the index's folder if not given.
    pub cache_dir: Option<PathBuf>,
    /// Whether to search only those rows that lists of the index give for a query.
    pub approximate: bool,
}

impl Default for ServerConfig {
    /// At `127.0.0.1:7878`, for this machine alone, without taking files.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7878)),
            bundle: None,
            allow_hosts: Vec::new(),
            token: None,
            upload_dir: None,
            max_upload: 2 << 30,
            max_upload_dir: 64 << 30,
            cache_dir: None,
            approximate: false,
        }
    }
}

/// A server that listens, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    /// There until this is dropped.
    runtime: Option<Runtime>,
    listener: TcpListener,
    address: SocketAddr,
    index: PathBuf,
    router: Router,
    pub(crate) state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Opens an index and the bundle that it was made with, and listens.
    ///
    /// # Errors
    ///
    /// One of them cannot be read, an option cannot be used, or the address is taken.
    pub fn open<B: Backend>(
        index: &Path,
        config: &ServerConfig,
        device: B::Device,
    ) -> Result<Self, ServerError> {
        let listening = |source| ServerError::Listen {
            address: config.listen,
            source,
        };
        // What cannot be used is said before a model is read.
        Access::new(config.listen, &config.allow_hosts, config.token.clone())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .thread_name("clover-server")
            .build()
            .map_err(ServerError::Threads)?;
        let listener = {
            let _entered = runtime.enter();
            bind(config.listen).map_err(listening)?
        };
        let address = listener.local_addr().map_err(listening)?;
        let access = Access::new(address, &config.allow_hosts, config.token.clone())?;
        let uploads = config.upload_dir.as_deref();
        let uploads = uploads
            .map(|folder| Uploads::new(folder, config.max_upload, config.max_upload_dir))
            .transpose()?;

        let cache = match &config.cache_dir {
            Some(folder) => {
                let failed = |source| ServerError::File {
                    path: folder.clone(),
                    source,
                };
                std::fs::create_dir_all(folder).map_err(failed)?;
                folder.clone()
            }
            None => index.join("thumbnails"),
        };

        let opened = VideoIndex::open(index)?;
        let bundle: Bundle<B> = opened.bundle(&device)?;
        let neutral = NeutralTexts::of_bundle(&opened.settings().bundle)?;
        let asked = match &config.bundle {
            Some(folder) => Bundle::read(folder, &device)?,
            None => bundle.clone(),
        };
        let answers = match &asked.answers {
            None => "none",
            Some((Answers::MultipleChoice { .. }, _)) => "choices",
            Some((Answers::FillInTheBlank { .. }, _)) => "blank",
            Some(_) => "list",
        };
        let embedder = uploads
            .as_ref()
            .map(|_| bundle.clone().into_embedder(device.clone()));
        let answerer = Answerer::new(asked, device.clone());
        let mut searcher = Searcher::new(opened, bundle, device)?;
        if config.approximate {
            searcher.search_approximately()?;
        }
        let metrics = Metrics::new();
        let queue = Arc::new(Queue::new(metrics.clone()));
        let state = Arc::new(State::new(Parts {
            access,
            queue: Arc::clone(&queue),
            metrics,
            uploads,
            overlay: answerer.overlay().clone(),
            answers,
            captions: neutral.texts.iter().take(CAPTIONS).cloned().collect(),
            index: Arc::clone(searcher.index()),
            cache,
        }));
        let mut threads = vec![thread("clover-inference", move || {
            inference::work(&queue, searcher, &answerer);
        })?];
        if let (Some(embedder), Some(uploads)) = (embedder, &state.uploads) {
            let indexing = Indexing {
                index: index.to_owned(),
                uploads: uploads.folder().to_owned(),
                embedder,
                neutral,
            };
            let (jobs, state) = (Arc::clone(&uploads.jobs), Arc::clone(&state));
            threads.push(thread("clover-indexing", move || {
                indexing.run(&jobs, &state);
            })?);
        }
        Ok(Self {
            router: api::router(&state),
            index: index.to_owned(),
            runtime: Some(runtime),
            listener,
            address,
            state,
            threads,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The service alone, for programs that bring their own server. It answers as long as this lives.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Answers until `stops` says so, and then finishes what runs, for ten seconds at most.
    ///
    /// # Errors
    ///
    /// None so far: what cannot be used is said when it is opened.
    pub fn run(mut self, stops: &(dyn Fn() -> bool + Sync)) -> Result<(), ServerError> {
        if let Some(runtime) = self.runtime.take() {
            runtime.block_on(self.serve(stops));
            self.runtime = Some(runtime);
        }
        Ok(())
    }

    async fn serve(&self, stops: &(dyn Fn() -> bool + Sync)) {
        let watching = watch_index(self.index.clone(), Arc::clone(&self.state));
        let watching = tokio::spawn(watching);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let connections = GracefulShutdown::new();
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_header_size(HEADERS);
        loop {
            let accepted = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = stopped(stops) => break,
            };
            let Ok((stream, _)) = accepted else {
                // Too many files are open, or the client is gone already.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let service = TowerToHyperService::new(self.router.clone());
            let connection = protocol.serve_connection(TokioIo::new(stream), service);
            let connection = connections.watch(connection);
            tokio::spawn(async move {
                // What a client breaks off is its own business.
                let _ = connection.await;
                drop(place);
            });
        }
        tracing::info!("finishing what runs");
        self.state.stop();
        watching.abort();
        if tokio::time::timeout(FINISH_WITHIN, connections.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some requests did not finish in time");
        }
    }

    /// Ends the threads.
    fn end(&mut self) {
        self.state.stop();
        self.state.queue.close();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        if let Some(runtime) = self.runtime.take() {
            // A file that is still being decoded is not waited for.
            runtime.shutdown_background();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Listens, with room for many who come at once.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that is started again need not wait for connections of the last one.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(CONNECTIONS as u32)
}

async fn stopped(stops: &(dyn Fn() -> bool + Sync)) {
    while !stops() {
        tokio::time::sleep(PAUSE).await;
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, ServerError> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(ServerError::Threads)
}
