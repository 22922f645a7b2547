mod changes;
mod recovery;

use std::fs;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::time::Duration;

// Rows are compared bit for bit: what an index does depends on no backend.
use burn_flex::Flex;
use clover_data::dataset::ClipTable;
use clover_data::text::Tokenizer;
use clover_model::CloverConfig;
use image::codecs::gif::GifEncoder;
use image::{Delay, Frame, Rgba, RgbaImage};

use super::*;
use crate::{Bundle, EmbeddedBatch, Embedder};

const SECOND: u64 = 1_000;

/// The folder of a model nobody trained: one for all tests, for they share a generator of random numbers.
pub(crate) fn bundle() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let lines = [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", "a", "circle",
        ];
        let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
        let config = CloverConfig::nano(lines.len())
            .with_image_size(28)
            .with_frames(2);
        let bundle = Bundle::<Flex>::init(config, tokenizer, 8, &Default::default());
        bundle.write(folder.path()).unwrap();
        folder
    });
    folder.path()
}

pub(crate) fn embedder() -> Embedder<Flex> {
    let device = Default::default();
    Bundle::read(bundle(), &device)
        .unwrap()
        .into_embedder(device)
}

pub(crate) fn settings(embedder: &Embedder<Flex>) -> IndexSettings {
    let dim = embedder.embed_texts(&["red".to_owned()]).unwrap().dim;
    super::settings::tests::settings(dim)
}

/// An animation of so many seconds, two frames a second, in a colour of its own.
pub(crate) fn animation(path: &Path, seconds: u64, color: u8) {
    let mut encoder = GifEncoder::new_with_speed(fs::File::create(path).unwrap(), 30);
    let delay = Delay::from_saturating_duration(Duration::from_millis(500));
    for number in 0..2 * seconds {
        let shade = (number * 5 % 256) as u8;
        let image = RgbaImage::from_fn(16, 16, |x, y| match x + y < number as u32 % 30 {
            true => Rgba([color, shade, 40, 255]),
            false => Rgba([color, 90, shade, 255]),
        });
        encoder
            .encode_frame(Frame::from_parts(image, 0, 0, delay))
            .unwrap();
    }
}

/// A library of two short clips, a longer one and an image.
pub(crate) fn library(folder: &Path) {
    fs::create_dir_all(folder.join("more")).unwrap();
    animation(&folder.join("a.gif"), 2, 200);
    animation(&folder.join("b.gif"), 3, 20);
    animation(&folder.join("more/footage.gif"), 21, 120);
    RgbaImage::from_pixel(20, 20, Rgba([9, 200, 30, 255]))
        .save(folder.join("more/image.png"))
        .unwrap();
}

fn source(writer: &mut IndexWriter, folder: &Path) -> IndexSource {
    let clips = ClipTable::open(folder, None, &|_, _| ()).unwrap();
    writer.source(LibrarySource::of(folder), clips).unwrap()
}

fn options(exclude: &[&str]) -> UpdateOptions {
    let exclude: Vec<String> = exclude.iter().map(|&one| one.to_owned()).collect();
    UpdateOptions::new(2, &exclude).unwrap()
}

/// Brings the index of a folder up to date.
pub(crate) fn update(index: &Path, videos: &Path) -> UpdateSummary {
    let embedder = embedder();
    let mut writer = IndexWriter::open(index, &settings(&embedder)).unwrap();
    let sources = [source(&mut writer, videos)];
    writer
        .update(&embedder, &sources, &options(&[]), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap()
}

/// Every row of a clip that is there: path, window, bits.
type Bits = Vec<(String, [u32; 2], Vec<u32>)>;

fn bits(index: &Path) -> Bits {
    let index = VideoIndex::open(index).unwrap();
    let mut rows: Bits = index
        .each_row()
        .flat_map(|(key, row)| {
            let bits: Vec<u32> = row.iter().map(|value| value.to_bits()).collect();
            let clips = index.clips_of(key.content).to_vec();
            let window = [key.start_ms, key.end_ms];
            clips
                .into_iter()
                .map(move |clip| (clip.path, window, bits.clone()))
        })
        .collect();
    rows.sort();
    rows
}

struct Folders {
    root: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        library(&root.path().join("videos"));
        Self { root }
    }

    fn videos(&self) -> PathBuf {
        self.root.path().join("videos")
    }

    fn index(&self) -> PathBuf {
        self.root.path().join("index")
    }

    fn update(&self) -> UpdateSummary {
        update(&self.index(), &self.videos())
    }

    /// The rows of an index that is built of the videos as they are now.
    fn anew(&self) -> Bits {
        let other = self.root.path().join("anew");
        let _ = fs::remove_dir_all(&other);
        update(&other, &self.videos());
        bits(&other)
    }
}

