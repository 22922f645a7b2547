//! The page of an evaluation: what was measured, how ranks are spread, and what it looks like.
//!
//! One file, which loads nothing and runs nothing: frames are inline.

mod answered;

use std::fmt::{self, Write};
use std::path::Path;

use clover_data::dataset::SkippedItem;
use clover_data::video::ClipSource;
use serde::Serialize;

use super::html_page::{Escaped, html_page, write_pairs};
use super::picture::clip_strip;
use super::{plot, write_whole};
use crate::TrainerError;
use crate::evaluate::{
    AttentionMaps, Evaluated, Evaluation, Figures, Prediction, RankedPrediction, Seeking,
    SimilarityCurves, ends,
};

/// Frames of a clip in a picture, and its height in pixels.
const STRIP: (usize, u32) = (4, 72);
/// Items of the table of those left out at most.
const NAMED_SKIPS: usize = 200;
/// Ranks from one, up to and including.
const RANKS: [usize; 7] = [1, 2, 5, 10, 50, 100, usize::MAX];

/// What the page is made of.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationPage<'e> {
    /// The figures.
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
    /// The figures in words.
    pub protocol: Vec<String>,
    /// The paper's figures in words.
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

    /// Writes the figures as JSON.
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
    /// The file cannot be written; one that was there before is then still whole.
    pub fn write_html(&self, path: &Path) -> Result<(), TrainerError> {
        let evaluation = self.evaluation;
        let title = format!("{}, {} split", evaluation.task, evaluation.split);
        let page = html_page(&title, |page| self.write(page));
        write_whole(path, page.as_bytes())
    }

    fn write(&self, page: &mut String) -> fmt::Result {
        let evaluation = self.evaluation;
        for line in self.protocol.iter().chain(&self.reference) {
            writeln!(page, "<p>{}</p>", Escaped(line))?;
        }
        match &evaluation.figures {
            Figures::Retrieval(figures) => {
                self.write_ranks(page)?;
                let curves = &figures.curves;
                writeln!(page, "<h2>Cosines of pairs and of others</h2>")?;
                let both = [
                    ("clips and their own sentences", &curves.positive[..]),
                    ("clips and the sentences of others", &curves.negative[..]),
                ];
                plot::spreads(page, both, |step| {
                    format!("{:.1}", SimilarityCurves::cosine_at(step))
                })?;
                self.write_ranked_ends(page)?;
            }
            Figures::Answers(_) => self.write_questions(page)?,
        }
        let left_out = evaluation.skipped.iter().chain(self.unusable);
        let rows: Vec<_> = left_out
            .take(NAMED_SKIPS)
            .map(|item| (item.name.clone(), item.reason.clone()))
            .collect();
        let all = evaluation.skipped.len() + self.unusable.len();
        write_pairs(page, &format!("Left out: {all}"), &rows)?;
        let recipe = Escaped(&self.recipe);
        writeln!(page, "<h2>Recipe</h2><pre>{recipe}</pre>")
    }

    fn ranked(&self, direction: Seeking) -> impl Iterator<Item = &RankedPrediction> {
        self.predictions.iter().filter_map(move |one| match one {
            Prediction::Ranked(one) if one.direction == direction => Some(one),
            Prediction::Ranked(_) | Prediction::Answered(_) => None,
        })
    }

    fn write_ranks(&self, page: &mut String) -> fmt::Result {
        for (direction, name) in [
            (Seeking::TextToVideo, "Ranks of clips, text to video"),
            (Seeking::VideoToText, "Ranks of sentences, video to text"),
        ] {
            let ranks: Vec<usize> = self.ranked(direction).map(|one| one.rank).collect();
            writeln!(page, "<h2>{name}</h2>")?;
            plot::bars(page, &rank_bars(&ranks))?;
        }
        Ok(())
    }

    fn write_ranked_ends(&self, page: &mut String) -> fmt::Result {
        let mut all: Vec<_> = self.ranked(Seeking::TextToVideo).collect();
        all.sort_by(|a, b| a.rank.cmp(&b.rank).then(b.cosine.total_cmp(&a.cosine)));
        for (name, items) in ends(&all) {
            writeln!(page, "<h2>{name} sentences</h2>")?;
            for one in items {
                writeln!(
                    page,
                    "<div class=\"query\"><p>{} <span class=\"small\">rank {}, cosine {:.2}</span></p>",
                    Escaped(&one.query),
                    one.rank,
                    one.cosine
                )?;
                self.write_clip(page, &one.clip, "its own clip", true)?;
                if let Some(first) = one.found.first().filter(|found| found.name != one.clip) {
                    let note = format!("found first, cosine {:.2}", first.score);
                    self.write_clip(page, &first.name, &note, false)?;
                }
                writeln!(page, "</div>")?;
            }
        }
        Ok(())
    }

    /// Some frames of a clip; a clip that cannot be shown is named only.
    fn write_clip(&self, page: &mut String, clip: &str, note: &str, own: bool) -> fmt::Result {
        write!(page, "<div class=\"found\">")?;
        let (frames, height) = STRIP;
        let source = ClipSource::Path(self.clips.join(clip));
        if let Ok(picture) = clip_strip((source, None), frames, height) {
            let class = if own { " class=\"own\"" } else { "" };
            write!(
                page,
                "<img{class} src=\"{}\" alt=\"some frames\">",
                Escaped(&picture)
            )?;
        }
        writeln!(
            page,
            "<span class=\"small\">{} {}</span></div>",
            Escaped(clip),
            Escaped(note)
        )
    }
}

/// How many ranks lie in each range.
fn rank_bars(ranks: &[usize]) -> Vec<(String, usize)> {
    let mut first = 1;
    let bars = RANKS.map(|last| {
        let count = ranks.iter().filter(|rank| (first..=last).contains(*rank));
        let name = match last {
            usize::MAX => format!("from {first}"),
            last if last == first => first.to_string(),
            last => format!("{first}-{last}"),
        };
        let bar = (name, count.count());
        first = last.saturating_add(1);
        bar
    });
    bars.into()
}

#[cfg(test)]
mod tests;
