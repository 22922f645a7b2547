use std::fs;

use super::super::segment::{RowKey, Rows, SegmentFile, write_segment};
use super::super::settings::RowPrecision;
use super::*;

const DIM: usize = 32;

/// Numbers that look drawn at random, between -1 and 1.
fn number(seed: usize) -> f32 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed >> 40) as f32) / (1_u64 << 23) as f32 - 1.0
}

fn unit(mut row: Vec<f32>) -> Vec<f32> {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    row.iter_mut().for_each(|value| *value /= length);
    row
}

/// A row so far from another.
fn beside(row: &[f32], distance: f32, seed: usize) -> Vec<f32> {
    let off = unit((0..DIM).map(|at| number(seed * DIM + at)).collect());
    unit(
        row.iter()
            .zip(&off)
            .map(|(a, b)| a + distance * b)
            .collect(),
    )
}

/// A subject of a library.
fn topic(number_of: usize) -> Vec<f32> {
    beside(&[0.0; DIM], 1.0, 1_000_000 + number_of)
}

/// Clips about some subjects, four windows each: those of a clip are alike.
fn row(at: usize) -> Vec<f32> {
    let clip = beside(&topic(at / 4 * 7 % 40), 0.7, 2_000_000 + at / 4);
    beside(&clip, 0.4, 3_000_000 + at)
}

fn segment(folder: &Path, commit: u64, rows: std::ops::Range<usize>) -> Segment {
    let mut written = Rows::default();
    for at in rows {
        let start_ms = 1_000 * (at % 4) as u32;
        let key = RowKey {
            content: (at / 4) as u32,
            start_ms,
            end_ms: start_ms + 1_000,
        };
        written.push(key, &row(at));
    }
    let file = SegmentFile::new(folder, commit, commit);
    write_segment(&file, &written, DIM, RowPrecision::F16).unwrap();
    Segment::read(&file.path, DIM, RowPrecision::F16).unwrap()
}

/// Queries that lie about as far from a subject as its clips.
fn queries() -> Embeddings {
    let rows = (0..40).flat_map(|at| beside(&topic(at), 0.9, 4_000_000 + at));
    Embeddings {
        values: rows.collect(),
        dim: DIM,
    }
}

fn built(folder: &Path, segments: &[Segment]) -> InvertedFile {
    InvertedFile::build(folder, segments, DIM, &queries()).unwrap();
    InvertedFile::read(folder, segments, DIM).unwrap().unwrap()
}

/// The share of the ten best rows of each query that are found, and the share of rows that are looked at.
fn recall(lists: &InvertedFile, segments: &[Segment], queries: &Embeddings) -> (f64, f64) {
    let (mut found, mut looked_at) = (0, 0);
    for query in queries.values.chunks(DIM) {
        let scores = scan(segments, query);
        let mut exact = scores.clone();
        exact.sort_unstable_by(|a, b| b.total_cmp(a));
        let candidates = lists.candidates(segments, query);
        looked_at += candidates.len();
        found += candidates
            .iter()
            .filter(|(_, score)| *score >= exact[9])
            .count();
    }
    let rows: usize = segments.iter().map(Segment::rows).sum();
    let count = queries.rows();
    (
        found as f64 / (10 * count) as f64,
        looked_at as f64 / (rows * count) as f64,
    )
}

#[test]
fn the_best_rows_are_found_among_few_with_their_exact_scores() {
    let folder = tempfile::tempdir().unwrap();
    let segments = [
        segment(folder.path(), 1, 0..8_000),
        segment(folder.path(), 2, 8_000..12_000),
    ];

    let lists = built(folder.path(), &segments);

    // Other queries than those that it was measured with.
    let rows = (0..40).flat_map(|at| beside(&topic(at), 0.9, 5_000_000 + at));
    let others = Embeddings {
        values: rows.collect(),
        dim: DIM,
    };
    let (recall, looked_at) = recall(&lists, &segments, &others);
    assert!(recall >= 0.95, "{recall}, of {looked_at} of the rows");
    assert!(looked_at < 0.25, "{looked_at}");
    assert!(lists.recall() >= 0.98);
    let query = others.row(3);
    let scores = scan(&segments, query);
    for (place, score) in lists.candidates(&segments, query) {
        let row = place.segment as usize * 8_000 + place.row as usize;
        assert!((score - scores[row]).abs() < 1e-6);
    }
}

