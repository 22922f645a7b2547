//! What the report of every run tells beside its curves: settings, and items left out.

use clover_data::dataset::SkippedItem;

/// The keys of a recipe that was written as TOML, with their values.
pub(super) fn settings(recipe: &str) -> Vec<(String, String)> {
    let keys = recipe.lines().filter_map(|line| line.split_once(" = "));
    keys.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

/// Names and reasons.
pub(super) fn left_out(skipped: &[SkippedItem]) -> Vec<(String, String)> {
    let skipped = skipped.iter();
    skipped
        .map(|item| (item.name.clone(), item.reason.clone()))
        .collect()
}
