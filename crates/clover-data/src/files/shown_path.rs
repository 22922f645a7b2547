//! Paths as people read them.

use std::path::{Component, Path, PathBuf};

/// The path without `folder/..` in it, for people: lists lead so to a folder beside their own. Where `folder`
/// is a link, it is another file.
#[must_use]
pub fn without_detours(path: &Path) -> PathBuf {
    let mut straight = PathBuf::new();
    for part in path.components() {
        let back = part == Component::ParentDir
            && matches!(
                straight.components().next_back(),
                Some(Component::Normal(_))
            );
        match back {
            true => {
                straight.pop();
            }
            false => straight.push(part),
        }
    }
    straight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_given_without_detours() {
        let path = |path: &str| without_detours(Path::new(path)).display().to_string();

        assert_eq!(path("/a/train/../clips/./b.gif"), "/a/clips/b.gif");
        assert_eq!(path("../../b.gif"), "../../b.gif");
        assert_eq!(path("a/../../b.gif"), "../b.gif");
    }
}
