//! Puts decoded frames where they were asked for.

use std::collections::BTreeMap;
use std::path::Path;

use super::Clip;
use crate::DataError;

/// A clip on its way: frames arrive in the order they are decoded, once each.
#[derive(Debug)]
pub(super) struct ClipBuilder {
    /// Where each frame that is still missing goes.
    missing: BTreeMap<usize, Vec<usize>>,
    places: usize,
    size: [usize; 2],
    pixels: Vec<u8>,
}

impl ClipBuilder {
    /// Makes room for the frames `indices` of `[width, height]` pixels, in this order.
    pub(super) fn new(indices: &[usize], size: [usize; 2]) -> Self {
        let mut missing: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, index) in indices.iter().enumerate() {
            missing.entry(*index).or_default().push(place);
        }
        Self {
            missing,
            places: indices.len(),
            size,
            pixels: vec![0; indices.len() * size[0] * size[1] * 3],
        }
    }

    /// Tells whether a frame is still missing.
    pub(super) fn wants(&self, frame: usize) -> bool {
        self.missing.contains_key(&frame)
    }

    /// Tells whether every frame has arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }

    /// Takes the pixels of a frame, three bytes each; frames nobody asked for are dropped.
    ///
    /// # Panics
    ///
    /// Panics if the pixels are not one frame.
    pub(super) fn place(&mut self, frame: usize, rgb: &[u8]) {
        let bytes = self.size[0] * self.size[1] * 3;
        for place in self.missing.remove(&frame).unwrap_or_default() {
            self.pixels[place * bytes..(place + 1) * bytes].copy_from_slice(rgb);
        }
    }

    /// The clip, if every frame has arrived.
    pub(super) fn finish(self, path: &Path) -> Result<Clip, DataError> {
        if let Some(frame) = self.missing.keys().next() {
            return Err(DataError::Frame {
                path: path.to_path_buf(),
                frame: *frame,
                source: "the file ends before it".into(),
            });
        }
        let [width, height] = self.size;
        Ok(Clip::new(self.places, height, width, self.pixels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_end_up_in_the_order_asked_for_and_may_repeat() {
        let mut builder = ClipBuilder::new(&[7, 2, 7], [1, 1]);

        builder.place(2, &[2; 3]);
        builder.place(5, &[5; 3]);
        assert!(builder.wants(7) && !builder.is_complete());
        builder.place(7, &[7; 3]);

        let clip = builder.finish(Path::new("a")).unwrap();
        assert_eq!(clip.pixels(), [7, 7, 7, 2, 2, 2, 7, 7, 7]);
    }

    #[test]
    fn a_frame_that_never_came_is_an_error_and_not_black() {
        let error = ClipBuilder::new(&[3], [1, 1])
            .finish(Path::new("a.gif"))
            .unwrap_err();

        assert_eq!(error.to_string(), "a.gif: frame 3 cannot be decoded");
    }
}
