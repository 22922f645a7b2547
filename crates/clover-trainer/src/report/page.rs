//! The skeleton of every page: its head, its style, tables, and text in which nothing is markup.
//!
//! A page is one file that loads nothing and runs nothing.

use std::fmt::{self, Write};

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a9d8f; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.summary { font-size: 1.15rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.confusion td, .confusion th { padding: .25rem .5rem; overflow-wrap: normal; } .confusion th:first-child, .confusion td:first-child { min-width: 5rem; }
.confusion thead th { max-width: 6rem; vertical-align: bottom; }
figure { margin: 1rem 0; } svg, img { max-width: 100%; height: auto; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.legend span { margin-right: 1.2rem; white-space: nowrap; }
.item { overflow-wrap: anywhere; margin: 1.5rem 0; padding: .8rem 1rem; background: var(--soft); border-radius: 6px; }
.item p { margin: 0 0 .6rem; } .item > p:first-child { font-weight: 600; }
.clip { margin: .6rem 0; } .clip img { display: block; border-radius: 3px; margin-bottom: 2px; }
.own { outline: 3px solid var(--good); }
.heat-scale { white-space: nowrap; }
.heat { display: inline-block; width: 6rem; height: .7em; border-radius: 2px; }
.small { font-size: .85rem; opacity: .75; }
pre { overflow-x: auto; }
svg text { font-family: inherit; }
@media (prefers-color-scheme: dark) { svg, .key { filter: invert(1) hue-rotate(180deg); } }";

/// Text in which nothing is markup.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'t>(
    /// The text.
    pub &'t str,
);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // A browser reads none of these as text.
                control if control.is_control() && !control.is_whitespace() => {
                    f.write_char(char::REPLACEMENT_CHARACTER)?;
                }
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A page in the making.
#[derive(Debug)]
pub struct Page {
    html: String,
}

impl Page {
    /// A page with a heading.
    #[must_use]
    pub fn new(title: &str) -> Self {
        let title = Escaped(title);
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
        );
        Self { html }
    }

    /// Adds markup: `write!` and `writeln!` call this. Text of users goes in as [`Escaped`].
    pub fn write_fmt(&mut self, markup: fmt::Arguments<'_>) {
        // Writing into a string does not fail.
        let _ = self.html.write_fmt(markup);
    }

    /// Adds the line that says what the page shows.
    pub fn summary(&mut self, text: &str) {
        if !text.is_empty() {
            writeln!(self, "<p class=\"summary\">{}</p>", Escaped(text));
        }
    }

    /// Adds a heading of a part.
    pub fn heading(&mut self, text: &str) {
        writeln!(self, "<h2>{}</h2>", Escaped(text));
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: &str) {
        writeln!(self, "<p>{}</p>", Escaped(text));
    }

    /// Adds an aside.
    pub fn note(&mut self, text: &str) {
        writeln!(self, "<div class=\"small\">{}</div>", Escaped(text));
    }

    /// Adds a table: names in the first column, numbers in the others.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let class = |column: usize| match column {
            0 => "",
            _ => " class=\"number\"",
        };
        write!(self, "<div class=\"wide\"><table><thead><tr>");
        for (column, name) in head.iter().enumerate() {
            write!(self, "<th{}>{}</th>", class(column), Escaped(name));
        }
        writeln!(self, "</tr></thead><tbody>");
        for row in rows {
            write!(self, "<tr>");
            for (column, cell) in row.iter().enumerate() {
                write!(self, "<td{}>{}</td>", class(column), Escaped(cell));
            }
            writeln!(self, "</tr>");
        }
        writeln!(self, "</tbody></table></div>");
    }

    /// Adds a table of names and values under a heading; nothing where there are none, and of many the
    /// first `most`.
    pub(super) fn pairs(&mut self, heading: &str, rows: &[(String, String)], most: usize) {
        if rows.is_empty() {
            return;
        }
        self.heading(heading);
        writeln!(self, "<table><tbody>");
        for (name, value) in rows.iter().take(most) {
            let (name, value) = (Escaped(name), Escaped(value));
            writeln!(self, "<tr><td>{name}</td><td>{value}</td></tr>");
        }
        writeln!(self, "</tbody></table>");
        if rows.len() > most {
            self.note(&format!("and {} more", rows.len() - most));
        }
    }

    /// The page as a file.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.html.push_str("</body></html>\n");
        self.html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_wrote_is_never_markup() {
        let hostile = "</title></td><script>alert('x')</script> & \"y\"\u{0}\u{7}";
        let mut page = Page::new(hostile);
        page.summary(hostile);
        page.heading(hostile);
        page.paragraph(hostile);
        page.note(hostile);
        page.table(&[hostile], &[vec![hostile.to_owned()]]);
        let pair = (hostile.to_owned(), hostile.to_owned());
        page.pairs(hostile, &[pair], 5);

        let page = page.finish();

        assert!(!page.contains("<script") && !page.contains(['\u{0}', '\u{7}']));
        assert_eq!(page.matches("</title>").count(), 1);
        assert_eq!(page.matches("&lt;script&gt;alert(&#39;x&#39;)").count(), 11);
    }

    #[test]
    fn of_many_pairs_some_are_named() {
        let rows: Vec<_> = (0..5).map(|row| (row.to_string(), String::new())).collect();
        let mut page = Page::new("");

        page.pairs("Left out", &rows, 3);
        page.pairs("Nothing", &[], 3);

        let page = page.finish();
        assert!(page.contains("<td>2</td>") && !page.contains("<td>3</td>"));
        assert!(page.contains("and 2 more") && !page.contains("Nothing"));
    }
}
