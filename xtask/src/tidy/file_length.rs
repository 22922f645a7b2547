//! A source file that outgrows a few screens holds two concepts.

use super::finding::Finding;
use crate::workspace::TextFile;

const RULE: &str = "file-length";
const WARN_ABOVE: usize = 500;
const FAIL_ABOVE: usize = 600;

/// Files that may be longer, each with the reason why it is still one concept.
const EXCEPTIONS: &[(&str, &str)] = &[];

pub(crate) fn check(file: &TextFile) -> Option<Finding> {
    let excepted = EXCEPTIONS.iter().any(|(path, _reason)| *path == file.path);
    if !file.path.ends_with(".rs") || excepted {
        return None;
    }
    let lines = file.text.lines().count();
    let message = format!("{lines} lines; a file keeps to one concept and {WARN_ABOVE} lines");
    if lines <= WARN_ABOVE {
        None
    } else if lines <= FAIL_ABOVE {
        Some(Finding::warning(RULE, &file.path, lines, message))
    } else {
        Some(Finding::failure(RULE, &file.path, lines, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::Severity;

    fn severity(path: &str, lines: usize) -> Option<Severity> {
        let file = TextFile {
            path: path.to_owned(),
            text: "//\n".repeat(lines),
        };
        check(&file).map(|finding| finding.severity)
    }

    #[test]
    fn length_first_warns_and_then_fails() {
        assert_eq!(severity("crates/a/src/lib.rs", 500), None);
        assert_eq!(
            severity("crates/a/src/lib.rs", 501),
            Some(Severity::Warning)
        );
        assert_eq!(
            severity("crates/a/src/lib.rs", 601),
            Some(Severity::Failure)
        );
    }

    #[test]
    fn data_and_prose_may_be_long() {
        assert_eq!(severity("tests/fixtures/manifest.json", 5000), None);
    }
}
