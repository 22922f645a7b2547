//! What a rule reports: where, which rule, and why.

use std::fmt;

/// Whether a finding fails the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Warning,
    Failure,
}

/// One broken rule at one place.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) rule: &'static str,
    pub(crate) path: String,
    /// Counted from one.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn failure(rule: &'static str, path: &str, line: usize, message: String) -> Self {
        Self {
            severity: Severity::Failure,
            rule,
            path: path.to_owned(),
            line,
            message,
        }
    }

    pub(crate) fn warning(rule: &'static str, path: &str, line: usize, message: String) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::failure(rule, path, line, message)
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            path,
            line,
            message,
            ..
        } = self;
        let word = match self.severity {
            Severity::Warning => "warning: ",
            Severity::Failure => "",
        };
        write!(formatter, "{path}:{line}: {word}[{rule}] {message}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_file_line_and_rule() {
        let finding = Finding::failure("file-names", "crates/a/src/utils.rs", 1, "no".to_owned());

        assert_eq!(
            finding.to_string(),
            "crates/a/src/utils.rs:1: [file-names] no"
        );
    }
}
