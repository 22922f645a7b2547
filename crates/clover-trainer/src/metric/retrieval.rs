//! Retrieval: where the own video of a text ranks among all videos, and the other way around.
//!
//! Scores are dot products of rows divided by their length. A rank is the position in a descending,
//! stable sort: a candidate with an equal score ranks ahead if its index is smaller. Figures are
//! those of the reference: recalls in percent, ranks counted from one.

use std::cmp::Ordering;

use super::scores::UnitRows;
use crate::error::TrainerError;

/// Recall and rank over all queries.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RetrievalMetrics {
    /// Percent of queries whose own candidate ranks first.
    pub recall_at_1: f64,
    /// Percent of queries whose own candidate is among the first five.
    pub recall_at_5: f64,
    /// Percent of queries whose own candidate is among the first ten.
    pub recall_at_10: f64,
    /// The median rank; the mean of the middle two of an even number.
    pub median_rank: f64,
    /// The mean rank.
    pub mean_rank: f64,
    /// Queries counted.
    pub queries: usize,
    /// Candidates each was compared with.
    pub candidates: usize,
}

/// Ranks videos by text; `owner[i]` is the video that text `i` belongs to.
///
/// # Errors
///
/// Fails if there is no text, the lengths do not fit together, an owner is no video, or an embedding
/// is not finite.
pub fn text_to_video(
    text: &[f32],
    video: &[f32],
    dim: usize,
    owner: &[usize],
) -> Result<RetrievalMetrics, TrainerError> {
    let (text, video) = owned_rows(text, video, dim, owner)?;
    let mut ranks = Vec::with_capacity(text.len());
    text.for_each_score_row(&video, |query, scores| {
        ranks.push(rank(scores, owner[query]));
    });
    Ok(RetrievalMetrics::from_ranks(ranks, video.len()))
}

/// Ranks texts by video: a video's rank is that of its best own text. A video without a text is
/// not counted as a query.
///
/// # Errors
///
/// As [`text_to_video`].
pub fn video_to_text(
    video: &[f32],
    text: &[f32],
    dim: usize,
    owner: &[usize],
) -> Result<RetrievalMetrics, TrainerError> {
    let (text, video) = owned_rows(text, video, dim, owner)?;
    let mut own_texts = vec![Vec::new(); video.len()];
    for (text, &video) in owner.iter().enumerate() {
        own_texts[video].push(text);
    }
    let mut ranks = Vec::with_capacity(video.len());
    video.for_each_score_row(&text, |query, scores| {
        ranks.extend(own_texts[query].iter().map(|&own| rank(scores, own)).min());
    });
    Ok(RetrievalMetrics::from_ranks(ranks, text.len()))
}

/// The `top_k` best candidates of one query with their scores, best first; of equal scores the
/// smaller index.
///
/// # Errors
///
/// Fails if `query` is not one row, `candidates` no whole number of rows, or a value is not finite.
pub fn ranking(
    query: &[f32],
    candidates: &[f32],
    dim: usize,
    top_k: usize,
) -> Result<Vec<(usize, f32)>, TrainerError> {
    if query.len() != dim {
        return Err(TrainerError::EmbeddingsLength {
            what: "query",
            values: query.len(),
            expected: dim,
        });
    }
    let query = UnitRows::new("query", query, dim)?;
    let candidates = UnitRows::new("candidate", candidates, dim)?;
    let mut ranked = Vec::new();
    query.for_each_score_row(&candidates, |_, scores| {
        ranked = scores.iter().copied().enumerate().collect();
    });
    ranked.sort_by(|&(_, a), &(_, b)| by_score(b, a));
    ranked.truncate(top_k);
    Ok(ranked)
}

impl RetrievalMetrics {
    /// Figures of ranks counted from zero; there is at least one.
    pub(crate) fn from_ranks(mut ranks: Vec<usize>, candidates: usize) -> Self {
        ranks.sort_unstable();
        let queries = ranks.len();
        let recall = |k| 100.0 * ranks.partition_point(|&rank| rank < k) as f64 / queries as f64;
        let middle = ranks[(queries - 1) / 2] + ranks[queries / 2];
        let sum: usize = ranks.iter().sum();
        Self {
            recall_at_1: recall(1),
            recall_at_5: recall(5),
            recall_at_10: recall(10),
            median_rank: middle as f64 / 2.0 + 1.0,
            mean_rank: sum as f64 / queries as f64 + 1.0,
            queries,
            candidates,
        }
    }
}

fn owned_rows(
    text: &[f32],
    video: &[f32],
    dim: usize,
    owner: &[usize],
) -> Result<(UnitRows, UnitRows), TrainerError> {
    if owner.is_empty() {
        return Err(TrainerError::NothingToEvaluate);
    }
    let text = UnitRows::new("text", text, dim)?;
    let video = UnitRows::new("video", video, dim)?;
    if text.len() != owner.len() {
        return Err(TrainerError::EmbeddingsLength {
            what: "text",
            values: text.len() * dim,
            expected: owner.len() * dim,
        });
    }
    match owner.iter().position(|&owner| owner >= video.len()) {
        Some(item) => Err(TrainerError::CandidateOutOfRange {
            item,
            candidate: owner[item],
            candidates: video.len(),
        }),
        None => Ok((text, video)),
    }
}

