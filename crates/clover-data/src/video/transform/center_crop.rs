//! The middle of a frame.

use super::region::Region;

/// The centred rectangle of this size, both as width and height; an odd rest goes to the right
/// and the bottom.
pub(super) fn center_crop(
    [width, height]: [usize; 2],
    [crop_width, crop_height]: [usize; 2],
) -> Region {
    let (crop_width, crop_height) = (crop_width.min(width), crop_height.min(height));
    Region {
        left: (width - crop_width) / 2,
        top: (height - crop_height) / 2,
        width: crop_width,
        height: crop_height,
    }
}

/// The middle square of a frame that is as large, as torchvision finds it: half of an odd rest is
/// rounded to even.
pub(super) fn center_crop_as_torchvision([width, height]: [usize; 2], side: usize) -> Region {
    let before = |length: usize| ((length - side) as f64 / 2.0).round_ties_even() as usize;
    Region {
        left: before(width),
        top: before(height),
        width: side,
        height: side,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_rest_goes_to_the_right() {
        let region = center_crop([298, 224], [224, 224]);
        assert_eq!((region.left, region.top), (37, 0));

        let region = center_crop([5, 4], [2, 3]);
        assert_eq!((region.left, region.top), (1, 0));
    }

    #[test]
    fn torchvision_rounds_to_even() {
        let left = |width| center_crop_as_torchvision([width, 4], 4).left;

        assert_eq!([4, 5, 6, 7, 9].map(left), [0, 0, 1, 2, 2]);
    }
}
