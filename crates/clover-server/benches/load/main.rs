//! The service under load: a search at a steady rate, embeddings one by one and together, and a thousand
//! clients at once; beside a FastAPI script around open_clip with a text encoder of the same size, in turn.
//!
//! `cargo bench -p clover-server --bench load -- [ROWS] [SECONDS]`; README.md has the figures. Both services run in
//! processes of their own, whose memory is theirs alone. The peer is left out where `python3` (or the program
//! that `PYTHON` names) has no `fastapi`, `uvicorn` and `open_clip`.

#![expect(clippy::print_stdout, reason = "a bench says what it measured")]

mod client;
mod service;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use client::{Outcome, closed, crowd, steady};

const ROUNDS: usize = 2;
/// Searches a second.
const RATE: f64 = 50.0;
/// Clients that want embeddings at the same time.
const TOGETHER: usize = 32;
const CROWD: usize = 1_000;
/// The word that makes this program the service.
const SERVE: &str = "serve";
const PEER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../xtask/pytorch/serve_fastapi.py"
);

/// What was measured of a service.
struct LoadMetrics {
    searched: Outcome,
    one_by_one: f64,
    together: f64,
    crowd: Outcome,
    peak: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds arguments of its own.
    let given: Vec<String> = std::env::args().skip(1).collect();
    if let [serve, folder, ..] = given.as_slice()
        && serve == SERVE
    {
        return service::serve(Path::new(folder));
    }
    let numbers: Vec<usize> = given.iter().filter_map(|one| one.parse().ok()).collect();
    let rows = numbers.first().copied().unwrap_or(100_000);
    let length = Duration::from_secs(numbers.get(1).copied().unwrap_or(30) as u64);
    let folder = tempfile::tempdir()?;
    let dim = service::prepare(folder.path(), rows)?;
    println!(
        "{rows} rows of {dim}, {RATE} searches a second for {} s",
        length.as_secs()
    );
    for round in 1..=ROUNDS {
        println!("round {round}");
        let mut ours = Command::new(std::env::current_exe()?);
        ours.arg(SERVE).arg(folder.path());
        let ours = measure("ours", ours, length)?;
        let mut peer = Command::new(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
        peer.arg(PEER).args([rows.to_string(), dim.to_string()]);
        match measure("peer", peer, length) {
            Ok(peer) => compare(&ours, &peer),
            Err(error) => {
                println!("  no peer ({error}): {PEER} needs fastapi, uvicorn and open_clip_torch");
            }
        }
    }
    Ok(())
}

/// Starts a service, puts it under load, and ends it.
fn measure(
    name: &str,
    mut service: Command,
    length: Duration,
) -> Result<LoadMetrics, Box<dyn Error>> {
    let mut service = service
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let metrics =
        address_of(&mut service).and_then(|address| under_load(address, service.id(), length));
    service.kill()?;
    service.wait()?;
    let metrics = metrics?;
    let LoadMetrics {
        searched,
        one_by_one,
        together,
        crowd,
        peak,
    } = &metrics;
    println!(
        "  {name}: search p50 {:.1} ms, p99 {:.1} ms, {} answered, {} busy, {} failed",
        searched.quantile(0.5),
        searched.quantile(0.99),
        searched.answered.len(),
        searched.busy,
        searched.failed
    );
    println!(
        "    embed: {one_by_one:.0}/s one by one, {together:.0}/s by {TOGETHER} clients, {:.2} times",
        together / one_by_one
    );
    println!(
        "    {CROWD} clients at once: {} answered (the last after {:.0} ms), {} busy, {} lost; peak {peak:.0} MiB",
        crowd.answered.len(),
        crowd.quantile(1.0),
        crowd.busy,
        crowd.failed
    );
    Ok(metrics)
}

/// The address that a service prints once it listens.
fn address_of(service: &mut Child) -> Result<SocketAddr, Box<dyn Error>> {
    let out = service.stdout.take().ok_or("it has no output")?;
    for line in BufReader::new(out).lines() {
        if let Some(address) = line?.strip_prefix("listening on ") {
            return Ok(address.parse()?);
        }
    }
    Err("it ended before it listened".into())
}

fn under_load(
    address: SocketAddr,
    process: u32,
    length: Duration,
) -> Result<LoadMetrics, Box<dyn Error>> {
    let search = |number| {
        (
            "/api/v1/search",
            format!(r#"{{"text": "{}", "top": 24}}"#, text(number)),
        )
    };
    let embed = |number| {
        (
            "/api/v1/embed",
            format!(r#"{{"texts": ["{}"]}}"#, text(number)),
        )
    };
    // Both are warm before anything counts.
    closed(address, 2, Duration::from_secs(2), search);
    let searched = steady(address, RATE, length, search);
    let third = length / 3;
    let a_second = |outcome: Outcome| outcome.answered.len() as f64 / third.as_secs_f64();
    let one_by_one = a_second(closed(address, 1, third, embed));
    let together = a_second(closed(address, TOGETHER, third, embed));
    let crowd = crowd(address, CROWD, search);
    Ok(LoadMetrics {
        searched,
        one_by_one,
        together,
        crowd,
        peak: peak(process),
    })
}

/// Texts of ten words, no two alike: an answer that was kept helps nobody.
fn text(number: usize) -> String {
    const WORDS: [&str; 8] = [
        "red", "blue", "circle", "square", "moves", "left", "right", "grows",
    ];
    let mut rest = number;
    let words = (0..10).map(|_| {
        let word = WORDS[rest % WORDS.len()];
        rest /= WORDS.len();
        word
    });
    words.collect::<Vec<_>>().join(" ")
}

fn compare(ours: &LoadMetrics, peer: &LoadMetrics) {
    println!(
        "  ours over the peer's: p50 {:.2}, p99 {:.2}, embeddings a second {:.1}, peak {:.2}",
        ours.searched.quantile(0.5) / peer.searched.quantile(0.5),
        ours.searched.quantile(0.99) / peer.searched.quantile(0.99),
        ours.together / peer.together,
        ours.peak / peer.peak
    );
}

/// The most memory that a process had so far in MiB, where the system tells.
fn peak(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.trim().strip_suffix("kB"));
    figure
        .and_then(|figure| figure.trim().parse::<f64>().ok())
        .map_or(f64::NAN, |kb| kb / 1024.0)
}
