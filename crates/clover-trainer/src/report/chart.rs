//! Charts: curves over steps, how values are spread, and bars.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use serde::Serialize;

use super::{Escaped, Page};
use crate::TrainerError;

/// Points drawn of a curve at most; each is then the mean of its neighbourhood.
const DRAWN_POINTS: usize = 400;
/// Larger values are left out of a drawing: sums of them, or the length of an axis, could overflow.
const LARGEST_DRAWN: f64 = 1e100;
/// Values closer together than this share of the largest differ by rounding, as a constant averaged
/// in groups does.
const ROUNDING: f64 = 1e-9;
/// Pixels.
const WIDTH: u32 = 960;
/// Pixels of curves, and of bars in a page.
const HEIGHT: u32 = 280;
/// Pixels of the lines that name colours, above bars that are told apart by them.
const LEGEND: i32 = 60;
/// Pixels of the line above a curve in a file of its own.
const TITLE: i32 = 28;
/// HTML knows the language of an `svg` element without this, which is the only URL in a page.
const NAMESPACE: &str = " xmlns=\"http://www.w3.org/2000/svg\"";

/// The colours of curves, in turn; they can be told apart without seeing red and green.
const COLORS: [RGBColor; 6] = [
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

/// Bars that share an axis.
pub(crate) struct BarPanel {
    /// What they measure.
    pub(crate) title: String,
    /// In their order.
    pub(crate) bars: Vec<Bar>,
    /// A level to compare them with, drawn as a dashed line.
    pub(crate) reference: Option<f64>,
}

/// A value, zero or more, with how far it may be off.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) deviation: Option<f64>,
}

/// A curve over a logarithmic axis.
pub(super) struct LogarithmicCurve {
    pub(super) title: String,
    /// Places above zero, and values.
    pub(super) points: Vec<(f64, f64)>,
    /// A place to be shown, as a line across.
    pub(super) marked: Option<f64>,
}

type Points = Vec<(f64, f64)>;
type Failure = Box<dyn std::error::Error>;
type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;

/// A curve as it is drawn.
struct Line<'c> {
    name: &'c str,
    color: RGBColor,
    points: Points,
}

impl Chart {
    pub(super) fn new(title: &str, curves: Vec<Curve>) -> Self {
        let title = title.to_owned();
        Self { title, curves }
    }

    /// Adds the chart to a page. A curve that never changes is said in words, and one without a finite
    /// value is left out.
    ///
    /// # Errors
    ///
    /// It cannot be drawn.
    pub(super) fn write(&self, page: &mut Page) -> Result<(), TrainerError> {
        let (mut drawn, mut words) = (Vec::new(), Vec::new());
        for (curve, &color) in self.curves.iter().zip(COLORS.iter().cycle()) {
            let (name, points) = (curve.name.as_str(), thin(&curve.points));
            let Some(values) = range(points.iter().map(|point| point.1)) else {
                continue;
            };
            if !is_constant(&values) {
                drawn.push(Line {
                    name,
                    color,
                    points,
                });
            } else if let [(step, value)] = points[..] {
                words.push(format!("{name} {} after step {step}", short(value)));
            } else {
                words.push(format!("{name} {} throughout", short(values.start)));
            }
        }
        let title = format!("{} by step", self.title);
        let words = words.join("; ");
        if drawn.is_empty() {
            if !words.is_empty() {
                page.paragraph(&format!("{}: {words}.", self.title));
            }
            return Ok(());
        }
        let values = range(
            drawn
                .iter()
                .flat_map(|line| &line.points)
                .map(|point| point.1),
        );
        let values = values.unwrap_or(0.0..1.0);
        let label = |value: f64| label(value, &values);
        let svg = lines(&drawn, &step_label, Some(&label))?;
        let legend = if self.curves.len() > 1 {
            &drawn[..]
        } else {
            &[]
        };
        figure(page, &title, &svg, legend);
        if !words.is_empty() {
            page.note(&format!("Not drawn: {words}."));
        }
        Ok(())
    }
}

/// Adds two spreads over one axis to a page, each drawn as high as its own largest share, and nothing
/// where there is none; `label` says what a step of the axis is.
///
/// # Errors
///
/// They cannot be drawn.
pub(super) fn write_spreads(
    page: &mut Page,
    title: &str,
    spreads: [(&str, &[f64]); 2],
    label: impl Fn(usize) -> String,
) -> Result<(), TrainerError> {
    let lines_of = spreads.iter().zip([COLORS[2], COLORS[0]]);
    let drawn: Vec<_> = lines_of
        .map(|((name, shares), color)| {
            let largest = shares.iter().copied().fold(1e-12, f64::max);
            let points = shares.iter().enumerate();
            let points = points.map(|(at, share)| (at as f64, share / largest));
            let points = points.collect();
            Line {
                name,
                color,
                points,
            }
        })
        .filter(|line| line.points.len() > 1 && line.points.iter().any(|point| point.1 > 0.0))
        .collect();
    if !drawn.is_empty() {
        let svg = lines(&drawn, &|at| label(at.round().max(0.0) as usize), None)?;
        figure(page, title, &svg, &drawn);
    }
    Ok(())
}

