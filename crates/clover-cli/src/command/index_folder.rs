//! An index as the user names it.

use std::path::Path;

use anyhow::{Result, bail};
use clover_inference::is_index;

/// Refuses a folder that is no index, with what it is instead.
pub(super) fn check_index(folder: &Path) -> Result<()> {
    if is_index(folder) {
        return Ok(());
    }
    let name = folder.display();
    if !folder.exists() {
        bail!("{name}: there is no such index");
    }
    if folder.join("config.json").is_file() {
        bail!("{name}: is a bundle, not an index: `clover index` makes one with it");
    }
    bail!("{name}: is not an index, which is a folder with `index.toml`: `clover index` makes one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_gone_or_no_index_is_named_and_a_bundle_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| check_index(path).unwrap_err().to_string();

        assert!(error(&folder.path().join("gone")).ends_with("gone: there is no such index"));
        assert!(error(folder.path()).contains("is not an index"));
        std::fs::write(folder.path().join("config.json"), "{}").unwrap();
        assert!(error(folder.path()).contains("is a bundle, not an index"));
    }
}
