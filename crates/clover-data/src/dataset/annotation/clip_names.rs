//! From the names in an annotation file to the paths of clips.
//!
//! A pattern such as `videos/{page_dir}/{videoid}.mp4` or `{row:08}.jpg` is filled in for each row.
//! `{name}` is the last part of a name with folders, and `{stem}` that without its extension.

use std::fmt::Write;

use super::super::rows::{AnnotationError, RowFault};
use super::format::AnnotationFormat;

/// Names that end in one of these are names of files already.
const CLIP_ENDINGS: [&str; 19] = [
    "mp4", "m4v", "avi", "mov", "mkv", "webm", "gif", "mpg", "mpeg", "wmv", "3gp", "flv", "ogv",
    "ts", "jpg", "jpeg", "png", "webp", "bmp",
];

/// Zeros in front of a number.
const MAX_WIDTH: usize = 32;

/// What a pattern may have in all.
const MAX_PATTERN_BYTES: usize = 1_024;

/// Gives clips their paths.
#[derive(Debug)]
pub(super) struct ClipNames {
    parts: Vec<Part>,
    /// Whether the pattern was chosen by the user, who knows better than an extension.
    chosen: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value { key: String, width: usize },
}

impl ClipNames {
    /// The pattern of a format, with another extension, or another pattern altogether.
    pub(super) fn new(
        (format, whole_films): (AnnotationFormat, bool),
        extension: Option<&str>,
        pattern: Option<&str>,
    ) -> Result<Self, AnnotationError> {
        let unused = |option| AnnotationError::UnusedOption { format, option };
        let facts = format.facts();
        let Some(usual) = facts.clips(whole_films) else {
            return match (extension, pattern) {
                (None, None) => Self::parse("{id}", &["id"], false),
                (Some(_), _) => Err(unused("an extension")),
                (None, Some(_)) => Err(unused("a clip pattern")),
            };
        };
        match (extension, pattern) {
            (None, None) => Self::parse(usual, facts.placeholders, false),
            (None, Some(pattern)) => Self::parse(pattern, facts.placeholders, true),
            (Some(_), Some(_)) => Err(unused("an extension beside a clip pattern")),
            (Some(extension), None) => {
                let base = match usual.rsplit_once('.') {
                    Some((base, _)) => base,
                    // Names with extensions of their own lose them.
                    None => "{stem}",
                };
                let pattern = format!("{base}.{}", check_extension(extension)?);
                Self::parse(&pattern, facts.placeholders, false)
            }
        }
    }

