//! Paths of clips that stay below the folder of clips.

use super::super::rows::{BROKEN, UnsafePath};

/// File systems allow about as many bytes.
const MAX_PATH_BYTES: usize = 1_024;

/// Refuses a path that could leave the folder it is relative to.
///
/// Its parts are separated by `/`. An absolute path, a drive letter, a backslash, a control
/// character, and the parts `.`, `..` and nothing are refused, on every system alike. A name that
/// ends in a dot is a name: some videos of DiDeMo have one.
///
/// # Errors
///
/// When the path is refused; the error says why.
pub fn check_relative(path: &str) -> Result<(), UnsafePath> {
    let bytes = path.as_bytes();
    let has_drive = bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':';
    let reason = if path.is_empty() {
        "is empty"
    } else if path.len() > MAX_PATH_BYTES {
        "is too long"
    } else if path.starts_with('/') {
        "is absolute"
    } else if has_drive {
        "names a drive"
    } else if path.contains('\\') {
        "has a backslash"
    } else if path.contains(|letter: char| letter.is_control() || letter == BROKEN) {
        "has a control character or half of one"
    } else if path.split('/').any(|part| part == "..") {
        "climbs out of its folder"
    } else if path.split('/').any(|part| part.is_empty() || part == ".") {
        "has a part without a name"
    } else {
        return Ok(());
    };
    let mut path = path.to_owned();
    path.truncate(path.floor_char_boundary(100));
    Err(UnsafePath { path, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_published_clips_pass() {
        for path in [
            "video7010.mp4",
            "videos/027701_027750/1053841541.mp4",
            "0001_American_Beauty/0001_American_Beauty_00.00.51.926-00.00.54.129.avi",
            "10052357@N03_7585070382_5762149bfc.",
            "a..b/c.mp4",
        ] {
            assert_eq!(check_relative(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_leave_their_folder_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "../a.mp4",
            "a/../../b.mp4",
            "a/..",
            "C:/a.mp4",
            "c:a.mp4",
            "a\\b.mp4",
            "a//b.mp4",
            "./a.mp4",
            "a/",
            "a\0b",
        ] {
            assert!(check_relative(path).is_err(), "{path}");
        }
    }

    #[test]
    fn the_error_shows_a_long_path_only_in_part() {
        let error = check_relative(&"ä".repeat(2_000)).unwrap_err();

        assert!(error.path.len() <= 100 && error.to_string().contains("too long"));
    }
}
