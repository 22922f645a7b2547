//! A random rectangle of random area and shape, as in Szegedy et al., "Going Deeper with
//! Convolutions" (CVPR 2015), section 6.
//!
//! Two variants differ only in what happens when no try fits: the published video pipeline takes
//! the largest centred square, the one for still images the largest centred rectangle whose shape
//! is within the range.

use rand::Rng;

use super::center_crop::center_crop;
use super::region::Region;

/// Share of the frame's area.
const AREA: (f64, f64) = (0.08, 1.0);
/// Width over height, drawn uniformly in its logarithm.
const ASPECT: (f64, f64) = (3.0 / 4.0, 4.0 / 3.0);
const TRIES: usize = 10;

/// The rectangle for the frames of a video of this width and height.
pub(super) fn for_video(size: [usize; 2], rng: &mut impl Rng) -> Region {
    draw(size, rng).unwrap_or_else(|| {
        let side = size[0].min(size[1]);
        center_crop(size, [side, side])
    })
}

/// The rectangle for a still image of this width and height.
pub(super) fn for_image(size: [usize; 2], rng: &mut impl Rng) -> Region {
    draw(size, rng).unwrap_or_else(|| center_crop(size, within_aspect(size)))
}

fn draw([width, height]: [usize; 2], rng: &mut impl Rng) -> Option<Region> {
    let whole = (width * height) as f64;
    for _ in 0..TRIES {
        let aspect = rng.random_range(ASPECT.0.ln()..ASPECT.1.ln()).exp();
        let area = rng.random_range(AREA.0..AREA.1) * whole;
        let crop_width = (area * aspect).sqrt().round_ties_even() as usize;
        let crop_height = (area / aspect).sqrt().round_ties_even() as usize;
        if (1..=width).contains(&crop_width) && (1..=height).contains(&crop_height) {
            return Some(Region {
                left: rng.random_range(0..=width - crop_width),
                top: rng.random_range(0..=height - crop_height),
                width: crop_width,
                height: crop_height,
            });
        }
    }
    None
}

/// The largest size within the range of shapes.
fn within_aspect([width, height]: [usize; 2]) -> [usize; 2] {
    let aspect = width as f64 / height as f64;
    if aspect < ASPECT.0 {
        [width, (width as f64 / ASPECT.0).round_ties_even() as usize]
    } else if aspect > ASPECT.1 {
        [
            (height as f64 * ASPECT.1).round_ties_even() as usize,
            height,
        ]
    } else {
        [width, height]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn rectangles_stay_inside_and_within_area_and_shape() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);

        for _ in 0..500 {
            let region = for_video([400, 300], &mut rng);

            assert!(region.left + region.width <= 400 && region.top + region.height <= 300);
            let area = (region.width * region.height) as f64 / (400.0 * 300.0);
            let aspect = region.width as f64 / region.height as f64;
            // Rounding to whole pixels moves both a little.
            assert!((0.079..=1.0).contains(&area), "{area}");
            assert!((0.74..1.35).contains(&aspect), "{aspect}");
        }
    }

    #[test]
    fn where_nothing_fits_a_video_gets_a_square_and_an_image_a_wider_rectangle() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        // The smallest area of this strip is far higher than the strip.
        let strip = [3_000, 30];

        let square = for_video(strip, &mut rng);
        let rectangle = for_image(strip, &mut rng);

        assert_eq!((square.left, square.width, square.height), (1_485, 30, 30));
        assert_eq!(
            (rectangle.left, rectangle.width, rectangle.height),
            (1_480, 40, 30)
        );
    }

    #[test]
    fn a_single_pixel_is_its_own_crop() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);

        let region = for_image([1, 1], &mut rng);

        assert_eq!((region.width, region.height), (1, 1));
    }
}
