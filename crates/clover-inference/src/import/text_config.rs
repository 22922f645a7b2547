//! What `config.json` beside a BERT says and its weights do not.

use std::path::Path;

use serde::Deserialize;

use crate::InferenceError;
use crate::bundle::read_json;

/// The one field that is needed; a bundle's own `config.json` has it in its text encoder.
#[derive(Deserialize)]
struct BesideWeights {
    num_attention_heads: Option<usize>,
    text: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    heads: usize,
}

/// The number of attention heads, where a folder says it.
pub(super) fn attention_heads(weights: &Path) -> Result<Option<usize>, InferenceError> {
    let folder = if weights.is_dir() {
        Some(weights)
    } else {
        weights.parent()
    };
    let Some(path) = folder.map(|folder| folder.join("config.json")) else {
        return Ok(None);
    };
    if !path.is_file() {
        return Ok(None);
    }
    let config: BesideWeights = read_json(&path)?;
    let of_bundle = config.text.map(|text| text.heads);
    Ok(config.num_attention_heads.or(of_bundle))
}
