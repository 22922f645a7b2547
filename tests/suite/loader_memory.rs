//! Reading ahead for many epochs takes no more memory than reading ahead for a few.

use std::fs;
use std::path::Path;

use clover_data::dataset::{
    BatchLoader, ClipReading, ClipTable, LoaderConfig, Masked, Position, PretrainingDataset,
    SampleReading,
};
use clover_data::masking::TextMasking;
use clover_data::text::Tokenizer;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline};

use crate::small_run::is_alone;

const PAIRS: usize = 64;
const BATCH: usize = 8;
/// After these, every thread has what it keeps.
const FIRST_EPOCHS: u64 = 4;
const EPOCHS: u64 = 24;
/// A clip of 8 frames of 112 pixels is 1.2 MB of numbers; 20 epochs of 64 are 1.5 GB.
const MAX_GROWTH_KIB: u64 = 24 << 10;

/// Two videos in turn, each with a caption of its own, and one missing file.
fn dataset(folder: &Path) -> PretrainingDataset {
    let media = Path::new(env!("CARGO_MANIFEST_DIR")).join("media");
    let mut rows = String::from("path,caption\nmissing.mp4,a lost video\n");
    for pair in 1..PAIRS {
        let video = media.join(["small.mp4", "small.webm"][pair % 2]);
        rows += &format!("{},a dog runs over the grass {pair}\n", video.display());
    }
    let manifest = folder.join("pairs.csv");
    fs::write(&manifest, rows).unwrap();
    let lines = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "runs",
    ];
    let reading = SampleReading {
        clip: ClipReading {
            sampling: FrameSampling::train_frames(8),
            fps: None,
            pixels: PixelPipeline::train_video(112),
            limits: DecodeLimits::default(),
        },
        text_len: 12,
        seed: 0,
    };
    let tokenizer = Tokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
    let masked = Masked::new(TextMasking::default(), 10).unwrap();
    // Every caption is a row, though the clips are two.
    let table = ClipTable::open(&manifest, None, &|_, _| ())
        .unwrap()
        .apart();
    PretrainingDataset::new(table, tokenizer, reading, masked).unwrap()
}

#[test]
fn memory_does_not_grow_with_the_epochs() {
    // In a process of its own: what others take must not count.
    if !is_alone("loader_memory::memory_does_not_grow_with_the_epochs") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut config = LoaderConfig::training(BATCH, 0);
    config.max_failed_share = 0.5;
    let mut loader = BatchLoader::new(dataset(folder.path()), config).unwrap();

    let mut after_first = None;
    for epoch in 0..EPOCHS {
        let start = Position { epoch, item: 0 };
        let batches = loader.epoch(start).unwrap();
        let read: usize = batches
            .map(|batch| batch.unwrap().samples.names().len())
            .sum();
        assert!(read >= PAIRS - BATCH, "{read}");
        if epoch + 1 == FIRST_EPOCHS {
            after_first = resident_kib();
        }
    }

    assert_eq!(loader.skipped().len(), 1);
    if let (Some(before), Some(after)) = (after_first, resident_kib()) {
        println!("{before} KiB after {FIRST_EPOCHS} epochs, {after} KiB after {EPOCHS}");
        assert!(
            after < before + MAX_GROWTH_KIB,
            "{before} KiB to {after} KiB"
        );
    }
}

/// The memory this process holds now, where the system says.
fn resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
