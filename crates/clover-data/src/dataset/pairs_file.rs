//! Pairs by the path a user gives: a manifest, annotations, or shards.

use std::path::{Path, PathBuf};

use super::annotation::{AnnotationFormat, ConvertRequest, convert, detect};
use super::items::{Items, check_caption};
use super::pair_source::PairSource;
use super::pairs::{Pair, PairsManifest};
use super::shards::{ShardOptions, ShardSet};
use super::skipped::SkippedItem;
use crate::DataError;

/// Pairs, and what was left out before any clip was opened.
#[derive(Debug, Clone)]
pub struct PairsFile {
    /// The pairs.
    pub pairs: PairSource,
    /// Rows and samples that cannot be used.
    pub skipped: Vec<SkippedItem>,
}

impl PairsFile {
    /// Opens what `path` names: a shard (`.tar`), a folder of shards or a pattern of them; an
    /// annotation file of clips and captions; or a manifest of pairs.
    ///
    /// Clips of an annotation file lie in `clips`, or beside it if that is not given; a clip with
    /// several captions makes as many pairs. `progress` hears how many of how many shards are read.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is none of these, or has no usable pair.
    pub fn open(
        path: &Path,
        clips: Option<&Path>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self, DataError> {
        if is_shards(path) {
            let shards = ShardSet::open(&[path.to_path_buf()], &ShardOptions::default(), progress)?;
            return Ok(Self {
                skipped: shards.skipped().to_vec(),
                pairs: shards.into(),
            });
        }
        if let None | Some(AnnotationFormat::Pairs) = detect(path) {
            let manifest = PairsManifest::read(path)?;
            return Ok(Self {
                pairs: manifest.pairs.into(),
                skipped: manifest.skipped,
            });
        }
        let converted = convert(&ConvertRequest::new(path))?;
        let Items::Retrieval(items) = converted.items else {
            return Err(DataError::NoCaptions {
                path: path.to_path_buf(),
            });
        };
        let beside = path.parent().unwrap_or(Path::new(""));
        let folder = clips.unwrap_or(beside);
        let (mut pairs, mut skipped) = (Vec::new(), converted.skipped);
        for (row, item) in items.into_iter().enumerate() {
            let clip: PathBuf = folder.join(&item.clip);
            for caption in item.captions {
                match check_caption(caption) {
                    Ok(caption) => pairs.push(Pair {
                        path: clip.clone(),
                        caption,
                        line: row + 1,
                    }),
                    Err(error) => skipped.push(SkippedItem::new(item.clip.clone(), &error)),
                }
            }
        }
        Ok(Self {
            pairs: pairs.into(),
            skipped,
        })
    }
}

/// Whether a path names shards: by its ending, by what the folder holds, or as a pattern.
fn is_shards(path: &Path) -> bool {
    let ends = |path: &Path| path.extension().is_some_and(|ending| ending == "tar");
    if path.is_dir() {
        let entries = path.read_dir().into_iter().flatten();
        return entries.flatten().any(|entry| ends(&entry.path()));
    }
    ends(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::shards::tar_of;
    use std::fs;

    fn open(path: &Path) -> PairsFile {
        PairsFile::open(path, None, &|_, _| ()).unwrap()
    }

    #[test]
    fn shards_manifests_and_annotations_all_are_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("pairs.csv"), "path,caption\na.gif,a cat\n").unwrap();
        let items = "{\"clip\":\"a.gif\",\"captions\":[\"a cat\",\"a pet\"]}\n";
        fs::write(path("items.jsonl"), items).unwrap();
        fs::write(
            path("0.tar"),
            tar_of(&[("a.gif", b"GIF"), ("a.txt", b"a cat")]),
        )
        .unwrap();

        let [manifest, annotations, shard, all] =
            ["pairs.csv", "items.jsonl", "0.tar", ""].map(|name| open(&path(name)).pairs);

        assert_eq!((manifest.len(), shard.len(), all.len()), (1, 1, 1));
        assert_eq!(annotations.len(), 2);
        assert_eq!(manifest.name(0), annotations.name(1));
    }

    #[test]
    fn questions_are_no_pairs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("questions.jsonl");
        let question = "{\"clip\":\"a.gif\",\"question\":\"what\",\"answers\":[\"cat\"]}\n";
        fs::write(&path, question).unwrap();

        let error = PairsFile::open(&path, None, &|_, _| ()).unwrap_err();

        assert!(error.to_string().contains("questions.jsonl"), "{error}");
    }
}
