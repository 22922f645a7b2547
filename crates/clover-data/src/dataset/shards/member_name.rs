//! What the name of a member says: which sample it belongs to and what it is of that sample.
//!
//! The key is the path up to the first dot of the file name, folders kept, as WebDataset has it.
//! Where nothing is known by what follows (`v1.0_clip.jpg`), the key ends at the last dot, so that
//! names with dots are samples too. Names without a dot, or with nothing before it, belong to none.

/// Extensions of videos.
const VIDEOS: [&str; 8] = ["mp4", "webm", "mkv", "mov", "m4v", "avi", "mpg", "mpeg"];

/// Extensions of images; a GIF or WebP may move.
const IMAGES: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "apng"];

/// What a member is of its sample, by the extension of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// A video, or what was taken for one; its content decides.
    Video,
    /// An image that may stand for a clip.
    Image,
    /// A frame of a clip.
    Frame(u32),
    /// The caption.
    Text,
    /// What is known of the sample.
    Json,
    /// Anything else.
    Other,
}

/// The key and the kind of a member.
pub(super) fn parse(name: &str) -> Option<(&str, MemberKind)> {
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    let first = file + name[file..].find('.').filter(|&dot| dot > 0)?;
    let last = name.rfind('.').unwrap_or(first);
    let at = |dot: usize| (&name[..dot], kind(&name[dot + 1..].to_ascii_lowercase()));
    let known = [first, last]
        .map(at)
        .into_iter()
        .find(|(_, kind)| *kind != MemberKind::Other);
    Some(known.unwrap_or_else(|| at(first)))
}

fn kind(extension: &str) -> MemberKind {
    match extension {
        "txt" => MemberKind::Text,
        "json" => MemberKind::Json,
        _ if VIDEOS.contains(&extension) => MemberKind::Video,
        _ if IMAGES.contains(&extension) => MemberKind::Image,
        _ => frame(extension).map_or(MemberKind::Other, MemberKind::Frame),
    }
}

/// The number in `000.jpg`.
fn frame(extension: &str) -> Option<u32> {
    let (number, image) = extension.split_once('.')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !IMAGES.contains(&image) {
        return None;
    }
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_ends_at_the_first_dot_of_the_file_name() {
        assert_eq!(parse("a/b.c/d.mp4"), Some(("a/b.c/d", MemberKind::Video)));
        assert_eq!(parse("000.JPG"), Some(("000", MemberKind::Image)));
        assert_eq!(parse("k.txt"), Some(("k", MemberKind::Text)));
        assert_eq!(parse("k.json"), Some(("k", MemberKind::Json)));
        assert_eq!(parse("k.cls"), Some(("k", MemberKind::Other)));
    }

    #[test]
    fn numbered_images_are_frames() {
        assert_eq!(parse("k.007.jpg"), Some(("k", MemberKind::Frame(7))));
        assert_eq!(parse("k.00.webp"), Some(("k", MemberKind::Frame(0))));
        for other in ["k.a.b", "k..c", "k.1.d"] {
            assert_eq!(parse(other), Some(("k", MemberKind::Other)), "{other}");
        }
    }

    #[test]
    fn what_is_unknown_by_its_first_dot_may_be_known_by_its_last() {
        for (name, key, kind) in [
            ("v1.0_clip.jpg", "v1.0_clip", MemberKind::Image),
            (
                "a.b/Track 2.0 (x).TXT",
                "a.b/Track 2.0 (x)",
                MemberKind::Text,
            ),
            ("k.99999999999.jpg", "k.99999999999", MemberKind::Image),
            ("k..mp4", "k.", MemberKind::Video),
        ] {
            assert_eq!(parse(name), Some((key, kind)), "{name}");
        }
    }

    #[test]
    fn names_without_a_key_belong_to_no_sample() {
        for name in ["README", ".hidden.jpg", "a/._b.jpg", "a/", "a.b/c"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
