use super::*;
use clover_data::video::{DecodeLimits, FrameSampling, PixelPipeline};

/// How a model saw a clip of one image, of which `frames` are seen.
fn overlay(pixels: PixelPipeline, frames: usize) -> AttentionOverlay {
    AttentionOverlay {
        reading: ClipReading {
            sampling: FrameSampling::test_frames(frames),
            fps: None,
            pixels,
            limits: DecodeLimits::default(),
        },
        region_side: 32,
        frames_a_step: 2,
    }
}

fn map(grid: [usize; 3], values: &[f32]) -> AttentionMap {
    AttentionMap {
        grid,
        values: values.to_vec(),
    }
}

fn rows(frame: &RgbImage, overlay: &AttentionOverlay, map: &AttentionMap) -> Vec<[RgbImage; 2]> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.png");
    frame.save(&path).unwrap();
    overlay
        .rows((ClipSource::Path(path), None), map, 40)
        .unwrap()
}

fn brightness(image: &RgbImage, x: u32, y: u32) -> f32 {
    grey(*image.get_pixel(x, y))
}

#[test]
fn regions_of_a_center_crop_lie_over_the_middle_square_and_the_rest_is_dark() {
    // Twice as wide as high: the model sees columns 20 to 60 of 80.
    let white = RgbImage::from_pixel(80, 40, Rgb([255; 3]));
    // The left half of what is seen has it all.
    let attention = [0.5, 0.0, 0.5, 0.0];

    let pipelines = [
        PixelPipeline::test_center_crop(64),
        PixelPipeline::test_resize(64),
    ];
    let map = map([1, 2, 2], &attention);
    let [center, whole] = pipelines.map(|pixels| rows(&white, &overlay(pixels, 1), &map).remove(0));

    assert_eq!(center[0].get_pixel(5, 20), &Rgb([255; 3]));
    assert_eq!(center[1].dimensions(), (80, 40));
    let outside = Rgb([(255.0 * UNSEEN) as u8; 3]);
    for x in [0, 19, 60, 79] {
        assert_eq!(center[1].get_pixel(x, 20), &outside, "{x}");
    }
    // The centres of the regions are a quarter from the edges of what is seen.
    let [hot, cold] = [4, 0].map(|stop| {
        let [r, g, b] = HEAT_COLORS[stop].map(f32::from);
        Rgb([r, g, b].map(|heat| (HEAT * heat + (1.0 - HEAT) * 255.0) as u8))
    });
    let near = |image: &RgbImage, x: u32, expected: Rgb<u8>| {
        let found = image.get_pixel(x, 20);
        let differs = found.0.iter().zip(&expected.0).map(|(a, b)| a.abs_diff(*b));
        assert!(differs.max().unwrap() <= 1, "{x}: {found:?} {expected:?}");
    };
    near(&center[1], 21, hot);
    near(&center[1], 58, cold);
    near(&whole[1], 1, hot);
    near(&whole[1], 78, cold);
}

#[test]
fn a_step_lies_over_each_of_its_frames_and_long_clips_take_several_rows() {
    let black = RgbImage::new(40, 40);
    let mut values = vec![0.0; 6];
    values[1] = 0.3;

    let overlay = overlay(PixelPipeline::test_resize(32), 12);
    let found = rows(&black, &overlay, &map([6, 1, 1], &values));

    let frames = |row: &[RgbImage; 2]| row[1].width().div_ceil(42);
    assert_eq!(
        (found.len(), frames(&found[0]), frames(&found[1])),
        (2, 8, 4)
    );
    let bright = (0..12).filter(|place| {
        let frame = (place % 8) * 42 + 20;
        brightness(&found[(place / 8) as usize][1], frame, 20) > 100.0
    });
    assert_eq!(bright.collect::<Vec<u32>>(), [2, 3]);
}

