//! How long a list of so many captioned videos takes to become a table, and the most memory held: made-up
//! rows of WebVid's form.
//!
//! `cargo run --release -p clover-data --example clip_table -- 10000000`

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::time::Instant;

use clover_data::dataset::ClipTable;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// WebVid's captions have 14 words on average.
const WORDS: [&str; 14] = [
    "aerial", "view", "of", "a", "small", "boat", "that", "crosses", "the", "calm", "water", "at",
    "early", "sunset",
];

fn main() -> Result<(), Box<dyn Error>> {
    let rows: usize = std::env::args().nth(1).ok_or("ROWS")?.parse()?;
    let path = std::env::temp_dir().join(format!("clip-table-{}.csv", std::process::id()));
    let mut file = BufWriter::new(File::create(&path)?);
    writeln!(file, "videoid,contentUrl,duration,page_dir,name")?;
    for row in 0..rows {
        let (folder, word) = (row / 1000, WORDS[row % WORDS.len()]);
        let caption = WORDS.join(" ");
        writeln!(
            file,
            "{row},https://videos.example/{row}.mp4,PT00H00M15S,{folder:06}_{folder:06},{caption} {word}"
        )?;
    }
    file.flush()?;
    let written = fs::metadata(&path)?.len();

    let begun = Instant::now();
    let table = ClipTable::open(&path, None, &|_, _| ());
    let seconds = begun.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    let table = table?;
    println!(
        "{} rows of {:.2} GiB in {seconds:.1} s, at most {:.2} GiB held; the last is {}: {:?}",
        table.len(),
        written as f64 / f64::from(1 << 30),
        peak_gib().unwrap_or(f64::NAN),
        table.clip(rows - 1),
        table.texts(rows - 1).all()
    );
    Ok(())
}

/// The most memory the process has held so far.
fn peak_gib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / f64::from(1 << 20))
}