/// Adds bars with their names below and their values above to a page, or nothing where all are zero.
///
/// # Errors
///
/// They cannot be drawn.
pub(super) fn write_bars(
    page: &mut Page,
    title: &str,
    panels: &[BarPanel],
) -> Result<(), TrainerError> {
    let mut bars = panels.iter().flat_map(|panel| &panel.bars);
    if bars.any(|bar| bar.value > 0.0) {
        let svg = svg(HEIGHT, |area| draw_panels(&area, panels, true))?;
        figure(page, title, &svg, &[]);
    }
    Ok(())
}

/// Bars as an image file of its own, with a colour a name, which is the same in every panel; `note` says
/// what the dashed line is.
///
/// # Errors
///
/// They cannot be drawn.
pub(crate) fn bars_file(panels: &[BarPanel], note: &str) -> Result<String, TrainerError> {
    svg(400, |area| {
        let (legend, below) = area.split_vertically(LEGEND);
        let names = panels.iter().take(1).flat_map(|panel| &panel.bars);
        for (place, bar) in names.enumerate() {
            let (x, y) = (20 + 235 * (place % 4) as i32, 12 + 20 * (place / 4) as i32);
            let key = [(x, y), (x + 12, y + 12)];
            legend.draw(&Rectangle::new(key, bar_color(place).filled()))?;
            legend.draw(&Text::new(&*bar.name, (x + 18, y), ("sans-serif", 14)))?;
        }
        legend.draw(&Text::new(note, (725, 32), ("sans-serif", 13)))?;
        draw_panels(&below, panels, false)
    })
}

impl LogarithmicCurve {
    /// The curve as an image file of its own. Values of more than twice the first are left out: the others could
    /// not be told apart.
    ///
    /// # Errors
    ///
    /// It cannot be drawn.
    pub(super) fn file(&self) -> Result<String, TrainerError> {
        let most = 2.0 * self.points.first().map_or(0.0, |first| first.1.abs());
        let shown = self.points.iter().filter(|(_, value)| value.abs() <= most);
        let points: Points = shown
            .map(|(place, value)| (place.log10(), *value))
            .collect();
        let values = range(points.iter().map(|point| point.1)).unwrap_or(0.0..1.0);
        let mark = self.marked.map(|place| Line {
            name: "",
            color: COLORS[2],
            points: [values.start, values.end]
                .map(|value| (place.log10(), value))
                .into(),
        });
        let curve = Line {
            name: "",
            color: COLORS[0],
            points,
        };
        let drawn: Vec<_> = [curve].into_iter().chain(mark).collect();
        let label = |value: f64| label(value, &values);
        svg(HEIGHT + TITLE as u32, |area| {
            let (title, below) = area.split_vertically(TITLE);
            title.draw(&Text::new(&*self.title, (10, 8), ("sans-serif", 15)))?;
            draw_lines(
                &below,
                &drawn,
                &|place| format!("{:.0e}", 10_f64.powf(place)),
                Some(&label),
            )
        })
    }
}

