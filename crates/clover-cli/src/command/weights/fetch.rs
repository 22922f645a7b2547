//! `clover weights fetch`.

use anyhow::Result;

use crate::arguments::FetchWeights;

#[cfg(feature = "fetch")]
pub(super) fn run(arguments: &FetchWeights) -> Result<()> {
    for path in super::hub::fetch(arguments)? {
        crate::output::print_line(&path.display().to_string());
    }
    Ok(())
}

#[cfg(not(feature = "fetch"))]
pub(super) fn run(arguments: &FetchWeights) -> Result<()> {
    let FetchWeights { repository, .. } = arguments;
    anyhow::bail!(
        "{repository}: this program was built without the feature `fetch`; any other way to the \
         file will do"
    )
}
