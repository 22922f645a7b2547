//! What a search found, as a page: frames of every moment.
//!
//! One file, which loads nothing and runs nothing. It names files of this machine, and links to them.

use std::fmt::{self, Write};
use std::path::Path;

use clover_data::video::Span;
use clover_inference::{FoundMoment, SearchQuery, SearchResult, VideoIndex};
use clover_trainer::report::{Escaped, clip_strip, html_page};

use super::{in_a_line, remarks, scores, when};

/// Frames of a moment in a picture, and its height in pixels.
const STRIP: (usize, u32) = (6, 96);

/// The page.
pub(super) fn search_page(index: &VideoIndex, query: &SearchQuery, found: &SearchResult) -> String {
    html_page(&title(query), |page| {
        for line in bounds(query).iter().chain(&remarks(query, found)) {
            writeln!(page, "<p>{}</p>", Escaped(line))?;
        }
        for (moment, number) in found.moments.iter().zip(1..) {
            write_moment(page, index, moment, number)?;
        }
        let folder = in_a_line(index.folder());
        writeln!(page, "<p class=\"small\">Index: {}</p>", Escaped(&folder))
    })
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

fn write_moment(
    page: &mut String,
    index: &VideoIndex,
    moment: &FoundMoment,
    number: usize,
) -> fmt::Result {
    let (name, when) = (in_a_line(&moment.path), when(moment.span));
    let shown = Escaped(&name);
    write!(page, "<div class=\"query\"><p>{number}. ")?;
    match file_url(&moment.path, moment.span) {
        Some(url) => write!(page, "<a href=\"{}\">{shown}</a>", Escaped(&url))?,
        None => write!(page, "{shown}")?,
    }
    let scores = scores(moment).join(", ");
    writeln!(
        page,
        ", {when}</p>\n<div class=\"small\">{}</div>",
        Escaped(&scores)
    )?;
    let (frames, height) = STRIP;
    let opened = index.open_clip(&moment.clip).map_err(anyhow::Error::from);
    let strip = opened.and_then(|(clip, part)| {
        let clip = (clip, moment.span.or(part));
        Ok(clip_strip(clip, frames, height)?)
    });
    match strip {
        Ok(strip) => writeln!(
            page,
            "<div class=\"seen\"><img src=\"{}\" alt=\"frames of {shown}, {when}\"></div>",
            Escaped(&strip)
        )?,
        Err(error) => {
            let error = in_a_line(Path::new(&format!("{error:#}")));
            let error = Escaped(&error);
            writeln!(
                page,
                "<div class=\"small\">No frames can be shown: {error}</div>"
            )?;
        }
    }
    for copy in &moment.copies {
        let name = in_a_line(copy);
        writeln!(
            page,
            "<div class=\"small\">The same as {}</div>",
            Escaped(&name)
        )?;
    }
    writeln!(page, "</div>")
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
