//! An index of clips: killed while it is made, on a full disk, with thousands of broken files; and its search
//! beside evaluation.
//!
//! Rows are compared bit for bit, so the model runs on one CPU backend whatever the suite's is.

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use burn_flex::Flex;
use clover_data::dataset::ClipTable;
use clover_data::text::Tokenizer;
use clover_inference::{
    Bundle, ClipState, Embedder, IndexSettings, IndexWriter, InferenceError, LibrarySource,
    RowPrecision, SearchQuery, Searcher, UpdateOptions, UpdateSummary, VideoIndex, WindowSettings,
    is_index,
};
use clover_model::CloverConfig;
use clover_trainer::evaluate::list_retrieval;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::small_run::SmallData;

const KILLED: &str = "library_index::an_index_killed_at_any_moment_goes_on_to_the_same_rows";
const FULL_DISK: &str = "library_index::a_full_disk_costs_no_clip_that_was_written_before";
/// What a process that indexes is told.
const FOLDER: &str = "CLOVER_TEST_INDEX_FOLDER";
const CLIPS: usize = 24;
const KILLS: usize = 100;

/// Clips, a bundle nobody trained, and where indexes go.
struct Library {
    data: SmallData,
}

impl Library {
    fn new(clips: usize) -> Self {
        let data = SmallData::rendered(clips);
        let device = Default::default();
        let tokenizer = Tokenizer::read(&data.files.vocabulary).unwrap();
        let config = CloverConfig::nano(tokenizer.vocabulary().len())
            .with_image_size(28)
            .with_frames(2);
        let bundle = Bundle::<Flex>::init(config, tokenizer, 16, &device);
        bundle.write(&data.path("bundle")).unwrap();
        Self { data }
    }

    fn root(&self) -> PathBuf {
        self.data.path("")
    }

    fn index(&self) -> PathBuf {
        self.data.path("index")
    }
}

fn embedder(root: &Path) -> Embedder<Flex> {
    let device = Default::default();
    let bundle = Bundle::read(&root.join("bundle"), &device).unwrap();
    bundle.into_embedder(device)
}

fn settings(root: &Path) -> IndexSettings {
    IndexSettings {
        rows: RowPrecision::F32,
        windows: WindowSettings {
            window_ms: 400,
            stride_ms: 200,
            shots: false,
        },
        ..IndexSettings::of_bundle(&root.join("bundle")).unwrap()
    }
}

/// Brings the index `name` of the clips below `root` up to date.
fn update(root: &Path, name: &str) -> Result<UpdateSummary, InferenceError> {
    let embedder = embedder(root);
    let mut writer = IndexWriter::open(&root.join(name), &settings(root))?;
    let videos = root.join("clips/clips");
    let clips = ClipTable::open(&videos, None, &|_, _| ())?;
    let source = writer.source(LibrarySource::of(&videos), clips)?;
    let options = UpdateOptions::new(2, &[])?;
    writer.update(&embedder, &[source], &options, &mut |_| {
        ControlFlow::Continue(())
    })
}

