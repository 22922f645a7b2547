//! The page of a run.

use super::{Escaped, Page, Query, Report};
use crate::TrainerError;

/// Rows of the table of skipped items at most: collections from the web lose thousands.
const NAMED_SKIPS: usize = 200;

/// The whole page.
pub(super) fn run_page(report: &Report) -> Result<String, TrainerError> {
    let mut page = Page::new(&report.title);
    page.summary(&report.summary);
    if !report.retrieval.is_empty() {
        page.heading("Retrieval");
        let rows = report.retrieval.iter().map(|scores| (scores.clone(), None));
        page.retrieval(&rows.collect::<Vec<_>>());
    }
    if !report.skills.is_empty() {
        page.heading("What is told apart");
        page.skills(&report.skills);
    }
    if !report.answers.is_empty() {
        page.heading("Questions");
        let rows = report.answers.iter();
        let rows = rows.map(|(name, accuracy)| (name.as_str(), accuracy, None));
        page.answers(&rows.collect::<Vec<_>>());
    }
    if !report.queries.is_empty() {
        page.heading("What sentences find");
        report
            .queries
            .iter()
            .for_each(|query| write_query(&mut page, query));
    }
    if !report.charts.is_empty() {
        page.heading("Training");
        for chart in &report.charts {
            chart.write(&mut page)?;
        }
    }
    let seconds: Vec<_> = report
        .seconds
        .iter()
        .map(|(phase, wall)| (phase.clone(), format!("{wall:.1}")))
        .collect();
    page.pairs("Wall time in seconds", &seconds, seconds.len());
    page.pairs("Settings", &report.settings, report.settings.len());
    let left_out = format!("Left out: {}", report.skipped.len());
    page.pairs(&left_out, &report.skipped, NAMED_SKIPS);
    Ok(page.finish())
}

fn write_query(page: &mut Page, query: &Query) {
    let kind = if query.typed {
        "typed"
    } else {
        "caption of a clip"
    };
    let text = Escaped(&query.text);
    writeln!(
        page,
        "<div class=\"item\"><p>{text} <span class=\"small\">({kind})</span></p>"
    );
    for found in &query.results {
        let own = if found.correct { ", its own clip" } else { "" };
        let caption = format!(
            "{}. {} ({:.2}{own}), {}",
            found.rank, found.caption, found.similarity, found.name
        );
        page.clip_image(found.image.as_deref(), &caption, found.correct);
    }
    writeln!(page, "</div>");
}