fn figure(page: &mut Page, title: &str, svg: &str, legend: &[Line<'_>]) {
    let title = Escaped(title);
    let role = format!(" role=\"img\" aria-label=\"{title}\"");
    let svg = svg.replacen(NAMESPACE, &role, 1);
    writeln!(
        page,
        "<figure><figcaption>{title}</figcaption>{svg}<div class=\"legend small\">"
    );
    for Line { name, color, .. } in legend {
        let (red, green, blue) = (color.0, color.1, color.2);
        let key = format!("<i class=\"key\" style=\"background: rgb({red} {green} {blue})\"></i>");
        write!(page, "<span>{key}{}</span>", Escaped(name));
    }
    writeln!(page, "</div></figure>");
}

fn svg(
    height: u32,
    draw: impl FnOnce(Area<'_>) -> Result<(), Failure>,
) -> Result<String, TrainerError> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
    let drawn = area.fill(&WHITE).map_err(Failure::from);
    drawn
        .and_then(|()| draw(area.clone()))
        .and_then(|()| Ok(area.present()?))
        .map_err(|error| TrainerError::Image {
            reason: error.to_string(),
        })?;
    drop(area);
    Ok(svg)
}

/// The drawing of curves; `label` names values, without which there is no vertical axis.
fn lines(
    drawn: &[Line<'_>],
    step_label: &dyn Fn(f64) -> String,
    label: Option<&dyn Fn(f64) -> String>,
) -> Result<String, TrainerError> {
    svg(HEIGHT, |area| draw_lines(&area, drawn, step_label, label))
}

fn draw_lines(
    area: &Area<'_>,
    drawn: &[Line<'_>],
    step_label: &dyn Fn(f64) -> String,
    label: Option<&dyn Fn(f64) -> String>,
) -> Result<(), Failure> {
    let all = || drawn.iter().flat_map(|line| &line.points);
    let [steps, values] = [
        range(all().map(|point| point.0)),
        range(all().map(|point| point.1)),
    ]
    .map(|range| range.unwrap_or(0.0..1.0));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(30)
        .y_label_area_size(if label.is_some() { 62 } else { 0 })
        .build_cartesian_2d(steps, values)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(8)
        .y_labels(if label.is_some() { 6 } else { 0 })
        .x_label_formatter(&|step| step_label(*step))
        .y_label_formatter(&|value| label.map(|label| label(*value)).unwrap_or_default())
        .draw()?;
    for Line { color, points, .. } in drawn {
        let points = points.iter().copied();
        chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
    }
    Ok(())
}

fn draw_panels(area: &Area<'_>, panels: &[BarPanel], named: bool) -> Result<(), Failure> {
    for (panel, area) in panels
        .iter()
        .zip(area.split_evenly((1, panels.len().max(1))))
    {
        panel.draw(&area, named)?;
    }
    Ok(())
}

impl BarPanel {
    /// Draws the bars, with their names below and their values above, or in colours of their own.
    fn draw(&self, area: &Area<'_>, named: bool) -> Result<(), Failure> {
        let tops = self.bars.iter();
        let tops = tops.map(|bar| bar.value + bar.deviation.unwrap_or(0.0));
        // A bar of counts needs room for its number.
        let (least, room) = if named { (0.0, 1.15) } else { (1.0, 1.05) };
        let top = tops.chain(self.reference).fold(least, f64::max).max(1e-9) * room;
        let count = self.bars.len().max(1) as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, ("sans-serif", 15))
            .margin(8)
            .x_label_area_size(if named { 24 } else { 8 })
            .y_label_area_size(40)
            .build_cartesian_2d(0.0..count, 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(0)
            .y_labels(6)
            .y_label_formatter(&|value| format!("{value:.0}"))
            .draw()?;
        let style = |side| TextStyle::from(("sans-serif", 12)).pos(Pos::new(HPos::Center, side));
        for (place, bar) in self.bars.iter().enumerate() {
            let (left, middle) = (place as f64 + 0.15, place as f64 + 0.5);
            let color = bar_color(if named { 0 } else { place });
            let corners = [(left, 0.0), (left + 0.7, bar.value)];
            chart.draw_series([Rectangle::new(corners, color.filled())])?;
            if let Some(deviation) = bar.deviation {
                let low = (bar.value - deviation).max(0.0);
                let line = vec![(middle, low), (middle, bar.value + deviation)];
                chart.draw_series([PathElement::new(line, BLACK.stroke_width(2))])?;
            }
            if named {
                let value = Text::new(short(bar.value), (0, -4), style(VPos::Bottom));
                chart.draw_series([EmptyElement::at((middle, bar.value)) + value])?;
                let name = Text::new(bar.name.clone(), (0, 6), style(VPos::Top));
                chart.draw_series([EmptyElement::at((middle, 0.0)) + name])?;
            }
        }
        if let Some(reference) = self.reference {
            let line = [(0.0, reference), (count, reference)];
            chart.draw_series(DashedLineSeries::new(line, 5, 4, BLACK.stroke_width(1)))?;
        }
        Ok(())
    }
}

/// The colours go round, paler the second time.
fn bar_color(place: usize) -> RGBAColor {
    let strength = if place < COLORS.len() { 1.0 } else { 0.45 };
    COLORS[place % COLORS.len()].mix(strength)
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

/// A value in a sentence: three digits, or all of a whole number.
fn short(value: f64) -> String {
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e9 {
        format!("{value:.0}")
    } else if (1e-3..1e5).contains(&size) {
        format!("{value:.*}", (2 - exponent(size)).max(0) as usize)
    } else {
        format!("{value:.2e}")
    }
}

fn exponent(value: f64) -> i32 {
    value.log10().floor() as i32
}

/// The points that can be drawn, averaged in groups where there are many.
fn thin(points: &[(u64, f64)]) -> Points {
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

/// From the smallest to the largest.
fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    (low <= high).then_some(low..high)
}

fn is_constant(values: &Range<f64>) -> bool {
    let largest = values.start.abs().max(values.end.abs());
    values.end - values.start <= largest * ROUNDING
}

#[cfg(test)]
mod tests;
