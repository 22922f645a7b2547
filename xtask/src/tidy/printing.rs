//! Libraries never print: they return values and errors, and the program writes.

use super::finding::Finding;
use super::source;
use crate::workspace::TextFile;

const RULE: &str = "printing";
const MACROS: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!"];
const PROGRAM: &str = "crates/clover-cli/";

pub(crate) fn check(file: &TextFile) -> Vec<Finding> {
    if file.path.starts_with(PROGRAM) {
        return Vec::new();
    }
    source::code_lines(&file.text)
        .into_iter()
        .filter_map(|(line, code)| {
            let name = MACROS.iter().find(|name| calls(code, name))?;
            let message = format!("{name} in a library");
            Some(Finding::failure(RULE, &file.path, line, message))
        })
        .collect()
}

/// Whether the macro is called by this very name: `eprintln!` is not `println!`.
fn calls(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let file = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .into_iter()
            .map(|finding| finding.message)
            .collect()
    }

    #[test]
    fn a_print_in_library_code_is_reported() {
        let text = "fn step() {\n    eprintln!(\"loss\");\n}\n";

        assert_eq!(
            messages("crates/clover-trainer/src/lib.rs", text),
            ["eprintln! in a library"]
        );
        assert!(messages("crates/clover-cli/src/main.rs", text).is_empty());
    }

    #[test]
    fn tests_comments_and_other_macros_are_left_alone() {
        let text = "\
/// println!(\"an example\");
fn show() { pretty_println!(); } // println!()
#[cfg(test)]
mod tests {
    fn loud() { println!(\"skipped\"); }
}
";

        assert!(messages("crates/clover-data/src/lib.rs", text).is_empty());
    }
}