#[test]
fn views_begin_a_row_each_and_share_the_map() {
    let black = RgbImage::new(40, 40);
    let mut overlay = overlay(PixelPipeline::test_resize(32), 2);
    overlay.reading.sampling.clip_len = 3;

    let found = rows(&black, &overlay, &map([1, 1, 1], &[0.4]));

    assert_eq!(found.len(), 3);
    assert!(
        found
            .iter()
            .all(|row| row == &found[0] && row[1].width() == 82)
    );
}

#[test]
fn a_region_that_reaches_beyond_the_frame_is_cut_not_squeezed() {
    // 48 pixels are one and a half regions: the border of the two lies at two thirds.
    let map = Heat {
        values: &[0.0, 0.9],
        rows: 1,
        columns: 2,
        brightest: 0.9,
    };
    let seen = Seen {
        left: 0.0,
        top: 0.0,
        width: 1.0,
        height: 1.0,
    };

    let heated = map.over(&RgbImage::new(60, 4), seen, 1.5);

    let half = grey(Rgb(HEAT_COLORS[2])) * HEAT;
    let at = |x| brightness(&heated, x, 2);
    assert!(
        at(15) < 5.0 && (at(40) - half).abs() < 6.0,
        "{} {half}",
        at(40)
    );
    assert!(at(59) > at(50) && at(50) > at(40));
}

#[test]
fn a_model_without_preferences_is_neither_bright_nor_dark() {
    let even = map([1, 2, 2], &[0.1; 4]);
    let overlay = overlay(PixelPipeline::test_resize(64), 1);

    let found = rows(&RgbImage::new(40, 40), &overlay, &even).remove(0);

    let half = HEAT_COLORS[2].map(|channel| (HEAT * f32::from(channel)) as u8);
    // One off where a product ends just below a whole number.
    let near = |pixel: &Rgb<u8>| pixel.0.iter().zip(half).all(|(a, b)| a.abs_diff(b) <= 1);
    assert!(found[1].pixels().all(near));
}

#[test]
fn maps_that_fit_nothing_draw_something_and_do_not_panic() {
    let frame = RgbImage::from_pixel(1, 7, Rgb([9; 3]));
    for (grid, values) in [
        ([0, 0, 0], &[][..]),
        ([1, 2, 2], &[][..]),
        ([9, 1, 1], &[f32::NAN; 9][..]),
        ([1, 1, 1], &[0.0][..]),
    ] {
        let overlay = overlay(PixelPipeline::test_center_crop(28), 3);

        let found = rows(&frame, &overlay, &map(grid, values));

        assert_eq!(found.len(), 1, "{grid:?}");
    }
}

#[test]
fn a_clip_that_cannot_be_read_is_an_error() {
    let overlay = overlay(PixelPipeline::test_resize(32), 2);
    let clip = (ClipSource::Path("gone.gif".into()), None);

    assert!(overlay.rows(clip, &map([1, 1, 1], &[0.4]), 40).is_err());
}

#[test]
fn one_image_has_the_frames_above_and_the_attention_below() {
    let folder = tempfile::tempdir().unwrap();
    let [clip, out] = ["clip.png", "out.png"].map(|name| folder.path().join(name));
    RgbImage::from_pixel(20, 20, Rgb([200; 3]))
        .save(&clip)
        .unwrap();
    let (overlay, map) = (
        overlay(PixelPipeline::test_resize(32), 10),
        map([5, 1, 1], &[0.1; 5]),
    );
    let clip = (ClipSource::Path(clip), None);

    overlay.write_png(&out, clip.clone(), &map, 20).unwrap();

    // Ten frames are a row of eight and one of two.
    let image = image::open(&out).unwrap().to_rgb8();
    assert_eq!(image.dimensions(), (8 * 22 - 2, 4 * 22 - 2));
    let rows = overlay.rows(clip, &map, 20).unwrap();
    assert_eq!(image.get_pixel(5, 5), rows[0][0].get_pixel(5, 5));
    assert_eq!(image.get_pixel(25, 3 * 22 + 5), rows[1][1].get_pixel(25, 5));
    assert_eq!(image.get_pixel(60, 3 * 22 + 5), &Rgb([0; 3]));
}
