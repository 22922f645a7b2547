//! Where pairs of clip and caption come from: a manifest of files, or shards.

use std::ops::Range;

use super::items::Caption;
use super::pairs::Pair;
use super::shards::ShardSet;
use crate::DataError;
use crate::check::{CaptionedClip, ClipCollection};
use crate::video::ClipSource;

/// A numbered list of pairs.
#[derive(Debug, Clone)]
pub enum PairSource {
    /// Files that a manifest names.
    Manifest(Vec<Pair>),
    /// Samples of WebDataset shards.
    Shards(ShardSet),
}

/// A pair whose clip has not been opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPair {
    /// The clip.
    pub clip: ClipSource,
    /// What is said about it, with tags where they are known.
    pub caption: Caption,
}

impl From<Vec<Pair>> for PairSource {
    fn from(pairs: Vec<Pair>) -> Self {
        Self::Manifest(pairs)
    }
}

impl From<ShardSet> for PairSource {
    fn from(shards: ShardSet) -> Self {
        Self::Shards(shards)
    }
}

impl PairSource {
    /// The number of pairs.
    pub fn len(&self) -> usize {
        match self {
            Self::Manifest(pairs) => pairs.len(),
            Self::Shards(shards) => shards.len(),
        }
    }

    /// Tells whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What reports call the pair.
    pub fn name(&self, index: usize) -> String {
        match self {
            Self::Manifest(pairs) => pairs[index].name(),
            Self::Shards(shards) => shards.name(index),
        }
    }

    /// Stretches of pairs that lie together on disk.
    pub fn stretches(&self) -> Vec<Range<usize>> {
        match self {
            Self::Manifest(pairs) => std::iter::once(0..pairs.len()).collect(),
            Self::Shards(shards) => shards.stretches(),
        }
    }

    /// Finds the clip and reads the caption.
    ///
    /// # Errors
    ///
    /// When the shard cannot be read or the caption cannot be used; whether the clip can be is
    /// only known when it is opened.
    pub fn read(&self, index: usize) -> Result<ReadPair, DataError> {
        match self {
            Self::Manifest(pairs) => {
                let pair = &pairs[index];
                Ok(ReadPair {
                    clip: ClipSource::Path(pair.path.clone()),
                    caption: pair.caption.clone(),
                })
            }
            Self::Shards(shards) => shards.read(index),
        }
    }
}

impl ClipCollection for PairSource {
    fn len(&self) -> usize {
        self.len()
    }

    fn name(&self, index: usize) -> String {
        self.name(index)
    }

