//! The page of an evaluation: what was measured, how ranks are spread, and what it looks like.
//!
//! One file, which loads nothing and runs nothing: frames are inline.

mod answered;
mod confusion;

use std::path::Path;

use clover_data::dataset::SkippedItem;
use clover_data::video::ClipSource;
use serde::Serialize;

use super::chart::{Bar, BarPanel, write_bars, write_spreads};
use super::{Escaped, Page, RetrievalScores, write_whole};
use crate::TrainerError;
use crate::evaluate::{
    AttentionMaps, BidirectionalMetrics, Evaluated, Evaluation, Prediction, RankedPrediction,
    Seeking, SimilarityCurves, TaskMetrics, best_and_worst,
};

/// Items of the table of those left out at most.
const NAMED_SKIPS: usize = 200;
/// Ranks from one, up to and including.
const RANKS: [usize; 7] = [1, 2, 5, 10, 50, 100, usize::MAX];

/// What the page is made of.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationPage<'e> {
    /// The metrics.
    pub evaluation: &'e Evaluation,
    /// What became of each query; not part of the JSON.
    #[serde(skip)]
    pub predictions: &'e [Prediction],
    /// What answers look at; not part of the JSON.
    #[serde(skip)]
    pub attention: Option<&'e AttentionMaps>,
    /// The folder of clips; not part of the JSON.
    #[serde(skip)]
    pub clips: &'e Path,
    /// Rows of the annotation that cannot be used.
    pub unusable: &'e [SkippedItem],
    /// The metrics in words; the page has them as a table.
    pub protocol: Vec<String>,
    /// The paper's metrics in words.
    pub reference: Vec<String>,
    /// The recipe, as a file.
    pub recipe: String,
}

impl<'e> EvaluationPage<'e> {
    /// The page of what was measured, without words around it.
    #[must_use]
    pub fn of(found: &'e Evaluated) -> Self {
        Self {
            evaluation: &found.evaluation,
            predictions: &found.predictions,
            attention: found.attention.as_ref(),
            clips: &found.clips,
            unusable: &found.unusable,
            protocol: Vec::new(),
            reference: Vec::new(),
            recipe: String::new(),
        }
    }

    /// Writes the metrics as JSON.
    ///
    /// # Errors
    ///
    /// The file cannot be written; one that was there before is then still whole.
    pub fn write_json(&self, path: &Path) -> Result<(), TrainerError> {
        let json = serde_json::to_vec_pretty(self).map_err(|source| TrainerError::Json {
            path: path.to_owned(),
            source,
        })?;
        write_whole(path, &json)
    }

    /// Writes the page.
    ///
    /// # Errors
    ///
    /// A chart cannot be drawn, or the file cannot be written; one that was there before is then still
    /// whole.
    pub fn write_html(&self, path: &Path) -> Result<(), TrainerError> {
        write_whole(path, self.page()?.as_bytes())
    }

    fn page(&self) -> Result<String, TrainerError> {
        let evaluation = self.evaluation;
        let mut page = Page::new(&format!("{}, {} split", evaluation.task, evaluation.split));
        page.summary(&summary(&evaluation.metrics));
        match &evaluation.metrics {
            TaskMetrics::Retrieval(metrics) => self.write_retrieval(&mut page, metrics)?,
            TaskMetrics::Answers(metrics) => {
                let row = ("accuracy", &metrics.accuracy, Some(metrics.interval));
                page.answers(&[row]);
                self.write_measured_on(&mut page);
                self.write_questions(&mut page)?;
            }
        }
        let left_out = evaluation.skipped.iter().chain(self.unusable);
        let rows: Vec<_> = left_out
            .map(|item| (item.name.clone(), item.reason.clone()))
            .collect();
        page.pairs(&format!("Left out: {}", rows.len()), &rows, NAMED_SKIPS);
        if !self.recipe.is_empty() {
            page.heading("Recipe");
            writeln!(page, "<pre>{}</pre>", Escaped(&self.recipe));
        }
        Ok(page.finish())
    }

