//! Curves over steps, and their drawing.

use std::ops::Range;

use plotters::prelude::*;
use serde::Serialize;

use crate::TrainerError;
use crate::pretrain::StepMetrics;

/// Points drawn of a curve at most; each is then the mean of its neighbourhood.
const DRAWN_POINTS: usize = 400;
/// Width and height of a drawing.
const SIZE: (u32, u32) = (760, 300);

/// The colours of curves, in turn; they differ in lightness too.
pub(super) const COLORS: [RGBColor; 6] = [
    RGBColor(38, 70, 83),
    RGBColor(42, 157, 143),
    RGBColor(233, 196, 106),
    RGBColor(244, 162, 97),
    RGBColor(231, 111, 81),
    RGBColor(109, 89, 122),
];

/// Curves that share their axes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// What the vertical axis counts.
    pub title: String,
    /// At least one.
    pub curves: Vec<Curve>,
}

/// One value over steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// What it is.
    pub name: String,
    /// Step and value, in order of the steps.
    pub points: Vec<(u64, f64)>,
}

/// Losses, gradient norm and learning rate of a pre-training run.
#[must_use]
pub fn training_charts(metrics: &[StepMetrics]) -> Vec<Chart> {
    let curve = |name: &str, value: fn(&StepMetrics) -> f64| Curve {
        name: name.to_owned(),
        points: metrics
            .iter()
            .map(|step| (step.step, value(step)))
            .collect(),
    };
    let chart = |title: &str, curves: Vec<Curve>| Chart {
        title: title.to_owned(),
        curves,
    };
    vec![
        chart(
            "Losses",
            vec![
                curve("total", |step| step.total),
                curve("masked words", |step| step.word),
                curve("alignment, anchored at the video", |step| {
                    step.video_alignment
                }),
                curve("alignment, anchored at the text", |step| {
                    step.text_alignment
                }),
                curve("ranking, anchored at the video", |step| step.video_ranking),
                curve("ranking, anchored at the text", |step| step.text_ranking),
            ],
        ),
        chart(
            "Gradient norm before clipping",
            vec![curve("gradient norm", |step| step.gradient_norm)],
        ),
        chart(
            "Learning rate",
            vec![curve("learning rate", |step| step.learning_rate)],
        ),
    ]
}

impl Chart {
    /// The drawing as SVG, or nothing where no value is finite.
    pub(super) fn svg(&self) -> Result<Option<String>, TrainerError> {
        let drawn: Vec<_> = self
            .curves
            .iter()
            .map(|curve| thin(&curve.points))
            .collect();
        let all = || drawn.iter().flatten();
        let Some(steps) = range(all().map(|point| point.0)) else {
            return Ok(None);
        };
        let Some(values) = range(all().map(|point| point.1)) else {
            return Ok(None);
        };
        let mut svg = String::new();
        draw(&drawn, steps, values, &mut svg).map_err(|error| TrainerError::Picture {
            reason: error.to_string(),
        })?;
        Ok(Some(svg))
    }
}

fn draw(
    curves: &[Vec<(f64, f64)>],
    steps: Range<f64>,
    values: Range<f64>,
    svg: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let largest = values.end.abs().max(values.start.abs());
    let mut chart = ChartBuilder::on(&area)
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(62)
        .build_cartesian_2d(steps, values)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|step| format!("{step:.0}"))
        .y_label_formatter(&|value| label(*value, largest))
        .draw()?;
    for (points, color) in curves.iter().zip(COLORS.iter().cycle()) {
        chart.draw_series(LineSeries::new(
            points.iter().copied(),
            color.stroke_width(2),
        ))?;
    }
    area.present()?;
    Ok(())
}

fn label(value: f64, largest: f64) -> String {
    if largest < 0.01 {
        format!("{value:.1e}")
    } else {
        format!("{value:.2}")
    }
}

/// The finite points, averaged in groups where there are many.
fn thin(points: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let finite: Vec<_> = points
        .iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(step, value)| (*step as f64, *value))
        .collect();
    let group = finite.len().div_ceil(DRAWN_POINTS).max(1);
    let mean = |points: &[(f64, f64)]| {
        let count = points.len() as f64;
        let sum = points
            .iter()
            .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (sum.0 / count, sum.1 / count)
    };
    finite.chunks(group).map(mean).collect()
}

/// From the smallest to the largest, never empty: an axis needs some length.
fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high {
        return None;
    }
    let room = if high > low {
        0.0
    } else {
        high.abs().max(1.0) * 0.5
    };
    Some(low - room..high + room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[f64]) -> Chart {
        let points = (1..).zip(values.iter().copied()).collect();
        Chart {
            title: "Losses".to_owned(),
            curves: vec![Curve {
                name: "total".to_owned(),
                points,
            }],
        }
    }

    #[test]
    fn a_curve_is_a_line_and_bad_values_are_left_out() {
        let svg = chart(&[3.0, f64::NAN, f64::INFINITY, 1.0])
            .svg()
            .unwrap()
            .unwrap();

        assert!(svg.starts_with("<svg") && svg.contains("<polyline"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn one_point_and_a_constant_can_be_drawn() {
        assert!(chart(&[0.0]).svg().unwrap().is_some());
        assert!(chart(&[2.0, 2.0]).svg().unwrap().is_some());
    }

    #[test]
    fn nothing_finite_is_no_drawing() {
        assert!(chart(&[f64::NAN]).svg().unwrap().is_none());
        assert!(chart(&[]).svg().unwrap().is_none());
    }

    #[test]
    fn many_points_are_averaged_in_groups() {
        let points: Vec<_> = (0..800)
            .map(|step| (step, f64::from(step as u32 % 2)))
            .collect();

        let drawn = thin(&points);

        assert_eq!(drawn.len(), 400);
        assert!(drawn.iter().all(|point| (point.1 - 0.5).abs() < 1e-12));
    }
}