#[test]
fn a_library_has_a_row_a_clip_and_one_a_window_where_it_is_longer() {
    let folders = Folders::new();

    let summary = folders.update();

    assert_eq!(
        (summary.embedded, summary.broken, summary.unchanged),
        (4, 0, 0)
    );
    let rows: Vec<_> = bits(&folders.index())
        .into_iter()
        .map(|row| (row.0, row.1))
        .collect();
    let footage = |window| ("more/footage.gif".to_owned(), window);
    let expected = [
        ("a.gif".to_owned(), [0, 0]),
        ("b.gif".to_owned(), [0, 0]),
        footage([0, 0]),
        footage([0, 8_000]),
        footage([4_000, 12_000]),
        footage([8_000, 16_000]),
        footage([12_000, 20_000]),
        footage([16_000, 21_000]),
        ("more/image.png".to_owned(), [0, 0]),
    ];
    assert_eq!(rows, expected);
    assert_eq!(summary.progress.rows, 9);
    assert!((summary.progress.seconds - 26.0).abs() < 1.5, "{summary:?}");
}

#[test]
fn a_row_is_the_embedding_that_evaluation_compares() {
    let folders = Folders::new();
    folders.update();
    let embedder = embedder();
    let table = ClipTable::open(&folders.videos(), None, &|_, _| ()).unwrap();

    let mut embedded = Vec::new();
    let time = embedder.embed_each_clip::<InferenceError>(table, (1, 0.0), &mut |batch| {
        if let EmbeddedBatch::Clips(clips) = batch {
            embedded.extend(clips.into_iter().map(|clip| clip.video));
        }
        Ok(())
    });
    time.unwrap();

    let whole: Vec<_> = bits(&folders.index())
        .into_iter()
        .filter(|(_, window, _)| *window == [0, 0])
        .map(|(_, _, bits)| bits)
        .collect();
    assert_eq!(embedded.len(), whole.len());
    for (values, bits) in embedded.iter().zip(whole) {
        let own = bits.into_iter().map(f32::from_bits);
        let difference = values.iter().zip(own).map(|(a, b)| (a - b).abs());
        assert!(difference.fold(0.0, f32::max) < 1e-6);
    }
}

#[test]
fn excluded_clips_are_as_if_they_were_not_there() {
    let folders = Folders::new();
    let embedder = embedder();
    let mut writer = IndexWriter::open(&folders.index(), &settings(&embedder)).unwrap();
    let sources = [source(&mut writer, &folders.videos())];

    let summary = writer.update(&embedder, &sources, &options(&["more/**"]), &mut |_| {
        ControlFlow::Continue(())
    });

    assert_eq!(summary.unwrap().embedded, 2);
    let broken = UpdateOptions::new(1, &["a[b".to_owned()])
        .unwrap_err()
        .to_string();
    assert!(broken.starts_with("exclude: "), "{broken}");
}

#[test]
fn many_updates_leave_few_segments() {
    let folders = Folders::new();
    for number in 0..20 {
        animation(
            &folders.videos().join(format!("n{number:02}.gif")),
            1,
            number * 9,
        );
        folders.update();
    }

    let segments = fs::read_dir(folders.index().join(SEGMENTS))
        .unwrap()
        .count();
    assert!(segments <= 6, "{segments}");
    assert_eq!(bits(&folders.index()), folders.anew());
}

