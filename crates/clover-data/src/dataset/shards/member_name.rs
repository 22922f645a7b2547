//! What the name of a member says: which sample it belongs to and what it is of that sample.
//!
//! The key is the path up to the first dot of the file name, folders kept, as WebDataset has it;
//! names without a dot, or with nothing before it, belong to no sample.

/// Endings of films.
const VIDEOS: [&str; 8] = ["mp4", "webm", "mkv", "mov", "m4v", "avi", "mpg", "mpeg"];

/// Endings of pictures; a GIF or WebP may move.
const PICTURES: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "apng"];

/// What a member is of its sample, by the ending of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// A film, or what was taken for one; its content decides.
    Video,
    /// A picture that may stand for a clip.
    Picture,
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
    let dot = file + name[file..].find('.').filter(|&dot| dot > 0)?;
    let ending = name[dot + 1..].to_ascii_lowercase();
    Some((&name[..dot], kind(&ending)))
}

fn kind(ending: &str) -> MemberKind {
    match ending {
        "txt" => MemberKind::Text,
        "json" => MemberKind::Json,
        _ if VIDEOS.contains(&ending) => MemberKind::Video,
        _ if PICTURES.contains(&ending) => MemberKind::Picture,
        _ => frame(ending).map_or(MemberKind::Other, MemberKind::Frame),
    }
}

/// The number in `000.jpg`.
fn frame(ending: &str) -> Option<u32> {
    let (number, picture) = ending.split_once('.')?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !PICTURES.contains(&picture) {
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
        assert_eq!(parse("000.JPG"), Some(("000", MemberKind::Picture)));
        assert_eq!(parse("k.txt"), Some(("k", MemberKind::Text)));
        assert_eq!(parse("k.json"), Some(("k", MemberKind::Json)));
        assert_eq!(parse("k.cls"), Some(("k", MemberKind::Other)));
    }

    #[test]
    fn numbered_pictures_are_frames() {
        assert_eq!(parse("k.007.jpg"), Some(("k", MemberKind::Frame(7))));
        assert_eq!(parse("k.00.webp"), Some(("k", MemberKind::Frame(0))));
        for other in ["k.a.jpg", "k..jpg", "k.1.txt", "k.99999999999.jpg"] {
            assert_eq!(parse(other), Some(("k", MemberKind::Other)), "{other}");
        }
    }

    #[test]
    fn names_without_a_key_belong_to_no_sample() {
        for name in ["README", ".hidden.jpg", "a/._b.jpg", "a/", "a.b/c"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
