//! A bundle as the user names it: its folder.

use std::path::Path;

use anyhow::{Result, ensure};
use burn::tensor::backend::Backend;
use clover_inference::Bundle;

/// Reads a bundle; a folder that is none is an error that says what one is.
pub(super) fn open_bundle<B: Backend>(folder: &Path, device: &B::Device) -> Result<Bundle<B>> {
    let name = folder.display();
    ensure!(folder.exists(), "{name}: there is no such bundle");
    ensure!(
        folder.join("config.json").is_file(),
        "{name}: is not a bundle, which is a folder with `config.json`: `clover pretrain`, `finetune` and \
         `weights import` make one"
    );
    Ok(Bundle::read(folder, device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "flex")]
    #[test]
    fn a_folder_that_is_gone_or_no_bundle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| {
            let found = open_bundle::<burn_flex::Flex>(path, &Default::default());
            found.unwrap_err().to_string()
        };

        assert!(error(&folder.path().join("gone")).ends_with("gone: there is no such bundle"));
        assert!(error(folder.path()).contains("is not a bundle"));
    }
}
