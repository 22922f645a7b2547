//! The comparison as an image: a bar a row, with its deviation, side by side for each metric.

use super::cell::COMPANIONS;
use super::summary::{AblationSummary, RowSummary, Spread};
use crate::TrainerError;
use crate::evaluate::QuestionAccuracy;
use crate::report::{Bar, BarPanel, bars_file};

impl AblationSummary {
    /// The image, as a file of its own.
    ///
    /// # Errors
    ///
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String, TrainerError> {
        type Value = fn(&RowSummary) -> Option<Spread>;
        let panel = |title: &str, value: Value, reference| {
            let rows = self.rows.iter();
            let bars: Vec<_> = rows.filter_map(|row| Some(bar(row, value(row)?))).collect();
            (!bars.is_empty()).then(|| BarPanel {
                title: title.to_owned(),
                bars,
                reference,
            })
        };
        let cell = self.cells.first();
        let constant =
            |found: Option<&QuestionAccuracy>| found.map(|found| 100.0 * found.best_constant);
        let panels = [
            panel(
                "R@1, text to clip, %",
                |row| Some(row.text_to_video[0]),
                cell.map(|cell| 100.0 / cell.text_to_video.candidates.max(1) as f64),
            ),
            panel(
                "among companions, %",
                |row| row.hard_negatives,
                Some(100.0 / COMPANIONS as f64),
            ),
            panel(
                "open-ended, %",
                |row| row.open_ended,
                cell.and_then(|cell| constant(cell.open_ended.as_ref())),
            ),
            panel(
                "multiple choice, %",
                |row| row.multiple_choice,
                cell.and_then(|cell| constant(cell.multiple_choice.as_ref())),
            ),
        ];
        let panels: Vec<BarPanel> = panels.into_iter().flatten().collect();
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
