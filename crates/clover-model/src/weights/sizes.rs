//! The sizes of a model, told from the shapes of its weights.

use std::collections::HashMap;

use super::WeightError;
use super::import::{Import, PATCH_KERNEL};
use super::other_shape::SourceWindow;
use crate::CloverConfig;
use crate::tasks::AnswerHeadConfig;
use crate::text_encoder::BertConfig;
use crate::video_encoder::VideoSwinConfig;

/// The window of every published Video Swin of this depth of time.
const WINDOW: [usize; 3] = [8, 7, 7];
/// Patches of a 2-D Swin are spread over as many frames.
const PATCH_FRAMES: usize = 2;
/// Width of a head in every published BERT.
const HEAD_WIDTH: usize = 64;
/// From this width on a Swin was trained with the stochastic depth of Swin-B.
const WIDE: usize = 128;
/// Stochastic depth of smaller ones (Swin-T and Swin-S, Video Swin).
const NARROW_DROP_PATH: f64 = 0.1;

/// What weights do not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SizeHints {
    /// Attention heads of the text and fusion encoder, if not of 64 channels each.
    pub text_heads: Option<usize>,
    /// Extents of the window, if not those of the file (or, for a 2-D Swin, 8 frames deep).
    pub window: Option<[usize; 3]>,
}

/// Shapes by our parameter paths.
struct Shapes {
    shapes: HashMap<String, Vec<usize>>,
    window: SourceWindow,
}

impl Import<'_> {
    /// The sizes of the video encoder, if any file has one.
    ///
    /// # Errors
    ///
    /// Its weights are there only in part, or contradict each other.
    pub fn video_sizes(&self, hints: SizeHints) -> Result<Option<VideoSwinConfig>, WeightError> {
        let shapes = Shapes::of(self);
        let holds = |path: &String| path.starts_with("video_encoder.");
        if !shapes.shapes.keys().any(holds) {
            return Ok(None);
        }
        shapes.video(hints).map(Some)
    }

    /// The sizes of the text encoder, if any file has one.
    ///
    /// # Errors
    ///
    /// Its weights are there only in part, or contradict each other.
    pub fn text_sizes(&self, hints: SizeHints) -> Result<Option<BertConfig>, WeightError> {
        let shapes = Shapes::of(self);
        let holds = |path: &String| path.starts_with("text_encoder.");
        if !shapes.shapes.keys().any(holds) {
            return Ok(None);
        }
        shapes.text(hints).map(Some)
    }

    /// The sizes of the whole model.
    ///
    /// The number of frames and the image size are those that the fusion encoder was made for, if a
    /// file has it, and else those of the defaults.
    ///
    /// # Errors
    ///
    /// No file has a video encoder, or none a text encoder; or their weights contradict each other.
    pub fn sizes(&self, hints: SizeHints) -> Result<CloverConfig, WeightError> {
        let video = self.video_sizes(hints)?;
        let video = video.ok_or_else(|| unknown("there is no video encoder"))?;
        let text = self.text_sizes(hints)?;
        let text = text.ok_or_else(|| unknown("there is no text encoder"))?;
        let shapes = Shapes::of(self);
        let mut config = CloverConfig::new(video.clone().into(), text.into());
        let fusion = shapes.count("fusion_encoder.layers.");
        if fusion > 0 {
            config.fusion_layers = fusion;
        }
        let positions = "fusion_encoder.embeddings";
        if let Some([_, steps, ..]) = shapes.get(&format!("{positions}.time_position")) {
            config.frames = steps * video.patch[0];
        }
        if let Some([_, _, regions, _]) = shapes.get(&format!("{positions}.space_position")) {
            let rows = regions.isqrt();
            let stages = video.depths.len();
            config.image_size = (rows * video.patch[1]) << stages.saturating_sub(1);
            config.space_positions = (rows * rows != *regions).then_some(*regions);
        }
        config.validate().map_err(|reason| unknown(&reason))?;
        Ok(config)
    }

    /// The head of a fine-tuned model, if a file has one.
    #[must_use]
    pub fn answer_head(&self) -> Option<AnswerHeadConfig> {
        let shapes = Shapes::of(self);
        let has = |path| shapes.get(path).is_some();
        if has("answer_head.scorer.bias") {
            return Some(AnswerHeadConfig::MultipleChoice);
        }
        let [answers] = *shapes.get("answer_head.classifier.bias")? else {
            return None;
        };
        Some(if has("separator_token") {
            AnswerHeadConfig::FillInTheBlank { answers }
        } else {
            AnswerHeadConfig::OpenEnded { answers }
        })
    }
}

