//! The page.

use std::fmt::{self, Write};

use super::chart::COLORS;
use super::{Chart, Query, Report, RetrievalScores};
use crate::TrainerError;
use crate::evaluate::QuestionAccuracy;

pub(super) const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a9d8f; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; border-radius: 6px; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.legend span { margin-right: 1.2rem; white-space: nowrap; }
.query { margin: 1.5rem 0; padding: .8rem 1rem; background: var(--soft); border-radius: 6px; }
.query p { margin: 0 0 .6rem; font-weight: 600; }
.found { display: flex; gap: .8rem; align-items: center; margin: .35rem 0; }
.found img { border-radius: 3px; } .own { outline: 3px solid var(--good); }
.seen { margin: .35rem 0; } .seen img { display: block; max-width: 100%; margin-bottom: 2px; }
.heat-scale { white-space: nowrap; }
.heat { display: inline-block; width: 6rem; height: .7em; border-radius: 2px; }
.small { font-size: .85rem; opacity: .75; }
@media (prefers-color-scheme: dark) {
  figure svg, .key { filter: invert(1) hue-rotate(180deg); }
}";

/// Rows of the table of skipped items at most: collections from the web lose thousands.
const NAMED_SKIPS: usize = 200;

/// Text in which nothing is markup.
pub(super) struct Escaped<'t>(pub(super) &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// The whole page.
pub(super) fn page(report: &Report) -> Result<String, TrainerError> {
    let charts = report
        .charts
        .iter()
        .map(figure)
        .collect::<Result<Vec<_>, _>>()?;
    let mut page = String::new();
    // Writing into a string does not fail.
    let _ = write_page(&mut page, report, &charts.concat());
    Ok(page)
}

fn write_page(page: &mut String, report: &Report, charts: &str) -> fmt::Result {
    let title = Escaped(&report.title);
    writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    )?;
    writeln!(
        page,
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    )?;
    writeln!(
        page,
        "<title>{title}</title><style>{STYLE}</style></head><body>"
    )?;
    writeln!(page, "<h1>{title}</h1>")?;
    if !report.retrieval.is_empty() {
        writeln!(page, "<h2>Retrieval</h2>")?;
        write_retrieval(page, &report.retrieval)?;
    }
    if !report.answers.is_empty() {
        writeln!(page, "<h2>Questions</h2>")?;
        write_answers(page, &report.answers)?;
    }
    if !report.queries.is_empty() {
        writeln!(page, "<h2>What sentences find</h2>")?;
        report
            .queries
            .iter()
            .try_for_each(|query| write_query(page, query))?;
    }
    if !charts.is_empty() {
        writeln!(page, "<h2>Training</h2>\n{charts}")?;
    }
    let seconds: Vec<_> = report
        .seconds
        .iter()
        .map(|(phase, wall)| (phase.clone(), format!("{wall:.1}")))
        .collect();
    write_pairs(page, "Wall time in seconds", &seconds)?;
    write_pairs(page, "Settings", &report.settings)?;
    let skipped = format!("Left out: {}", report.skipped.len());
    let named = report.skipped.len().min(NAMED_SKIPS);
    write_pairs(page, &skipped, &report.skipped[..named])?;
    if named < report.skipped.len() {
        let more = report.skipped.len() - named;
        writeln!(page, "<p class=\"small\">and {more} more</p>")?;
    }
    writeln!(page, "</body></html>")
}

