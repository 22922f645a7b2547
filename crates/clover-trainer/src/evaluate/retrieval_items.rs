//! Retrieval on a list of clips with sentences, in both directions.
//!
//! Clover, section 4.2. Every clip and every sentence is embedded once; a clip is ranked by its best
//! sentence, so several sentences of a clip are no competitors of each other.

use burn::prelude::*;
use clover_data::dataset::CaptionedDataset;
use clover_inference::{EmbeddedClip, Embedder};
use clover_losses::TEMPERATURE;

use super::embedded_items::{EmbeddedItems, embed_items};
use super::evaluation::{Direction, Figures, Measured, RetrievalFigures};
use super::predictions::{Prediction, RankedPrediction, Scored, Seeking};
use super::settings::MeasureSettings;
use super::similarity::PairSimilarity;
use super::similarity_curves::Spread;
use crate::TrainerError;
use crate::metric::{
    Best, BlockedRanking, EmbeddingTable, RetrievalMetrics, dual_softmax_ranks, rank_intervals,
};
use crate::task_items::repeated_texts;

/// Candidates kept of each query.
const FOUND: usize = 5;
/// Pairs of clips and sentences that the similarity analysis looks at, at most.
const COMPARED: usize = 4_000_000;

/// Embeds clips and sentences and ranks them; `progress` hears how many clips of how many are done.
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
    let EmbeddedItems {
        clips,
        skipped,
        time,
    } = embed_items(embedder, dataset, settings, progress)?;
    let tables = Tables::of(&clips, settings)?;
    let ranked = tables.rank::<B>(embedder.device())?;
    let dual_softmax = match settings.dual_softmax {
        true => Some(tables.dual_softmax()?),
        false => None,
    };
    let direction = |ranks: &[usize], candidates| Direction {
        metrics: RetrievalMetrics::from_ranks(ranks.to_vec(), candidates),
        intervals: rank_intervals(ranks, settings.seed),
    };
    let names: Vec<String> = clips.iter().map(|clip| table.clip(clip.index)).collect();
    let read: Vec<Vec<String>> = clips
        .iter()
        .map(|clip| {
            table
                .texts(clip.index)
                .all()
                .into_iter()
                .map(str::to_owned)
                .collect()
        })
        .collect();
    let spread = tables.spread();
    let [positive, negative] = spread.means();
    let figures = RetrievalFigures {
        text_to_video: direction(&ranked.text_ranks, tables.videos.len()),
        video_to_text: direction(&ranked.video_ranks, tables.texts.len()),
        dual_softmax,
        repeated_texts: repeated_texts(&read),
        similarity: PairSimilarity {
            positive,
            negative,
            gap: positive - negative,
        },
        curves: spread.curves(),
    };
    Ok(Measured {
        figures: Figures::Retrieval(Box::new(figures)),
        predictions: tables.predictions(&ranked, &names, &read),
        skipped,
        time,
    })
}

/// The embeddings of a list.
struct Tables {
    videos: EmbeddingTable,
    texts: EmbeddingTable,
    /// The clip of each text.
    owner: Vec<usize>,
    /// The best text of each clip.
    best_text: Vec<usize>,
}

/// Ranks and the best candidates of both directions.
struct Ranked {
    text_ranks: Vec<usize>,
    video_ranks: Vec<usize>,
    found_videos: Vec<Best>,
    found_texts: Vec<Best>,
}

impl Tables {
    fn of(clips: &[EmbeddedClip], settings: &MeasureSettings<'_>) -> Result<Self, TrainerError> {
        let mut videos = EmbeddingTable::new("video", settings.storage);
        let mut texts = EmbeddingTable::new("text", settings.storage);
        let (mut owner, mut best_text) = (Vec::new(), Vec::new());
        for (place, clip) in clips.iter().enumerate() {
            videos.push(&clip.video)?;
            let mut best: Option<(usize, f32)> = None;
            for text in &clip.texts {
                let row = texts.len();
                texts.push(text)?;
                owner.push(place);
                let cosine = texts.cosine(row, &videos, place);
                // Of equal ones the first, as in a ranking.
                if best.is_none_or(|(_, highest)| cosine > highest) {
                    best = Some((row, cosine));
                }
            }
            best_text.push(best.map_or(0, |(row, _)| row));
        }
        Ok(Self {
            videos,
            texts,
            owner,
            best_text,
        })
    }

    fn rank<B: Backend>(&self, device: &B::Device) -> Result<Ranked, TrainerError> {
        let blocks = BlockedRanking::default();
        let (videos, texts) = (&self.videos, &self.texts);
        Ok(Ranked {
            text_ranks: blocks.ranks::<B>(texts, videos, &self.owner, device)?,
            video_ranks: blocks.ranks::<B>(videos, texts, &self.best_text, device)?,
            found_videos: blocks.best::<B>(texts, videos, FOUND, device)?,
            found_texts: blocks.best::<B>(videos, texts, FOUND, device)?,
        })
    }

