//! A path of one machine means nothing on another.

use super::finding::Finding;
use crate::workspace::TextFile;

const RULE: &str = "machine-paths";

/// The first folders of such paths.
const FOLDERS: &[&str] = &["work", "root", "tmp", "home"];

pub(crate) fn check(file: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for folder in FOLDERS.iter().map(|folder| format!("/{folder}/")) {
            if holds_absolute(line, &folder) {
                let message = format!("an absolute path below {folder}");
                findings.push(Finding::failure(RULE, &file.path, index + 1, message));
            }
        }
    }
    findings
}

/// Whether `folder` occurs as the beginning of a path rather than inside one.
fn holds_absolute(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "._-~*})$".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_reported(text: String) -> Vec<usize> {
        let file = TextFile {
            path: "README.md".to_owned(),
            text,
        };
        check(&file).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn the_beginning_of_a_path_is_reported() {
        let path = ["", "home", "someone", "clip.mp4"].join("/");

        assert_eq!(lines_reported(format!("first\nopen(\"{path}\")\n")), [2]);
        assert_eq!(lines_reported(path), [1]);
    }

    #[test]
    fn the_middle_of_a_path_or_address_is_not() {
        let inside = ["https://example.org", "home", "index"].join("/");
        let relative = ["..", "work", "clip.mp4"].join("/");

        assert!(lines_reported(format!("{inside} {relative}")).is_empty());
    }
}
