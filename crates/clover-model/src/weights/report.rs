//! What became of each weight on import.

use std::fmt;

/// A weight whose shape the model does not have.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ShapeMismatch {
    /// Its name in the file.
    pub name: String,
    /// The shape of the model's parameter.
    pub expected: Vec<usize>,
    /// The shape in the file, in the model's layout.
    pub found: Vec<usize>,
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct WeightReport {
    /// Names in the file whose values the model now has.
    pub applied: Vec<String>,
    /// Parameter paths that the file did not have; they keep their values.
    pub missing: Vec<String>,
    /// Names in the file that the model has no place for.
    pub unused: Vec<String>,
    /// Names in the file whose shape differs; the parameters keep their values.
    pub mismatched: Vec<ShapeMismatch>,
}

impl WeightReport {
    /// Whether every parameter of the model got a value from the file.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.mismatched.is_empty()
    }
}

impl fmt::Display for WeightReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} applied, {} missing, {} unused, {} of another shape",
            self.applied.len(),
            self.missing.len(),
            self.unused.len(),
            self.mismatched.len()
        )?;
        for path in &self.missing {
            write!(formatter, "\n  missing: {path}")?;
        }
        for name in &self.unused {
            write!(formatter, "\n  unused: {name}")?;
        }
        for ShapeMismatch {
            name,
            expected,
            found,
        } in &self.mismatched
        {
            write!(
                formatter,
                "\n  {name}: expected {expected:?}, found {found:?}"
            )?;
        }
        Ok(())
    }
}
