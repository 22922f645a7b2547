//! How far apart pairs and non-pairs are: the analysis of the paper's section 4.4.
//!
//! ```text
//! positive = mean over i of cos(video i, text i)
//! negative = mean over i != j of cos(video i, text j)
//! gap      = positive - negative
//! ```

use clover_inference::EmbeddedPairs;
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

/// The mean cosines of embedded pairs, whose rows have unit length; zero where there is none.
#[must_use]
pub fn pair_similarity(embedded: &EmbeddedPairs) -> PairSimilarity {
    let (videos, texts) = (&embedded.videos, &embedded.texts);
    let rows = videos.rows();
    let (mut own, mut all) = (0.0, 0.0);
    for video in 0..rows {
        for text in 0..rows {
            let values = videos.row(video).iter().zip(texts.row(text));
            let cosine: f64 = values.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            all += cosine;
            own += if video == text { cosine } else { 0.0 };
        }
    }
    let pairs = rows as f64;
    let positive = own / pairs.max(1.0);
    let negative = (all - own) / (pairs * pairs - pairs).max(1.0);
    PairSimilarity {
        positive,
        negative: if rows > 1 { negative } else { 0.0 },
        gap: positive - if rows > 1 { negative } else { 0.0 },
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;
    use clover_inference::Embeddings;

    #[test]
    fn own_and_other_texts_are_averaged_apart() {
        let embeddings = |values: [f32; 4]| Embeddings {
            values: values.into(),
            dim: 2,
        };
        let embedded = EmbeddedPairs {
            pairs: Vec::new(),
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
