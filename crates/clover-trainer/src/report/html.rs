//! The page of a run.

use std::fmt::{self, Write};

use super::chart::COLORS;
use super::html_page::{Escaped, html_page, write_pairs};
use super::{Chart, Query, Report, RetrievalScores};
use crate::TrainerError;
use crate::evaluate::QuestionAccuracy;

/// Rows of the table of skipped items at most: collections from the web lose thousands.
const NAMED_SKIPS: usize = 200;

/// The whole page.
pub(super) fn page(report: &Report) -> Result<String, TrainerError> {
    let charts = report
        .charts
        .iter()
        .map(figure)
        .collect::<Result<Vec<_>, _>>()?;
    let charts = charts.concat();
    Ok(html_page(&report.title, |page| {
        write_body(page, report, &charts)
    }))
}

fn write_body(page: &mut String, report: &Report, charts: &str) -> fmt::Result {
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
    Ok(())
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
