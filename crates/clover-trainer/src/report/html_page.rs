//! What every page has: its head, its style, and text in which nothing is markup.
//!
//! A page is one file that loads nothing and runs nothing.

use std::fmt::{self, Write};

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --good: #2a9d8f; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; border-radius: 6px; }
.key { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
.legend span { margin-right: 1.2rem; white-space: nowrap; }
.query { overflow-wrap: anywhere; margin: 1.5rem 0; padding: .8rem 1rem; background: var(--soft); border-radius: 6px; }
.query p { margin: 0 0 .6rem; font-weight: 600; }
.found { display: flex; gap: .8rem; align-items: center; margin: .35rem 0; }
.found img { border-radius: 3px; } .own { outline: 3px solid var(--good); }
.seen { margin: .35rem 0; } .seen img { display: block; max-width: 100%; margin-bottom: 2px; }
.heat-scale { white-space: nowrap; }
.heat { display: inline-block; width: 6rem; height: .7em; border-radius: 2px; }
.small { font-size: .85rem; opacity: .75; }
svg text { font-family: inherit; }
@media (prefers-color-scheme: dark) {
  figure svg, .key { filter: invert(1) hue-rotate(180deg); }
}";

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
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A whole page: what `write_body` writes below a heading.
pub fn html_page(title: &str, write_body: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let title = Escaped(title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    );
    // Writing into a string does not fail.
    let _ = write_body(&mut page);
    page.push_str("</body></html>\n");
    page
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