/// Every row by its clip and window, as bits.
fn rows(index: &Path) -> Vec<(String, [u32; 2], Vec<u32>)> {
    let index = VideoIndex::open(index).unwrap();
    let rows = index.each_row().flat_map(|(key, row)| {
        let bits: Vec<u32> = row.iter().map(|value| value.to_bits()).collect();
        let window = [key.start_ms, key.end_ms];
        let clips = index.clips_of(key.content).to_vec();
        clips
            .into_iter()
            .map(move |clip| (clip.path, window, bits.clone()))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn process(test: &str, root: &Path) -> Command {
    let mut process = Command::new(env::current_exe().unwrap());
    process
        .args([test, "--exact", "--nocapture"])
        .env(FOLDER, root);
    process
}

#[test]
fn an_index_killed_at_any_moment_goes_on_to_the_same_rows() {
    if let Some(root) = env::var_os(FOLDER) {
        update(Path::new(&root), "index").unwrap();
        return;
    }
    let library = Library::new(CLIPS);
    let root = library.root();
    update(&root, "unbroken").unwrap();
    let expected = rows(&library.data.path("unbroken"));
    let quiet = || {
        let mut process = process(KILLED, &root);
        process.stdout(Stdio::null()).stderr(Stdio::null());
        process
    };
    let started = Instant::now();
    assert!(quiet().status().unwrap().success());
    let whole = started.elapsed();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut begun = 0;

    for _ in 0..KILLS {
        fs::remove_dir_all(library.index()).unwrap();
        let mut process = quiet().spawn().unwrap();
        sleep(Duration::from_secs_f64(
            whole.as_secs_f64() * rng.random_range(0.0..1.0),
        ));
        process.kill().unwrap();
        process.wait().unwrap();

        if is_index(&library.index()) {
            VideoIndex::open(&library.index()).unwrap();
            begun += 1;
        }
        update(&root, "index").unwrap();
        assert!(
            rows(&library.index()) == expected,
            "other rows after a kill"
        );
    }
    assert!(begun > 0, "every process was killed before it began");
}

#[cfg(unix)]
#[test]
fn a_full_disk_costs_no_clip_that_was_written_before() {
    if let Some(root) = env::var_os(FOLDER) {
        let error = update(Path::new(&root), "index").unwrap_err();
        assert!(matches!(&error, InferenceError::File { .. }), "{error}");
        assert!(error.to_string().contains("index"), "{error}");
        return;
    }
    let library = Library::new(CLIPS);
    let root = library.root();
    update(&root, "index").unwrap();
    let before = rows(&library.index());
    let source = root.join("clips/clips");
    let more = source.join("more");
    copy_folder(&source, &more);
    for file in files(&more) {
        // Another content.
        let mut bytes = fs::read(&file).unwrap();
        bytes.push(0);
        fs::write(file, bytes).unwrap();
    }

    // A limit on the size of files fails the same calls as a full disk; in blocks of 512 bytes.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"])
        .arg(env::current_exe().unwrap())
        .args([FULL_DISK, "--exact", "--nocapture"])
        .env(FOLDER, &root)
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{complaint}"
    );
    assert!(rows(&library.index()) == before);
    let summary = update(&root, "index").unwrap();
    assert!(summary.embedded > 0, "{summary:?}");
}

#[test]
fn thousands_of_broken_files_are_named_and_cost_no_other() {
    const BROKEN: usize = 10_000;
    let library = Library::new(4);
    let broken = library.data.path("clips/clips/broken");
    fs::create_dir(&broken).unwrap();
    for number in 0..BROKEN {
        fs::write(broken.join(format!("{number}.mp4")), number.to_string()).unwrap();
    }

    let summary = update(&library.root(), "index").unwrap();

    assert_eq!(summary.broken, BROKEN);
    assert!(summary.embedded >= 4);
    let index = VideoIndex::open(&library.index()).unwrap();
    let records = index.library().records();
    let named = records.filter(|one| one.state == ClipState::Broken && one.fault.is_some());
    assert_eq!(named.count(), BROKEN);
    assert_eq!(update(&library.root(), "index").unwrap().embedded, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_costs_its_file_alone() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let library = Library::new(4);
    let clips = library.data.path("clips/clips");
    let first = files(&clips).remove(0);
    fs::copy(&first, clips.join("a\nb.gif")).unwrap();
    fs::copy(&first, clips.join(OsStr::from_bytes(b"\xff.gif"))).unwrap();

    let summary = update(&library.root(), "index").unwrap();

    assert_eq!(summary.broken, 1, "{summary:?}");
    let index = VideoIndex::open(&library.index()).unwrap();
    let known = |path: &str| index.library().records().any(|one| one.key.path == path);
    assert!(known("a\nb.gif"));
}

#[test]
fn search_ranks_as_evaluation_does() {
    let library = Library::new(CLIPS);
    let root = library.root();
    let list = &library.data.files.train;
    let table = ClipTable::open(list, None, &|_, _| ()).unwrap();
    let embedder = embedder(&root);
    // One row a clip, as evaluation has it.
    let settings = IndexSettings {
        windows: WindowSettings {
            window_ms: 60_000,
            stride_ms: 60_000,
            shots: false,
        },
        ..settings(&root)
    };
    let mut writer = IndexWriter::open(&library.index(), &settings).unwrap();
    let source = writer
        .source(LibrarySource::of(list), table.clone())
        .unwrap();
    let options = UpdateOptions::new(2, &[]).unwrap();
    let go_on = &mut |_: clover_inference::IndexEvent<'_>| ControlFlow::Continue(());
    writer
        .update(&embedder, &[source], &options, go_on)
        .unwrap();

    let (evaluated, _) = list_retrieval(&embedder, table.clone(), (2, 0.0), |_, _| {}).unwrap();
    let searcher = Searcher::<Flex>::open(&library.index(), Default::default()).unwrap();
    let ranks = (0..table.len()).map(|row| {
        let found = searcher.search(&SearchQuery {
            text: table.texts(row).all().first().map(|&text| text.to_owned()),
            top: table.len(),
            ..SearchQuery::default()
        });
        let own = table.clip(row);
        let found = found.unwrap().moments;
        found
            .iter()
            .position(|moment| moment.clip.path == own)
            .unwrap()
    });
    let ranks: Vec<usize> = ranks.collect();

    let evaluated = evaluated.text_to_video;
    let mean = ranks.iter().sum::<usize>() as f64 / ranks.len() as f64 + 1.0;
    let recall =
        |k| 100.0 * ranks.iter().filter(|&&rank| rank < k).count() as f64 / ranks.len() as f64;
    let searched = [recall(1), recall(5), recall(10), mean];
    let expected = [
        evaluated.recall_at_1,
        evaluated.recall_at_5,
        evaluated.recall_at_10,
        evaluated.mean_rank,
    ];
    for (searched, expected) in searched.into_iter().zip(expected) {
        assert!((searched - expected).abs() < 1e-9, "{searched} {expected}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn copy_folder(from: &Path, to: &Path) {
    let files = files(from);
    fs::create_dir_all(to).unwrap();
    for (number, file) in files.iter().enumerate() {
        fs::copy(file, to.join(format!("{number}.gif"))).unwrap();
    }
}
