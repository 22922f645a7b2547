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
}
