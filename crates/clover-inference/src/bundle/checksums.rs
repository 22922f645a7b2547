//! A checksum for each file of a bundle: its `checksums.txt`, which `b3sum --check` reads too.
//!
//! They tell a damaged bundle from a whole one, and one bundle from another.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use blake3::Hash;
use clover_data::files::open_regular;
use clover_data::text::Tokenizer;

use super::neutral::NEUTRAL;
use super::{ANSWERS, CONFIG, PREPROCESSING, WEIGHTS, write_whole};
use crate::InferenceError;

pub(super) const CHECKSUMS: &str = "checksums.txt";
/// Bytes of a list of checksums, at most: a dozen lines.
const LONGEST: u64 = 1 << 16;

const WORD_PIECES: &str = Tokenizer::FILES[0];
const NORMALIZATION: &str = Tokenizer::FILES[1];
const BYTE_PAIRS: &str = Tokenizer::FILES[2];

/// The files that are checked, the large one last.
const CHECKED: [&str; 8] = [
    CONFIG,
    WORD_PIECES,
    NORMALIZATION,
    BYTE_PAIRS,
    PREPROCESSING,
    ANSWERS,
    NEUTRAL,
    WEIGHTS,
];
/// What decides a bundle's results, and of these what no bundle is without.
const DECISIVE: [&str; 7] = [
    CONFIG,
    WEIGHTS,
    WORD_PIECES,
    NORMALIZATION,
    PREPROCESSING,
    ANSWERS,
    BYTE_PAIRS,
];
const NEEDED: [&str; 3] = [CONFIG, WEIGHTS, PREPROCESSING];

type Checksums = BTreeMap<String, Hash>;

