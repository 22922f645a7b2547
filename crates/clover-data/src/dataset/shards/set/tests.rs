use super::*;
use crate::dataset::shards::tar_of;
use crate::video::DecodeLimits;
use rand::{Rng, SeedableRng};

fn png(level: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::RgbImage::from_pixel(2, 2, image::Rgb([level; 3]))
        .write_to(
            &mut std::io::Cursor::new(&mut bytes),
            image::ImageFormat::Png,
        )
        .unwrap();
    bytes
}

fn open(given: &[PathBuf]) -> Result<ShardSet, DataError> {
    ShardSet::open(given, &ShardOptions::default(), &|_, _| ())
}

/// Two shards: an image called mp4 and a failed download; a clip in frames and one cut short.
fn write_shards(folder: &Path) {
    let first = tar_of(&[
        ("000.json", br#"{"caption":"a cat","status":"success"}"#),
        ("000.mp4", &png(10)),
        ("000.txt", b"not this"),
        ("001.jpg", &png(20)),
        (
            "001.json",
            br#"{"status":"failed_to_resize","caption":"a dog"}"#,
        ),
    ]);
    let mut second = tar_of(&[
        ("a/2.txt", b"two frames"),
        ("a/2.00.jpg", &png(30)),
        ("a/2.01.jpg", &png(40)),
        ("a/3.txt", b"cut short"),
        ("a/3.mp4", &[0; 5_000]),
    ]);
    second.truncate(second.len() - 1_024 - 2_000);
    std::fs::write(folder.join("00000.tar"), first).unwrap();
    std::fs::write(folder.join("00001.tar"), second).unwrap();
}

#[test]
fn every_whole_sample_is_read_from_where_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    write_shards(folder.path());
    let set = open(&[folder.path().join("{00000..00001}.tar")]).unwrap();

    let [image, failed, frames] = [0, 1, 2].map(|index| set.read(index));

    assert_eq!((set.len(), set.shards().len()), (3, 2));
    assert_eq!(set.stretches(), [0..2, 2..3]);
    let image = image.unwrap();
    let limits = DecodeLimits::default();
    let clip = image.clip.decode(&limits, |_| vec![0]).unwrap();
    assert_eq!((image.texts.all(), clip.pixels()[0]), (vec!["a cat"], 10));
    let message = failed.unwrap_err().to_string();
    assert!(
        message.contains("00000.tar/001") && message.contains("failed_to_resize"),
        "{message}"
    );
    let frames = frames.unwrap();
    assert!(frames.clip.name().ends_with("00001.tar/a/2"));
    let clip = frames
        .clip
        .decode(&limits, |count| vec![count - 1, 0])
        .unwrap();
    assert_eq!([clip.frame(0)[0], clip.frame(1)[0]], [40, 30]);
}

#[test]
fn what_was_cut_short_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    write_shards(folder.path());

    let set = open(&[folder.path().to_path_buf()]).unwrap();

    let skipped: Vec<_> = set.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(skipped.len(), 2);
    assert!(
        skipped[0].contains("00001.tar: at byte 4096, a member is cut short"),
        "{skipped:?}"
    );
    assert!(
        skipped[1].ends_with("a/3: it has no video and no image"),
        "{skipped:?}"
    );
}

#[test]
fn the_number_of_threads_changes_nothing_and_progress_reaches_the_end() {
    let folder = tempfile::tempdir().unwrap();
    for shard in 0..7 {
        let key = format!("{shard}.jpg");
        let tar = tar_of(&[(&key, b"x"), (&format!("{shard}.txt"), b"a cat")]);
        std::fs::write(folder.path().join(format!("{shard}.tar")), tar).unwrap();
    }
    let names = |threads| {
        let options = ShardOptions {
            threads,
            ..ShardOptions::default()
        };
        let heard = std::cell::Cell::new(0);
        let given = [folder.path().to_path_buf()];
        let set = ShardSet::open(&given, &options, &|done, total| {
            heard.set(done);
            assert_eq!(total, 7);
        });
        let set = set.unwrap();
        assert_eq!(heard.into_inner(), 7);
        (0..set.len())
            .map(|index| set.name(index))
            .collect::<Vec<_>>()
    };

    assert_eq!(names(1), names(4));
    assert_eq!(names(1).len(), 7);
}

#[test]
fn shards_without_a_sample_and_missing_shards_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.tar");
    std::fs::write(&path, "dear reader, this is not a tar file\n".repeat(99)).unwrap();

    let unusable = open(&[path]).unwrap_err().to_string();
    let missing = open(&[folder.path().join("0.tar")])
        .unwrap_err()
        .to_string();
    let nothing = open(&[]).unwrap_err().to_string();

    assert!(unusable.contains("there is no tar header"), "{unusable}");
    assert!(missing.contains("0.tar"), "{missing}");
    assert!(nothing.contains("no sample of 0 shards"), "{nothing}");
}

#[test]
fn a_published_listing_is_understood_and_its_texts_are_captions() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/annotations/webdataset_sample");
    let Ok(json) = std::fs::read(folder.join("000000014.json")) else {
        println!("SKIPPED: no published samples in {}", folder.display());
        return;
    };
    let text = std::fs::read(folder.join("000000014.txt")).unwrap();
    let tar = tar_of(&[
        ("000000014.json", &json),
        ("000000014.mp4", &png(1)),
        ("000000014.txt", &text),
    ]);
    let shards = tempfile::tempdir().unwrap();
    std::fs::write(shards.path().join("0.tar"), tar).unwrap();

    let set = open(&[shards.path().to_path_buf()]).unwrap();

    let texts = set.read(0).unwrap().texts;
    assert_eq!(texts.all(), [String::from_utf8(text).unwrap().trim()]);
}

#[test]
fn changed_shards_are_read_or_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    write_shards(folder.path());
    let path = folder.path().join("00000.tar");
    let whole = std::fs::read(&path).unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(9);
    let (mut read, mut refused) = (0, 0);

    for _ in 0..500 {
        let mut changed = whole.clone();
        for _ in 0..4 {
            let at = rng.random_range(0..changed.len());
            changed[at] = rng.random();
        }
        std::fs::write(&path, changed).unwrap();
        let Ok(set) = open(std::slice::from_ref(&path)) else {
            refused += 1;
            continue;
        };
        for index in 0..set.len() {
            let clip = set
                .read(index)
                .and_then(|pair| pair.clip.decode(&DecodeLimits::default(), |_| vec![0]));
            match clip {
                Ok(_) => read += 1,
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().contains("00000.tar"), "{error}");
                }
            }
        }
    }

    assert!(read > 0 && refused > 0);
}
