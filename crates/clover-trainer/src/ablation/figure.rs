//! The comparison as an image: a bar a row, with its deviation, side by side for each metric.

use super::summary::{AblationSummary, RowSummary, Spread};
use crate::TrainerError;
use crate::report::{Bar, BarPanel, bars_file};

impl AblationSummary {
    /// The image, as a file of its own.
    ///
    /// # Errors
    ///
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String, TrainerError> {
        let panel = |title: &str, value: fn(&RowSummary) -> Spread, reference| BarPanel {
            title: title.to_owned(),
            bars: self.rows.iter().map(|row| bar(row, value(row))).collect(),
            reference,
        };
        let cell = self.cells.first();
        let panels = [
            panel(
                "R@1, text to clip, %",
                |row| row.text_to_video[0],
                cell.map(|cell| 100.0 / cell.text_to_video.candidates.max(1) as f64),
            ),
            panel(
                "open-ended, %",
                |row| row.open_ended,
                cell.map(|cell| 100.0 * cell.open_ended.best_constant),
            ),
            panel(
                "multiple choice, %",
                |row| row.multiple_choice,
                cell.map(|cell| 100.0 * cell.multiple_choice.best_constant),
            ),
        ];
        bars_file(&panels, "dashed: what needs no model")
    }
}

fn bar(row: &RowSummary, spread: Spread) -> Bar {
    Bar {
        name: row.row.to_string(),
        value: spread.mean,
        deviation: spread.deviation,
    }
}