    fn write_retrieval(
        &self,
        page: &mut Page,
        metrics: &BidirectionalMetrics,
    ) -> Result<(), TrainerError> {
        let (texts, clips) = (&metrics.text_to_video, &metrics.video_to_text);
        let row = |name: &str, metrics, intervals| (RetrievalScores::new(name, metrics), intervals);
        let mut rows = vec![
            row(
                "text to video",
                texts.metrics.clone(),
                Some(texts.intervals),
            ),
            row(
                "video to text",
                clips.metrics.clone(),
                Some(clips.intervals),
            ),
        ];
        if let Some([texts, clips]) = &metrics.dual_softmax {
            let name = |direction| format!("{direction}, dual softmax");
            rows.push(row(&name("text to video"), texts.clone(), None));
            rows.push(row(&name("video to text"), clips.clone(), None));
        }
        page.retrieval(&rows);
        self.write_measured_on(page);
        if metrics.dual_softmax.is_some() {
            page.note("Dual-softmax re-ranking sees all queries at once.");
        }
        if metrics.repeated_texts > 0 {
            page.note(&format!(
                "{} texts are also those of another clip, which no ranking can tell apart.",
                metrics.repeated_texts
            ));
        }
        let panels = [
            (Seeking::TextToVideo, "own clip of a text"),
            (Seeking::VideoToText, "first own text of a clip"),
        ]
        .map(|(direction, title)| BarPanel {
            title: title.to_owned(),
            bars: rank_bars(
                &self
                    .ranked(direction)
                    .map(|one| one.rank)
                    .collect::<Vec<_>>(),
            ),
            reference: None,
        });
        write_bars(page, "Queries by the rank they find their own at", &panels)?;
        let curves = &metrics.curves;
        let both = [
            ("clips and their own texts", &curves.positive[..]),
            ("clips and the texts of others", &curves.negative[..]),
        ];
        let cosine = |step| format!("{:.1}", SimilarityCurves::cosine_at(step));
        write_spreads(page, "How cosines are spread", both, cosine)?;
        self.write_ranked_examples(page);
        Ok(())
    }

    /// What the table above was measured on, and the paper's metrics.
    fn write_measured_on(&self, page: &mut Page) {
        let evaluation = self.evaluation;
        page.note(&format!(
            "{} items of {}; {} rows of it unusable, {} items skipped. Ranges are 95 % intervals. {:.1} \
             clips a second, {:.0} % of the time waiting for them to be read.",
            evaluation.items,
            evaluation.data,
            evaluation.unusable_rows,
            evaluation.skipped.len(),
            evaluation.clips_per_second,
            100.0 * evaluation.waiting_share
        ));
        for line in &self.reference {
            page.note(line);
        }
    }

    fn ranked(&self, direction: Seeking) -> impl Iterator<Item = &RankedPrediction> {
        self.predictions.iter().filter_map(move |one| match one {
            Prediction::Ranked(one) if one.direction == direction => Some(one),
            Prediction::Ranked(_) | Prediction::Answered(_) => None,
        })
    }

    fn write_ranked_examples(&self, page: &mut Page) {
        let mut all: Vec<_> = self.ranked(Seeking::TextToVideo).collect();
        all.sort_by(|a, b| a.rank.cmp(&b.rank).then(b.cosine.total_cmp(&a.cosine)));
        let [right, wrong] = best_and_worst(&all, |one| one.rank == 1);
        let parts = [
            ("Texts that find their clip, the surest first", right),
            ("Texts furthest from their clip", wrong),
        ];
        for (name, items) in parts.iter().filter(|(_, items)| !items.is_empty()) {
            page.heading(name);
            for one in items {
                let (query, rank) = (Escaped(&one.query), one.rank);
                writeln!(
                    page,
                    "<div class=\"item\"><p>{query} <span class=\"small\">rank {rank}</span></p>"
                );
                let note = format!("{}, its own clip, cosine {:.2}", one.clip, one.cosine);
                page.clip(self.source(&one.clip), &note, true);
                if let Some(first) = one.found.first().filter(|found| found.name != one.clip) {
                    let note = format!("{}, found first, cosine {:.2}", first.name, first.score);
                    page.clip(self.source(&first.name), &note, false);
                }
                writeln!(page, "</div>");
            }
        }
    }

    fn source(&self, clip: &str) -> (ClipSource, Option<clover_data::video::Span>) {
        (ClipSource::Path(self.clips.join(clip)), None)
    }
}

/// What was measured, in a line.
fn summary(metrics: &TaskMetrics) -> String {
    match metrics {
        TaskMetrics::Retrieval(metrics) => {
            let texts = &metrics.text_to_video.metrics;
            format!(
                "{:.1} % of {} texts find their own clip first among {}, {:.1} % among the first ten; {:.1} % \
                 of clips find a text of theirs first.",
                texts.recall_at_1,
                texts.queries,
                texts.candidates,
                texts.recall_at_10,
                metrics.video_to_text.metrics.recall_at_1
            )
        }
        TaskMetrics::Answers(metrics) => {
            let accuracy = &metrics.accuracy;
            let [right, chance, constant] =
                [accuracy.accuracy, accuracy.chance, accuracy.best_constant]
                    .map(|share| 100.0 * share);
            format!(
                "{right:.1} % of {} questions are answered rightly; {chance:.1} % by chance, {constant:.1} % \
                 by always giving the most frequent answer.",
                accuracy.questions
            )
        }
    }
}

/// How many ranks lie in each range.
fn rank_bars(ranks: &[usize]) -> Vec<Bar> {
    let mut first = 1;
    let bars = RANKS.map(|last| {
        let count = ranks
            .iter()
            .filter(|rank| (first..=last).contains(*rank))
            .count();
        let name = match last {
            usize::MAX => format!("from {first}"),
            last if last == first => first.to_string(),
            last => format!("{first}-{last}"),
        };
        first = last.saturating_add(1);
        Bar {
            name,
            value: count as f64,
            deviation: None,
        }
    });
    bars.into()
}

#[cfg(test)]
mod tests;
