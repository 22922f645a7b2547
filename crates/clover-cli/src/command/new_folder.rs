//! A command that fails before it has written anything leaves no empty folder behind.

use std::fs;
use std::path::{Path, PathBuf};

use clover_data::files::FolderLock;

/// Folders that are not there yet, the innermost first.
#[derive(Debug)]
pub(crate) struct NewFolders(Vec<PathBuf>);

impl NewFolders {
    /// Those that writing to this folder will make.
    pub(crate) fn on_the_way_to(folder: Option<&Path>) -> Self {
        let ancestors = folder.into_iter().flat_map(Path::ancestors);
        let missing = ancestors.take_while(|folder| {
            !folder.as_os_str().is_empty() && fs::symlink_metadata(folder).is_err()
        });
        Self(missing.map(Path::to_owned).collect())
    }

    /// Removes those that were made and hold nothing.
    pub(crate) fn remove_empty(self) {
        if let Some(innermost) = self.0.first()
            && is_empty(innermost, true)
        {
            let _ = fs::remove_dir_all(innermost);
        }
        for folder in &self.0 {
            // Of what holds something this is an error, and nothing is removed.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Whether a folder holds nothing but empty folders and, where it `may_be_locked`, its lock.
fn is_empty(folder: &Path, may_be_locked: bool) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.into_iter().all(|entry| {
        entry.is_ok_and(|entry| {
            let lock = may_be_locked && entry.file_name() == FolderLock::FILE;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            lock || is_folder && is_empty(&entry.path(), false)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_nothing_goes_and_what_holds_something_stays() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("runs/mine");

        let new = NewFolders::on_the_way_to(Some(&out));
        fs::create_dir_all(out.join("checkpoints")).unwrap();
        fs::write(out.join(FolderLock::FILE), "process 1").unwrap();
        new.remove_empty();
        assert!(!root.path().join("runs").exists());

        let new = NewFolders::on_the_way_to(Some(&out));
        fs::create_dir_all(out.join("checkpoints")).unwrap();
        fs::write(out.join("checkpoints/a"), "something").unwrap();
        new.remove_empty();
        assert!(out.join("checkpoints/a").exists());

        let there = NewFolders::on_the_way_to(Some(root.path()));
        there.remove_empty();
        assert!(root.path().exists());
    }
}
