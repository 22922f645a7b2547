//! CLIP's weights, whoever named them, under our paths.
//!
//! OpenAI and open_clip: `visual.transformer.resblocks.0.attn.in_proj_weight`, with queries, keys and values in
//! one matrix. Hugging Face: `vision_model.encoder.layers.0.self_attn.q_proj.weight`, each by itself. In
//! both, the first convolution is a kernel and linear weights are `[output, input]`; OpenAI's two
//! projections are `[input, output]`.

mod names;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use burn::module::Module;
use burn::prelude::*;
use burn::tensor::{DType, TensorData};

pub use names::ClipNaming;

use super::file::StoredTensor;
use super::layout::transposed;
use super::naming::wrapping::{by_itself, uncompiled, unwrapped};
use super::source::TensorSource;
use super::{Naming, WeightError};
use crate::clip::{Activation, ClipConfig, ClipTextConfig, ClipVisionConfig};

/// The first convolution.
const PATCHES: &str = "vision.patches.weight";

/// Colours of an image.
const CHANNELS: usize = 3;

/// Where CLIP's encoders stand by themselves, and in a Clover.
const ENCODERS: [[&str; 2]; 2] = [
    ["vision.", "video_encoder.vision."],
    ["text.", "text_encoder.text."],
];

/// Channels of an attention head in all published models.
const HEAD_WIDTH: usize = 64;

/// Models that go by CLIP's name and are built otherwise: a part of a name that gives one away.
const OTHERS: [(&str, &str); 6] = [
    ("logit_bias", "SigLIP"),
    ("vision_model.head.", "SigLIP"),
    ("visual.attnpool.", "a CLIP with a ResNet"),
    ("visual.trunk.", "a CLIP with an image encoder of `timm`"),
    ("visual.blocks.", "EVA-CLIP"),
    (
        "text.transformer.encoder.",
        "a CLIP with a text encoder of Hugging Face's",
    ),
];

/// What tells sizes that weights do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClipHints {
    /// Attention heads of the image encoder; one for 64 channels if not given.
    pub vision_heads: Option<usize>,
    /// Attention heads of the text encoder; one for 64 channels if not given.
    pub text_heads: Option<usize>,
}

/// CLIP's weights in our layout and under our paths.
pub struct ClipSource<'s> {
    source: &'s dyn TensorSource,
    naming: ClipNaming,
    entries: Vec<StoredTensor>,
    /// The names there of each parameter: one, or those of queries, keys and values.
    parts: BTreeMap<String, Vec<String>>,
    /// Pixels of a patch along one side.
    patch: usize,
}

