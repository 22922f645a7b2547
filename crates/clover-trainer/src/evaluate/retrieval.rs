//! Retrieval on a list of clips with sentences, in both directions.
//!
//! Clover, section 4.2. Every clip and every sentence is embedded once, and every clip is a candidate
//! for every sentence, and the other way round; a clip is ranked by its best sentence, so several
//! sentences of a clip are no competitors of each other.

use std::ops::Range;

use burn::prelude::*;
use clover_data::dataset::{Captioned, CaptionedDataset, ClipTable};
use clover_inference::Embedder;
use serde::{Deserialize, Serialize};

use super::embedded_list::{EmbeddedList, embed_list};
use super::evaluation::{BidirectionalMetrics, Direction, Measured, TaskMetrics};
use super::predictions::{Prediction, RankedPrediction, Scored, Seeking};
use super::settings::MeasureSettings;
use super::similarity::pair_similarity;
use super::similarity_curves::Spread;
use crate::TrainerError;
use crate::metric::{
    Best, BlockedRanking, EmbeddingTable, RetrievalMetrics, dual_softmax_ranks, rank_intervals,
};
use crate::task_items::repeated_texts;

/// Candidates kept of each query.
const FOUND: usize = 5;
/// Pairs of clips and sentences that the similarity curves count, at most.
const COMPARED: usize = 4_000_000;

/// Recalls and ranks in both directions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListRetrieval {
    /// The sum of the six recalls, in percent: 600 at best.
    pub recall_sum: f64,
    /// Texts looking for their clip.
    pub text_to_video: RetrievalMetrics,
    /// Clips looking for any of their texts.
    pub video_to_text: RetrievalMetrics,
}

/// Embeds clips and captions and ranks them in both directions; also returns the embeddings. `reading`
/// is how many threads read, and the share that may be broken; `progress` is told how many clips of how
/// many are done.
///
/// # Errors
///
/// There is no clip, too many cannot be read, or embeddings are not finite.
pub fn list_retrieval<B: Backend>(
    embedder: &Embedder<B>,
    table: ClipTable,
    (workers, max_failed_share): (usize, f64),
    mut progress: impl FnMut(usize, usize),
) -> Result<(ListRetrieval, EmbeddedList), TrainerError> {
    let dataset = embedder.captioned(table, Captioned::All)?;
    let settings = MeasureSettings::new(workers, max_failed_share);
    let list = embed_list(embedder, dataset, &settings, &mut progress)?;
    Ok((ListRetrieval::of::<B>(&list, embedder.device())?, list))
}

