//! Which format a file has, by its content; names of files are changed too easily to count.

use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::Path;

use serde_json::Value;

use super::super::pairs::{names_moments, names_pairs};
use super::super::rows::{Lines, Records, TableStyle, json_row, open_regular, walk_json};
use super::fields::Row;
use super::format::AnnotationFormat;
use super::lsmdc;
use super::moments;
use super::three_splits::SPLITS;

/// The first rows may be broken; this many are looked at.
const ROWS: usize = 20;

/// The format a file looks like, or `None` where it looks like none or cannot be read.
pub(super) fn detect(path: impl AsRef<Path>) -> Option<AnnotationFormat> {
    let path = path.as_ref();
    let mut reader = open_regular(path, None).ok()?;
    let start = reader.fill_buf().ok()?;
    if is_pickle(start) {
        return Some(AnnotationFormat::Pickle);
    }
    match start.trim_ascii_start().first()? {
        b'[' => list(path),
        b'{' => sections(path).or_else(|| lines(path)),
        _ => table(path),
    }
}

/// Protocols from 2 on start with their number; older ones with a list of dicts, here, which is
/// remembered as number 0 or begins at once.
fn is_pickle(start: &[u8]) -> bool {
    match start {
        [0x80, protocol, ..] => (2..=5).contains(protocol),
        [b'(', b'l', rest @ ..] => matches!(rest, [b'p', b'0', b'\n', ..] | [b'(', b'd', ..]),
        [b']', rest @ ..] => matches!(rest, [b'q', 0, ..] | [b'(', b'}', ..] | [b'}', ..]),
        _ => false,
    }
}