impl Shapes {
    fn of(import: &Import<'_>) -> Self {
        Self {
            shapes: import.shapes(),
            window: import.window(),
        }
    }

    fn get(&self, path: &str) -> Option<&[usize]> {
        self.shapes.get(path).map(Vec::as_slice)
    }

    /// How many numbers stand behind a prefix.
    fn count(&self, prefix: &str) -> usize {
        let numbers = self.shapes.keys().filter_map(|path| {
            let number = path.strip_prefix(prefix)?.split_once('.')?.0;
            number.parse::<usize>().ok()
        });
        numbers.max().map_or(0, |last| last + 1)
    }

    fn needed<const D: usize>(&self, path: &str) -> Result<[usize; D], WeightError> {
        let shape = self
            .get(path)
            .ok_or_else(|| unknown(&format!("there is no {path}")))?;
        shape
            .try_into()
            .map_err(|_| unknown(&format!("{path} has the shape {shape:?}")))
    }

    fn video(&self, hints: SizeHints) -> Result<VideoSwinConfig, WeightError> {
        let (width, patch) = match self.get(PATCH_KERNEL) {
            Some([width, _, frames, height, across]) => (*width, [*frames, *height, *across]),
            Some([width, _, height, across]) => (*width, [PATCH_FRAMES, *height, *across]),
            _ => return Err(unknown(&format!("there is no {PATCH_KERNEL}"))),
        };
        let (mut depths, mut heads) = (Vec::new(), Vec::new());
        let mut rows = 0;
        for stage in 0..self.count("video_encoder.stages.") {
            let stage = format!("video_encoder.stages.{stage}.blocks.");
            depths.push(self.count(&stage));
            let table = format!("{stage}0.attention.relative_position_bias_table");
            let [offsets, stage_heads] = self.needed(&table)?;
            rows = offsets;
            heads.push(stage_heads);
        }
        let [inner] = self.needed("video_encoder.stages.0.blocks.0.mlp.fc1.bias")?;
        let window = match hints.window {
            Some(window) => window,
            None => self.window.of_rows(rows, WINDOW).map_or_else(
                || Err(unknown(&format!("no window has {rows} offsets"))),
                |[frames, height, width]| {
                    let frames = if self.window.flat { WINDOW[0] } else { frames };
                    Ok([frames, height, width])
                },
            )?,
        };
        let mut config = VideoSwinConfig::new(width, depths, heads)
            .with_window(window)
            .with_patch(patch)
            .with_mlp_ratio(inner / width.max(1));
        if width < WIDE {
            config.drop_path = NARROW_DROP_PATH;
        }
        Ok(config)
    }

    fn text(&self, hints: SizeHints) -> Result<BertConfig, WeightError> {
        let [vocabulary, hidden] = self.needed("text_encoder.embeddings.word.weight")?;
        let [positions, _] = self.needed("text_encoder.embeddings.position.weight")?;
        let [inner] = self.needed("text_encoder.layers.0.feed_forward.inner.bias")?;
        let layers = self.count("text_encoder.layers.");
        let heads = hints.text_heads.unwrap_or(hidden / HEAD_WIDTH).max(1);
        Ok(BertConfig::new(vocabulary, hidden, layers, heads, inner).with_max_positions(positions))
    }
}

fn unknown(reason: &str) -> WeightError {
    WeightError::UnknownSizes {
        reason: reason.to_owned(),
    }
}