    fn parse(pattern: &str, known: &[&str], chosen: bool) -> Result<Self, AnnotationError> {
        let broken = |reason| AnnotationError::Pattern {
            pattern: pattern.chars().take(100).collect(),
            reason,
            known: known.join(", "),
        };
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(broken("is too long"));
        }
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some((text, after)) = rest.split_once('{') {
            let (key, after) = after
                .split_once('}')
                .ok_or_else(|| broken("has a { without a }"))?;
            let (key, width) = key.split_once(':').unwrap_or((key, "0"));
            let width = width.parse().ok().filter(|&width| width <= MAX_WIDTH);
            let width = width.ok_or_else(|| broken("has a width that is no small number"))?;
            if !known.contains(&key) {
                return Err(broken("has an unknown placeholder"));
            }
            parts.push(Part::Text(text.to_owned()));
            parts.push(Part::Value {
                key: key.to_owned(),
                width,
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let one_name = !parts.iter().any(|part| matches!(part, Part::Value { .. }));
        if one_name {
            return Err(broken("gives all clips one name"));
        }
        Ok(Self { parts, chosen })
    }

    /// The path of a clip with these values; checked with the rest of its item.
    pub(super) fn path(&self, values: &[(&'static str, &str)]) -> Result<String, RowFault> {
        let mut path = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Value { key, width } => {
                    let value = lookup(values, key)?;
                    // Writing to a string cannot fail.
                    let _written = write!(path, "{value:0>width$}");
                }
            }
        }
        Ok(path)
    }

    /// The path of a clip with one name.
    pub(super) fn named(&self, id: &str) -> Result<String, RowFault> {
        self.path(&[("id", id)])
    }

    /// The path of a clip with one name, which may be that of a file already.
    pub(super) fn named_or_file(&self, id: &str) -> Result<String, RowFault> {
        let extension = id.trim().rsplit_once('.').map(|(_, extension)| extension);
        let is_file = extension.is_some_and(|extension| {
            CLIP_ENDINGS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(extension))
        });
        match is_file && !self.chosen {
            true => Ok(id.trim().to_owned()),
            false => self.named(id),
        }
    }
}

fn lookup<'a>(values: &[(&'static str, &'a str)], key: &str) -> Result<&'a str, RowFault> {
    let given = |key| values.iter().find(|(given, _)| *given == key);
    let value = match (given(key), key) {
        (Some((_, value)), _) => Some(value.trim()),
        (None, "name" | "stem") => given("id").map(|(_, id)| {
            let name = id.trim().rsplit('/').next().unwrap_or_default();
            match (key, name.rsplit_once('.')) {
                ("stem", Some((stem, _))) if !stem.is_empty() => stem,
                _ => name,
            }
        }),
        (None, _) => None,
    };
    match value {
        Some("") | None => Err(RowFault::Missing {
            key: "name for its clip",
        }),
        Some(value) => Ok(value),
    }
}

fn check_extension(extension: &str) -> Result<&str, AnnotationError> {
    let bare = extension.strip_prefix('.').unwrap_or(extension);
    match (1..=8).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        true => Ok(bare),
        false => Err(AnnotationError::Extension {
            extension: extension.chars().take(50).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(
        format: AnnotationFormat,
        extension: Option<&str>,
        pattern: Option<&str>,
    ) -> Result<ClipNames, AnnotationError> {
        ClipNames::new((format, false), extension, pattern)
    }

    #[test]
    fn the_usual_pattern_takes_another_extension() {
        let usual = names(AnnotationFormat::MsrvttQa, None, None).unwrap();
        let other = names(AnnotationFormat::MsrvttQa, Some(".webm"), None).unwrap();

        assert_eq!(usual.named("video7").unwrap(), "video7.mp4");
        assert_eq!(other.named("video7").unwrap(), "video7.webm");
    }

    #[test]
    fn numbers_are_filled_up_with_zeros() {
        let usual = names(AnnotationFormat::Cc3m, None, None).unwrap();
        let pattern = Some("{row:03}/{row}.png");
        let chosen = names(AnnotationFormat::Cc3m, None, pattern).unwrap();

        assert_eq!(usual.path(&[("row", "7")]).unwrap(), "00000007.jpg");
        assert_eq!(chosen.path(&[("row", "7")]).unwrap(), "007/7.png");
    }

    #[test]
    fn a_name_with_folders_can_lose_them_and_its_ending() {
        let pattern = Some("clips/{stem}.webm");
        let stems = names(AnnotationFormat::Pickle, None, pattern).unwrap();
        let other = names(AnnotationFormat::Didemo, Some("mp4"), None).unwrap();

        assert_eq!(stems.named("/data/a.b.mp4").unwrap(), "clips/a.b.webm");
        assert_eq!(other.named("12@N3_45_ab.").unwrap(), "12@N3_45_ab.mp4");
    }

    #[test]
    fn a_name_that_is_a_file_stays_unless_a_pattern_was_chosen() {
        let format = AnnotationFormat::ThreeSplits;
        let usual = names(format, None, None).unwrap();
        let chosen = names(format, None, Some("{stem}.avi")).unwrap();

        assert_eq!(usual.named_or_file("video7.AVI").unwrap(), "video7.AVI");
        assert_eq!(usual.named_or_file("video7.5").unwrap(), "video7.5.mp4");
        assert_eq!(chosen.named_or_file("video7.mp4").unwrap(), "video7.avi");
    }

    #[test]
    fn patterns_that_cannot_be_filled_in_are_refused() {
        for pattern in ["a.mp4", "{id", "{nothing}.mp4", "{id:99}", "{id:x}"] {
            let error = names(AnnotationFormat::MsrvttQa, None, Some(pattern)).unwrap_err();

            assert!(error.to_string().contains("id, name, stem"), "{error}");
        }
        for extension in ["", "m/p4", "..", "averylongone"] {
            assert!(names(AnnotationFormat::MsrvttQa, Some(extension), None).is_err());
        }
        assert!(names(AnnotationFormat::Items, Some("mp4"), None).is_err());
    }
}
