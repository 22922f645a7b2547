//! The comparison as a drawing: a bar a row, with its deviation, side by side for each figure.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::summary::{AblationSummary, RowSummary, Spread};
use crate::TrainerError;
use crate::report::COLORS;

/// Width and height.
const SIZE: (u32, u32) = (960, 400);
/// Height of the line that names the rows' colours, times the lines.
const LEGEND: i32 = 60;

type Failure = Box<dyn std::error::Error>;

/// A figure of every row, with the level of chance.
struct Panel {
    title: &'static str,
    value: fn(&RowSummary) -> Spread,
    chance: Option<f64>,
}

impl AblationSummary {
    /// The drawing as a file of its own.
    ///
    /// # Errors
    ///
    /// It cannot be drawn.
    pub fn svg(&self) -> Result<String, TrainerError> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| TrainerError::Picture {
            reason: error.to_string(),
        })?;
        Ok(svg)
    }

    fn panels(&self) -> [Panel; 3] {
        let cell = self.cells.first();
        [
            Panel {
                title: "R@1, text to clip, %",
                value: |row| row.text_to_video[0],
                chance: cell.map(|cell| 100.0 / cell.text_to_video.candidates.max(1) as f64),
            },
            Panel {
                title: "open-ended, %",
                value: |row| row.open_ended,
                chance: cell.map(|cell| 100.0 * cell.open_ended.best_constant),
            },
            Panel {
                title: "multiple choice, %",
                value: |row| row.multiple_choice,
                chance: cell.map(|cell| 100.0 * cell.multiple_choice.best_constant),
            },
        ]
    }

    fn draw(&self, svg: &mut String) -> Result<(), Failure> {
        let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (legend, panels) = area.split_vertically(LEGEND);
        self.draw_legend(&legend)?;
        for (panel, area) in self.panels().iter().zip(panels.split_evenly((1, 3))) {
            self.draw_panel(panel, &area)?;
        }
        area.present()?;
        Ok(())
    }

    fn draw_legend(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result<(), Failure> {
        for (place, row) in self.rows.iter().enumerate() {
            let (column, line) = ((place % 4) as i32, (place / 4) as i32);
            let (x, y) = (20 + 235 * column, 12 + 20 * line);
            let color = color(place);
            area.draw(&Rectangle::new([(x, y), (x + 12, y + 12)], color.filled()))?;
            let name = row.row.to_string();
            area.draw(&Text::new(name, (x + 18, y), ("sans-serif", 14)))?;
        }
        let note = "dashed: what needs no model";
        area.draw(&Text::new(note, (725, 32), ("sans-serif", 13)))?;
        Ok(())
    }

    fn draw_panel(
        &self,
        panel: &Panel,
        area: &DrawingArea<SVGBackend<'_>, Shift>,
    ) -> Result<(), Failure> {
        let spreads: Vec<Spread> = self.rows.iter().map(panel.value).collect();
        let tops = spreads
            .iter()
            .map(|spread| spread.mean + spread.deviation.unwrap_or(0.0));
        let top = tops.chain(panel.chance).fold(1.0, f64::max) * 1.05;
        let bars = spreads.len().max(1) as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(panel.title, ("sans-serif", 15))
            .margin(8)
            .x_label_area_size(8)
            .y_label_area_size(40)
            .build_cartesian_2d(0.0..bars, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(0)
            .y_labels(6)
            .y_label_formatter(&|value| format!("{value:.0}"))
            .draw()?;
        for (place, spread) in spreads.iter().enumerate() {
            let (left, middle) = (place as f64 + 0.15, place as f64 + 0.5);
            let bar = [(left, 0.0), (left + 0.7, spread.mean)];
            chart.draw_series([Rectangle::new(bar, color(place).filled())])?;
            if let Some(deviation) = spread.deviation {
                let low = (spread.mean - deviation).max(0.0);
                let line = vec![(middle, low), (middle, spread.mean + deviation)];
                chart.draw_series([PathElement::new(line, BLACK.stroke_width(2))])?;
            }
        }
        if let Some(chance) = panel.chance {
            let line = [(0.0, chance), (bars, chance)];
            chart.draw_series(DashedLineSeries::new(line, 5, 4, BLACK.stroke_width(1)))?;
        }
        Ok(())
    }
}

/// The colours go round, paler the second time.
fn color(place: usize) -> RGBAColor {
    let strength = if place < COLORS.len() { 1.0 } else { 0.45 };
    COLORS[place % COLORS.len()].mix(strength)
}
