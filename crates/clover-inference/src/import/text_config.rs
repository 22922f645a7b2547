//! What `config.json` beside a BERT says and its weights do not.

use std::path::Path;

use serde_json::Value;

use crate::InferenceError;
use crate::bundle::read_json;

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
    let config: Value = read_json(&path)?;
    // A bundle's own has it in its text encoder.
    let heads = [&config["num_attention_heads"], &config["text"]["heads"]];
    let heads = heads.into_iter().find_map(Value::as_u64);
    Ok(heads.and_then(|heads| usize::try_from(heads).ok()))
}