/// Embeds clips and sentences and ranks them, with intervals and with what was found for each query;
/// `progress` is told how many clips of how many are done.
///
/// # Errors
///
/// There is no item, too many cannot be read, an embedding is not finite, or the record cannot be
/// written.
pub fn measure_retrieval<B: Backend>(
    embedder: &Embedder<B>,
    dataset: CaptionedDataset,
    settings: &MeasureSettings<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Measured, TrainerError> {
    let table = dataset.table().clone();
    let list = embed_list(embedder, dataset, settings, progress)?;
    let ranks = Ranks::of::<B>(&list, embedder.device())?;
    let dual_softmax = match settings.dual_softmax {
        true => {
            let temperature = embedder.temperature();
            let rank = |queries: &_, candidates: &_, own: &_| {
                dual_softmax_ranks(queries, candidates, own, temperature)
            };
            Some(Ranks::with(&list, rank)?.metrics(&list))
        }
        false => None,
    };
    let direction = |metrics, ranks: &[usize]| Direction {
        metrics,
        intervals: rank_intervals(ranks, settings.seed),
    };
    let names: Vec<String> = list.clips.iter().map(|&clip| table.clip(clip)).collect();
    let read = list.clips.iter().map(|&clip| {
        let texts = table.texts(clip);
        texts.all().into_iter().map(str::to_owned).collect()
    });
    let read: Vec<Vec<String>> = read.collect();
    let [text_to_video, video_to_text] = ranks.metrics(&list);
    let metrics = BidirectionalMetrics {
        text_to_video: direction(text_to_video, &ranks.of_texts),
        video_to_text: direction(video_to_text, &ranks.of_videos),
        dual_softmax,
        repeated_texts: repeated_texts(&read),
        similarity: pair_similarity(&list),
        curves: spread(&list).curves(),
    };
    let found = Found::of::<B>(&list, embedder.device())?;
    Ok(Measured {
        metrics: TaskMetrics::Retrieval(Box::new(metrics)),
        predictions: found.predictions((&list, &ranks), &names, &read),
        skipped: list.skipped,
        time: list.time,
    })
}

/// The rank of the own candidate of each query, from zero.
struct Ranks {
    of_texts: Vec<usize>,
    of_videos: Vec<usize>,
    /// The clips that look for a text, all that have one, each with the best of its texts.
    videos: Vec<(usize, usize)>,
}

/// The best candidates of each query.
struct Found {
    videos: Vec<Best>,
    texts: Vec<Best>,
}

impl ListRetrieval {
    /// Ranks clips and texts that were embedded.
    ///
    /// # Errors
    ///
    /// There is no clip or no text.
    pub fn of<B: Backend>(list: &EmbeddedList, device: &B::Device) -> Result<Self, TrainerError> {
        let [text_to_video, video_to_text] = Ranks::of::<B>(list, device)?.metrics(list);
        Ok(Self {
            recall_sum: text_to_video.recall_sum() + video_to_text.recall_sum(),
            text_to_video,
            video_to_text,
        })
    }
}

impl Ranks {
    fn of<B: Backend>(list: &EmbeddedList, device: &B::Device) -> Result<Self, TrainerError> {
        let blocks = BlockedRanking::default();
        let rank = |queries: &EmbeddingTable, candidates: &EmbeddingTable, own: &[usize]| {
            blocks.ranks::<B>(queries, candidates, own, device)
        };
        Self::with(list, rank)
    }

    fn with(
        list: &EmbeddedList,
        rank: impl Fn(&EmbeddingTable, &EmbeddingTable, &[usize]) -> Result<Vec<usize>, TrainerError>,
    ) -> Result<Self, TrainerError> {
        let best = |texts: Range<usize>| {
            // Of equal ones the first, as in a ranking.
            texts.reduce(
                |best, text| match list.own_cosine(text) > list.own_cosine(best) {
                    true => text,
                    false => best,
                },
            )
        };
        let best: Vec<Option<usize>> = list.texts_by_clip().map(best).collect();
        let looks_for: Vec<usize> = best.iter().map(|text| text.unwrap_or_default()).collect();
        let of_videos = rank(&list.videos, &list.texts, &looks_for)?;
        let (videos, of_videos) = best
            .iter()
            .zip(of_videos)
            .enumerate()
            .filter_map(|(video, (text, rank))| Some(((video, (*text)?), rank)))
            .unzip();
        Ok(Self {
            of_texts: rank(&list.texts, &list.videos, &list.owner)?,
            of_videos,
            videos,
        })
    }

    /// Of texts looking for their clip, and of clips looking for any of their texts.
    fn metrics(&self, list: &EmbeddedList) -> [RetrievalMetrics; 2] {
        [
            RetrievalMetrics::from_ranks(self.of_texts.clone(), list.videos.len()),
            RetrievalMetrics::from_ranks(self.of_videos.clone(), list.texts.len()),
        ]
    }
}

/// Counts cosines of pairs and non-pairs; of a large list those of every so many-th clip.
fn spread(list: &EmbeddedList) -> Spread {
    let mut spread = Spread::default();
    let all = list.videos.len() * list.texts.len();
    let step = all.div_ceil(COMPARED).max(1);
    for (text, &own) in list.owner.iter().enumerate() {
        spread.add(true, list.own_cosine(text));
        for video in (text % step..list.videos.len()).step_by(step) {
            if video != own {
                spread.add(false, list.texts.cosine(text, &list.videos, video));
            }
        }
    }
    spread
}

impl Found {
    fn of<B: Backend>(list: &EmbeddedList, device: &B::Device) -> Result<Self, TrainerError> {
        let (videos, texts, blocks) = (&list.videos, &list.texts, BlockedRanking::default());
        Ok(Self {
            videos: blocks.best::<B>(texts, videos, FOUND, device)?,
            texts: blocks.best::<B>(videos, texts, FOUND, device)?,
        })
    }

    fn predictions(
        &self,
        (list, ranks): (&EmbeddedList, &Ranks),
        clips: &[String],
        texts: &[Vec<String>],
    ) -> Vec<Prediction> {
        let sentences: Vec<&String> = texts.iter().flatten().collect();
        let clip = |place: usize| clips.get(place).cloned().unwrap_or_default();
        let sentence = |text: usize| sentences.get(text).copied().cloned().unwrap_or_default();
        let scored = |found: &Best, name: &dyn Fn(usize) -> String| {
            let scored = found.iter().map(|&(place, score)| Scored {
                name: name(place),
                score,
            });
            scored.collect()
        };
        let texts = list.owner.iter().enumerate();
        let texts = texts.map(|(text, &own)| RankedPrediction {
            direction: Seeking::TextToVideo,
            query: sentence(text),
            clip: clip(own),
            rank: ranks.of_texts[text] + 1,
            cosine: list.own_cosine(text),
            found: scored(&self.videos[text], &clip),
        });
        let videos = ranks.videos.iter().zip(&ranks.of_videos);
        let videos = videos.map(|(&(video, text), rank)| RankedPrediction {
            direction: Seeking::VideoToText,
            query: clip(video),
            clip: clip(video),
            rank: rank + 1,
            cosine: list.own_cosine(text),
            found: scored(&self.texts[video], &sentence),
        });
        texts.chain(videos).map(Prediction::Ranked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::metric::Storage;

    fn list(clips: &[([f32; 2], &[[f32; 2]])]) -> EmbeddedList {
        let mut list = EmbeddedList::new(Storage::F32);
        for (index, (video, texts)) in clips.iter().enumerate() {
            let texts = texts.iter().map(|text| text.as_slice());
            list.push(index, video, texts).unwrap();
        }
        list
    }

    /// The second text of the first clip lies nearer to the second clip.
    fn two_clips() -> EmbeddedList {
        list(&[
            ([1.0, 0.0], &[[0.6, 0.8], [1.0, 0.0]]),
            ([0.0, 1.0], &[[0.0, 1.0]]),
        ])
    }

    fn retrieval(list: &EmbeddedList) -> Result<ListRetrieval, TrainerError> {
        ListRetrieval::of::<TestBackend>(list, &Default::default())
    }

    #[test]
    fn a_clip_ranks_with_its_best_sentence_and_each_sentence_by_itself() {
        let list = two_clips();

        let ranks = Ranks::of::<TestBackend>(&list, &Default::default()).unwrap();
        let found = retrieval(&list).unwrap();

        assert_eq!(ranks.of_texts, [1, 0, 0]);
        assert_eq!(ranks.of_videos, [0, 0]);
        assert_eq!(ranks.videos, [(0, 1), (1, 2)]);
        let texts = &found.text_to_video;
        assert_eq!((texts.queries, texts.candidates), (3, 2));
        assert!((texts.mean_rank - 4.0 / 3.0).abs() < 1e-9);
        let clips = &found.video_to_text;
        assert_eq!((clips.queries, clips.candidates), (2, 3));
        assert!((found.recall_sum - 500.0 - 200.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn ranks_are_counted_as_by_hand() {
        // The first text is its own clip. The second lies on the first clip's side of its own, and
        // behind the third clip, which has no text and looks for none.
        let list = list(&[
            ([1.0, 0.0], &[[5.0, 0.0]]),
            ([0.0, 1.0], &[[0.9, 0.1]]),
            ([1.0, 1.0], &[]),
        ]);

        let ListRetrieval {
            text_to_video,
            video_to_text,
            ..
        } = retrieval(&list).unwrap();

        assert!((text_to_video.recall_at_1 - 50.0).abs() < 1e-9);
        assert!((text_to_video.recall_at_5 - 100.0).abs() < 1e-9);
        // Ranks 1 and 3.
        assert!((text_to_video.median_rank - 2.0).abs() < 1e-9);
        assert!((text_to_video.mean_rank - 2.0).abs() < 1e-9);
        assert_eq!((text_to_video.queries, text_to_video.candidates), (2, 3));
        assert_eq!((video_to_text.queries, video_to_text.candidates), (2, 2));
    }

    #[test]
    fn no_clip_and_no_text_are_errors() {
        assert!(retrieval(&list(&[])).is_err());
        assert!(retrieval(&list(&[([1.0, 0.0], &[])])).is_err());
    }

    #[test]
    fn predictions_name_what_was_looked_for_and_what_was_found() {
        let (list, device) = (two_clips(), Default::default());
        let ranks = Ranks::of::<TestBackend>(&list, &device).unwrap();
        let names = ["a", "b"].map(str::to_owned);
        let texts: [&[&str]; 2] = [&["first", "second"], &["third"]];
        let texts = texts.map(|texts| texts.iter().map(|&text| text.to_owned()).collect());

        let found = Found::of::<TestBackend>(&list, &device).unwrap();
        let predictions = found.predictions((&list, &ranks), &names, &texts);

        assert_eq!(predictions.len(), 3 + 2);
        let Prediction::Ranked(first) = &predictions[0] else {
            panic!("{predictions:?}")
        };
        assert_eq!(
            (first.query.as_str(), first.clip.as_str(), first.rank),
            ("first", "a", 2)
        );
        assert_eq!((first.found[0].name.as_str(), first.found.len()), ("b", 2));
        let Prediction::Ranked(last) = &predictions[4] else {
            panic!("{predictions:?}")
        };
        assert_eq!(
            (last.query.as_str(), last.found[0].name.as_str()),
            ("b", "third")
        );
    }

    #[test]
    fn re_ranking_by_dual_softmax_asks_the_same_queries() {
        let list = two_clips();
        let rank = |queries: &_, candidates: &_, own: &_| {
            dual_softmax_ranks(queries, candidates, own, 0.05)
        };

        let ranks = Ranks::with(&list, rank).unwrap();

        let queries = ranks.metrics(&list).map(|metrics| metrics.queries);
        assert_eq!(queries, [3, 2]);
    }

    #[test]
    fn pairs_and_non_pairs_are_compared() {
        let list = two_clips();

        let similarity = pair_similarity(&list);
        let curves = spread(&list).curves();

        // 0.6, 1 and 1 of pairs; 0.8, 0 and 0 of others.
        assert!((similarity.positive - 2.6 / 3.0).abs() < 1e-6);
        assert!((similarity.negative - 0.8 / 3.0).abs() < 1e-6);
        for shares in [&curves.positive, &curves.negative] {
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