    fn read(&self, index: usize) -> Result<CaptionedClip, DataError> {
        let pair = self.read(index)?;
        Ok(CaptionedClip {
            clip: pair.clip,
            captions: vec![pair.caption.text().to_owned()],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::shards::tar_of;
    use crate::dataset::{
        BatchLoader, ClipReading, EpochOrder, LoaderConfig, PairsManifest, Position,
        PretrainingDataset, PretrainingDatasetConfig, RetrievalDataset, RetrievalDatasetConfig,
        SampleSource, ShardOptions, Share,
    };
    use crate::masking::TextMasking;
    use crate::synthetic::{SyntheticFiles, SyntheticSetConfig, write_synthetic_set};
    use crate::text::WordPieceTokenizer;
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};
    use std::path::Path;

    const SET: SyntheticSetConfig = SyntheticSetConfig {
        train_clips: 12,
        held_out_clips: 0,
        frames: 4,
        size: 32,
        seed: 6,
    };

    /// The same pairs as files and in shards of three.
    fn sources(folder: &Path) -> (SyntheticFiles, PairSource, PairSource) {
        let files = write_synthetic_set(&SET, folder).unwrap();
        let pairs = PairsManifest::read(&files.train).unwrap().pairs;
        for (shard, pairs) in pairs.chunks(3).enumerate() {
            let named: Vec<_> = pairs
                .iter()
                .map(|pair| {
                    let stem = pair.path.file_stem().unwrap().to_str().unwrap();
                    let clip = std::fs::read(&pair.path).unwrap();
                    (
                        format!("{stem}.gif"),
                        format!("{stem}.txt"),
                        clip,
                        &pair.caption,
                    )
                })
                .collect();
            let members: Vec<(&str, &[u8])> = named
                .iter()
                .flat_map(|(gif, txt, clip, caption)| {
                    [(&**gif, &**clip), (&**txt, caption.text().as_bytes())]
                })
                .collect();
            let path = folder.join(format!("{shard}.tar"));
            std::fs::write(path, tar_of(&members)).unwrap();
        }
        let given = [folder.to_path_buf()];
        let shards = ShardSet::open(&given, &ShardOptions::default(), &|_, _| ()).unwrap();
        (files, pairs.into(), shards.into())
    }

    fn reading() -> ClipReading {
        ClipReading {
            sampling: FrameSampling::train_frames(2),
            pixels: PixelPipeline::train_video(28),
            limits: DecodeLimits::default(),
        }
    }

    fn pretraining(files: &SyntheticFiles, source: PairSource) -> PretrainingDataset {
        let tokenizer = WordPieceTokenizer::from_vocab_file(&files.vocabulary).unwrap();
        let config = PretrainingDatasetConfig {
            clip: reading(),
            text_len: 20,
            region_target: 10,
            text_masking: TextMasking::default(),
            seed: 5,
        };
        PretrainingDataset::new(source, tokenizer, config).unwrap()
    }

    #[test]
    fn a_pair_is_the_same_from_a_file_and_from_a_shard() {
        let folder = tempfile::tempdir().unwrap();
        let (files, manifest, shards) = sources(folder.path());
        let read = |source: PairSource| {
            let tokenizer = WordPieceTokenizer::from_vocab_file(&files.vocabulary).unwrap();
            let config = RetrievalDatasetConfig {
                clip: reading(),
                text_len: 20,
                seed: 1,
            };
            let dataset = RetrievalDataset::new(source, tokenizer, config).unwrap();
            let sample = dataset.read(3, 7).unwrap();
            (sample.clip, sample.token_ids, sample.caption)
        };

        assert_eq!(manifest.len(), shards.len());
        assert_eq!(
            manifest.stretches(),
            std::iter::once(0..12).collect::<Vec<_>>()
        );
        assert_eq!(shards.stretches(), [0..3, 3..6, 6..9, 9..12]);
        assert!(shards.name(7).ends_with("2.tar/train-00007"));
        assert_eq!(read(manifest), read(shards));
    }

    #[test]
    fn ranks_pre_train_on_their_own_shards_and_resume_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let (files, _, shards) = sources(folder.path());
        let names = |rank, start| {
            let dataset = pretraining(&files, shards.clone());
            let shared = Share { rank, world: 2 }.of(dataset).unwrap();
            let config = LoaderConfig {
                order: EpochOrder::ShuffledByShard { seed: 9, buffer: 4 },
                ..LoaderConfig::training(2, 9)
            };
            let mut loader = BatchLoader::new(shared, config).unwrap();
            let batches = loader.epoch(start).unwrap().map(Result::unwrap);
            let named = batches.map(|batch| {
                let names = batch.samples.into_iter().map(|sample| sample.name);
                (names.collect::<Vec<_>>(), batch.next)
            });
            named.collect::<Vec<_>>()
        };
        let start = Position { epoch: 2, item: 0 };

        let [first, second] = [0, 1].map(|rank| names(rank, start));

        assert_eq!((first.len(), second.len()), (3, 3));
        let mut all: Vec<_> = [&first, &second]
            .into_iter()
            .flatten()
            .flat_map(|(names, _)| names.clone())
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 12);
        assert!(
            first
                .iter()
                .flat_map(|(names, _)| names)
                .all(|name| { name.contains("0.tar/") || name.contains("2.tar/") })
        );
        assert_eq!(names(0, first[0].1), first[1..]);
    }
}
