//! Left and right exchanged.

/// Mirrors a frame of `[height, width, 3]` bytes.
pub(super) fn flip(pixels: &mut [u8], width: usize) {
    for row in pixels.chunks_exact_mut(width * 3) {
        for column in 0..width / 2 {
            let (left, right) = row.split_at_mut((width - 1 - column) * 3);
            left[column * 3..column * 3 + 3].swap_with_slice(&mut right[..3]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_change_places_and_colours_do_not() {
        let mut pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9];

        flip(&mut pixels, 3);

        assert_eq!(pixels, [7, 8, 9, 4, 5, 6, 1, 2, 3]);
    }
}