impl std::fmt::Debug for ClipSource<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ClipSource")
            .field("naming", &self.naming)
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl<'s> ClipSource<'s> {
    /// Finds CLIP's parameters in a file.
    ///
    /// # Errors
    ///
    /// It has none, or those of a model that is built otherwise, which is named.
    pub fn new(source: &'s dyn TensorSource) -> Result<Self, WeightError> {
        let names = || source.entries().iter().map(|entry| entry.name.as_str());
        if let Some((_, model)) = OTHERS
            .iter()
            .find(|(sign, _)| names().any(|name| name.contains(sign)))
        {
            return Err(unknown(&format!(
                "it is {model}, which is built otherwise: of CLIP, Vision Transformers are read"
            )));
        }
        let has = |sign: &str| names().any(|name| name.contains(sign));
        let naming = match (has("visual.conv1."), has("vision_model.embeddings.")) {
            (true, _) => ClipNaming::OpenAi,
            (false, true) => ClipNaming::HuggingFace,
            (false, false) => {
                return Err(unknown(
                    "it has no image encoder under the names of OpenAI or of Hugging Face",
                ));
            }
        };
        let mut found = Self {
            source,
            naming,
            entries: Vec::new(),
            parts: BTreeMap::new(),
            patch: 0,
        };
        for entry in source.entries() {
            found.add(entry)?;
        }
        if let Some((path, _)) = found
            .parts
            .iter()
            .find(|(_, names)| names.contains(&String::new()))
        {
            return Err(unknown(&format!("a third of {path} is missing")));
        }
        Ok(found)
    }

    fn add(&mut self, entry: &StoredTensor) -> Result<(), WeightError> {
        let name = uncompiled(&entry.name);
        if by_itself(&name) {
            return Ok(());
        }
        let Some(path) = unwrapped(&name).find_map(|part| self.naming.path_of(part)) else {
            // Reported as unused, under its own name.
            self.entries.push(entry.clone());
            self.parts
                .insert(entry.name.clone(), vec![entry.name.clone()]);
            return Ok(());
        };
        let (path, part) = third(&path);
        let mut shape = entry.shape.clone();
        match (path.as_str(), &mut shape[..]) {
            (PATCHES, &mut [width, channels, rows, columns]) if rows == columns => {
                self.patch = rows;
                shape = vec![channels * rows * columns, width];
            }
            (PATCHES, _) => {
                return Err(unknown(&format!(
                    "its patches are not square: {} has the shape {shape:?}",
                    entry.name
                )));
            }
            ("logit_scale", _) => shape = vec![1],
            (path, [rows, columns]) if self.naming.transposes(path) => {
                std::mem::swap(rows, columns);
            }
            _ => {}
        }
        let Some(part) = part else {
            self.entries.push(StoredTensor {
                name: path.clone(),
                shape,
                dtype: entry.dtype,
            });
            self.parts.insert(path, vec![entry.name.clone()]);
            return Ok(());
        };
        let names = self.parts.entry(path.clone()).or_insert_with(|| {
            if let Some(output) = shape.last_mut() {
                *output *= 3;
            }
            self.entries.push(StoredTensor {
                name: path,
                shape,
                dtype: entry.dtype,
            });
            vec![String::new(); 3]
        });
        names[part].clone_from(&entry.name);
        Ok(())
    }

    /// The same under the paths of a [`Clover`](crate::Clover) that has these encoders; ask for the
    /// [sizes](Self::sizes) first.
    #[must_use]
    pub fn in_clover(mut self) -> Self {
        for entry in &mut self.entries {
            for [clip, clover] in ENCODERS {
                if let Some(rest) = entry.name.strip_prefix(clip) {
                    entry.name = format!("{clover}{rest}");
                    break;
                }
            }
        }
        self
    }

    /// The sizes of the model; `activation` is not told by weights.
    ///
    /// # Errors
    ///
    /// A parameter is missing, or they contradict each other.
    pub fn sizes(
        &self,
        activation: Activation,
        hints: ClipHints,
    ) -> Result<ClipConfig, WeightError> {
        let [positions, width] = self.needed("vision.positions")?;
        let [_, embedding] = self.needed("vision.projection.weight")?;
        let rows = positions.saturating_sub(1).isqrt();
        let vision = ClipVisionConfig::new(
            rows.saturating_mul(self.patch),
            self.patch,
            width,
            self.count("vision.blocks."),
            hints.vision_heads.unwrap_or(width / HEAD_WIDTH).max(1),
            embedding,
            activation,
        );
        let [vocabulary, width] = self.needed("text.pieces.weight")?;
        let [max_positions, _] = self.needed("text.positions")?;
        let [_, embedding] = self.needed("text.projection.weight")?;
        let text = ClipTextConfig::new(
            vocabulary,
            max_positions,
            width,
            self.count("text.blocks."),
            hints.text_heads.unwrap_or(width / HEAD_WIDTH).max(1),
            embedding,
            activation,
        );
        let config = ClipConfig::new(vision, text);
        config.validate().map_err(|reason| unknown(&reason))?;
        Ok(config)
    }

    fn needed<const D: usize>(&self, path: &str) -> Result<[usize; D], WeightError> {
        let entry = self.entries.iter().find(|entry| entry.name == path);
        let shape = entry.map(|entry| entry.shape.as_slice());
        let shape = shape.ok_or_else(|| unknown(&format!("there is no {path}")))?;
        shape
            .try_into()
            .map_err(|_| unknown(&format!("{path} has the shape {shape:?}")))
    }

    /// How many numbers stand behind a prefix. A number without those before it makes no layer.
    fn count(&self, prefix: &str) -> usize {
        let numbers: BTreeSet<&str> = self
            .entries
            .iter()
            .filter_map(|entry| Some(entry.name.strip_prefix(prefix)?.split_once('.')?.0))
            .collect();
        numbers.len()
    }

    /// One tensor of the file, in our layout.
    fn part(&self, path: &str, name: &str) -> Result<TensorData, WeightError> {
        let data = self.source.data(name)?;
        let shape = data.shape.to_vec();
        match shape[..] {
            [] => {
                let values = floats(name, data)?;
                Ok(TensorData::new(values, [1]))
            }
            [width, channels, rows, columns] => {
                let pixels = channels * rows * columns;
                let values = transposed(&floats(name, data)?, [width, pixels]);
                Ok(TensorData::new(values, [pixels, width]))
            }
            [rows, columns] if self.naming.transposes(path) => {
                let values = transposed(&floats(name, data)?, [rows, columns]);
                Ok(TensorData::new(values, [columns, rows]))
            }
            _ => Ok(data),
        }
    }
}

