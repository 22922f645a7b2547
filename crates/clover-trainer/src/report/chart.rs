//! Curves over steps, and their drawing.

use std::ops::Range;

use plotters::prelude::*;
use serde::Serialize;

use crate::TrainerError;

/// Points drawn of a curve at most; each is then the mean of its neighbourhood.
const DRAWN_POINTS: usize = 400;
/// Larger values are left out of a drawing: sums of them, or the length of an axis, could overflow.
const LARGEST_DRAWN: f64 = 1e100;
/// Values closer together than this share of the largest differ by rounding, as a constant averaged
/// in groups does; an axis of their length would magnify the rounding.
const ROUNDING: f64 = 1e-9;
/// Width and height of a drawing.
const SIZE: (u32, u32) = (760, 300);
/// HTML knows the language of an `svg` element without this, which is the only address in a page.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

/// The colours of curves, in turn; they can be told apart without seeing red and green.
pub(crate) const COLORS: [RGBColor; 6] = [
    RGBColor(38, 70, 83),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(230, 159, 0),
    RGBColor(0, 114, 178),
    RGBColor(204, 121, 167),
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

impl Chart {
    /// The drawing as an `svg` element for HTML, or nothing where no value can be drawn.
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
        Ok(Some(svg.replacen(NAMESPACE, "", 1)))
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
    let shown = values.clone();
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
        .x_label_formatter(&|step| step_label(*step))
        .y_label_formatter(&|value| label(*value, &shown))
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

/// Steps are whole; a short run has ticks between them.
fn step_label(step: f64) -> String {
    if (step - step.round()).abs() < 1e-6 {
        format!("{step:.0}")
    } else {
        String::new()
    }
}

/// A value with as many digits as tell the ticks of its axis apart.
fn label(value: f64, axis: &Range<f64>) -> String {
    let exponent = |value: f64| value.log10().floor() as i32;
    let length = axis.end - axis.start;
    let largest = exponent(axis.end.abs().max(axis.start.abs()));
    if value.abs() <= length * ROUNDING {
        return "0".to_owned();
    }
    let digits = |smallest: i32| (smallest - exponent(length) + 1).max(0) as usize;
    if (-2..5).contains(&largest) {
        format!("{value:.*}", digits(0))
    } else {
        format!("{value:.*e}", digits(exponent(value.abs())))
    }
}

/// The points that can be drawn, averaged in groups where there are many.
fn thin(points: &[(u64, f64)]) -> Vec<(f64, f64)> {
    let drawable: Vec<_> = points
        .iter()
        // No comparison holds for what is not a number.
        .filter(|(_, value)| value.abs() <= LARGEST_DRAWN)
        .map(|(step, value)| (*step as f64, *value))
        .collect();
    let group = drawable.len().div_ceil(DRAWN_POINTS).max(1);
    let mean = |points: &[(f64, f64)]| {
        let count = points.len() as f64;
        let sum = points
            .iter()
            .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (sum.0 / count, sum.1 / count)
    };
    drawable.chunks(group).map(mean).collect()
}

/// From the smallest to the largest, never empty: an axis needs some length.
fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high {
        return None;
    }
    let largest = low.abs().max(high.abs());
    let room = if high - low > largest * ROUNDING {
        0.0
    } else if largest > 0.0 {
        0.5 * largest
    } else {
        0.5
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
    fn a_constant_blurred_by_rounding_has_an_axis_of_its_own_size() {
        let next = f64::from_bits(5e-5_f64.to_bits() + 1);

        let axis = range([5e-5, next].into_iter()).unwrap();

        assert!((axis.start - 2.5e-5).abs() < 1e-12 && (axis.end - 7.5e-5).abs() < 1e-12);
        assert!(chart(&[5e-5, next]).svg().unwrap().is_some());
    }

    #[test]
    fn huge_and_tiny_values_can_be_drawn() {
        for values in [[1e300, 2.0], [1e99, -1e99], [1e-300, 2e-300], [0.0, 5e-324]] {
            assert!(chart(&values).svg().unwrap().is_some(), "{values:?}");
        }
    }

    #[test]
    fn labels_have_the_digits_their_axis_needs() {
        assert_eq!(label(2.0, &(0.0..8.0)), "2.0");
        assert_eq!(label(150.0, &(0.0..200.0)), "150");
        assert_eq!(label(0.012, &(0.01..0.013)), "0.0120");
        assert_eq!(label(2e-5, &(0.0..5e-5)), "2.0e-5");
        assert_eq!(label(0.0, &(0.0..5e-5)), "0");
        assert_eq!(step_label(3.0), "3");
        assert_eq!(step_label(2.5), "");
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
