//! Plain drawings of evaluations: bars, and two spreads on one axis.

use std::fmt::{self, Write};

use super::chart::COLORS;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 220.0;
/// Room below for labels, and above for counts.
const MARGIN: f64 = 24.0;

/// Bars with a name and a count each.
pub(super) fn bars(page: &mut String, bars: &[(String, usize)]) -> fmt::Result {
    let largest = bars.iter().map(|bar| bar.1).max().unwrap_or(0).max(1) as f64;
    let step = WIDTH / bars.len().max(1) as f64;
    writeln!(page, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">")?;
    for (at, (name, count)) in bars.iter().enumerate() {
        let (left, middle) = (at as f64 * step + 4.0, (at as f64 + 0.5) * step);
        let height = (HEIGHT - 2.0 * MARGIN) * *count as f64 / largest;
        let top = HEIGHT - MARGIN - height;
        writeln!(
            page,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" \
             fill=\"{}\"/>",
            step - 8.0,
            color(0)
        )?;
        let labels = [(top - 5.0, count.to_string()), (HEIGHT - 7.0, name.clone())];
        for (bottom, label) in labels {
            writeln!(
                page,
                "<text x=\"{middle:.1}\" y=\"{bottom:.1}\" text-anchor=\"middle\" font-size=\"12\" \
                 fill=\"currentColor\">{label}</text>"
            )?;
        }
    }
    writeln!(page, "</svg>")
}

/// Two spreads over the same axis, of which each is drawn as high as its largest share; `label` says
/// what a step of the axis is.
pub(super) fn spreads(
    page: &mut String,
    spreads: [(&str, &[f64]); 2],
    label: impl Fn(usize) -> String,
) -> fmt::Result {
    let steps = spreads[0].1.len().max(2);
    let across = |at: usize| WIDTH * at as f64 / (steps - 1) as f64;
    writeln!(page, "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">")?;
    for (color_at, (_, shares)) in [2, 0].into_iter().zip(spreads) {
        let largest = shares.iter().copied().fold(1e-12, f64::max);
        let points: Vec<String> = shares
            .iter()
            .enumerate()
            .map(|(at, share)| {
                let up = (HEIGHT - 2.0 * MARGIN) * share / largest;
                format!("{:.1},{:.1}", across(at), HEIGHT - MARGIN - up)
            })
            .collect();
        writeln!(
            page,
            "<polyline points=\"{}\" fill=\"none\" stroke-width=\"2\" stroke=\"{}\"/>",
            points.join(" "),
            color(color_at)
        )?;
    }
    for at in (0..steps).step_by((steps / 10).max(1)) {
        writeln!(
            page,
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"12\" fill=\"currentColor\">{}</text>",
            across(at).min(WIDTH - 24.0),
            HEIGHT - 7.0,
            label(at)
        )?;
    }
    writeln!(page, "</svg><div class=\"legend small\">")?;
    for (color_at, (name, _)) in [2, 0].into_iter().zip(spreads) {
        let color = color(color_at);
        write!(
            page,
            "<span><i class=\"key\" style=\"background: {color}\"></i>{name}</span>"
        )?;
    }
    writeln!(page, "</div>")
}

fn color(at: usize) -> String {
    let color = COLORS[at % COLORS.len()];
    format!("rgb({} {} {})", color.0, color.1, color.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_bar_fills_the_drawing_and_an_empty_one_has_no_height() {
        let mut page = String::new();

        bars(&mut page, &[("1".to_owned(), 4), ("2-5".to_owned(), 0)]).unwrap();

        assert!(
            page.contains("height=\"172.0\"") && page.contains("height=\"0.0\""),
            "{page}"
        );
        assert!(page.contains(">2-5</text>"));
    }

    #[test]
    fn each_spread_is_drawn_to_its_own_height() {
        let mut page = String::new();
        let (low, high) = ([0.0, 0.1, 0.0], [0.5, 0.0, 0.5]);

        spreads(&mut page, [("pairs", &low), ("others", &high)], |at| {
            at.to_string()
        })
        .unwrap();

        // The top of the drawing, in the middle and at the left.
        assert!(
            page.contains("380.0,24.0") && page.contains("0.0,24.0"),
            "{page}"
        );
    }

    #[test]
    fn nothing_to_draw_is_no_error() {
        let mut page = String::new();

        bars(&mut page, &[]).unwrap();
        spreads(&mut page, [("a", &[]), ("b", &[])], |at| at.to_string()).unwrap();

        assert!(!page.contains("NaN"), "{page}");
    }
}
