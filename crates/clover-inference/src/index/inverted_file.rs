//! Approximate search: rows in lists of those that lie near each other, of which a query looks into a few.
//!
//! Sivic and Zisserman, "Video Google" (ICCV 2003), with the lists of Jégou et al., "Product quantization for
//! nearest neighbor search" (PAMI 2011), section IV: a centroid a list, by k-means, here of rows of unit
//! length. Rows stay where the index has them, so that a row which is looked at has its exact score.
//!
//! | tensor | content |
//! |---|---|
//! | `centroids` | `[lists, dim]`, f32 |
//! | `ends` | `[lists]`, u32, where each list ends |
//! | `rows` | `[rows]`, u32, the rows of one list after those of another |
//!
//! Its metadata name the segments whose rows it counts. Segments that came later are scanned as a whole, and
//! rows of segments that are no longer there are left out: it is never wrong, but slower with time.

mod kmeans;

use std::collections::HashMap;
use std::path::Path;

use clover_data::files::read_regular;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use self::kmeans::{nearest, train};
use super::scan::{RowPlace, products, scan, scan_some};
use super::segment::Segment;
use crate::bundle::write_whole;
use crate::{Embeddings, InferenceError};

const FILE: &str = "approximate.safetensors";
const CENTROIDS: &str = "centroids";
const ENDS: &str = "ends";
const ROWS: &str = "rows";
const ABOUT: &str = "inverted_file";
const CHECKSUM: &str = "blake3";
/// Lists for each root of the number of rows: as long to choose among as to look into.
const LISTS_A_ROOT: f64 = 4.0;
/// Queries that the number of lists to look into is measured with.
const QUERIES: usize = 64;
/// The best rows of each of them, and the share that is to be found.
const BEST: usize = 10;
const RECALL: f64 = 0.98;
/// Rows that are assigned to lists in one go.
const TILE: usize = 256;

/// Lists of rows beside an index.
#[derive(Debug)]
pub struct InvertedFile {
    centroids: Vec<f32>,
    lists: Vec<Vec<RowPlace>>,
    about: About,
    /// Rows that came after it was built.
    later: Vec<RowPlace>,
}

/// What the metadata say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    /// The rows that are counted: those of one segment after those of another.
    segments: Vec<Covered>,
    /// Lists that a query looks into.
    probes: usize,
    /// The share of the best rows of the queries it was measured with that lies in them.
    recall: f32,
}

/// A segment whose rows are in the lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Covered {
    checksum: String,
    rows: usize,
}

impl InvertedFile {
    /// Lists.
    #[must_use]
    pub fn lists(&self) -> usize {
        self.lists.len()
    }

    /// Lists that a query looks into.
    #[must_use]
    pub fn probes(&self) -> usize {
        self.about.probes
    }

    /// The share of the ten best rows that it found when it was built, between 0 and 1.
    #[must_use]
    pub fn recall(&self) -> f32 {
        self.about.recall
    }

    /// Rows that came after it was built: every query looks at each of them.
    #[must_use]
    pub fn later_rows(&self) -> usize {
        self.later.len()
    }

    /// The rows that a query looks at, and their scores.
    pub(super) fn candidates(&self, segments: &[Segment], query: &[f32]) -> Vec<(RowPlace, f32)> {
        let mut places = self.later.clone();
        let by_centroid = centroid_scores(&self.centroids, query);
        let mut order: Vec<usize> = (0..self.lists.len()).collect();
        let probes = self.about.probes.min(order.len());
        if probes < order.len() {
            order
                .select_nth_unstable_by(probes, |&a, &b| by_centroid[b].total_cmp(&by_centroid[a]));
        }
        for &list in &order[..probes] {
            places.extend_from_slice(&self.lists[list]);
        }
        // In the order of memory.
        places.sort_unstable();
        let scores = scan_some(segments, &places, query);
        places.into_iter().zip(scores).collect()
    }

