//! A library with videos that a browser plays, one that it does not, and one that nothing can read.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use burn_flex::Flex;
use clover_data::dataset::ClipTable;
use clover_data::text::Tokenizer;
use clover_inference::{Bundle, IndexSettings, IndexWriter, LibrarySource, UpdateOptions};
use clover_model::CloverConfig;
use clover_server::{Server, ServerConfig};

/// Videos of 1.2 s: H.264, VP9, and H.264 in a container that few browsers know.
const VIDEOS: [&str; 3] = ["small.mp4", "small.webm", "small.mkv"];

/// One of the test videos.
pub(crate) fn video(name: &str) -> PathBuf {
    let media = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/media");
    // The driver takes no path with `..` in it.
    Path::new(media).join(name).canonicalize().unwrap()
}

/// Makes the library's index in a folder.
pub(crate) fn index(folder: &Path) -> PathBuf {
    let (bundle, videos) = (folder.join("bundle"), folder.join("videos"));
    fs::create_dir(&videos).unwrap();
    for name in VIDEOS {
        fs::copy(video(name), videos.join(name)).unwrap();
    }
    let cut = &fs::read(video("small.mp4")).unwrap()[..1_000];
    fs::write(videos.join("broken <i>.mp4"), cut).unwrap();
    write_nano_bundle(&bundle);
    let device = Default::default();
    let embedder = Bundle::<Flex>::read(&bundle, &device)
        .unwrap()
        .into_embedder(device);
    let settings = IndexSettings::of_bundle(&bundle).unwrap();
    let index = folder.join("index");
    let mut writer = IndexWriter::open(&index, &settings).unwrap();
    let clips = ClipTable::open(&videos, None, &|_, _| ()).unwrap();
    let source = writer.source(LibrarySource::of(&videos), clips).unwrap();
    let options = UpdateOptions::new(2, &[]).unwrap();
    let visit = &mut |_: clover_inference::IndexEvent<'_>| ControlFlow::Continue(());
    writer
        .update(&embedder, &[source], &options, visit)
        .unwrap();
    index
}

fn write_nano_bundle(folder: &Path) {
    let lines = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "circle", "square",
    ];
    let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
    let config = CloverConfig::nano(lines.len())
        .with_image_size(28)
        .with_frames(2);
    let bundle = Bundle::<Flex>::init(config, tokenizer, 12, &Default::default());
    bundle.write(folder).unwrap();
}

/// Serves an index while something is done with the URL of its page.
pub(crate) fn served(index: &Path, config: &ServerConfig, visit: impl FnOnce(&str)) {
    let server = Server::open::<Flex>(index, config, Default::default()).unwrap();
    let page = format!("http://{}/", server.address());
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        let running = scope.spawn(|| server.run(&|| ends.load(Ordering::Relaxed)).unwrap());
        let end = End(&ends);
        visit(&page);
        drop(end);
        running.join().unwrap();
    });
}

/// Ends the service even where a visit fails.
struct End<'e>(&'e AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
