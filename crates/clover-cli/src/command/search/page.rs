//! What a search found, as a page: frames of every moment.
//!
//! One file, which loads nothing and runs nothing. It names files of this machine, and links to them.

use std::path::Path;

use clover_data::video::Span;
use clover_inference::{FoundMoment, SearchQuery, SearchResult, VideoIndex};
use clover_trainer::report::{Escaped, Page};

use super::{decisive, in_a_line, place, remarks, when};

/// The page.
pub(super) fn search_page(index: &VideoIndex, query: &SearchQuery, found: &SearchResult) -> String {
    let mut page = Page::new(&title(query));
    for line in bounds(query).iter().chain(&remarks(query, found)) {
        page.paragraph(line);
    }
    for (moment, number) in found.moments.iter().zip(1..) {
        write_moment(&mut page, index, moment, number);
    }
    page.note(&format!("Index: {}", in_a_line(index.folder())));
    page.finish()
}

/// What was looked for.
fn title(query: &SearchQuery) -> String {
    let text = query.text.iter().cloned();
    let like = query.like.iter().map(|(clip, span)| {
        let name = in_a_line(clip.name());
        match span {
            Some(_) => format!("like {name}, {}", when(*span)),
            None => format!("like {name}"),
        }
    });
    text.chain(like).collect::<Vec<_>>().join(", and ")
}

/// What was not wanted, and where was looked.
fn bounds(query: &SearchQuery) -> Vec<String> {
    let not = query.not.iter().map(|text| format!("Not: {text}"));
    let within = query
        .within
        .iter()
        .map(|path| format!("In: {}", in_a_line(path)));
    not.chain(within).collect()
}

fn write_moment(page: &mut Page, index: &VideoIndex, moment: &FoundMoment, number: usize) {
    let (name, when) = (in_a_line(&moment.path), when(moment.span));
    let shown = Escaped(&name);
    write!(page, "<div class=\"item\"><p>{number}. ");
    match file_url(&moment.path, moment.span) {
        Some(url) => write!(page, "<a href=\"{}\">{shown}</a>", Escaped(&url)),
        None => write!(page, "{shown}"),
    }
    writeln!(page, ", {when}</p>");
    let scores = [decisive(moment), place(moment)];
    let scores = scores.join(", ");
    let scores = scores.trim_end_matches(", ");
    match index.open_clip(&moment.clip) {
        Ok((clip, part)) => page.clip((clip, moment.span.or(part)), scores, false),
        Err(error) => {
            let error = in_a_line(Path::new(&format!("{:#}", anyhow::Error::from(error))));
            page.note(&format!("{scores}. No frames can be shown: {error}"));
        }
    }
    for copy in &moment.copies {
        page.note(&format!("The same as {}", in_a_line(copy)));
    }
    writeln!(page, "</div>");
}

/// Where a browser finds a file, and from when to when it plays it; none for what is no file of its own.
fn file_url(path: &Path, span: Option<Span>) -> Option<String> {
    let path = std::path::absolute(path)
        .ok()
        .filter(|path| path.exists())?;
    let bytes = path.as_os_str().as_encoded_bytes();
    let mut url = "file://".to_owned();
    if !bytes.starts_with(b"/") {
        url.push('/');
    }
    for &byte in bytes {
        match byte {
            b'\\' if cfg!(windows) => url.push('/'),
            b'/' | b':' | b'-' | b'.' | b'_' | b'~' => url.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    if let Some(span) = span {
        let [start, end] = [span.start(), span.end()].map(|time| time as f64 / 1000.0);
        url.push_str(&format!("#t={start},{end}"));
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_moment_whatever_the_file_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100 % \"a\"#1?\u{e9}.mp4");
        std::fs::write(&path, "").unwrap();
        let span = Span::new(80_500, 90_000).unwrap();

        let url = file_url(&path, Some(span)).unwrap();

        assert!(url.starts_with("file:///"), "{url}");
        let end = "/100%20%25%20%22a%22%231%3F%C3%A9.mp4#t=80.5,90";
        assert!(url.ends_with(end), "{url}");
        assert_eq!(file_url(&folder.path().join("gone.mp4"), None), None);
    }
}
