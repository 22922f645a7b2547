//! What became of each weight on import.

use std::fmt;

use super::WeightError;

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

/// A weight that was brought to the shape of the model.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Resized {
    /// Its name in the file.
    pub name: String,
    /// The shape in the file.
    pub from: Vec<usize>,
    /// The shape of the model's parameter.
    pub to: Vec<usize>,
    /// How.
    pub how: &'static str,
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
    /// Names in the file whose values were brought to another shape.
    pub resized: Vec<Resized>,
    /// Names in the file that are no parameters: buffers, and what belongs to an optimizer.
    pub ignored: Vec<String>,
    /// Names in the file of applied weights that hold infinities or values that are no numbers.
    pub not_finite: Vec<String>,
}

impl WeightReport {
    /// Whether every parameter of the model got a value from the file.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.mismatched.is_empty()
    }

    /// The report, if every parameter got a value and every value found its place.
    ///
    /// # Errors
    ///
    /// Something is missing, unused or of another shape.
    pub fn strict(self) -> Result<Self, WeightError> {
        if self.is_complete() && self.unused.is_empty() {
            Ok(self)
        } else {
            Err(WeightError::NotStrict {
                report: Box::new(self),
            })
        }
    }
}

impl fmt::Display for WeightReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} applied, {} missing, {} unused, {} of another shape, {} resized",
            self.applied.len(),
            self.missing.len(),
            self.unused.len(),
            self.mismatched.len(),
            self.resized.len()
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
        for Resized {
            name,
            from,
            to,
            how,
        } in &self.resized
        {
            write!(formatter, "\n  resized: {name}: {from:?} to {to:?}, {how}")?;
        }
        for name in &self.not_finite {
            write!(formatter, "\n  not finite: {name}")?;
        }
        Ok(())
    }
}
