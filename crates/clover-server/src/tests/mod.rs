//! A server with a small index of its own, asked over real connections.

mod access;
mod hostile;
mod library;
mod many_clients;
mod uploads;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use burn_flex::Flex;
use clover_data::dataset::ClipTable;
use clover_data::text::Tokenizer;
use clover_inference::{Bundle, LibrarySource, UpdateOptions, index_clips};
use clover_model::CloverConfig;
use image::codecs::gif::GifEncoder;
use image::{Delay, Frame, Rgba, RgbaImage};
use serde_json::{Value, json};

use crate::{Server, ServerConfig};

/// A folder with a bundle nobody trained, videos, and their index.
struct Videos {
    root: tempfile::TempDir,
}

impl Videos {
    /// Two short videos, a longer one in a folder, and a file that is none.
    fn new() -> Self {
        let videos = Self {
            root: tempfile::tempdir().unwrap(),
        };
        let lines = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", "a", "circle",
        ];
        let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
        let config = CloverConfig::nano(lines.len())
            .with_image_size(28)
            .with_frames(2);
        let bundle = Bundle::<Flex>::init(config, tokenizer, 8, &Default::default());
        bundle.write(&videos.path("bundle")).unwrap();
        fs::create_dir_all(videos.path("videos/more")).unwrap();
        write_video(&videos.path("videos/a red circle.gif"), 2, 200);
        write_video(&videos.path("videos/b.gif"), 3, 20);
        write_video(&videos.path("videos/more/long.gif"), 21, 120);
        fs::write(videos.path("videos/broken.gif"), b"GIF89a and nothing more").unwrap();
        videos.index();
        videos
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Brings the index up to date.
    fn index(&self) {
        self.index_source("videos");
    }

    /// Adds a folder or list to the index, or brings it up to date.
    fn index_source(&self, name: &str) {
        let bundle = Bundle::<Flex>::read(&self.path("bundle"), &Default::default()).unwrap();
        let embedder = bundle.into_embedder(Default::default());
        let videos = self.path(name).canonicalize().unwrap();
        let clips = ClipTable::open(&videos, None, &|_, _| ()).unwrap();
        let source = (LibrarySource::of(&videos), clips);
        let options = UpdateOptions::new(2, &[]).unwrap();
        let model = (self.path("bundle"), &embedder);
        let go_on = &mut |_: clover_inference::IndexEvent<'_>| ControlFlow::Continue(());
        index_clips(
            &self.path("index"),
            (&model.0, model.1),
            source,
            &options,
            go_on,
        )
        .unwrap();
    }

    fn open(&self, config: &ServerConfig) -> Server {
        Server::open::<Flex>(&self.path("index"), config, Default::default()).unwrap()
    }

    fn serve(&self) -> Running {
        self.serve_as(&here())
    }

    fn serve_as(&self, config: &ServerConfig) -> Running {
        Running::new(self.open(config))
    }
}

/// On a free port of this machine.
fn here() -> ServerConfig {
    ServerConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..ServerConfig::default()
    }
}

/// So many seconds of two frames a second.
fn write_video(path: &Path, seconds: u64, color: u8) {
    let mut encoder = GifEncoder::new_with_speed(fs::File::create(path).unwrap(), 30);
    for number in 0..2 * seconds {
        let shade = (number * 5 % 256) as u8;
        let image = RgbaImage::from_fn(16, 16, |x, y| match x + y < number as u32 % 30 {
            true => Rgba([color, shade, 40, 255]),
            false => Rgba([color, 90, shade, 255]),
        });
        let delay = Delay::from_saturating_duration(Duration::from_millis(500));
        encoder
            .encode_frame(Frame::from_parts(image, 0, 0, delay))
            .unwrap();
    }
}

/// A server that runs until this is dropped.
struct Running {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(server: Server) -> Self {
        let (address, stop) = (server.address(), Arc::new(AtomicBool::new(false)));
        let stops = Arc::clone(&stop);
        let run = move || server.run(&|| stops.load(Ordering::SeqCst)).unwrap();
        Self {
            thread: Some(thread::spawn(run)),
            address,
            stop,
        }
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Bytes as they are, and what comes back until the connection ends.
    fn send(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(40)))
            .unwrap();
        // One that is refused before it is read may be closed already.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::of(&bytes)
    }

    fn request(&self, line: &str, headers: &str, body: &[u8]) -> Answer {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            self.address,
            body.len()
        );
        self.send(&[head.as_bytes(), body].concat())
    }

    fn get(&self, path: &str) -> Answer {
        self.request(&format!("GET {path}"), "", b"")
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let json = "Content-Type: application/json\r\n";
        self.request(&format!("POST {path}"), json, body.to_string().as_bytes())
    }

    /// The id of the video with a name.
    fn id(&self, name: &str) -> String {
        let found = self.get("/api/v1/videos?limit=200").json();
        let videos = found["videos"].as_array().unwrap().iter();
        let video = videos.clone().find(|video| video["name"] == name);
        video.unwrap_or_else(|| panic!("{name}: {found}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let (head, body) = match end {
            Some(end) => (&bytes[..end], &bytes[end + 4..]),
            None => (bytes, &[][..]),
        };
        let head = String::from_utf8_lossy(head).into_owned();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or(0),
            body: body.to_vec(),
            head,
        }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "{error}: {} {}",
                self.head,
                String::from_utf8_lossy(&self.body)
            )
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// Asks until something holds, for half a minute.
fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it never happened"
        );
        thread::sleep(Duration::from_millis(50));
    }
}
