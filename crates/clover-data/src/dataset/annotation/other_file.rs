//! Files that go with annotations and are none: what they are and where they belong.

use std::io::BufRead;
use std::path::Path;

use super::super::answer_vocabulary::AnswerVocabulary;
use super::super::rows::{Records, TableStyle, open_regular};
use super::youtube_mapping;

const LIST: &str = "a list of videos, which --list takes, beside an annotation file";
const MAPPING: &str =
    "a mapping from names to numbers, which --mapping takes, beside an annotation file";
const ANSWERS: &str = "a list of answers, which --answers takes, beside an annotation file";
const NAMES: &str = "a list of names or of answers, which --list or --answers takes, beside an \
     annotation file";
const FRAMES: &str = "VIOLET's frames in base64, which are not read; its captions stand in \
     `txt_*.json`, and clips are read as videos or images";

/// How base64 of a JPEG and of a PNG begins.
const IMAGES: [&[u8]; 2] = [b"/9j/", b"iVBORw0KGgo"];

/// What a file is that has no format of annotations.
pub(super) fn other_file(path: &Path) -> Option<&'static str> {
    let mut reader = open_regular(path, None).ok()?;
    let start = reader.fill_buf().ok()?;
    let is_image = |rest: &[u8]| IMAGES.iter().any(|begin| rest.starts_with(begin));
    let mut fields = start.split(|&byte| byte == b'\t');
    if fields.nth(1).is_some_and(is_image) {
        return Some(FRAMES);
    }
    if matches!(start.trim_ascii_start().first()?, b'[' | b'{') {
        return AnswerVocabulary::read(path).is_ok().then_some(ANSWERS);
    }
    let mut records = Records::open(path, TableStyle::CSV).ok()?;
    let (_, first) = records.next_record().ok()??;
    let first = first.ok()?;
    if first.iter().any(|name| name.trim() == "video_id") {
        return Some(LIST);
    }
    match &first[..] {
        [line] if youtube_mapping::parse(line).is_some() => Some(MAPPING),
        [line] if line.split_whitespace().count() <= 3 => Some(NAMES),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::convert;
    use super::super::sample::Sample;

    #[test]
    fn a_file_is_named_with_the_option_it_belongs_to() {
        for (content, part) in [
            ("video_id\nvideo0\n", "--list"),
            ("-4wsuPCjDBc_5_15 vid1\n", "--mapping"),
            ("{\"cat\":0,\"dog\":1}", "--answers"),
            ("[\"cat\",\"dog\"]", "--answers"),
            ("cat\ndog\n", "--list or --answers"),
            ("video7\t/9j/4AAQSkZJRg==\t/9j/4AAQ\n", "base64"),
        ] {
            let error = convert(&Sample::new("a.txt", content).request()).unwrap_err();

            let message = error.to_string();
            assert!(
                message.contains(part) && message.contains("a.txt"),
                "{message}"
            );
        }
    }
}
