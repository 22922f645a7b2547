//! A run is resumed with the recipe it was begun with.

use std::path::Path;

use serde::Serialize;

use crate::TrainerError;

/// A recipe as a checkpoint records it; `path` stands in errors.
pub(crate) fn recipe_value<R: Serialize>(
    recipe: &R,
    path: &Path,
) -> Result<serde_json::Value, TrainerError> {
    serde_json::to_value(recipe).map_err(|source| TrainerError::Json {
        path: path.to_owned(),
        source,
    })
}

/// Keys that may change between two parts of a run.
const FREE_KEYS: [&str; 7] = [
    "micro_batch",
    "gradient_checkpointing",
    "workers",
    "max_failed_share",
    "checkpoint_every",
    "keep_checkpoints",
    "validate_every",
];

/// Whether a run or a comparison that did not record the key, as it had none yet, did what this value
/// says.
pub(crate) fn always_was(key: &str, value: &serde_json::Value) -> bool {
    match key {
        "group_size" => *value == 1,
        "captions" | "pretraining.captions" => *value == "all",
        "benchmark.train_twins" => *value == false,
        "benchmark.stories" => *value == "any",
        _ => false,
    }
}

/// Refuses a recipe that differs from the recorded one, and names the first key that does.
pub(crate) fn check_recipe(
    path: &Path,
    recorded: &serde_json::Value,
    wanted: &serde_json::Value,
) -> Result<(), TrainerError> {
    let Some(wanted) = wanted.as_object() else {
        return Ok(());
    };
    let differs = wanted
        .iter()
        .filter(|(key, _)| !FREE_KEYS.contains(&key.as_str()))
        .find(|(key, value)| match recorded.get(key) {
            Some(recorded) => recorded != *value,
            None => !always_was(key, value),
        });
    match differs {
        None => Ok(()),
        Some((key, value)) => Err(TrainerError::OtherRecipe {
            path: path.to_owned(),
            key: key.clone(),
            recorded: recorded
                .get(key)
                .map_or_else(|| "absent".to_owned(), ToString::to_string),
            wanted: value.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_from_before_a_key_goes_on_where_the_key_changes_nothing() {
        let check = |recorded, wanted| check_recipe(Path::new("run"), &recorded, &wanted);
        let recorded = json!({ "epochs": 3 });

        assert!(check(recorded.clone(), json!({ "epochs": 3, "group_size": 1 })).is_ok());
        for (wanted, key) in [
            (json!({ "epochs": 3, "group_size": 5 }), "group_size"),
            (json!({ "epochs": 4 }), "epochs"),
            (json!({ "epochs": 3, "clip_norm": 1.0 }), "clip_norm"),
        ] {
            let error = check(recorded.clone(), wanted).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