fn write_retrieval(page: &mut String, all: &[RetrievalScores]) -> fmt::Result {
    writeln!(page, "<table><tr><th></th>")?;
    for head in [
        "R@1",
        "R@5",
        "R@10",
        "median rank",
        "mean rank",
        "candidates",
    ] {
        write!(page, "<th class=\"number\">{head}</th>")?;
    }
    writeln!(page, "</tr>")?;
    for scores in all {
        let metrics = &scores.metrics;
        let recalls = [
            metrics.recall_at_1,
            metrics.recall_at_5,
            metrics.recall_at_10,
        ];
        let row = [
            recalls[0],
            recalls[1],
            recalls[2],
            metrics.median_rank,
            metrics.mean_rank,
        ];
        let chance = scores.chance_recall;
        let middle = scores.chance_median_rank;
        let chance = [chance[0], chance[1], chance[2], middle, middle];
        let name = Escaped(&scores.name);
        for (name, row) in [(name.to_string(), row), ("chance".to_owned(), chance)] {
            write!(page, "<tr><td>{name}</td>")?;
            for value in row {
                write!(page, "<td class=\"number\">{value:.1}</td>")?;
            }
            writeln!(
                page,
                "<td class=\"number\">{}</td></tr>",
                metrics.candidates
            )?;
        }
    }
    writeln!(page, "</table><p class=\"small\">Recalls in percent.</p>")
}

fn write_answers(page: &mut String, all: &[(String, QuestionAccuracy)]) -> fmt::Result {
    writeln!(page, "<table><tr><th></th>")?;
    for head in ["accuracy", "chance", "best constant answer", "questions"] {
        write!(page, "<th class=\"number\">{head}</th>")?;
    }
    writeln!(page, "</tr>")?;
    for (name, figures) in all {
        write!(page, "<tr><td>{}</td>", Escaped(name))?;
        for share in [figures.accuracy, figures.chance, figures.best_constant] {
            write!(page, "<td class=\"number\">{:.1}</td>", 100.0 * share)?;
        }
        writeln!(page, "<td class=\"number\">{}</td></tr>", figures.questions)?;
    }
    writeln!(page, "</table><p class=\"small\">In percent.</p>")
}

fn write_query(page: &mut String, query: &Query) -> fmt::Result {
    let kind = if query.typed {
        "typed"
    } else {
        "caption of a clip"
    };
    let text = Escaped(&query.text);
    writeln!(
        page,
        "<div class=\"query\"><p>{text} <span class=\"small\">({kind})</span></p>"
    )?;
    for found in &query.results {
        write!(page, "<div class=\"found\">")?;
        if let Some(picture) = &found.picture {
            let class = if found.correct { " class=\"own\"" } else { "" };
            write!(
                page,
                "<img{class} src=\"{}\" alt=\"some frames\">",
                Escaped(picture)
            )?;
        }
        let own = if found.correct { ", its own clip" } else { "" };
        writeln!(
            page,
            "<div>{}. {}<br><span class=\"small\">{} ({:.2}{own})</span></div></div>",
            found.rank,
            Escaped(&found.caption),
            Escaped(&found.name),
            found.similarity,
        )?;
    }
    writeln!(page, "</div>")
}

/// A table of two columns, left out when empty.
pub(super) fn write_pairs(
    page: &mut String,
    heading: &str,
    rows: &[(String, String)],
) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(page, "<h2>{}</h2><table>", Escaped(heading))?;
    for (name, value) in rows {
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td></tr>",
            Escaped(name),
            Escaped(value)
        )?;
    }
    writeln!(page, "</table>")
}

fn figure(chart: &Chart) -> Result<String, TrainerError> {
    let Some(svg) = chart.svg()? else {
        return Ok(String::new());
    };
    let mut legend = String::new();
    if chart.curves.len() > 1 {
        for (curve, color) in chart.curves.iter().zip(COLORS.iter().cycle()) {
            let (red, green, blue) = (color.0, color.1, color.2);
            let name = Escaped(&curve.name);
            let key =
                format!("<i class=\"key\" style=\"background: rgb({red} {green} {blue})\"></i>");
            let _ = write!(legend, "<span>{key}{name}</span>");
        }
    }
    let title = Escaped(&chart.title);
    Ok(format!(
        "<figure><figcaption>{title} by step</figcaption>{svg}<div class=\"legend small\">{legend}\
         </div></figure>\n"
    ))
}
