use super::*;
use crate::dataset::shards::tar_of;
use rand::{Rng, SeedableRng};
use std::io::Cursor;

fn gathered(tar: &[u8]) -> Gathered {
    let path = Path::new("a.tar");
    gather(Cursor::new(tar), tar.len() as u64, path, 0, 1 << 20)
}

fn keys(gathered: &Gathered) -> Vec<String> {
    let index = &gathered.index;
    (0..index.len())
        .map(|at| index.get(at).key.to_owned())
        .collect()
}

fn reasons(gathered: &Gathered) -> Vec<String> {
    gathered.skipped.iter().map(ToString::to_string).collect()
}

fn small_tar() -> Vec<u8> {
    let long = format!("{}.txt", "k".repeat(150));
    let image = format!("{}.jpg", "k".repeat(150));
    tar_of(&[
        ("000.json", b"{\"caption\":\"a cat\"}"),
        ("000.mp4", &[1; 700]),
        ("000.txt", b"a cat"),
        ("sub/001.jpg", &[2; 300]),
        ("sub/001.txt", b"a dog"),
        (&long, b"a bird"),
        (&image, &[3; 10]),
    ])
}

#[test]
fn members_with_one_key_are_one_sample_in_any_order() {
    let sorted = tar_of(&[
        ("a.jpg", b"A"),
        ("b.jpg", b"B"),
        ("a.txt", b"a cat"),
        ("b.txt", b"a dog"),
        ("b.cls", b"1"),
        ("README", b"-"),
    ]);

    let gathered = gathered(&sorted);

    assert_eq!(keys(&gathered), ["a", "b"]);
    assert_eq!(gathered.others, 2);
    assert_eq!(gathered.skipped, []);
    assert_eq!(gathered.index.get(1).media[0].len(), 1);
}

#[test]
fn numbered_images_are_frames_in_the_order_of_their_numbers() {
    let tar = tar_of(&[
        ("a.010.jpg", b"333"),
        ("a.002.jpg", b"22"),
        ("a.000.jpg", b"1"),
        ("a.jpg", b"a cover"),
        ("a.txt", b"a cat"),
        ("b.00.jpg", b"1"),
        ("b.0.png", b"2"),
        ("b.txt", b"a dog"),
    ]);

    let gathered = gathered(&tar);

    let sample = gathered.index.get(0);
    let lengths: Vec<_> = sample.media.iter().map(|span| span.len()).collect();
    assert_eq!((sample.framewise, lengths), (true, vec![1, 2, 3]));
    assert_eq!(
        reasons(&gathered),
        ["a.tar/b: two of its frames have the same number"]
    );
}

#[test]
fn names_with_dots_are_samples_of_their_own_or_named_as_left_out() {
    let tar = tar_of(&[
        ("v1.0_clip.jpg", b"A"),
        ("v1.0_clip.txt", b"a cat"),
        ("235 Track 2.0 (Clean).mp4", b"B"),
        ("235 Track 2.0 (Clean).json", b"{}"),
        ("k.jpg", b"C"),
        ("k.txt", b"a dog"),
        ("k.mask.png", b"D"),
        ("v2.0_clip.jpg", b"E"),
        ("take_1.5.jpg", b"F"),
        ("take_1.5.txt", b"a frame or a name"),
    ]);

    let gathered = gathered(&tar);

    assert_eq!(keys(&gathered), ["v1.0_clip", "235 Track 2.0 (Clean)", "k"]);
    assert_eq!(gathered.others, 1);
    assert_eq!(
        reasons(&gathered),
        [
            "a.tar/v2.0_clip: it has no caption",
            "a.tar/take_1: it has no caption",
            "a.tar/take_1.5: it has no video and no image",
        ]
    );
}

