use super::*;

fn layout(columns: usize, rows: usize, depth: u32) -> Layout {
    Layout {
        subsampling: Subsampling { columns, rows },
        depth,
    }
}

fn rgb_of(planes: &Planes, colour: Colour) -> Vec<u8> {
    let [width, height] = planes.size();
    let mut rgb = vec![0; width * height * 3];
    planes.write_rgb(colour, 0..width, 0..height, &mut rgb);
    rgb
}

fn convert(yuv: [u8; 3], matrix: Matrix, full_range: bool) -> Vec<u8> {
    let samples = [vec![yuv[0]; 4], vec![yuv[1]], vec![yuv[2]]];
    let planes = Planes::new([2, 2], layout(2, 2, 8), samples).unwrap();
    let rgb = rgb_of(&planes, Colour { matrix, full_range });
    assert!(rgb.chunks(3).all(|pixel| pixel == &rgb[..3]));
    rgb[..3].to_vec()
}

#[test]
fn limited_range_stretches_luma_from_16_to_235() {
    assert_eq!(convert([16, 128, 128], Matrix::Bt601, false), [0, 0, 0]);
    assert_eq!(
        convert([235, 128, 128], Matrix::Bt601, false),
        [255, 255, 255]
    );
    assert_eq!(
        convert([235, 128, 128], Matrix::Bt601, true),
        [235, 235, 235]
    );
}

#[test]
fn pure_colours_come_back_through_their_own_matrix() {
    // Red, green and blue in 8-bit BT.601 and BT.709, limited range.
    for (yuv, matrix, rgb) in [
        ([81, 90, 240], Matrix::Bt601, [255, 0, 0]),
        ([145, 54, 34], Matrix::Bt601, [0, 255, 0]),
        ([41, 240, 110], Matrix::Bt601, [0, 0, 255]),
        ([63, 102, 240], Matrix::Bt709, [255, 0, 0]),
        ([173, 42, 26], Matrix::Bt709, [0, 255, 0]),
        ([32, 240, 118], Matrix::Bt709, [0, 0, 255]),
    ] {
        let found = convert(yuv, matrix, false);

        // 8-bit rounding of Y, U and V is worth up to two levels.
        for (found, wanted) in found.iter().zip(rgb) {
            assert!(found.abs_diff(wanted) <= 2, "{matrix:?} {yuv:?}: {found}");
        }
    }
}

