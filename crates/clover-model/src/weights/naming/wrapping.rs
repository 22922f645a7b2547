//! What stands around the names of a model when it is saved.

use std::borrow::Cow;

/// What training programs put in front of every name.
const WRAPPINGS: &[&str] = &[
    "state_dict.",
    "model_state_dict.",
    "module.",
    "model.",
    "backbone.",
    "bert.",
];

/// Ends of names that are computed from sizes, not learned.
const BUFFERS: &[&str] = &[
    "relative_position_index",
    "relative_coords_table",
    "attn_mask",
    "position_ids",
    "num_batches_tracked",
];

/// Beginnings of names that belong to the training of a model, not to the model.
const TRAINING: &[&str] = &[
    "optimizer.",
    "optimizers.",
    "optimizer_state_dict.",
    "lr_scheduler.",
    "scheduler.",
    "scaler.",
    "amp.",
    "meta.",
];

/// What `torch.compile` puts around a module, the whole model or a part of it.
const COMPILED: &str = "_orig_mod";

/// A name without the marks of `torch.compile`, wherever they are.
pub(in crate::weights) fn uncompiled(name: &str) -> Cow<'_, str> {
    match name.contains(COMPILED) {
        true => {
            let parts: Vec<_> = name.split('.').filter(|part| *part != COMPILED).collect();
            Cow::Owned(parts.join("."))
        }
        false => Cow::Borrowed(name),
    }
}

/// A name, and what is left of it without each wrapping in turn.
pub(in crate::weights) fn unwrapped(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| {
        WRAPPINGS
            .iter()
            .find_map(|wrapping| name.strip_prefix(wrapping))
    })
}

/// Whether a name is a buffer or part of the training around a model.
pub(in crate::weights) fn by_itself(name: &str) -> bool {
    let is_buffer = BUFFERS.iter().any(|end| {
        name.strip_suffix(end)
            .is_some_and(|front| front.is_empty() || front.ends_with('.'))
    });
    is_buffer || TRAINING.iter().any(|start| name.starts_with(start))
}
