//! The set as files on disk: animated GIFs, csv manifests, a vocabulary.

use std::fs;
use std::path::{Path, PathBuf};

use super::gif::encode_gif;
use super::render::render;
use super::split::{SyntheticClip, SyntheticSet, SyntheticSetConfig};
use super::vocabulary::vocabulary;
use super::whole_file::write_renamed;
use crate::DataError;

/// The folder of the clips inside the folder of the set.
const CLIPS: &str = "clips";

/// Where the files of a set are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntheticFiles {
    /// The manifest of the clips to train on.
    pub train: PathBuf,
    /// The manifest of the clips held out.
    pub held_out: PathBuf,
    /// The vocabulary of the captions.
    pub vocabulary: PathBuf,
}

/// Draws a set and writes it into `folder`, which is created where it is missing.
///
/// Every file is written under a temporary name and then renamed, the manifests last: a manifest
/// that exists names clips that are whole. The same configuration gives the same bytes.
///
/// # Errors
///
/// When the configuration is invalid or a file cannot be written.
pub fn write_synthetic_set(
    config: &SyntheticSetConfig,
    folder: impl AsRef<Path>,
) -> Result<SyntheticFiles, DataError> {
    let folder = folder.as_ref();
    let set = SyntheticSet::plan(config)?;
    let clips = folder.join(CLIPS);
    fs::create_dir_all(&clips).map_err(|source| DataError::Write {
        path: clips.clone(),
        source,
    })?;
    let all: Vec<_> = set.train.iter().chain(&set.held_out).collect();
    write_clips(&all, config, &clips)?;

    let files = SyntheticFiles {
        train: folder.join("train.csv"),
        held_out: folder.join("held_out.csv"),
        vocabulary: folder.join("vocab.txt"),
    };
    let lines = vocabulary().join("\n") + "\n";
    write_renamed(&files.vocabulary, lines.as_bytes())?;
    write_renamed(&files.held_out, &manifest(&set.held_out))?;
    write_renamed(&files.train, &manifest(&set.train))?;
    Ok(files)
}

fn write_clips(
    clips: &[&SyntheticClip],
    config: &SyntheticSetConfig,
    folder: &Path,
) -> Result<(), DataError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = clips.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = clips
            .chunks(share)
            .map(|part| {
                scope.spawn(move || {
                    part.iter().try_for_each(|clip| {
                        let frames = render(&clip.scene, config.frames, config.size);
                        let gif = encode_gif(&frames, config.size, &clip.file)?;
                        write_renamed(&folder.join(&clip.file), &gif)
                    })
                })
            })
            .collect();
        parts.into_iter().try_for_each(|part| {
            part.join().unwrap_or_else(|_| {
                Err(DataError::ReaderPanicked {
                    name: folder.display().to_string(),
                })
            })
        })
    })
}

/// A csv manifest; the attributes follow as columns that readers of pairs leave alone.
fn manifest(clips: &[SyntheticClip]) -> Vec<u8> {
    let mut lines = String::from("path,caption,color,shape,size,direction\n");
    for clip in clips {
        let attributes = clip.scene.attributes;
        // Neither the captions nor the names hold a comma or a quote.
        let row = format!(
            "{CLIPS}/{},{},{:?},{:?},{:?},{:?}\n",
            clip.file,
            clip.caption,
            attributes.color,
            attributes.shape,
            attributes.size,
            attributes.direction,
        );
        lines.push_str(&row.to_lowercase());
    }
    lines.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::ClipTable;
    use crate::text::WordPieceTokenizer;

    const CONFIG: SyntheticSetConfig = SyntheticSetConfig {
        train_clips: 6,
        held_out_clips: 3,
        frames: 4,
        size: 32,
        seed: 5,
    };

    #[test]
    fn the_written_set_reads_back() {
        let folder = tempfile::tempdir().unwrap();

        let files = write_synthetic_set(&CONFIG, folder.path()).unwrap();

        let open = |path| ClipTable::open(path, None, &|_, _| ()).unwrap();
        let (train, held_out) = (open(&files.train), open(&files.held_out));
        let plan = SyntheticSet::plan(&CONFIG).unwrap();
        assert_eq!((train.len(), held_out.len()), (6, 3));
        assert!(train.skipped().is_empty());
        assert_eq!(held_out.texts(2).all(), [&plan.held_out[2].caption]);
        assert!((0..6).all(|row| fs::exists(train.name(row)).unwrap()));
        WordPieceTokenizer::from_vocab_file(&files.vocabulary).unwrap();
        let leftover = fs::read_dir(folder.path().join(CLIPS)).unwrap().count();
        assert_eq!(leftover, 9);
    }

    #[test]
    fn the_same_seed_writes_the_same_bytes() {
        let write = |config: &SyntheticSetConfig| {
            let folder = tempfile::tempdir().unwrap();
            let files = write_synthetic_set(config, folder.path()).unwrap();
            let clip = fs::read(folder.path().join("clips/train-00003.gif")).unwrap();
            (fs::read(files.train).unwrap(), clip)
        };

        assert_eq!(write(&CONFIG), write(&CONFIG));
        assert_ne!(
            write(&CONFIG),
            write(&SyntheticSetConfig { seed: 6, ..CONFIG })
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();

        let message = write_synthetic_set(&CONFIG, &file).unwrap_err().to_string();

        assert!(message.contains("file"), "{message}");
    }
}