/// The checksum of all that decides a bundle's results: BLAKE3 of its sizes, weights, word pieces,
/// preprocessing and answers, in hexadecimal. Taken from its list of checksums, which
/// [`Bundle::read`](crate::Bundle::read) holds the files to, or from the files where it has none.
///
/// # Errors
///
/// A file cannot be read.
pub fn bundle_checksum(folder: &Path) -> Result<String, InferenceError> {
    let listed = read(folder)?;
    let mut hasher = blake3::Hasher::new();
    for name in DECISIVE {
        let known = listed.as_ref().and_then(|listed| listed.get(name).copied());
        let hash = match known {
            Some(hash) => Some(hash),
            None => hash_of(folder, name)?,
        };
        match hash {
            Some(hash) => hasher.update(hash.as_bytes()),
            None if !NEEDED.contains(&name) => continue,
            None => {
                return Err(InferenceError::File {
                    path: folder.join(name),
                    source: io::Error::from(ErrorKind::NotFound),
                });
            }
        };
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Whether a bundle has a list of checksums. The files of one that was made by hand have none, and are
/// taken as they are.
#[must_use]
pub fn has_checksums(folder: &Path) -> bool {
    folder.join(CHECKSUMS).exists()
}

/// Holds the files of a bundle to their checksums, where it has a list of these.
///
/// # Errors
///
/// A file is missing, was changed, or came after the list.
pub(super) fn check(folder: &Path) -> Result<(), InferenceError> {
    let Some(listed) = read(folder)? else {
        return Ok(());
    };
    for name in CHECKED {
        let fault = match (listed.get(name), hash_of(folder, name)?) {
            (Some(listed), Some(found)) if *listed == found => continue,
            (None, None) => continue,
            (Some(_), Some(_)) => "is not the file that this bundle was written with",
            (Some(_), None) => "is missing",
            (None, Some(_)) => "was put into this bundle later",
        };
        return Err(InferenceError::Damaged {
            path: folder.join(name),
            fault: format!(
                "{fault}, says {CHECKSUMS} beside it; take the bundle from where it came again, or remove \
                 {CHECKSUMS} if you changed it on purpose"
            ),
        });
    }
    Ok(())
}

/// Lists the checksums of all files of a bundle that was written.
///
/// # Errors
///
/// A file cannot be read, or the list not be written.
pub(crate) fn seal(folder: &Path) -> Result<(), InferenceError> {
    let mut listed = Checksums::new();
    for name in CHECKED {
        if let Some(hash) = hash_of(folder, name)? {
            listed.insert(name.to_owned(), hash);
        }
    }
    write(folder, &listed)
}

/// Lists the checksum of a file that was put into a bundle anew, if that has a list.
///
/// # Errors
///
/// The file or the list cannot be read, or the list not be written.
pub(super) fn seal_file(folder: &Path, name: &str) -> Result<(), InferenceError> {
    let Some(mut listed) = read(folder)? else {
        return Ok(());
    };
    if let Some(hash) = hash_of(folder, name)? {
        listed.insert(name.to_owned(), hash);
    }
    write(folder, &listed)
}

fn write(folder: &Path, listed: &Checksums) -> Result<(), InferenceError> {
    let lines = listed.iter();
    let lines: String = lines
        .map(|(name, hash)| format!("{hash}  {name}\n"))
        .collect();
    write_whole(&folder.join(CHECKSUMS), lines.as_bytes())
}

fn read(folder: &Path) -> Result<Option<Checksums>, InferenceError> {
    let path = folder.join(CHECKSUMS);
    let Some(file) = open(&path)? else {
        return Ok(None);
    };
    let mut text = String::new();
    if let Err(source) = file.take(LONGEST).read_to_string(&mut text) {
        return Err(InferenceError::File { path, source });
    }
    let mut listed = Checksums::new();
    for (line, number) in text.lines().zip(1..) {
        let entry = line.split_once("  ");
        let entry = entry.and_then(|(hash, name)| Some((Hash::from_hex(hash).ok()?, name)));
        let Some((hash, name)) = entry else {
            let fault = format!("line {number} is no checksum and name, as `b3sum` writes them");
            return Err(InferenceError::Damaged { path, fault });
        };
        listed.insert(name.to_owned(), hash);
    }
    Ok(Some(listed))
}

fn hash_of(folder: &Path, name: &str) -> Result<Option<Hash>, InferenceError> {
    hash_of_file(&folder.join(name))
}

/// The checksum of a file; none where there is none.
pub(crate) fn hash_of_file(path: &Path) -> Result<Option<Hash>, InferenceError> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    let mut hasher = blake3::Hasher::new();
    match hasher.update_reader(file) {
        Ok(_) => Ok(Some(hasher.finalize())),
        Err(source) => Err(InferenceError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Opens a file; none where there is none.
fn open(path: &Path) -> Result<Option<File>, InferenceError> {
    match open_regular(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(InferenceError::File {
            path: path.to_owned(),
            source,
        }),
        Ok(file) => Ok(Some(file)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::write as write_small;
    use super::*;
    use crate::{Answers, Bundle, NeutralTexts, TestBackend, start_from_bundle};
    use clover_data::video::ChannelOrder;

    /// A small bundle with every file that there can be.
    fn complete() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let device = Default::default();
        write_small(folder.path());
        let mut small = opened(folder.path()).unwrap();
        let answers = Answers::OpenEnded {
            answers: vec!["red".to_owned(), "blue".to_owned()],
        };
        let head = answers.head().init(small.config.text.width(), &device);
        small.answers = Some((answers, head));
        small.write(folder.path()).unwrap();
        let neutral = NeutralTexts {
            texts: vec!["a circle".to_owned()],
            own_scores: vec![0.5],
        };
        neutral.write(folder.path()).unwrap();
        folder
    }

    fn opened(folder: &Path) -> Result<Bundle<TestBackend>, InferenceError> {
        Bundle::read(folder, &Default::default())
    }

    fn refused(folder: &Path) -> String {
        opened(folder).unwrap_err().to_string()
    }

    #[test]
    fn every_file_is_listed_and_a_flipped_bit_in_any_is_refused_by_name() {
        let folder = complete();
        let folder = folder.path();
        opened(folder).unwrap();
        let listed = read(folder).unwrap().unwrap();
        // Byte pairs are in the place of word pieces.
        let there: Vec<_> = CHECKED
            .into_iter()
            .filter(|name| *name != BYTE_PAIRS)
            .collect();
        assert_eq!(listed.len(), there.len());

        for name in there {
            let path = folder.join(name);
            let whole = fs::read(&path).unwrap();
            for part in 0..20 {
                let mut damaged = whole.clone();
                damaged[part * (whole.len() - 1) / 19] ^= 1 << (part % 8);
                fs::write(&path, &damaged).unwrap();

                let error = refused(folder);

                assert!(
                    error.contains(&path.display().to_string()),
                    "{name}: {error}"
                );
                assert!(error.contains(CHECKSUMS), "{error}");
            }
            fs::write(&path, &whole).unwrap();
        }
        opened(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_gone_or_came_later_is_refused_by_name() {
        let folder = complete();
        let path = folder.path().join(ANSWERS);
        let answers = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(refused(folder.path()).contains("answers.json: is damaged: is missing"));
        seal(folder.path()).unwrap();

        fs::write(&path, answers).unwrap();

        let error = refused(folder.path());
        assert!(
            error.contains("answers.json: is damaged: was put into"),
            "{error}"
        );
    }

    #[test]
    fn a_bundle_without_checksums_is_taken_as_it_is_but_for_weights_left_over() {
        let folder = complete();
        let folder = folder.path();
        let config = folder.join(CONFIG);
        fs::remove_file(folder.join(CHECKSUMS)).unwrap();
        assert!(!has_checksums(folder));
        opened(folder).unwrap();
        let mut fewer: serde_json::Value =
            serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        assert_eq!(fewer["video"]["depths"][0], 2);
        fewer["video"]["depths"][0] = 1.into();
        fs::write(&config, fewer.to_string()).unwrap();

        let error = refused(folder);

        assert!(
            error.contains(WEIGHTS) && error.contains("unused: video_encoder."),
            "{error}"
        );
        let sizes = super::super::read_config(folder).unwrap();
        let (channels, device) = (ChannelOrder::default(), Default::default());
        let started = start_from_bundle::<TestBackend>(folder, &sizes, channels, &device);
        assert!(
            started
                .unwrap_err()
                .to_string()
                .contains("unused: video_encoder.")
        );
    }

    #[test]
    fn a_model_starts_from_a_bundle_that_answers_questions_but_not_from_a_damaged_one() {
        let folder = complete();
        let sizes = super::super::read_config(folder.path()).unwrap();
        let start = || {
            let channels = ChannelOrder::default();
            start_from_bundle::<TestBackend>(folder.path(), &sizes, channels, &Default::default())
        };
        start().unwrap();

        fs::write(folder.path().join(WORD_PIECES), "[PAD]\n").unwrap();

        assert!(start().unwrap_err().to_string().contains(WORD_PIECES));
    }

    #[test]
    fn a_bundle_is_known_by_all_that_decides_its_results() {
        let folder = complete();
        let folder = folder.path();
        let listed = bundle_checksum(folder).unwrap();
        fs::remove_file(folder.join(CHECKSUMS)).unwrap();

        // From the files themselves it is the same.
        assert_eq!(bundle_checksum(folder).unwrap(), listed);
        for name in DECISIVE.into_iter().filter(|name| *name != BYTE_PAIRS) {
            let path = folder.join(name);
            let whole = fs::read(&path).unwrap();
            fs::write(&path, [whole.as_slice(), b" "].concat()).unwrap();
            assert_ne!(bundle_checksum(folder).unwrap(), listed, "{name}");
            fs::write(&path, whole).unwrap();
        }
        fs::write(folder.join(NEUTRAL), "{}").unwrap();
        assert_eq!(bundle_checksum(folder).unwrap(), listed);
        fs::remove_file(folder.join(CONFIG)).unwrap();
        assert!(
            bundle_checksum(folder)
                .unwrap_err()
                .to_string()
                .contains(CONFIG)
        );
    }

    #[test]
    fn a_list_that_is_none_is_refused_by_its_line() {
        let folder = complete();
        let path = folder.path().join(CHECKSUMS);
        let whole = fs::read_to_string(&path).unwrap();

        fs::write(&path, format!("{whole}what  this\n")).unwrap();

        let error = refused(folder.path());
        assert!(
            error.contains(CHECKSUMS) && error.contains("line 8"),
            "{error}"
        );
    }
}
