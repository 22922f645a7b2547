//! One query against every row of an index, beside FAISS and NumPy in turn, and against the lists of an
//! approximate search; how long opening takes, and how much memory it needs.
//!
//! `cargo bench -p clover-inference --bench scan -- 1000000 512`; README.md has the figures. The peers are
//! left out where Python has no `faiss`. The index is written by another process, whose memory does not
//! count.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clover_inference::{
    ClipKey, Embeddings, INDEX_FORMAT, IndexSettings, IndexWriter, RowPrecision, VideoIndex,
    WindowSettings,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Clips that are written together, and the windows of each.
const TOGETHER: usize = 10_000;
const WINDOWS: usize = 10;
const ROUNDS: usize = 3;
const QUERIES: usize = 10;
/// What its clips are about; queries that lists are tried with, and the rows that each should find.
const SUBJECTS: usize = 2_000;
const TRIED: usize = 50;
const BEST: usize = 10;
/// The word that makes this program write the index.
const WRITE: &str = "write";
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scan_peers.py");

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds arguments of its own.
    let given: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<usize> = given.iter().filter_map(|one| one.parse().ok()).collect();
    let (rows, dim) = match numbers.as_slice() {
        [rows, dim] => (*rows, *dim),
        _ => (100_000, 512),
    };
    let library = Subjects::new(dim);
    if let [write, folder, ..] = given.as_slice()
        && write == WRITE
    {
        return library.write(Path::new(folder), rows);
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("index");
    let written = Command::new(std::env::current_exe()?)
        .arg(WRITE)
        .arg(&path)
        .args([rows.to_string(), dim.to_string()])
        .status()?;
    assert!(written.success(), "the index is written");

    let started = Instant::now();
    let mut index = VideoIndex::open(&path)?;
    let opened = started.elapsed().as_secs_f64();
    let stored = (rows * dim * 2) as f64 / f64::from(1 << 20);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let query = library.query(0, &mut rng);
    assert_eq!(index.scores(&query).len(), rows, "every row has a score");
    println!(
        "{rows} x {dim} in f16, {stored:.0} MiB: opened in {opened:.2} s; peak with a query {:.0} MiB, {:.3} \
         times the rows",
        peak(),
        peak() / stored
    );
    for round in 1..=ROUNDS {
        let best = best_ms(|| _ = index.scores(&query));
        println!("round {round}: {best:.1} ms a query");
        let peers = Command::new("python3")
            .arg(PEERS)
            .args([rows.to_string(), dim.to_string()])
            .output();
        match peers {
            Ok(peers) if peers.status.success() => {
                print!("{}", String::from_utf8_lossy(&peers.stdout));
            }
            _ => println!("  no peers: {PEERS} needs faiss-cpu and NumPy"),
        }
    }

    let known = (0..SUBJECTS).flat_map(|at| library.query(at, &mut rng));
    let known = Embeddings {
        values: known.collect(),
        dim,
    };
    let started = Instant::now();
    index.build_inverted_file(&known)?;
    let built = started.elapsed().as_secs_f64();
    if let Some(lists) = index.read_inverted_file()? {
        println!(
            "approximate: {} lists built in {built:.0} s, {} looked into, peak {:.0} MiB",
            lists.lists(),
            lists.probes(),
            peak()
        );
    }
    let about = (0..TRIED).map(|at| library.query(at, &mut rng));
    compare(&index, "about its subjects", about.collect());
    let any = (0..TRIED).map(|_| unit(random(dim, &mut rng)));
    compare(&index, "about nothing in it", any.collect());
    Ok(())
}

/// The ten best rows of each query, by the lists beside the exact scan.
fn compare(index: &VideoIndex, what: &str, queries: Vec<Vec<f32>>) {
    let (mut found, mut fastest) = (0, f64::INFINITY);
    for query in &queries {
        let mut scores = index.scores(query);
        scores.sort_unstable_by(|a, b| b.total_cmp(a));
        let least = scores[BEST - 1];
        let near = index.near_rows(query, BEST);
        found += near.iter().filter(|(_, score)| *score >= least).count();
        fastest = fastest.min(best_ms(|| _ = index.near_rows(query, BEST)));
    }
    let recall = found as f64 / (BEST * queries.len()) as f64;
    println!("  queries {what}: {fastest:.2} ms, recall of the {BEST} best {recall:.3}");
}

fn best_ms(mut work: impl FnMut()) -> f64 {
    let times = (0..QUERIES).map(|_| {
        let started = Instant::now();
        work();
        1000.0 * started.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// What the clips of a library are about. Rows of nothing but random numbers would lie equally far from each other,
/// as those of no library do.
struct Subjects(Vec<Vec<f32>>);

impl Subjects {
    fn new(dim: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        Self((0..SUBJECTS).map(|_| unit(random(dim, &mut rng))).collect())
    }

    /// A text about a subject.
    fn query(&self, subject: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        beside(&self.0[subject % SUBJECTS], 0.9, rng)
    }

    fn write(&self, folder: &Path, rows: usize) -> Result<(), Box<dyn Error>> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let dim = self.0[0].len();
        let settings = IndexSettings {
            format: INDEX_FORMAT,
            bundle_checksum: "none".to_owned(),
            bundle: PathBuf::new(),
            dim,
            rows: RowPrecision::F16,
            windows: WindowSettings::default(),
            sources: Vec::new(),
        };
        let mut writer = IndexWriter::open(folder, &settings)?;
        let clips = rows / WINDOWS;
        for first in (0..clips).step_by(TOGETHER) {
            let some = first..clips.min(first + TOGETHER);
            let some = some.map(|clip| {
                let key = ClipKey {
                    source: 0,
                    path: format!("{clip}.mp4"),
                    span_ms: None,
                };
                let own = beside(&self.0[rng.random_range(0..SUBJECTS)], 0.8, &mut rng);
                let windows = (0..WINDOWS as u32).map(|window| {
                    let start = 4_000 * window;
                    ([start, start + 8_000], beside(&own, 0.5, &mut rng))
                });
                (key, windows.collect())
            });
            writer.insert(some.collect())?;
        }
        Ok(())
    }
}

fn random(dim: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn unit(row: Vec<f32>) -> Vec<f32> {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    row.into_iter().map(|value| value / length).collect()
}

/// A row so far from another.
fn beside(row: &[f32], distance: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let off = unit(random(row.len(), rng));
    unit(row.iter().zip(off).map(|(a, b)| a + distance * b).collect())
}

/// The most memory so far in MiB, where the system tells.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.trim().strip_suffix("kB"));
    figure
        .and_then(|figure| figure.trim().parse::<f64>().ok())
        .map_or(f64::NAN, |kb| kb / 1024.0)
}