/// The position of `own` in a stable descending sort, from zero, without sorting.
fn rank(scores: &[f32], own: usize) -> usize {
    let is_ahead = |other: usize, score: f32| match by_score(score, scores[own]) {
        Ordering::Greater => true,
        Ordering::Equal => other < own,
        Ordering::Less => false,
    };
    let others = scores.iter().enumerate();
    others
        .filter(|&(other, &score)| is_ahead(other, score))
        .count()
}

/// A total order of scores. Adding zero makes the two zeros equal, which `total_cmp` keeps apart.
fn by_score(a: f32, b: f32) -> Ordering {
    (a + 0.0).total_cmp(&(b + 0.0))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "the values compared are exact")]
mod tests {
    use super::*;

    /// Three videos along the axes, the third between the first two.
    const VIDEO: [f32; 6] = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0];

    #[test]
    fn ranks_are_counted_as_by_hand() {
        // The first text is its own video. The second lies on the first video's side of its own.
        let text = [5.0, 0.0, 0.9, 0.1];

        let metrics = text_to_video(&text, &VIDEO, 2, &[0, 1]).expect("metrics");

        assert_eq!(metrics.recall_at_1, 50.0);
        assert_eq!(metrics.recall_at_5, 100.0);
        // Ranks 1 and 3.
        assert_eq!(metrics.median_rank, 2.0);
        assert_eq!(metrics.mean_rank, 2.0);
        assert_eq!((metrics.queries, metrics.candidates), (2, 3));
    }

    #[test]
    fn a_video_ranks_with_its_best_text_and_one_without_is_not_counted() {
        // Both texts are the first video's; the second of them fits it best.
        let text = [0.0, 1.0, 1.0, 0.0];

        let metrics = video_to_text(&VIDEO, &text, 2, &[0, 0]).expect("metrics");

        assert_eq!(metrics.recall_at_1, 100.0);
        assert_eq!((metrics.queries, metrics.candidates), (1, 2));
    }

    #[test]
    fn of_equal_scores_the_smaller_index_ranks_first() {
        let video = [1.0, 0.0, 1.0, 0.0];

        let first = text_to_video(&[1.0, 0.0], &video, 2, &[0]).expect("metrics");
        let second = text_to_video(&[1.0, 0.0], &video, 2, &[1]).expect("metrics");

        assert_eq!(first.mean_rank, 1.0);
        assert_eq!(second.mean_rank, 2.0);
    }

    #[test]
    fn a_ranking_lists_the_best_candidates_first() {
        let ranked = ranking(&[0.0, 2.0], &VIDEO, 2, 2).expect("a ranking");

        assert_eq!(ranked[0], (1, 1.0));
        assert_eq!(ranked[1].0, 2);
        assert_eq!(ranked.len(), 2);
    }

    #[test]
    fn a_ranking_keeps_the_order_of_equal_scores() {
        let ranked = ranking(&[1.0, 0.0], &[0.0, -1.0, -0.0, 1.0, 1.0, 0.0], 2, 3);

        let order: Vec<_> = ranked
            .expect("a ranking")
            .into_iter()
            .map(|(row, _)| row)
            .collect();
        assert_eq!(order, [2, 0, 1]);
    }

    #[test]
    fn a_random_ranking_agrees_with_the_metrics() {
        let value = |seed: u32| ((seed.wrapping_mul(2_654_435_761) >> 16) as f32).sin();
        let text: Vec<f32> = (0..120).map(value).collect();
        let video: Vec<f32> = (500..620).map(value).collect();
        let owner: Vec<usize> = (0..40).collect();

        let metrics = text_to_video(&text, &video, 3, &owner).expect("metrics");

        let ranks = text.chunks_exact(3).enumerate().map(|(own, text)| {
            let ranked = ranking(text, &video, 3, 40).expect("a ranking");
            ranked
                .iter()
                .position(|&(video, _)| video == own)
                .expect("listed")
                + 1
        });
        assert_eq!(metrics.mean_rank, ranks.sum::<usize>() as f64 / 40.0);
    }

    #[test]
    fn an_owner_that_is_no_video_is_an_error() {
        let error = text_to_video(&[1.0, 0.0], &VIDEO, 2, &[3]).expect_err("no fourth video");

        assert_eq!(error.to_string(), "item 0 names the candidate 3, of 3");
    }

    #[test]
    fn embeddings_that_are_not_finite_are_an_error() {
        assert!(text_to_video(&[f32::NAN, 0.0], &VIDEO, 2, &[0]).is_err());
    }

    #[test]
    fn no_text_is_an_error() {
        assert!(text_to_video(&[], &VIDEO, 2, &[]).is_err());
    }
}