    /// Sorts all rows into lists and writes these beside the index. `queries` decide how many lists are
    /// looked into; rows of the index themselves where there are none.
    pub(super) fn build(
        folder: &Path,
        segments: &[Segment],
        dim: usize,
        queries: &Embeddings,
    ) -> Result<(), InferenceError> {
        let path = folder.join(FILE);
        let places = segments.iter().enumerate();
        let places: Vec<RowPlace> = places.flat_map(|(at, one)| places_of(at, one)).collect();
        let refused = |reason: &str| InferenceError::OtherIndex {
            index: folder.to_owned(),
            reason: reason.to_owned(),
        };
        if places.is_empty() {
            return Err(refused("has no rows that lists could be made of"));
        }
        let count = u32::try_from(places.len())
            .map_err(|_| refused("has more rows than an inverted file can count"))?;
        let row = |&RowPlace { segment, row }: &RowPlace| {
            segments[segment as usize].row(row as usize, dim)
        };
        let lists = ((LISTS_A_ROOT * f64::from(count).sqrt()) as usize).clamp(1, places.len());
        let centroids = train(&places, row, dim, lists);
        let assigned: Vec<u32> = places
            .par_chunks(TILE)
            .flat_map_iter(|tile| {
                let rows: Vec<f32> = tile.iter().flat_map(row).collect();
                nearest(&rows, &centroids, dim)
            })
            .collect();

        let of_rows: Vec<f32>;
        let queries = match queries.rows() {
            0 => {
                let step = places.len().div_ceil(QUERIES);
                of_rows = places.iter().step_by(step).flat_map(row).collect();
                &of_rows
            }
            _ => &queries.values,
        };
        let (probes, recall) = measure(segments, (&centroids, &assigned), dim, queries);
        let about = About {
            segments: segments
                .iter()
                .map(|segment| Covered {
                    checksum: segment.checksum.clone(),
                    rows: segment.rows(),
                })
                .collect(),
            probes,
            recall,
        };
        let mut rows: Vec<u32> = (0..count).collect();
        rows.sort_by_key(|&row| assigned[row as usize]);
        let mut ends = vec![0_u32; lists];
        for &list in &assigned {
            ends[list as usize] += 1;
        }
        let mut end = 0;
        for one in &mut ends {
            end += *one;
            *one = end;
        }
        write(&path, &about, dim, (&centroids, &ends, &rows))
    }

    /// Reads the lists of an index; none where it has no inverted file.
    pub(super) fn read(
        folder: &Path,
        segments: &[Segment],
        dim: usize,
    ) -> Result<Option<Self>, InferenceError> {
        let path = folder.join(FILE);
        let bytes = match read_regular(&path, u64::MAX) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(InferenceError::File { path, source }),
            Ok(bytes) => bytes,
        };
        match Self::of_bytes(&bytes, segments, dim) {
            Ok(read) => Ok(Some(read)),
            Err(fault) => Err(InferenceError::Damaged {
                path,
                fault: format!("{fault}; `clover index --approximate` builds it anew"),
            }),
        }
    }

    fn of_bytes(bytes: &[u8], segments: &[Segment], dim: usize) -> Result<Self, String> {
        let broken = |error: safetensors::SafeTensorError| error.to_string();
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        let metadata = header.metadata().as_ref();
        let entry = |key| {
            metadata
                .and_then(|all| all.get(key))
                .map_or("", String::as_str)
        };
        let [centroids, ends, rows] = [CENTROIDS, ENDS, ROWS].map(|name| tensors.tensor(name));
        let (centroids, ends, rows) = (
            centroids.map_err(broken)?,
            ends.map_err(broken)?,
            rows.map_err(broken)?,
        );
        let data = [centroids.data(), ends.data(), rows.data()];
        if entry(CHECKSUM) != checksum(entry(ABOUT), data) {
            return Err("its checksum does not fit its content".to_owned());
        }
        let about: About = serde_json::from_str(entry(ABOUT)).map_err(|error| error.to_string())?;
        let fits = |tensor: &TensorView<'_>, dtype, shape: &[usize]| {
            (tensor.dtype(), tensor.shape()) == (dtype, shape)
        };
        let [lists] = *ends.shape() else {
            return Err("its lists are not a row of numbers".to_owned());
        };
        let counted = about
            .segments
            .iter()
            .try_fold(0_usize, |sum, one| sum.checked_add(one.rows))
            .ok_or("it counts more rows than there can be")?;
        if lists == 0
            || !fits(&centroids, Dtype::F32, &[lists, dim])
            || !fits(&ends, Dtype::U32, &[lists])
            || !fits(&rows, Dtype::U32, &[counted])
        {
            return Err(format!(
                "its tensors do not have the shapes of {lists} lists of {counted} rows of {dim} numbers"
            ));
        }
        if !(1..=lists).contains(&about.probes) {
            return Err(format!(
                "{} of {lists} lists cannot be looked into",
                about.probes
            ));
        }
        let centroids: Vec<f32> = words(&centroids).map(f32::from_bits).collect();
        if !centroids.iter().all(|value| value.is_finite()) {
            return Err("a centroid is no number".to_owned());
        }

        let (now, later) = places_now(&about.segments, segments);
        let rows: Vec<u32> = words(&rows).collect();
        let mut seen = vec![false; counted];
        for &row in &rows {
            // As many rows as are counted, none twice: none is missing.
            match seen.get_mut(row as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(format!("row {row} is listed twice, or is none of its rows")),
            }
        }
        let (mut listed, mut start) = (Vec::with_capacity(lists), 0_usize);
        for end in words(&ends).map(|end| end as usize) {
            let list = rows
                .get(start..end)
                .ok_or("its lists do not follow each other")?;
            listed.push(list.iter().filter_map(|&row| now[row as usize]).collect());
            start = end;
        }
        if start != rows.len() {
            return Err("its lists end before its rows do".to_owned());
        }
        Ok(Self {
            centroids,
            lists: listed,
            about,
            later,
        })
    }
}

