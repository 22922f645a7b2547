//! Look-alike files of moments, and what is expected of them.

use super::super::sample::Sample;
use super::super::{AnnotationFormat, Converted};

/// What is there of each item: the clip, the span and the sentence.
pub(super) fn moments(converted: &Converted) -> Vec<(String, String, String)> {
    let items = converted.retrieval().iter();
    items
        .map(|item| {
            let span = item.span.map(|span| span.to_string()).unwrap_or_default();
            let [caption] = &item.captions[..] else {
                panic!("{item:?}")
            };
            (item.clip.clone(), span, caption.text().to_owned())
        })
        .collect()
}

/// Converts the file as what it looks like, which is this format.
pub(super) fn converted(name: &str, content: &str, format: AnnotationFormat) -> Converted {
    let converted = Sample::new(name, content).convert();
    assert_eq!(converted.format, format);
    converted
}

/// The same as texts.
pub(super) fn of<const N: usize>(wanted: [[&str; 3]; N]) -> Vec<(String, String, String)> {
    wanted
        .map(|[clip, span, text]| (clip.to_owned(), span.to_owned(), text.to_owned()))
        .to_vec()
}

/// Each reason has the words that belong to it.
pub(super) fn assert_skipped(converted: &Converted, wanted: &[(&str, &str)]) {
    assert_eq!(converted.skipped.len(), wanted.len(), "{converted:?}");
    for (skipped, (row, reason)) in converted.skipped.iter().zip(wanted) {
        assert!(skipped.name.ends_with(row), "{skipped:?}: {row}");
        assert!(skipped.reason.contains(reason), "{skipped:?}: {reason}");
    }
}
