use super::*;

fn curve(name: &str, values: &[f64]) -> Curve {
    Curve {
        name: name.to_owned(),
        points: (1..).zip(values.iter().copied()).collect(),
    }
}

fn page_of(curves: Vec<Curve>) -> String {
    let mut page = Page::new("");
    Chart::new("Losses", curves).write(&mut page).unwrap();
    page.finish()
}

/// The pixels of the curves, which are drawn wider than axes.
fn drawn_curves(page: &str) -> Vec<Vec<(i32, i32)>> {
    let lines = page
        .lines()
        .filter(|line| line.contains("stroke-width=\"2\""));
    lines
        .map(|line| {
            let (_, points) = line.split_once("points=\"").unwrap();
            let (points, _) = points.split_once('"').unwrap();
            let points = points.split_whitespace().map(|point| {
                let (x, y) = point.split_once(',').unwrap();
                (x.parse().unwrap(), y.parse().unwrap())
            });
            points.collect()
        })
        .collect()
}

fn bar(name: &str, value: f64) -> Bar {
    Bar {
        name: name.to_owned(),
        value,
        deviation: None,
    }
}

#[test]
fn a_curve_is_a_line_and_bad_values_are_left_out() {
    let page = page_of(vec![curve("total", &[3.0, f64::NAN, f64::INFINITY, 1.0])]);

    assert_eq!(drawn_curves(&page).len(), 1);
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn what_never_changes_is_said_and_not_drawn() {
    // A constant averaged in groups is blurred by rounding.
    let next = f64::from_bits(5e-5_f64.to_bits() + 1);

    let page = page_of(vec![curve("rate", &[5e-5, next]), curve("one", &[0.25])]);

    assert!(!page.contains("<svg"));
    let words = "Losses: rate 5.00e-5 throughout; one 0.250 after step 1.";
    assert!(page.contains(words), "{page}");
}

#[test]
fn a_constant_beside_a_curve_is_said_below_it() {
    let page = page_of(vec![
        curve("total", &[3.0, 1.0]),
        curve("word", &[0.0, 0.0]),
    ]);

    assert_eq!(drawn_curves(&page).len(), 1);
    assert!(page.contains("Not drawn: word 0 throughout."));
}

#[test]
fn huge_and_tiny_values_can_be_drawn() {
    for values in [[1e300, 2.0], [1e99, -1e99], [1e-300, 2e-300], [0.0, 5e-324]] {
        let page = page_of(vec![curve("total", &values)]);

        assert!(page.contains("Losses"), "{values:?}");
        assert!(!page.contains("NaN") && !page.contains("inf"), "{values:?}");
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
    assert_eq!(short(12.0), "12");
    assert_eq!(short(0.012_345), "0.0123");
    assert_eq!(short(123.45), "123");
    assert_eq!(short(-1.5e-7), "-1.50e-7");
}

#[test]
fn nothing_finite_is_no_chart() {
    let page = page_of(vec![curve("total", &[f64::NAN]), curve("word", &[])]);

    assert!(!page.contains("Losses"));
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

#[test]
fn bars_have_names_and_values_and_none_is_no_chart() {
    let panel = |bars| BarPanel {
        title: "ranks".to_owned(),
        bars,
        reference: None,
    };
    let (mut page, mut empty) = (Page::new(""), Page::new(""));

    write_bars(
        &mut page,
        "Ranks",
        &[panel(vec![bar("1", 4.0), bar("2-5", 0.0)])],
    )
    .unwrap();
    write_bars(
        &mut empty,
        "Ranks",
        &[panel(vec![bar("1", 0.0)]), panel(Vec::new())],
    )
    .unwrap();

    let page = page.finish();
    assert!(
        page.contains("2-5\n</text>") && page.contains("4\n</text>"),
        "{page}"
    );
    assert!(!empty.finish().contains("<svg"));
}

#[test]
fn bars_in_a_file_have_a_colour_each_their_deviation_and_a_level_beside() {
    let with_deviation = Bar {
        deviation: Some(2.0),
        ..bar("Clover <1>", 30.0)
    };
    let panel = BarPanel {
        title: "R@1".to_owned(),
        bars: vec![bar("IndA", 10.0), with_deviation],
        reference: Some(4.0),
    };

    let svg = bars_file(&[panel], "dashed: chance").unwrap();

    assert!(svg.starts_with("<svg") && svg.contains(NAMESPACE));
    assert!(svg.contains("Clover &lt;1&gt;") && svg.contains("dashed: chance"));
    // The key and the bar of each colour.
    assert_eq!(svg.matches("fill=\"#009E73\"").count(), 2);
}

#[test]
fn each_spread_is_drawn_to_its_own_height() {
    let (low, high) = ([0.0, 0.1, 0.0], [0.5, 0.0, 0.5]);
    let spreads = [("pairs", &low[..]), ("others", &high[..])];
    let (mut page, mut empty) = (Page::new(""), Page::new(""));

    write_spreads(&mut page, "Cosines", spreads, |at| format!("at {at}")).unwrap();
    write_spreads(&mut empty, "Cosines", [("a", &[]), ("b", &[])], |_| {
        String::new()
    })
    .unwrap();

    let page = page.finish();
    let [low, high] = &drawn_curves(&page)[..] else {
        panic!("{page}");
    };
    // The least is the top.
    assert_eq!((low[1].1, low[0].1), (high[0].1, high[1].1));
    assert!(low[1].1 < low[0].1);
    assert!(page.contains("at 1") && page.contains("others"));
    assert!(!empty.finish().contains("<svg"));
}
