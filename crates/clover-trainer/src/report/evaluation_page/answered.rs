//! What a page says of questions: the chosen ones, the best right ones and the worst wrong ones, with what
//! their answers look at.

use clover_inference::{AttentionMap, HEAT_COLORS};

use super::EvaluationPage;
use super::confusion::write_confusion;
use crate::TrainerError;
use crate::evaluate::{AnsweredPrediction, AttentionMaps, best_and_worst, by_probability};
use crate::report::chart::{Bar, BarPanel, write_bars};
use crate::report::clip_image::{HEIGHT, png_uri};
use crate::report::{Escaped, Page};

impl EvaluationPage<'_> {
    pub(super) fn write_questions(&self, page: &mut Page) -> Result<(), TrainerError> {
        let all = by_probability(self.predictions);
        write_confusion(page, &all);
        write_probabilities(page, &all)?;
        let wanted = self.attention.map_or(&[][..], |maps| &maps.chosen);
        let chosen = all.iter().filter(|one| wanted.contains(&one.index));
        let mut chosen: Vec<_> = chosen.copied().collect();
        chosen.sort_by_key(|one| one.index);
        self.write_part(page, "Chosen questions", &chosen);
        let unread = |index: &&usize| !chosen.iter().any(|one| one.index == **index);
        let unread = wanted.iter().filter(unread).count();
        if unread > 0 {
            page.paragraph(&format!(
                "{unread} of the chosen questions could not be read; see what was left out."
            ));
        }
        let [right, wrong] = best_and_worst(&all, |one| one.correct);
        self.write_part(page, "Right answers, the surest first", &right);
        self.write_part(page, "Wrong answers, the worst first", &wrong);
        Ok(())
    }

    fn write_part(&self, page: &mut Page, name: &str, items: &[&AnsweredPrediction]) {
        if items.is_empty() {
            return;
        }
        page.heading(name);
        for one in items {
            let verdict = if one.correct { "right" } else { "wrong" };
            writeln!(
                page,
                "<div class=\"item\"><p>{}</p>",
                Escaped(&one.question)
            );
            page.note(&format!(
                "answered: {} ({verdict}); truth: {} (probability {:.2})",
                one.answer,
                one.truth.join(" or "),
                one.truth_probability
            ));
            self.write_seen(page, one);
            for answer in &one.probabilities {
                page.note(&format!("{:.3} {}", answer.score, answer.name));
            }
            writeln!(page, "</div>");
        }
    }

    /// The frames that the model saw, and where the answer looks; without a map, some frames.
    fn write_seen(&self, page: &mut Page, one: &AnsweredPrediction) {
        let found = self.attention.and_then(|maps| {
            let map = maps.of(one.index)?;
            let rows = maps
                .overlay
                .rows(self.source(&one.clip), map, HEIGHT)
                .ok()?;
            Some((maps, map, rows))
        });
        let Some((maps, map, rows)) = found else {
            return page.clip(self.source(&one.clip), &one.clip, one.correct);
        };
        writeln!(page, "<div class=\"clip\">");
        for row in rows {
            let [plain, heated] = row.map(|image| png_uri(&image).unwrap_or_default());
            writeln!(
                page,
                "<img src=\"{}\" alt=\"the frames that the model saw\"><img src=\"{}\" \
                 alt=\"attention over regions and frames\">",
                Escaped(&plain),
                Escaped(&heated)
            );
        }
        write_legend(page, &one.clip, maps, map);
        writeln!(page, "</div>");
    }
}

fn write_legend(page: &mut Page, clip: &str, maps: &AttentionMaps, map: &AttentionMap) {
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
    );
}

fn write_probabilities(page: &mut Page, all: &[&AnsweredPrediction]) -> Result<(), TrainerError> {
    let mut counts = [0; 10];
    for one in all {
        let place = (one.truth_probability * 10.0) as usize;
        counts[place.min(9)] += 1;
    }
    let bars = counts.into_iter().enumerate().map(|(at, count)| Bar {
        name: format!("from {} %", 10 * at),
        value: f64::from(count),
        deviation: None,
    });
    let panel = BarPanel {
        title: String::new(),
        bars: bars.collect(),
        reference: None,
    };
    write_bars(
        page,
        "Questions by the probability given to the right answer",
        &[panel],
    )
}