    fn dual_softmax(&self) -> Result<[RetrievalMetrics; 2], TrainerError> {
        let (videos, texts) = (&self.videos, &self.texts);
        let metrics = |ranks, candidates| RetrievalMetrics::from_ranks(ranks, candidates);
        Ok([
            metrics(
                dual_softmax_ranks(texts, videos, &self.owner, TEMPERATURE)?,
                videos.len(),
            ),
            metrics(
                dual_softmax_ranks(videos, texts, &self.best_text, TEMPERATURE)?,
                texts.len(),
            ),
        ])
    }

    /// Cosines of pairs and non-pairs; of a large list those of every so many-th clip.
    fn spread(&self) -> Spread {
        let mut spread = Spread::default();
        let all = self.videos.len() * self.texts.len();
        let step = all.div_ceil(COMPARED).max(1);
        for (text, &own) in self.owner.iter().enumerate() {
            spread.add(true, self.texts.cosine(text, &self.videos, own));
            for video in (text % step..self.videos.len()).step_by(step) {
                if video != own {
                    spread.add(false, self.texts.cosine(text, &self.videos, video));
                }
            }
        }
        spread
    }

    fn predictions(
        &self,
        ranked: &Ranked,
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
        let texts = self
            .owner
            .iter()
            .enumerate()
            .map(|(text, &own)| RankedPrediction {
                direction: Seeking::TextToVideo,
                query: sentence(text),
                clip: clip(own),
                rank: ranked.text_ranks[text] + 1,
                cosine: self.texts.cosine(text, &self.videos, own),
                found: scored(&ranked.found_videos[text], &clip),
            });
        let best = self.best_text.iter().enumerate();
        let videos = best.map(|(video, &text)| RankedPrediction {
            direction: Seeking::VideoToText,
            query: clip(video),
            clip: clip(video),
            rank: ranked.video_ranks[video] + 1,
            cosine: self.texts.cosine(text, &self.videos, video),
            found: scored(&ranked.found_texts[video], &sentence),
        });
        texts.chain(videos).map(Prediction::Ranked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use crate::metric::Storage;

    fn settings() -> MeasureSettings<'static> {
        MeasureSettings {
            workers: 1,
            max_failed_share: 0.5,
            seed: 0,
            dual_softmax: true,
            storage: Storage::F32,
            record: None,
        }
    }

    /// Two clips; the second text of the first lies nearer to the second clip.
    fn tables() -> (Tables, [String; 2], [Vec<String>; 2]) {
        let clip = |index, video: [f32; 2], texts: &[[f32; 2]]| EmbeddedClip {
            index,
            video: video.into(),
            texts: texts.iter().map(|text| text.to_vec()).collect(),
        };
        let clips = [
            clip(0, [1.0, 0.0], &[[0.6, 0.8], [1.0, 0.0]]),
            clip(1, [0.0, 1.0], &[[0.0, 1.0]]),
        ];
        let texts: [&[&str]; 2] = [&["first", "second"], &["third"]];
        let texts = texts.map(|texts| texts.iter().map(|&text| text.to_owned()).collect());
        let tables = Tables::of(&clips, &settings()).unwrap();
        (tables, ["a", "b"].map(str::to_owned), texts)
    }

    #[test]
    fn a_clip_ranks_with_its_best_sentence_and_each_sentence_by_itself() {
        let (tables, ..) = tables();

        let ranked = tables.rank::<TestBackend>(&Default::default()).unwrap();

        assert_eq!(ranked.text_ranks, [1, 0, 0]);
        assert_eq!(ranked.video_ranks, [0, 0]);
        assert_eq!(tables.best_text, [1, 2]);
        assert_eq!(tables.dual_softmax().unwrap()[1].queries, 2);
    }

    #[test]
    fn predictions_name_what_was_looked_for_and_what_was_found() {
        let (tables, names, texts) = tables();
        let ranked = tables.rank::<TestBackend>(&Default::default()).unwrap();

        let predictions = tables.predictions(&ranked, &names, &texts);

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
    fn pairs_and_non_pairs_are_compared() {
        let (tables, ..) = tables();

        let [own, others] = tables.spread().means();

        // 0.6, 1 and 1 of pairs; 0.8, 0 and 0 of others.
        assert!((own - 2.6 / 3.0).abs() < 1e-6 && (others - 0.8 / 3.0).abs() < 1e-6);
    }
}