#[test]
fn rows_that_came_later_are_looked_at_and_those_that_are_gone_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = [(1, 0..400), (2, 400..800), (3, 800..1_000)]
        .map(|(commit, rows)| segment(folder.path(), commit, rows));
    let before = [first, second];
    let lists = built(folder.path(), &before);
    assert_eq!(lists.later_rows(), 0);
    let [_, second] = before;
    let now = [third, second];

    let lists = InvertedFile::read(folder.path(), &now, DIM)
        .unwrap()
        .unwrap();

    assert_eq!(lists.later_rows(), 200);
    let listed = lists.lists.iter().flatten();
    assert!(listed.clone().all(|place| place.segment == 1));
    assert_eq!(listed.count(), 400);
    let candidates = lists.candidates(&now, &row(900));
    let best = candidates
        .iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap();
    assert_eq!(
        best.0,
        RowPlace {
            segment: 0,
            row: 100
        }
    );
}

#[test]
fn the_same_rows_give_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let segments = [segment(folder.path(), 1, 0..500)];
    built(folder.path(), &segments);
    let first = fs::read(folder.path().join(FILE)).unwrap();

    let again = built(folder.path(), &segments);

    let tensors = |bytes: &[u8]| {
        let file = SafeTensors::deserialize(bytes).unwrap();
        [CENTROIDS, ENDS, ROWS].map(|name| file.tensor(name).unwrap().data().to_vec())
    };
    let second = fs::read(folder.path().join(FILE)).unwrap();
    assert_eq!(tensors(&first), tensors(&second));
    assert!(again.probes() <= again.lists());
}

#[test]
fn an_index_without_lists_has_none_and_one_without_rows_gets_none() {
    let folder = tempfile::tempdir().unwrap();

    assert!(
        InvertedFile::read(folder.path(), &[], DIM)
            .unwrap()
            .is_none()
    );
    let error = InvertedFile::build(folder.path(), &[], DIM, &queries()).unwrap_err();
    assert!(error.to_string().contains("has no rows"), "{error}");
}

#[test]
fn a_damaged_file_is_refused_by_name_wherever_it_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let segments = [segment(folder.path(), 1, 0..12)];
    let lists = built(folder.path(), &segments);
    let path = folder.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        InvertedFile::read(folder.path(), &segments, DIM)
    };

    for length in 0..whole.len() {
        let error = read(&whole[..length]).unwrap_err().to_string();
        assert!(
            error.contains(FILE) && error.contains("--approximate"),
            "{error}"
        );
    }
    for byte in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1 << (byte % 8);
        // A flip in the header may change what is nowhere used.
        if let Ok(Some(read)) = read(&flipped) {
            assert_eq!(read.lists, lists.lists);
            assert_eq!(read.about, lists.about);
        }
    }
}

#[test]
fn a_file_that_lies_under_a_right_checksum_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let segments = [segment(folder.path(), 1, 0..3)];
    let path = folder.path().join(FILE);
    let about = |rows, probes| About {
        segments: vec![Covered {
            checksum: segments[0].checksum.clone(),
            rows,
        }],
        probes,
        recall: 1.0,
    };
    let centroids = vec![0.5_f32; 2 * DIM];
    let endless = vec![f32::NAN; 2 * DIM];
    let refused = |about: About, centroids: &[f32], ends: &[u32], rows: &[u32]| {
        write(&path, &about, DIM, (centroids, ends, rows)).unwrap();
        InvertedFile::read(folder.path(), &segments, DIM).is_err()
    };

    assert!(!refused(about(3, 1), &centroids, &[1, 3], &[2, 0, 1]));
    assert!(refused(about(3, 0), &centroids, &[1, 3], &[2, 0, 1]));
    assert!(refused(about(3, 3), &centroids, &[1, 3], &[2, 0, 1]));
    assert!(refused(about(3, 1), &endless, &[1, 3], &[2, 0, 1]));
    assert!(refused(about(3, 1), &centroids, &[1, 4], &[2, 0, 1]));
    assert!(refused(about(3, 1), &centroids, &[1, 2], &[2, 0, 1]));
    assert!(refused(about(3, 1), &centroids, &[2, 1], &[2, 0, 1]));
    assert!(refused(about(3, 1), &centroids, &[1, 3], &[2, 0, 0]));
    assert!(refused(about(3, 1), &centroids, &[1, 3], &[2, 0, 3]));
    assert!(refused(about(4, 1), &centroids, &[1, 3], &[2, 0, 1]));
    assert!(refused(
        about(usize::MAX, 1),
        &centroids,
        &[1, 3],
        &[2, 0, 1]
    ));
    write(&path, &about(3, 1), DIM, (&centroids, &[1, 3], &[2, 0, 1])).unwrap();
    let wider = InvertedFile::read(folder.path(), &segments, 2 * DIM);
    assert!(wider.unwrap_err().to_string().contains("shapes"));
}
