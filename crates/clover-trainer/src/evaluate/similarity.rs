//! How far apart pairs and non-pairs are: the analysis of the paper's section 4.4.
//!
//! ```text
//! positive = mean over i of cos(video i, text i)
//! negative = mean over i != j of cos(video i, text j)
//! gap      = positive - negative
//! ```

use serde::{Deserialize, Serialize};

use super::embedded_list::EmbeddedList;
use crate::metric::EmbeddingTable;

/// Mean cosines of pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairSimilarity {
    /// Of clips and their own texts.
    pub positive: f64,
    /// Of clips and the texts of others; zero where there is one pair.
    pub negative: f64,
    /// Their difference.
    pub gap: f64,
}

/// The mean cosines of an embedded list; zero where there is none.
#[must_use]
pub fn pair_similarity(list: &EmbeddedList) -> PairSimilarity {
    let (videos, texts) = (&list.videos, &list.texts);
    let row = |table: &EmbeddingTable, row: usize| {
        let row = table.rows(row..row + 1);
        row.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    // The mean over all is the product of the sums: quadratic work is not needed.
    let sum = |table: &EmbeddingTable| {
        let mut sum = vec![0.0_f64; table.dim()];
        for at in 0..table.len() {
            sum.iter_mut()
                .zip(row(table, at))
                .for_each(|(sum, value)| *sum += value);
        }
        sum
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let all = dot(&sum(videos), &sum(texts));
    let own = list.owner.iter().enumerate();
    let own: f64 = own
        .map(|(text, &clip)| dot(&row(videos, clip), &row(texts, text)))
        .sum();
    let (own_pairs, all_pairs) = (texts.len() as f64, (texts.len() * videos.len()) as f64);
    let positive = own / own_pairs.max(1.0);
    let others = all_pairs - own_pairs;
    let negative = if others > 0.0 {
        (all - own) / others
    } else {
        0.0
    };
    PairSimilarity {
        positive,
        negative,
        gap: positive - negative,
    }
}

/// The share of texts that are closer to their own clip than to the others of its group, where the clips of a list
/// come in groups of `size`; zero where there is no text.
#[must_use]
pub fn found_among_companions(list: &EmbeddedList, size: usize) -> f64 {
    let group = |clip: usize| list.clips[clip] / size.max(1);
    let cosine = |text: usize, clip: usize| list.texts.cosine(text, &list.videos, clip);
    let is_found = |(text, &own): (usize, &usize)| {
        let others = (0..list.clips.len()).filter(|&clip| clip != own && group(clip) == group(own));
        let highest = others.map(|clip| cosine(text, clip));
        highest.fold(f32::NEG_INFINITY, f32::max) < cosine(text, own)
    };
    let found = list.owner.iter().enumerate().filter(|&pair| is_found(pair));
    found.count() as f64 / list.owner.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Storage;

    #[test]
    fn a_text_is_held_against_the_clips_of_its_group_alone() {
        let mut list = EmbeddedList::new(Storage::F32);
        // The second text is more like the first clip; the third like none but its own.
        let rows: [([f32; 2], [f32; 2]); 4] = [
            ([1.0, 0.0], [1.0, 0.0]),
            ([0.0, 1.0], [0.8, 0.6]),
            ([1.0, 0.0], [1.0, 0.0]),
            ([0.0, 1.0], [0.0, 1.0]),
        ];
        for (index, (video, text)) in rows.iter().enumerate() {
            list.push(index, video, [text.as_slice()]).unwrap();
        }

        assert!((found_among_companions(&list, 2) - 0.75).abs() < 1e-12);
        // Held against all, two clips are the same.
        assert!((found_among_companions(&list, 4) - 0.0).abs() < 1e-12);
    }

    #[test]
    fn own_and_other_texts_are_averaged_apart() {
        let mut list = EmbeddedList::new(Storage::F32);
        // The second text is that of the first clip again.
        for (index, video) in [[1.0, 0.0], [0.0, 1.0]].iter().enumerate() {
            list.push(index, video, [[1.0, 0.0].as_slice()]).unwrap();
        }

        let similarity = pair_similarity(&list);

        let expected = PairSimilarity {
            positive: 0.5,
            negative: 0.5,
            gap: 0.0,
        };
        assert_eq!(similarity, expected);
    }
}
