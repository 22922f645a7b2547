//! A folder in exchange for another: at every moment one of them is whole and can be found.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::{remove_folder, sync, sync_files};
use super::rename;
use crate::error::TrainerError;

/// Where a folder is written before it is whole.
const PARTIAL: &str = "partial";
/// Where a folder lies that is replaced, on systems that cannot exchange two in one step.
const REPLACED: &str = "replaced";

/// Where the folder of this path is written.
fn partial(path: &Path) -> PathBuf {
    aside(path, PARTIAL)
}

/// Where the folder of this path lies while it is replaced in two steps.
fn replaced(path: &Path) -> PathBuf {
    aside(path, REPLACED)
}

fn aside(path: &Path, as_what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{as_what}"))
}

/// Whose place a folder lies beside, by its name.
pub(super) fn place_of(aside: &Path) -> Option<PathBuf> {
    let name = aside.file_name().and_then(OsStr::to_str)?;
    let (name, as_what) = name.strip_prefix('.')?.rsplit_once('.')?;
    [PARTIAL, REPLACED]
        .contains(&as_what)
        .then(|| aside.with_file_name(name))
}

/// Replaces a folder by what `write` puts into the one it is given: whole, or not at all.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), TrainerError>,
) -> Result<(), TrainerError> {
    let partial = partial(path);
    remove_folder(&partial)?;
    let write = || {
        fs::create_dir_all(&partial).map_err(|source| TrainerError::Write {
            path: partial.clone(),
            source,
        })?;
        write(&partial)?;
        sync_files(&partial)?;
        sync(Some(&partial))
    };
    if let Err(error) = write() {
        // Half a folder is of no use, and a full disk needs its room.
        let _ = remove_folder(&partial);
        return Err(error);
    }
    swap_in(path)
}

/// Takes back a folder that a crash in the middle of [`replace`] left aside, and removes all else that
/// it left.
pub(super) fn settle(path: &Path) -> Result<(), TrainerError> {
    let (partial, replaced) = (partial(path), replaced(path));
    if replaced.exists() && !path.exists() {
        rename(&replaced, path)?;
    }
    remove_folder(&partial)?;
    remove_folder(&replaced)
}

/// Gives the partial folder its name; the one that had it is removed.
fn swap_in(path: &Path) -> Result<(), TrainerError> {
    let (partial, replaced) = (partial(path), replaced(path));
    if !path.exists() {
        rename(&partial, path)?;
        sync(path.parent())?;
    } else if exchange(&partial, path) {
        sync(path.parent())?;
    } else {
        remove_folder(&replaced)?;
        rename(path, &replaced)?;
        rename(&partial, path)?;
        sync(path.parent())?;
    }
    remove_folder(&partial)?;
    remove_folder(&replaced)
}

/// Exchanges two folders in one step; false where the system or the file system cannot.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};

    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

/// Exchanges two folders in one step; false where the system or the file system cannot.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_: &Path, _: &Path) -> bool {
    false
}
