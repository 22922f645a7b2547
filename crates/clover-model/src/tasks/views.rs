//! How the clips of a batch belong to its texts.

/// Views of each clip, and which clip each text is about. A number is so many views of a clip for each text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipViews {
    /// Views of each clip, neighbours in the batch, which are averaged.
    pub views: usize,
    /// For each text the number of its clip, in their order; empty where each text has a clip of its own.
    pub clip_of: Vec<usize>,
}

impl From<usize> for ClipViews {
    fn from(views: usize) -> Self {
        Self {
            views,
            clip_of: Vec::new(),
        }
    }
}

impl ClipViews {
    /// The number of the first text of each clip.
    pub(super) fn first_texts(&self) -> Vec<usize> {
        let all = self.clip_of.iter().enumerate();
        let first = all.filter(|(text, clip)| *text == 0 || self.clip_of[text - 1] != **clip);
        first.map(|(text, _)| text).collect()
    }
}