#[test]
fn every_number_of_h273_gives_the_colours_ffmpeg_gives() {
    // Y, U, V of 91, 104, 198 as FFmpeg 5.1 shows them under each number, limited and full.
    let unknown = ([199, 40, 39], [189, 49, 48]);
    for (number, (limited, full)) in [
        (0, unknown),
        (1, ([213, 55, 37], [201, 63, 46])),
        (2, unknown),
        (3, unknown),
        (4, unknown),
        (5, unknown),
        (6, unknown),
        (7, ([213, 56, 37], [201, 63, 47])),
        (9, ([205, 46, 36], [194, 55, 46])),
        (10, ([205, 46, 36], [194, 55, 46])),
        (11, unknown),
        (14, unknown),
        (255, unknown),
    ] {
        for (full_range, expected) in [(false, limited), (true, full)] {
            let found = convert([91, 104, 198], Matrix::of_h273(number), full_range);

            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    found.abs_diff(expected) <= 1,
                    "{number}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn green_and_orange_differences_come_back_exactly() {
    // Red 200, green 40, blue 80: Y = 50 + 20 + 20, Cg = 20 - 70, Co = (200 - 80) / 2.
    let full = convert([90, 128 - 50, 128 + 60], Matrix::YCgCo, true);
    // Black and white in limited range.
    let black = convert([16, 128, 128], Matrix::YCgCo, false);
    let green = convert([126, 238, 128], Matrix::YCgCo, false);

    assert_eq!(full, [200, 40, 80]);
    assert_eq!(black, [0, 0, 0]);
    assert_eq!(green, [0, 255, 0]);
}

#[test]
fn planes_of_green_blue_and_red_are_put_in_order_whatever_the_range() {
    let planes = Planes::new([1, 1], layout(1, 1, 8), [vec![40], vec![80], vec![200]]).unwrap();

    for full_range in [false, true] {
        let matrix = Matrix::Identity;

        assert_eq!(
            rgb_of(&planes, Colour { matrix, full_range }),
            [200, 40, 80]
        );
    }
}

#[test]
fn each_pair_of_columns_and_rows_has_its_own_chroma() {
    let samples = [vec![128; 8], vec![128, 255, 128, 128], vec![128; 4]];
    let planes = Planes::new([4, 2], layout(2, 1, 8), samples).unwrap();
    let colour = Colour {
        matrix: Matrix::Bt601,
        full_range: true,
    };

    let rgb = rgb_of(&planes, colour);

    let blue: Vec<u8> = rgb.chunks(3).map(|pixel| pixel[2]).collect();
    assert_eq!(blue, [128, 128, 255, 255, 128, 128, 128, 128]);
}

#[test]
fn a_block_is_cut_out_of_the_whole_at_odd_places_too() {
    let (width, height) = (7, 5);
    let samples = |count: usize, step: usize| (0..count).map(|i| (i * step) as u8).collect();
    let planes = [samples(35, 7), samples(12, 19), samples(12, 23)];
    let planes = Planes::new([width, height], layout(2, 2, 8), planes).unwrap();
    let colour = Colour {
        matrix: Matrix::Bt709,
        full_range: false,
    };
    let whole = rgb_of(&planes, colour);

    let mut block = vec![0; 4 * 3 * 3];
    planes.write_rgb(colour, 3..7, 1..4, &mut block);

    for (row, line) in block.chunks(4 * 3).enumerate() {
        let start = ((row + 1) * width + 3) * 3;
        assert_eq!(line, &whole[start..start + 4 * 3]);
    }
}

#[test]
fn planes_smaller_than_their_size_are_none() {
    let planes = |size, samples| Planes::new(size, layout(2, 2, 8), samples);

    assert!(planes([3, 3], [vec![0; 9], vec![0; 4], vec![0; 4]]).is_some());
    assert!(planes([3, 3], [vec![0; 9], vec![0; 4], vec![0; 3]]).is_none());
    assert!(planes([3, 3], [vec![0; 8], vec![0; 4], vec![0; 4]]).is_none());
    assert!(planes([0, 3], [vec![], vec![], vec![]]).is_none());
}

#[test]
fn longer_samples_are_the_same_colours_without_steps() {
    let long = |value: u16| value.to_le_bytes().to_vec();
    let pixel = |yuv: [u16; 3], depth, matrix, full_range| {
        let planes = Planes::new([1, 1], layout(1, 1, depth), yuv.map(long)).unwrap();
        rgb_of(&planes, Colour { matrix, full_range })
    };

    let red = pixel([63 << 2, 102 << 2, 240 << 2], 10, Matrix::Bt709, false);
    let white = pixel([4095, 2048, 2048], 12, Matrix::Bt601, true);
    let grey = pixel([16_383, 8192, 8192], 14, Matrix::Bt2020, true);
    let between = pixel([802, 512, 512], 10, Matrix::Bt601, true);
    let rgb = pixel([162, 1023, 801], 10, Matrix::Identity, false);

    assert_eq!(red, convert([63, 102, 240], Matrix::Bt709, false));
    assert_eq!(white, [255, 255, 255]);
    assert_eq!(grey, [255, 255, 255]);
    // 802 of 1023 is 199.9 of 255.
    assert_eq!(between, [200, 200, 200]);
    // 801 and 162 of four steps a level, in the order red, green, blue.
    assert_eq!(rgb, [200, 41, 255]);
}

#[test]
fn the_brightest_samples_of_any_depth_do_not_overflow() {
    for depth in [9, 10, 12, 14, 16] {
        let most = ((1_u32 << depth) - 1) as u16;
        for yuv in [[most; 3], [most, 0, 0], [0, most, 0], [most, 0, most]] {
            let samples = yuv.map(|value| value.to_le_bytes().to_vec());
            let planes = Planes::new([1, 1], layout(1, 1, depth), samples).unwrap();
            for number in 0..12 {
                let matrix = Matrix::of_h273(number);
                for full_range in [false, true] {
                    assert_eq!(rgb_of(&planes, Colour { matrix, full_range }).len(), 3);
                }
            }
        }
    }
}