impl TensorSource for ClipSource<'_> {
    fn entries(&self) -> &[StoredTensor] {
        &self.entries
    }

    fn data(&self, path: &str) -> Result<TensorData, WeightError> {
        let path = path_in_clip(path);
        let path = path.as_ref();
        let names = self.parts.get(path).map_or(&[][..], Vec::as_slice);
        let [first, others @ ..] = names else {
            return Err(unknown(&format!("there is no {path}")));
        };
        let first = self.part(path, first)?;
        if others.is_empty() {
            return Ok(first);
        }
        let mut thirds = vec![first];
        for name in others {
            thirds.push(self.part(path, name)?);
        }
        side_by_side(path, thirds)
    }
}

/// The path that a parameter of a Clover has in its CLIP alone.
fn path_in_clip(path: &str) -> Cow<'_, str> {
    let inside = ENCODERS.iter().find_map(|[clip, clover]| {
        let rest = path.strip_prefix(clover)?;
        Some(format!("{clip}{rest}"))
    });
    inside.map_or(Cow::Borrowed(path), Cow::Owned)
}

/// A parameter of queries, keys or values alone is a third of one of ours.
fn third(path: &str) -> (String, Option<usize>) {
    for (part, number) in [".0.", ".1.", ".2."].into_iter().zip(0..) {
        let sign = format!(".qkv{part}");
        if path.contains(&sign) {
            return (path.replace(&sign, ".qkv."), Some(number));
        }
    }
    (path.to_owned(), None)
}

/// Tensors of equal shape joined along their last axis.
fn side_by_side(path: &str, thirds: Vec<TensorData>) -> Result<TensorData, WeightError> {
    let mut shape = thirds[0].shape.to_vec();
    if thirds.iter().any(|third| third.shape != thirds[0].shape) {
        return Err(unknown(&format!("the thirds of {path} differ in shape")));
    }
    let columns = shape.last().copied().unwrap_or(1).max(1);
    let thirds = thirds
        .into_iter()
        .map(|third| floats(path, third))
        .collect::<Result<Vec<_>, _>>()?;
    let rows = thirds[0].len() / columns;
    let values = (0..rows).flat_map(|row| {
        let thirds = thirds.iter();
        thirds.flat_map(move |third| third[row * columns..][..columns].iter().copied())
    });
    let values: Vec<f32> = values.collect();
    if let Some(last) = shape.last_mut() {
        *last *= 3;
    }
    Ok(TensorData::new(values, shape))
}

/// CLIP's parameters, by itself or in a [`Clover`](crate::Clover), by their names and in their layout.
/// What a Clover has beside them is left out.
///
/// # Errors
///
/// A tensor cannot be read back from its device.
pub fn clip_tensors<B: Backend, M: Module<B>>(
    module: &M,
    naming: ClipNaming,
) -> Result<Vec<(String, TensorData)>, WeightError> {
    let mut tensors = Vec::new();
    for (path, data) in super::tensors(module, Naming::Native)? {
        let path = path_in_clip(&path).into_owned();
        let names = naming.names_of(&path);
        if names.is_empty() {
            continue;
        }
        let shape = data.shape.to_vec();
        let (values, shape) = match shape[..] {
            [1] if path == "logit_scale" => (floats(&path, data)?, vec![]),
            [rows, columns] if naming.transposes(&path) => {
                let values = transposed(&floats(&path, data)?, [rows, columns]);
                let patch = (rows / CHANNELS).isqrt();
                let shape = match path == PATCHES {
                    true => vec![columns, CHANNELS, patch, patch],
                    false => vec![columns, rows],
                };
                (values, shape)
            }
            _ => (floats(&path, data)?, shape),
        };
        // Queries, keys and values stand below each other now.
        let parts = names.len().max(1);
        let rows = shape.first().map_or(1, |rows| rows / parts);
        let part_shape = |_| match shape.split_first() {
            Some((_, rest)) => [&[rows], rest].concat(),
            None => Vec::new(),
        };
        let each = values.len() / parts;
        for (index, name) in names.into_iter().enumerate() {
            let values = values[index * each..][..each].to_vec();
            tensors.push((name, TensorData::new(values, part_shape(index))));
        }
    }
    Ok(tensors)
}

fn floats(name: &str, data: TensorData) -> Result<Vec<f32>, WeightError> {
    let data = match data.dtype {
        DType::F32 => data,
        _ => data.convert::<f32>(),
    };
    data.into_vec::<f32>().map_err(|error| {
        WeightError::malformed(std::io::Error::other(format!("{name}: {error:?}")))
    })
}

fn unknown(reason: &str) -> WeightError {
    WeightError::UnknownSizes {
        reason: reason.to_owned(),
    }
}
