//! A run is resumed with the recipe it was begun with.

use std::path::Path;

use clover_data::video::DecodeLimits;
use serde::Serialize;
use serde_json::{Value, json};

use crate::TrainerError;
use crate::recipe::Recipe;

/// A recipe as a checkpoint records it; `path` stands in errors.
pub(crate) fn recipe_value<R: Serialize>(recipe: &R, path: &Path) -> Result<Value, TrainerError> {
    serde_json::to_value(recipe).map_err(|source| TrainerError::Json {
        path: path.to_owned(),
        source,
    })
}

/// Keys that may change between two parts of a run.
const FREE_KEYS: [&str; 10] = [
    "micro_batch",
    "micro_batches_at_once",
    "gradient_checkpointing",
    "workers",
    "max_failed_share",
    "checkpoint_every",
    "keep_checkpoints",
    "validate_every",
    "early_stopping",
    // It ends a run, and leaves no item out.
    "limits.max_seconds",
];

/// What a run or a comparison did that did not record the key, as there was none yet.
fn before_there_was(key: &str) -> Option<Value> {
    let of_table = ["pretraining.", "start."].map(|table| key.strip_prefix(table));
    Some(match of_table.into_iter().flatten().next().unwrap_or(key) {
        "early_stopping" => json!(0),
        "micro_batches_at_once" | "group_size" => json!(1),
        "captions" | "train" => json!("all"),
        "temperature" => json!(0.05),
        "tower_multiplier" => json!(1.0),
        "fps" => json!(0.0),
        "limits" => serde_json::to_value(DecodeLimits::default()).ok()?,
        "benchmark.train_twins" => json!(false),
        "benchmark.stories" => json!("any"),
        _ => return None,
    })
}

/// Gives a recipe that was recorded before it had all its keys the others, with what was done then. A key that
/// must always have been there stays missing.
pub(crate) fn add_later_keys<R: Recipe>(recorded: &mut Value) {
    let known: toml::Table = toml::from_str(R::COMPLETE).unwrap_or_default();
    let Some(recorded) = recorded.as_object_mut() else {
        return;
    };
    for (key, _) in known {
        if let (false, Some(value)) = (recorded.contains_key(&key), before_there_was(&key)) {
            recorded.insert(key, value);
        }
    }
}

/// Refuses a recipe of a run that differs from the recorded one, and names the first key that does.
pub(crate) fn check_recipe(
    path: &Path,
    recorded: &Value,
    wanted: &Value,
) -> Result<(), TrainerError> {
    check_keys(path, (recorded, wanted), &FREE_KEYS, "")
}

/// Compares two recipes but for `free` keys, table by table; `key` is where these tables are.
pub(crate) fn check_keys(
    path: &Path,
    (recorded, wanted): (&Value, &Value),
    free: &[&str],
    key: &str,
) -> Result<(), TrainerError> {
    if recorded == wanted || free.contains(&key) {
        return Ok(());
    }
    if let (Value::Object(recorded), Value::Object(wanted)) = (recorded, wanted) {
        for (name, value) in wanted {
            let inner = match key {
                "" => name.clone(),
                table => format!("{table}.{name}"),
            };
            if !recorded.contains_key(name) && before_there_was(&inner).as_ref() == Some(value) {
                continue;
            }
            let recorded = recorded.get(name).unwrap_or(&Value::Null);
            check_keys(path, (recorded, value), free, &inner)?;
        }
        return Ok(());
    }
    Err(TrainerError::OtherRecipe {
        path: path.to_owned(),
        key: key.to_owned(),
        recorded: match recorded {
            Value::Null => "absent".to_owned(),
            value => value.to_string(),
        },
        wanted: wanted.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_from_before_a_key_goes_on_where_the_key_changes_nothing() {
        let check = |recorded, wanted| check_recipe(Path::new("run"), &recorded, &wanted);
        let recorded = json!({ "epochs": 3 });

        let limits = |key: &str, value: u64| {
            let mut limits = serde_json::to_value(DecodeLimits::default()).unwrap();
            limits[key] = value.into();
            json!({ "limits": limits })
        };
        let [same, slower, smaller] = [
            limits("max_frames", 1_000_000),
            limits("max_seconds", 600),
            limits("max_frames", 10),
        ];

        assert!(check(recorded.clone(), json!({ "epochs": 3, "group_size": 1 })).is_ok());
        assert!(check(recorded.clone(), json!({ "fps": 0.0 })).is_ok());
        assert!(check(recorded.clone(), json!({ "micro_batches_at_once": 2 })).is_ok());
        assert!(check(recorded.clone(), same.clone()).is_ok());
        assert!(check(same.clone(), slower).is_ok());
        let error = check(same, smaller.clone()).unwrap_err().to_string();
        assert!(error.contains("limits.max_frames"), "{error}");
        for (wanted, key) in [
            (json!({ "epochs": 3, "group_size": 5 }), "group_size"),
            (json!({ "epochs": 4 }), "epochs"),
            (json!({ "fps": 2.0 }), "fps"),
            (smaller, "limits"),
            (json!({ "epochs": 3, "clip_norm": 1.0 }), "clip_norm"),
        ] {
            let error = check(recorded.clone(), wanted).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