/// Every row of a segment.
fn places_of(at: usize, segment: &Segment) -> impl Iterator<Item = RowPlace> + use<> {
    let rows = 0..segment.rows() as u32;
    rows.map(move |row| RowPlace {
        segment: at as u32,
        row,
    })
}

/// Where each row that was counted lies now, none where its segment is gone; and the rows of the segments
/// that were not counted.
fn places_now(covered: &[Covered], segments: &[Segment]) -> (Vec<Option<RowPlace>>, Vec<RowPlace>) {
    let mut by_checksum = HashMap::<(&str, usize), Vec<usize>>::new();
    for (at, segment) in segments.iter().enumerate().rev() {
        let key = (segment.checksum.as_str(), segment.rows());
        by_checksum.entry(key).or_default().push(at);
    }
    let mut now = Vec::new();
    for one in covered {
        let found = by_checksum.get_mut(&(one.checksum.as_str(), one.rows));
        let found = found.and_then(Vec::pop);
        let rows = 0..one.rows as u32;
        now.extend(rows.map(|row| {
            found.map(|at| RowPlace {
                segment: at as u32,
                row,
            })
        }));
    }
    let mut left: Vec<usize> = by_checksum.into_values().flatten().collect();
    left.sort_unstable();
    let later = left.into_iter().flat_map(|at| places_of(at, &segments[at]));
    (now, later.collect())
}

/// The product of a query with each centroid.
fn centroid_scores(centroids: &[f32], query: &[f32]) -> Vec<f32> {
    let dim = query.len().max(1);
    let mut scores = vec![0.0; centroids.len() / dim];
    let blocks = centroids
        .par_chunks(TILE * dim)
        .zip(scores.par_chunks_mut(TILE));
    blocks.for_each(|(centroids, scores)| products(centroids, query, scores));
    scores
}

/// How many lists must be looked into for [`RECALL`], and the share that is then found.
fn measure(
    segments: &[Segment],
    (centroids, assigned): (&[f32], &[u32]),
    dim: usize,
    queries: &[f32],
) -> (usize, f32) {
    let mut ranks = Vec::new();
    for query in queries.chunks_exact(dim).take(QUERIES) {
        let scores = scan(segments, query);
        let mut order: Vec<usize> = (0..scores.len()).collect();
        let best = BEST.min(order.len());
        if best < order.len() {
            order.select_nth_unstable_by(best, |&a, &b| scores[b].total_cmp(&scores[a]));
        }
        let by_centroid = centroid_scores(centroids, query);
        for &row in &order[..best] {
            let own = by_centroid[assigned[row] as usize];
            ranks.push(by_centroid.iter().filter(|&&other| other > own).count());
        }
    }
    ranks.sort_unstable();
    let enough = (RECALL * ranks.len() as f64).ceil() as usize;
    let probes = enough.checked_sub(1).map_or(1, |last| ranks[last] + 1);
    let found = ranks.partition_point(|&rank| rank < probes);
    (probes, found as f32 / ranks.len().max(1) as f32)
}

fn words<'t>(tensor: &'t TensorView<'_>) -> impl Iterator<Item = u32> + 't {
    let (words, _) = tensor.data().as_chunks::<4>();
    words.iter().map(|&word| u32::from_le_bytes(word))
}

fn checksum(about: &str, tensors: [&[u8]; 3]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(about.as_bytes());
    for bytes in tensors {
        hasher.update(bytes);
    }
    hasher.finalize().to_hex().to_string()
}

fn write(
    path: &Path,
    about: &About,
    dim: usize,
    (centroids, ends, rows): (&[f32], &[u32], &[u32]),
) -> Result<(), InferenceError> {
    let json = |source| InferenceError::Json {
        path: path.to_owned(),
        source,
    };
    let damaged = |source: safetensors::SafeTensorError| InferenceError::Damaged {
        path: path.to_owned(),
        fault: source.to_string(),
    };
    let about = serde_json::to_string(about).map_err(json)?;
    let centroids: Vec<u8> = centroids.iter().flat_map(|one| one.to_le_bytes()).collect();
    let [ends, rows] = [ends, rows].map(|all| {
        all.iter()
            .flat_map(|one| one.to_le_bytes())
            .collect::<Vec<u8>>()
    });
    let lists = ends.len() / 4;
    let metadata = HashMap::from([
        (
            CHECKSUM.to_owned(),
            checksum(&about, [&centroids, &ends, &rows]),
        ),
        (ABOUT.to_owned(), about),
    ]);
    let tensors = [
        (
            CENTROIDS,
            TensorView::new(Dtype::F32, vec![lists, dim], &centroids),
        ),
        (ENDS, TensorView::new(Dtype::U32, vec![lists], &ends)),
        (
            ROWS,
            TensorView::new(Dtype::U32, vec![rows.len() / 4], &rows),
        ),
    ];
    let tensors = tensors
        .into_iter()
        .map(|(name, tensor)| Ok((name, tensor?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(damaged)?;
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(damaged)?;
    write_whole(path, &bytes)
}

#[cfg(test)]
mod tests;
