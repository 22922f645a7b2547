//! The names of torchvision's `swin3d_t`, `swin3d_s` and `swin3d_b`.
//!
//! Stages and patch mergings alternate in one list there: `features.0` is the first stage,
//! `features.1` the merging behind it.

/// Layers of the perceptron, by their place in torchvision's sequence.
const MLP: [(&str, &str); 2] = [("mlp.0.", "mlp.fc1."), ("mlp.3.", "mlp.fc2.")];

/// The published name for one of torchvision's.
pub(super) fn to_published(name: &str) -> Option<String> {
    let Some(rest) = name.strip_prefix("features.") else {
        let shared = ["patch_embed.", "norm."];
        let known = shared.iter().any(|start| name.starts_with(start));
        return known.then(|| format!("backbone.{name}"));
    };
    let (place, rest) = rest.split_once('.')?;
    let place: usize = place.parse().ok()?;
    let stage = place / 2;
    if place % 2 == 1 {
        return Some(format!("backbone.layers.{stage}.downsample.{rest}"));
    }
    let (block, rest) = rest.split_once('.')?;
    let rest = MLP
        .iter()
        .find_map(|(theirs, published)| Some(format!("{published}{}", rest.strip_prefix(theirs)?)))
        .unwrap_or_else(|| rest.to_owned());
    Some(format!("backbone.layers.{stage}.blocks.{block}.{rest}"))
}

/// Torchvision's name for a published one.
pub(super) fn from_published(name: &str) -> Option<String> {
    let name = name.strip_prefix("backbone.")?;
    let Some(rest) = name.strip_prefix("layers.") else {
        return (name != "mask_token").then(|| name.to_owned());
    };
    let (stage, rest) = rest.split_once('.')?;
    let place = 2 * stage.parse::<usize>().ok()?;
    if let Some(rest) = rest.strip_prefix("downsample.") {
        return Some(format!("features.{}.{rest}", place + 1));
    }
    let (block, rest) = rest.strip_prefix("blocks.")?.split_once('.')?;
    let rest = MLP
        .iter()
        .find_map(|(theirs, published)| Some(format!("{theirs}{}", rest.strip_prefix(published)?)))
        .unwrap_or_else(|| rest.to_owned());
    Some(format!("features.{place}.{block}.{rest}"))
}