#[test]
fn incomplete_samples_are_skipped_by_name() {
    let large = vec![0; (1 << 20) + 1];
    let tar = tar_of(&[
        ("a.jpg", b"A"),
        ("b.txt", b"a dog"),
        ("c.mp4", &large),
        ("c.txt", b"a cat"),
        ("d.txt", &large),
        ("d.jpg", b"D"),
        ("e.jpg", b"E"),
        ("e.jpeg", b"E"),
        ("e.txt", b"a bird"),
    ]);

    let gathered = gathered(&tar);

    assert_eq!(keys(&gathered), ["e"]);
    let reasons = reasons(&gathered);
    assert!(
        reasons[0].contains("e.jpeg") && reasons[0].contains("beside"),
        "{reasons:?}"
    );
    assert_eq!(
        reasons[1..],
        [
            "a.tar/a: it has no caption",
            "a.tar/b: it has no video and no image",
            "a.tar/c: one of its members is too large",
            "a.tar/d: one of its members is too large",
        ]
    );
}

#[test]
fn names_that_leave_the_folder_are_refused_by_name() {
    let mut tar = Vec::new();
    for name in [
        "../a.jpg",
        "/b.jpg",
        "C:c.jpg",
        "d\\..\\e.jpg",
        "./f.jpg",
        "\u{e9}.jpg",
    ] {
        let mut one = tar_of(&[("x", b"1")]);
        one.truncate(1_024);
        one[..100].fill(0);
        one[..name.len()].copy_from_slice(name.as_bytes());
        if name == "\u{e9}.jpg" {
            one[1] = b'x';
        }
        let mut header = tar::Header::from_byte_slice(&one[..512]).clone();
        header.set_cksum();
        one[..512].copy_from_slice(header.as_bytes());
        tar.extend(one);
    }
    tar.extend(tar_of(&[("f.txt", b"a cat")]));

    let gathered = gathered(&tar);

    assert_eq!(keys(&gathered), ["f"]);
    let reasons = reasons(&gathered);
    for (reason, part) in reasons
        .iter()
        .zip(["climbs", "absolute", "drive", "backslash", "UTF-8"])
    {
        assert!(
            reason.contains("a.tar") && reason.contains(part),
            "{reasons:?}"
        );
    }
    assert_eq!(reasons.len(), 5);
}

#[test]
fn links_are_refused_by_name_and_folders_passed_over() {
    let mut builder = tar::Builder::new(Vec::new());
    for (kind, name) in [
        (tar::EntryType::Symlink, "a.jpg"),
        (tar::EntryType::Directory, "folder/"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        builder
            .append_link(&mut header, name, "/etc/passwd")
            .unwrap();
    }

    let gathered = gathered(&builder.into_inner().unwrap());

    assert_eq!(gathered.index.len(), 0);
    assert_eq!(gathered.skipped.len(), 1);
    assert!(gathered.skipped[0].to_string().ends_with("is a link"));
}

#[test]
fn a_shard_cut_anywhere_gives_the_samples_before_the_cut() {
    let whole = small_tar();
    let complete = keys(&gathered(&whole));
    assert_eq!(complete.len(), 3);

    let step = whole.len() / 200;
    for cut in (0..200).map(|place| place * step + place % 7) {
        let cut = gathered(&whole[..cut]);

        assert!(complete.starts_with(&keys(&cut)));
        if let Some(broken) = cut.skipped.first() {
            let reason = broken.to_string();
            assert!(reason.contains("a.tar"), "{reason}");
        }
    }
}

#[test]
fn changed_bytes_never_break_more_than_the_shard() {
    let whole = small_tar();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    for _ in 0..5_000 {
        let mut changed = whole.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..changed.len());
            changed[at] ^= 1 << rng.random_range(0..8);
        }

        let gathered = gathered(&changed);

        // Whatever is in the index lies within the file.
        for at in 0..gathered.index.len() {
            for span in gathered.index.get(at).media {
                assert!(span.offset() + span.len() as u64 <= changed.len() as u64);
            }
        }
    }
}

#[test]
fn changed_headers_with_a_right_checksum_never_break_more_than_the_shard() {
    let whole = small_tar();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(8);
    for _ in 0..2_000 {
        let mut changed = whole.clone();
        let at = 512 * rng.random_range(0..changed.len() / 512);
        for _ in 0..rng.random_range(1..6) {
            changed[at + rng.random_range(100..500)] = rng.random();
        }
        let mut header = tar::Header::from_byte_slice(&changed[at..at + 512]).clone();
        header.set_cksum();
        changed[at..at + 512].copy_from_slice(header.as_bytes());

        let gathered = gathered(&changed);

        assert!(gathered.index.len() <= 4);
    }
}
