//! What a page says of questions: the chosen ones, the best and the worst, with what their answers look
//! at.

use std::fmt::{self, Write};

use clover_data::video::ClipSource;
use clover_inference::{AttentionMap, HEAT_COLORS};

use super::{EvaluationPage, STRIP};
use crate::evaluate::{AnsweredPrediction, AttentionMaps, by_probability, ends};
use crate::report::html_page::Escaped;
use crate::report::picture::data_uri;
use crate::report::plot;

impl EvaluationPage<'_> {
    pub(super) fn write_questions(&self, page: &mut String) -> fmt::Result {
        let all = by_probability(self.predictions);
        write_probabilities(page, &all)?;
        let wanted = self.attention.map_or(&[][..], |maps| &maps.chosen);
        let chosen = all.iter().filter(|one| wanted.contains(&one.index));
        let mut chosen: Vec<_> = chosen.copied().collect();
        chosen.sort_by_key(|one| one.index);
        self.write_part(page, "Chosen", &chosen)?;
        let unread = |index: &&usize| !chosen.iter().any(|one| one.index == **index);
        let unread = wanted.iter().filter(unread).count();
        if unread > 0 {
            writeln!(
                page,
                "<p>{unread} of the chosen questions could not be read; see what was left out.</p>"
            )?;
        }
        for (name, items) in ends(&all) {
            self.write_part(page, name, &items)?;
        }
        Ok(())
    }

    fn write_part(
        &self,
        page: &mut String,
        name: &str,
        items: &[&AnsweredPrediction],
    ) -> fmt::Result {
        if items.is_empty() {
            return Ok(());
        }
        writeln!(page, "<h2>{name} questions</h2>")?;
        for one in items {
            let verdict = if one.correct { "right" } else { "wrong" };
            let truth = one.truth.join(" or ");
            writeln!(
                page,
                "<div class=\"query\"><p>{}</p><p class=\"small\">answered: {} ({verdict}); truth: \
                 {} (probability {:.2})</p>",
                Escaped(&one.question),
                Escaped(&one.answer),
                Escaped(&truth),
                one.truth_probability
            )?;
            self.write_seen(page, one)?;
            for answer in &one.probabilities {
                let (name, score) = (Escaped(&answer.name), answer.score);
                writeln!(page, "<div class=\"small\">{score:.3} {name}</div>")?;
            }
            writeln!(page, "</div>")?;
        }
        Ok(())
    }

    /// The frames that the model saw, and where the answer looks; without a map, some frames.
    fn write_seen(&self, page: &mut String, one: &AnsweredPrediction) -> fmt::Result {
        let found = self.attention.and_then(|maps| {
            let map = maps.of(one.index)?;
            let clip = ClipSource::Path(self.clips.join(&one.clip));
            let rows = maps.overlay.rows((clip, None), map, STRIP.1).ok()?;
            Some((maps, map, rows))
        });
        let Some((maps, map, rows)) = found else {
            return self.write_clip(page, &one.clip, "", one.correct);
        };
        writeln!(page, "<div class=\"seen\">")?;
        for row in rows {
            let [plain, heated] = row.map(|picture| data_uri(&picture).unwrap_or_default());
            writeln!(
                page,
                "<img src=\"{}\" alt=\"the frames that the model saw\"><img src=\"{}\" \
                 alt=\"attention over regions and frames\">",
                Escaped(&plain),
                Escaped(&heated)
            )?;
        }
        write_legend(page, &one.clip, maps, map)?;
        writeln!(page, "</div>")
    }
}

fn write_legend(
    page: &mut String,
    clip: &str,
    maps: &AttentionMaps,
    map: &AttentionMap,
) -> fmt::Result {
    let share = (100.0 * map.video_share()).round();
    let colors = HEAT_COLORS.map(|[red, green, blue]| format!("rgb({red},{green},{blue})"));
    let views = match maps.overlay.reading.sampling.views() {
        0 | 1 => String::new(),
        views => format!(", averaged over {views} views"),
    };
    writeln!(
        page,
        "<div class=\"small\">{}</div><div class=\"small\">attention of the answer: video {share:.0} %, \
         text {:.0} %{views}; largest share of a region in a time step {:.2} %, each alike {:.2} %. \
         <span class=\"heat-scale\">0 <span class=\"heat\" style=\"background: linear-gradient(to right, {})\">\
         </span> {:.2} %</span></div>",
        Escaped(clip),
        100.0 - share,
        100.0 * map.largest_share(),
        100.0 * map.even_share(),
        colors.join(", "),
        100.0 * map.brightest_share()
    )
}

fn write_probabilities(page: &mut String, all: &[&AnsweredPrediction]) -> fmt::Result {
    let mut counts = [0; 10];
    for one in all {
        let place = (one.truth_probability * 10.0) as usize;
        counts[place.min(9)] += 1;
    }
    let bars: Vec<_> = counts
        .into_iter()
        .enumerate()
        .map(|(at, count)| (format!("{} %", 10 * at), count))
        .collect();
    writeln!(page, "<h2>Probability given to the right answer</h2>")?;
    plot::bars(page, &bars)
}