fn list(path: &Path) -> Option<AnnotationFormat> {
    let mut found = None;
    let mut seen = 0;
    let walked = walk_json(path, &mut |element| {
        seen += 1;
        if let Ok(Value::Object(row)) = &element.value {
            found = row_format(row);
        }
        match found.is_some() || seen >= ROWS {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    // What was found before a fault counts: reading the file will name the fault.
    let _faulty = walked;
    found
}

fn sections(path: &Path) -> Option<AnnotationFormat> {
    let mut found = None;
    let walked = walk_json(path, &mut |element| {
        let (Some(section), Ok(value)) = (element.section, &element.value) else {
            return ControlFlow::Continue(());
        };
        let format = match section {
            "images" if value.get("file_name").is_some() => AnnotationFormat::CocoCaptions,
            "sentences" | "annotations" | "videos" if value.is_object() => {
                AnnotationFormat::MsrvttCaptions
            }
            "database" if moments::is_youcook(value) => AnnotationFormat::Youcook2,
            split if SPLITS.contains(&split) && (value.is_object() || element.key.is_some()) => {
                AnnotationFormat::ThreeSplits
            }
            _ => match element
                .key
                .and_then(|key| moments::format_of_list(key, value))
            {
                Some(format) => format,
                None => return ControlFlow::Continue(()),
            },
        };
        found = Some(format);
        // Whose number it is, the images tell, and they may come behind.
        match value.get("image_id").is_some_and(Value::is_number) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    let _faulty = walked;
    found
}

fn lines(path: &Path) -> Option<AnnotationFormat> {
    let mut lines = Lines::open(path).ok()?;
    for _ in 0..ROWS {
        let line = lines.next_line().ok()??;
        let value = line.bytes.ok().map(|bytes| json_row(&bytes));
        if let Some(Ok(Value::Object(row))) = value
            && let Some(format) = row_format(&row)
        {
            return Some(format);
        }
    }
    None
}

/// The format whose keys a JSON row has.
fn row_format(row: &Row) -> Option<AnnotationFormat> {
    let has = |keys: &[&str]| keys.iter().all(|&key| row.contains_key(key));
    let is_number = |key| row.get(key).is_some_and(Value::is_number);
    let is_list = |key| row.get(key).is_some_and(Value::is_array);
    Some(
        if has(&["clip", "captions"]) || has(&["clip", "question"]) {
            AnnotationFormat::Items
        } else if has(&["path", "caption"]) {
            AnnotationFormat::Pairs
        } else if has(&["video", "description"]) {
            AnnotationFormat::Didemo
        } else if has(&["clip_name", "options", "answer"])
            || (has(&["video", "answer"]) && is_list("caption"))
        {
            AnnotationFormat::MsrvttMultipleChoice
        } else if has(&["video_id", "question", "answer"]) {
            // Both releases number their videos; MSRVTT's has categories.
            match is_number("video_id") && !has(&["category_id"]) {
                true => AnnotationFormat::MsvdQa,
                false => AnnotationFormat::MsrvttQa,
            }
        } else if has(&["YoutubeID", "Start_timestamp", "Caption"]) {
            AnnotationFormat::Internvid
        } else if has(&["qid", "query", "vid"]) {
            AnnotationFormat::Qvhighlights
        } else if names_pairs(
            row.iter()
                .filter(|(_, value)| value.is_string())
                .map(|(key, _)| &**key),
        ) {
            AnnotationFormat::Pairs
        } else if names_moments(row.keys().map(|key| &**key)) {
            AnnotationFormat::Howto100m
        } else {
            return None;
        },
    )
}

fn table(path: &Path) -> Option<AnnotationFormat> {
    let quoted = |style| Records::open(path, style).ok()?.next_record().ok()?;
    for style in [
        TableStyle::CSV,
        TableStyle::QUOTED_TABS,
        TableStyle::SEMICOLONS,
    ] {
        let header = quoted(style).and_then(|(_, record)| record.ok());
        let found = header.and_then(|header| header_format(&header, style));
        if found.is_some() {
            return found;
        }
    }
    let mut records = Records::open(path, TableStyle::PLAIN_TABS).ok()?;
    for _ in 0..ROWS {
        let (_, record) = records.next_record().ok()??;
        if let Ok(fields) = record
            && let Some(format) = fields_format(&fields)
        {
            return Some(format);
        }
    }
    None
}

/// The format whose columns a table with a header has.
fn header_format(header: &[String], style: TableStyle) -> Option<AnnotationFormat> {
    let has = |columns: &[&str]| {
        let mut columns = columns.iter();
        columns.all(|column| header.iter().any(|name| name.trim() == *column))
    };
    let tabs = style == TableStyle::QUOTED_TABS;
    let moments = names_moments(header.iter().map(|name| name.trim()));
    if has(&["path", "caption"]) {
        Some(AnnotationFormat::Pairs)
    } else if !tabs && has(&["videoid", "name"]) {
        Some(AnnotationFormat::Webvid)
    } else if !tabs && has(&["video_id", "sentence"]) && !moments {
        Some(AnnotationFormat::MsrvttJsfusion)
    } else if tabs && has(&["gif_name", "question", "a1", "a5", "answer"]) {
        Some(AnnotationFormat::TgifMultipleChoice)
    } else if tabs && has(&["gif_name", "question", "answer"]) {
        match has(&["type"]) || has(&["description"]) {
            true => Some(AnnotationFormat::TgifFrame),
            false => Some(AnnotationFormat::TgifCount),
        }
    } else if names_pairs(header.iter().map(|name| name.trim())) {
        Some(AnnotationFormat::Pairs)
    } else if moments {
        Some(AnnotationFormat::Howto100m)
    } else {
        None
    }
}

/// The format whose fields a row of a table without a header has.
fn fields_format(fields: &[String]) -> Option<AnnotationFormat> {
    let is_clip = fields
        .first()
        .is_some_and(|id| lsmdc::movie(id.trim()).is_some());
    let is_moment = fields.first().is_some_and(|row| moments::is_charades(row));
    let is_url = |field: &str| field.starts_with("http://") || field.starts_with("https://");
    match fields {
        [_, url] if is_url(url) => Some(AnnotationFormat::Cc3m),
        _ if is_moment => Some(AnnotationFormat::CharadesSta),
        _ if !is_clip => None,
        fields => match fields.len() {
            5 | 6 => Some(AnnotationFormat::Lsmdc),
            8 => Some(AnnotationFormat::LsmdcFillInTheBlank),
            10 | 11 => Some(AnnotationFormat::LsmdcMultipleChoice),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn a_misleading_name_does_not_matter() {
        let sample = Sample::new("pairs.pkl", "videoid,name,page_dir\n1,a cat,p\n");

        assert_eq!(detect(sample.path()), Some(AnnotationFormat::Webvid));
    }

    #[test]
    fn a_caption_that_begins_with_a_bracket_is_no_pickle() {
        for caption in ["(left) a man", "(l.) a man", "]quoted[ a man"] {
            let sample = Sample::new("a.tsv", format!("{caption}\thttp://a/1.jpg\n"));

            assert_eq!(
                detect(sample.path()),
                Some(AnnotationFormat::Cc3m),
                "{caption}"
            );
        }
        for pickle in [
            &b"(lp0\n(dp1\n"[..],
            b"(l(dS'a'\n",
            b"]q\0}q\x01",
            b"](}(",
            b"]}",
        ] {
            let sample = Sample::new("a.pkl", pickle);

            assert_eq!(detect(sample.path()), Some(AnnotationFormat::Pickle));
        }
    }

    #[test]
    fn a_mark_before_the_text_does_not_matter() {
        let sample = Sample::new("a", "\u{feff}[{\"video\":\"a.mov\",\"description\":\"b\"}]");

        assert_eq!(detect(sample.path()), Some(AnnotationFormat::Didemo));
    }

    #[test]
    fn other_files_have_no_format() {
        for content in [
            "",
            "\n",
            "video_id\nvideo0\n",
            "{}",
            "[1]",
            "{\"a\":1}",
            "a\tb\n",
            "\u{80}",
        ] {
            let sample = Sample::new("a.json", content);

            assert_eq!(detect(sample.path()), None, "{content}");
        }
        assert_eq!(detect("nowhere.json"), None);
    }
}
