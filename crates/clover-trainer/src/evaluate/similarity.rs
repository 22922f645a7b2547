//! How far apart pairs and non-pairs are: the analysis of the paper's section 4.4.
//!
//! ```text
//! positive = mean over i of cos(video i, text i)
//! negative = mean over i != j of cos(video i, text j)
//! gap      = positive - negative
//! ```

use clover_inference::{EmbeddedTable, Embeddings};
use serde::{Deserialize, Serialize};

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

/// The mean cosines of an embedded table, whose rows have unit length; zero where there is none.
#[must_use]
pub fn pair_similarity(embedded: &EmbeddedTable) -> PairSimilarity {
    let (videos, texts) = (&embedded.videos, &embedded.texts);
    // The mean over all is the product of the sums: quadratic work is not needed.
    let sum = |rows: &Embeddings| {
        let mut sum = vec![0.0_f64; rows.dim];
        for row in rows.values.chunks_exact(rows.dim.max(1)) {
            sum.iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += f64::from(*value));
        }
        sum
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let all = dot(&sum(videos), &sum(texts));
    let wide = |row: &[f32]| row.iter().copied().map(f64::from).collect::<Vec<_>>();
    let own = embedded.owner.iter().enumerate();
    let own: f64 = own
        .map(|(text, &clip)| dot(&wide(videos.row(clip)), &wide(texts.row(text))))
        .sum();
    let (own_pairs, all_pairs) = (texts.rows() as f64, (texts.rows() * videos.rows()) as f64);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_and_other_texts_are_averaged_apart() {
        let embeddings = |values: [f32; 4]| Embeddings {
            values: values.into(),
            dim: 2,
        };
        let embedded = EmbeddedTable {
            rows: vec![0, 1],
            owner: vec![0, 1],
            videos: embeddings([1.0, 0.0, 0.0, 1.0]),
            // The second text is that of the first clip again.
            texts: embeddings([1.0, 0.0, 1.0, 0.0]),
            skipped: Vec::new(),
        };

        let similarity = pair_similarity(&embedded);

        let expected = PairSimilarity {
            positive: 0.5,
            negative: 0.5,
            gap: 0.0,
        };
        assert_eq!(similarity, expected);
    }
}
