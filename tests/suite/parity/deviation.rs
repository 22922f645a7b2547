//! How far a computed value is from the recorded one.

use burn::prelude::*;
use burn::tensor::TensorData;

/// Collects the deviations of one file, prints the worst, and fails naming all that are too large.
pub(crate) struct Deviations {
    file: String,
    compared: usize,
    worst: (f64, String),
    failures: Vec<String>,
}

impl Deviations {
    pub(crate) fn of(fixture: &str, file: &str) -> Self {
        Self {
            file: format!("{fixture}/{file}"),
            compared: 0,
            worst: (0.0, "nothing".to_owned()),
            failures: Vec::new(),
        }
    }

    /// Compares by the norm of the difference, relative to the norm of the recorded values.
    pub(crate) fn relative(&mut self, name: &str, found: &[f32], recorded: &[f32], bound: f64) {
        assert_eq!(
            found.len(),
            recorded.len(),
            "{}: {name}: lengths differ",
            self.file
        );
        let difference = norm(found.iter().zip(recorded).map(|(a, b)| f64::from(a - b)));
        let size = norm(recorded.iter().map(|value| f64::from(*value)));
        self.add(name, difference / size.max(f64::MIN_POSITIVE), bound);
    }

    /// As [`relative`](Self::relative), for a tensor; shapes must agree too.
    pub(crate) fn tensor<B: Backend, const D: usize>(
        &mut self,
        name: &str,
        found: Tensor<B, D>,
        recorded: &TensorData,
        bound: f64,
    ) {
        let found = found.into_data();
        assert_eq!(
            found.shape, recorded.shape,
            "{}: {name}: shapes differ",
            self.file
        );
        let recorded: Vec<f32> = recorded.to_vec().unwrap();
        self.relative(
            name,
            &found.convert::<f32>().to_vec::<f32>().unwrap(),
            &recorded,
            bound,
        );
    }

    /// Compares two numbers relative to the recorded one.
    pub(crate) fn number(&mut self, name: &str, found: f64, recorded: f64, bound: f64) {
        self.add(
            name,
            (found - recorded).abs() / recorded.abs().max(f64::MIN_POSITIVE),
            bound,
        );
    }

    /// Compares two numbers absolutely; for values that are zero but for rounding.
    pub(crate) fn absolute(&mut self, name: &str, found: f64, recorded: f64, bound: f64) {
        self.compared += 1;
        let deviation = (found - recorded).abs();
        if deviation.is_nan() || deviation > bound {
            self.failures
                .push(format!("{name}: {deviation:.2e} absolute"));
        }
    }

    fn add(&mut self, name: &str, deviation: f64, bound: f64) {
        self.compared += 1;
        if deviation.is_nan() || deviation > self.worst.0 {
            self.worst = (deviation, name.to_owned());
        }
        if deviation.is_nan() || deviation > bound {
            self.failures
                .push(format!("{name}: {deviation:.2e}, bound {bound:.0e}"));
        }
    }

    /// Prints the worst deviation.
    pub(crate) fn finish(self) {
        let (worst, name) = &self.worst;
        println!(
            "{}: {} values, worst {worst:.2e} ({name})",
            self.file, self.compared
        );
        assert!(self.compared > 0, "{}: nothing was compared", self.file);
        assert!(
            self.failures.is_empty(),
            "{}: {} of {} deviate:\n{}",
            self.file,
            self.failures.len(),
            self.compared,
            self.failures.join("\n")
        );
    }
}

pub(crate) fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}