#[test]
fn another_bundle_other_windows_and_a_folder_that_is_no_index_are_refused_by_name() {
    let folders = Folders::new();
    folders.update();
    let wanted = settings(&embedder());
    let refused = |folder: &Path, wanted: &IndexSettings| {
        IndexWriter::open(folder, wanted).unwrap_err().to_string()
    };

    let other = IndexSettings {
        bundle_checksum: "another".to_owned(),
        bundle: PathBuf::from("/bundles/other"),
        ..wanted.clone()
    };
    let error = refused(&folders.index(), &other);
    assert!(
        error.contains("/bundles/other") && error.contains("--rebuild"),
        "{error}"
    );
    let windows = WindowSettings {
        window_ms: 4 * SECOND,
        ..wanted.windows
    };
    let error = refused(
        &folders.index(),
        &IndexSettings {
            windows,
            ..wanted.clone()
        },
    );
    assert!(error.contains("8 s every 4 s"), "{error}");
    let error = refused(&folders.videos(), &wanted);
    assert!(error.contains("no index"), "{error}");
    let wide = IndexSettings {
        dim: wanted.dim + 1,
        ..wanted
    };
    assert!(refused(&folders.index(), &wide).contains("numbers"));
}

#[test]
fn spans_of_a_list_are_clips_of_their_own() {
    let folders = Folders::new();
    let list = folders.videos().join("list.jsonl");
    let lines = [
        r#"{"video": "more/footage.gif", "caption": "one", "start": 1, "end": 4}"#,
        r#"{"video": "more/footage.gif", "caption": "two", "start": 2, "end": 20}"#,
    ];
    fs::write(&list, lines.join("\n")).unwrap();

    let summary = update(&folders.index(), &list);

    assert_eq!((summary.embedded, summary.broken), (2, 0), "{summary:?}");
    let index = VideoIndex::open(&folders.index()).unwrap();
    let spans: Vec<_> = index
        .library()
        .records()
        .map(|record| record.key.span_ms)
        .collect();
    assert_eq!(spans, [Some((1_000, 4_000)), Some((2_000, 20_000))]);
    let windows: Vec<_> = index
        .each_row()
        .map(|(key, _)| [key.start_ms, key.end_ms])
        .collect();
    assert!(
        windows.contains(&[2_000, 10_000]) && windows.contains(&[0, 0]),
        "{windows:?}"
    );
}

#[test]
fn rows_that_were_made_elsewhere_stand_beside_the_others() {
    let folders = Folders::new();
    folders.update();
    let before = bits(&folders.index());
    let wanted = settings(&embedder());
    let mut writer = IndexWriter::open(&folders.index(), &wanted).unwrap();
    let clip = |path: &str| ClipKey {
        source: 9,
        path: path.to_owned(),
        span_ms: None,
    };

    writer
        .insert(vec![(clip("x"), vec![([0; 2], vec![0.5; wanted.dim])])])
        .unwrap();
    let error = writer
        .insert(vec![(clip("y"), vec![([0; 2], vec![0.5])])])
        .unwrap_err();
    drop(writer);

    assert!(error.to_string().contains("not of 1"), "{error}");
    let mut after = bits(&folders.index());
    let own = after.iter().position(|row| row.0 == "x").unwrap();
    assert_eq!(after.remove(own).2, vec![0.5_f32.to_bits(); wanted.dim]);
    assert_eq!(after, before);
}

#[test]
fn windows_end_where_the_image_changes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two_shots.gif");
    let mut encoder = GifEncoder::new_with_speed(fs::File::create(&path).unwrap(), 30);
    let delay = Delay::from_saturating_duration(Duration::from_millis(500));
    for number in 0..40_u8 {
        let level = if number < 21 { 10 } else { 230 };
        let image = RgbaImage::from_pixel(16, 16, Rgba([level, level, number, 255]));
        encoder
            .encode_frame(Frame::from_parts(image, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    let settings = WindowSettings {
        shots: true,
        ..WindowSettings::default()
    };
    let mut video = ClipSource::Path(path.clone())
        .open(&embedder().preprocessing().clip_reading().limits)
        .unwrap();

    let windows = settings.of(video.as_mut(), &path, None).unwrap();

    let times: Vec<_> = windows
        .iter()
        .map(|window| [window.start(), window.end()])
        .collect();
    let expected = [
        [0, 8_000],
        [4_000, 10_500],
        [10_500, 18_500],
        [14_500, 20_000],
    ];
    assert_eq!(times, expected);
}
