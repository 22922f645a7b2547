//! A file is named for its concept; these names say that there is none.

use super::finding::Finding;
use crate::workspace::TextFile;

const RULE: &str = "file-names";
const BANNED: &[&str] = &[
    "utils", "util", "common", "helpers", "helper", "misc", "prelude",
];

pub(crate) fn check(file: &TextFile) -> Option<Finding> {
    let stem = file.path.strip_suffix(".rs")?;
    let word = stem.split('/').find(|part| BANNED.contains(part))?;
    let message = format!("`{word}` names no concept");
    Some(Finding::failure(RULE, &file.path, 1, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(path: &str) -> bool {
        let file = TextFile {
            path: path.to_owned(),
            text: String::new(),
        };
        check(&file).is_some()
    }

    #[test]
    fn nameless_files_and_folders_are_refused() {
        assert!(is_refused("crates/clover-model/src/utils.rs"));
        assert!(is_refused("tests/suite/common/mod.rs"));
    }

    #[test]
    fn a_longer_name_with_the_same_letters_is_fine() {
        assert!(!is_refused("crates/clover-data/src/common_objects.rs"));
        assert!(!is_refused("crates/clover-data/prelude.md"));
    }
}
