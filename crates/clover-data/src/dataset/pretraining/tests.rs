use super::*;
use crate::dataset::{
    BatchLoader, ClipReading, ClipTable, LoaderConfig, Position, SampleReading, SampleSource,
};
use crate::text::Tokenizer;
use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};
use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, write_benchmark};
use std::path::Path;

fn reading(seed: u64) -> SampleReading {
    SampleReading {
        clip: ClipReading {
            sampling: FrameSampling::train_frames(4),
            fps: None,
            pixels: PixelPipeline::train_video(28),
            limits: DecodeLimits::default(),
        },
        text_len: 20,
        seed,
    }
}

fn dataset(files: &BenchmarkFiles, seed: u64) -> PretrainingDataset {
    let table = ClipTable::open(&files.train.pairs, None, &|_, _| ()).unwrap();
    dataset_of(table, files, seed)
}

fn dataset_of(table: ClipTable, files: &BenchmarkFiles, seed: u64) -> PretrainingDataset {
    let tokenizer = Tokenizer::read(&files.vocabulary).unwrap();
    let masked = Masked::new(TextMasking::default(), 10).unwrap();
    ClipDataset::new(table, tokenizer, reading(seed), masked).unwrap()
}

fn write(folder: &Path) -> BenchmarkFiles {
    write_benchmark(&BenchmarkConfig::one_shape(6, 0.01), folder, |_, _| ()).unwrap()
}

#[test]
fn a_sample_depends_on_seed_epoch_and_item_only() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path());
    let read = |seed, epoch| {
        let sample = dataset(&files, seed).read(epoch, 2).unwrap();
        (sample.clip, sample.masked, sample.region_mask)
    };

    assert_eq!(read(0, 5), read(0, 5));
    assert_ne!(read(0, 5), read(0, 6));
    assert_ne!(read(0, 5), read(1, 5));
}

#[test]
fn a_sample_holds_the_caption_and_hides_some_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path());

    let sample = dataset(&files, 0).read(0, 0).unwrap();

    assert_eq!(sample.clip.dims(), [3, 4, 28, 28]);
    assert_eq!(sample.token_ids.len(), 20);
    let hidden: Vec<usize> = sample.masked.positions().collect();
    assert!(!hidden.is_empty());
    for at in 0..20 {
        let expected = if hidden.contains(&at) {
            i64::from(sample.token_ids[at])
        } else {
            assert_eq!(sample.masked.ids[at], sample.token_ids[at]);
            -100
        };
        assert_eq!(sample.masked.labels[at], expected);
    }
    assert!((8..=10).contains(&sample.region_mask.count()));
}

#[test]
fn a_broken_file_is_skipped_by_name_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path());
    std::fs::write(folder.path().join("clips/000/000001.gif"), "").unwrap();
    std::fs::remove_file(folder.path().join("clips/000/000004.gif")).unwrap();
    let mut loader = BatchLoader::new(dataset(&files, 0), LoaderConfig::evaluation(4)).unwrap();

    let epoch = loader.epoch(Position::default()).unwrap();
    let read: usize = epoch
        .map(|batch| batch.unwrap().samples.names().len())
        .sum();

    assert_eq!(read, 4);
    let names: Vec<_> = loader
        .skipped()
        .iter()
        .map(|item| item.name.as_str())
        .collect();
    assert!(names[0].ends_with("000001.gif"), "{names:?}");
    assert!(names[1].ends_with("000004.gif"), "{names:?}");
    assert_eq!(names.len(), 2);
}

#[test]
fn of_several_captions_one_is_drawn_after_the_clip() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path());
    let pairs = ClipTable::open(&files.train.pairs, None, &|_, _| ()).unwrap();
    let clip = std::path::PathBuf::from(pairs.name(0));
    let several = [(&clip, "a red circle"), (&clip, "a blue square")];
    let single = ClipTable::of_captions([(&clip, "a red circle")]);
    let single = dataset_of(single, &files, 0);
    let several = dataset_of(ClipTable::of_captions(several), &files, 0);

    let read = |epoch| several.read(epoch, 0).unwrap();
    let drawn: Vec<_> = (0..20).map(read).collect();

    assert!(
        drawn
            .iter()
            .any(|sample| sample.token_ids != drawn[0].token_ids)
    );
    assert_eq!(drawn[3].clip, single.read(3, 0).unwrap().clip);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path());
    let masked = dataset(&files, 0).preparation().clone();
    let tokenizer = Tokenizer::read(&files.vocabulary).unwrap();
    let none = ClipTable::of_captions([] as [(&Path, &str); 0]);
    let refused = |text_len| {
        let reading = SampleReading {
            text_len,
            ..reading(0)
        };
        ClipDataset::new(none.clone(), tokenizer.clone(), reading, masked.clone()).is_err()
    };

    assert!(!refused(3) && refused(2) && refused(513));
    assert!(Masked::new(TextMasking::default(), 50).is_err());
    assert!(Masked::new(TextMasking::WholeWord { ratio: 2.0 }, 10).is_err());
}
