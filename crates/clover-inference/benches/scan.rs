//! One query against every row of an index, beside FAISS and NumPy in turn; how long opening takes, and
//! how much memory it needs.
//!
//! `cargo bench -p clover-inference --bench scan -- 1000000 512`; README.md has the figures. The peers are
//! left out where Python has no `faiss`.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use clover_inference::{
    ClipKey, INDEX_FORMAT, IndexSettings, IndexWriter, RowPrecision, VideoIndex, WindowSettings,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Clips that are written together, and the windows of each.
const TOGETHER: usize = 10_000;
const WINDOWS: usize = 10;
const ROUNDS: usize = 3;
const QUERIES: usize = 10;
const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scan_peers.py");

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds arguments of its own.
    let numbers: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|one| one.parse().ok())
        .collect();
    let (rows, dim) = match numbers.as_slice() {
        [rows, dim] => (*rows, *dim),
        _ => (100_000, 512),
    };
    let folder = tempfile::tempdir()?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    write(folder.path().join("index"), (rows, dim), &mut rng)?;

    let started = Instant::now();
    let index = VideoIndex::open(&folder.path().join("index"))?;
    let opened = started.elapsed().as_secs_f64();
    let stored = (rows * dim * 2) as f64 / f64::from(1 << 20);
    println!(
        "{rows} x {dim} in f16, {stored:.0} MiB: opened in {opened:.2} s, peak {}",
        peak()
    );
    let query = unit_row(dim, &mut rng);
    for round in 1..=ROUNDS {
        let mut best = f64::INFINITY;
        for _ in 0..QUERIES {
            let started = Instant::now();
            let scores = index.scores(&query);
            best = best.min(1000.0 * started.elapsed().as_secs_f64());
            assert_eq!(scores.len(), rows, "every row has a score");
        }
        println!("round {round}: {best:.1} ms a query, peak {}", peak());
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
    Ok(())
}

fn write(
    folder: PathBuf,
    (rows, dim): (usize, usize),
    rng: &mut ChaCha8Rng,
) -> Result<(), Box<dyn Error>> {
    let settings = IndexSettings {
        format: INDEX_FORMAT,
        bundle_checksum: "none".to_owned(),
        bundle: PathBuf::new(),
        dim,
        rows: RowPrecision::F16,
        windows: WindowSettings::default(),
        sources: Vec::new(),
    };
    let mut writer = IndexWriter::open(&folder, &settings)?;
    let clips = rows / WINDOWS;
    for first in (0..clips).step_by(TOGETHER) {
        let some = first..clips.min(first + TOGETHER);
        let some = some.map(|clip| {
            let key = ClipKey {
                source: 0,
                path: format!("{clip}.mp4"),
                span_ms: None,
            };
            let windows = (0..WINDOWS as u32).map(|window| {
                let start = 4_000 * window;
                ([start, start + 8_000], unit_row(dim, rng))
            });
            (key, windows.collect())
        });
        writer.insert(some.collect())?;
    }
    Ok(())
}

fn unit_row(dim: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let row: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    row.into_iter().map(|value| value / length).collect()
}

/// The most memory so far, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
