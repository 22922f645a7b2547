//! The guide's Markdown as a terminal shows it: wrapped, headings underlined, links as their text, tables aligned.
//!
//! It knows what the guide uses, and no more: headings, paragraphs, lists, tables, fenced code and links.

use std::iter::Peekable;
use std::str::Lines;

/// Spaces before fenced code.
const CODE: &str = "    ";
/// Spaces between the columns of a table.
const GAP: usize = 2;
/// A column of a table is made no narrower.
const NARROWEST: usize = 8;

/// The text in lines of at most `width` columns; code, and words that are longer, keep their length.
pub(crate) fn render(text: &str, width: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let code = lines.by_ref().take_while(|line| !line.starts_with("```"));
            out.extend(code.map(|line| format!("{CODE}{line}")));
        } else if line.starts_with('#') {
            let heading = plain(line.trim_start_matches('#').trim());
            let underline = if line.starts_with("##") { "-" } else { "=" };
            out.push(heading.clone());
            out.push(underline.repeat(heading.chars().count()));
        } else if line.starts_with('|') {
            out.extend(table(&rows(line, &mut lines), width));
        } else {
            let paragraph = plain(&paragraph(line, &mut lines));
            let indent = if line.starts_with("- ") { "  " } else { "" };
            let wrapped = wrap(&paragraph, width.saturating_sub(indent.len()));
            let hanging = wrapped.iter().enumerate().map(|(at, line)| match at {
                0 => line.clone(),
                _ => format!("{indent}{line}"),
            });
            out.extend(hanging);
        }
    }
    out.join("\n")
}

/// The lines that go on from the first; a blank one is a paragraph of its own.
fn paragraph(first: &str, lines: &mut Peekable<Lines<'_>>) -> String {
    let mut text = first.to_owned();
    let begins = |line: &str| {
        let marks = ["#", "|", "```", "- "];
        line.trim().is_empty() || marks.iter().any(|mark| line.starts_with(mark))
    };
    while let Some(line) = lines.next_if(|line| !first.is_empty() && !begins(line)) {
        text = format!("{text} {}", line.trim());
    }
    text
}

/// The text without the marks of links and of bold words.
fn plain(text: &str) -> String {
    let text = text.replace("**", "");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, behind)) = rest.split_once("](") {
        let (Some(open), Some((_, after))) = (before.rfind('['), behind.split_once(')')) else {
            break;
        };
        out.push_str(&before[..open]);
        out.push_str(&before[open + 1..]);
        rest = after;
    }
    out + rest
}

/// Lines of whole words; at least one.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if columns(line) + 1 + columns(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn columns(text: &str) -> usize {
    text.chars().count()
}

/// The rows of a table that begins with a line, each with its cells; an empty head is left out.
fn rows(first: &str, lines: &mut Peekable<Lines<'_>>) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut next = Some(first);
    while let Some(line) = next {
        let cells: Vec<String> = line
            .trim()
            .trim_matches('|')
            .split('|')
            .map(|cell| plain(cell.trim()))
            .collect();
        let ruled = |cell: &String| cell.chars().all(|one| matches!(one, '-' | ':'));
        if !cells.iter().all(ruled) {
            rows.push(cells);
        }
        next = lines.next_if(|line| line.starts_with('|'));
    }
    rows
}

/// Columns beside each other; the widest are wrapped until a row fits.
fn table(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(move |row| row.get(column));
        cells.map(|cell| columns(cell)).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..count).map(widest).collect();
    while widths.iter().sum::<usize>() + GAP * count.saturating_sub(1) > width
        && let Some(widest) = widths.iter_mut().max()
        && *widest > NARROWEST
    {
        *widest -= 1;
    }
    rows.iter()
        .flat_map(|row| table_row(row, &widths))
        .collect()
}

fn table_row(row: &[String], widths: &[usize]) -> Vec<String> {
    let cells = row.iter().zip(widths);
    let cells: Vec<Vec<String>> = cells.map(|(cell, width)| wrap(cell, *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        let line = cells.iter().zip(widths).map(|(cell, &width)| {
            let part = cell.get(at).map_or("", String::as_str);
            format!("{part:<width$}")
        });
        let line: Vec<String> = line.collect();
        line.join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guide::GUIDE;

    #[test]
    fn headings_links_lists_tables_and_code_are_shown_as_text() {
        let text = "# Data\n\nEvery **list** is [read](a.md)\nonce.\n- one `two` three\n  four\n\n\
                    | | |\n|---|---|\n| `a` | [first](b.md) |\n| `long` | second |\n\n```sh\na  b  c  d  e\n```";

        let shown = render(text, 16);

        assert_eq!(
            shown,
            "Data\n====\n\nEvery list is\nread once.\n- one `two`\n  three four\n\n\
             `a`     first\n`long`  second\n\n    a  b  c  d  e"
        );
    }

    #[test]
    fn a_table_that_is_too_wide_is_wrapped_in_its_columns() {
        let text = "| key | what it does to a run |\n|---|---|\n| `seed` | of everything random |";

        let shown = render(text, 20);

        assert_eq!(
            shown,
            "key     what it does\n        to a run\n`seed`  of\n        everything\n        random"
        );
    }

    #[test]
    fn no_page_of_the_guide_keeps_marks_of_links_and_tables() {
        for page in GUIDE {
            let shown = render(page.text, 80);

            for line in shown.lines().filter(|line| !line.starts_with(CODE)) {
                assert!(!line.contains("](") && !line.starts_with('|'), "{line}");
            }
        }
    }
}
