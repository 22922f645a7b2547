//! What an index is made of: folders, lists and shards, and how each is read.

use std::path::{Path, PathBuf};

use clover_data::DataError;
use clover_data::dataset::{ClipTable, ConvertRequest};
use serde::{Deserialize, Serialize};

/// A folder, list or shards, and how it is read: a later update reads it in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibrarySource {
    /// Where relative paths of a list start; in its own folder if not given.
    #[serde(default)]
    pub videos: Option<PathBuf>,
    /// The folder, list or shards, and what is chosen of it.
    pub list: ConvertRequest,
    /// Where the paths of its clips begin, as the last update found it.
    #[serde(default)]
    pub(super) folder: PathBuf,
}

impl LibrarySource {
    /// A folder, list or shards of which nothing more is said.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self {
            videos: None,
            list: ConvertRequest::new(path),
            folder: PathBuf::new(),
        }
    }

    /// The folder, list or shards.
    pub fn path(&self) -> &Path {
        &self.list.annotation
    }

    /// Opens its clips. `progress` hears how many of how many shards are read.
    ///
    /// # Errors
    ///
    /// As [`ClipTable::open_as`].
    pub fn open(&self, progress: &dyn Fn(usize, usize)) -> Result<ClipTable, DataError> {
        ClipTable::open_as(&self.list, self.videos.as_deref(), progress)
    }

    /// Where a clip lies whose path begins in the folder of this source.
    pub(super) fn join(&self, clip: &str) -> PathBuf {
        match self.folder.as_os_str().is_empty() {
            // Samples of shards are named beside them; a clip by itself has its whole path.
            true => self.path().parent().unwrap_or(Path::new("")).join(clip),
            false => self.folder.join(clip),
        }
    }

    /// Whether both are the same clips, though one may be told to lie elsewhere.
    pub fn is_same_list(&self, other: &Self) -> bool {
        (self.path(), &self.list.split) == (other.path(), &other.list.split)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use clover_data::dataset::{PackConfig, PackFrames, pack};

    use super::super::tests::{embedder, library, settings};
    use super::super::{IndexEvent, IndexWriter, UpdateOptions, VideoIndex};
    use super::*;

    #[test]
    fn the_clips_of_a_list_that_lie_elsewhere_are_found_again() {
        let root = tempfile::tempdir().unwrap();
        let (videos, list) = (root.path().join("videos"), root.path().join("list.jsonl"));
        library(&videos);
        fs::write(
            &list,
            r#"{"clip": "more/footage.gif", "captions": ["a video"]}"#,
        )
        .unwrap();
        let index = root.path().join("index");
        let mut writer = IndexWriter::open(&index, &settings(&embedder())).unwrap();
        let update = |writer: &mut IndexWriter, source: LibrarySource| {
            let clips = source.open(&|_, _| ()).unwrap();
            let opened = writer.source(source, clips).unwrap();
            let go_on = &mut |_: IndexEvent<'_>| ControlFlow::Continue(());
            writer
                .update(
                    &embedder(),
                    &[opened],
                    &UpdateOptions::new(1, &[]).unwrap(),
                    go_on,
                )
                .unwrap()
        };
        // Told first to lie where they do not: what is said last counts.
        let wrong = update(&mut writer, LibrarySource::of(&list));

        let mut source = LibrarySource::of(&list);
        source.videos = Some(videos.clone());
        let first = update(&mut writer, source);
        let known = writer.settings().sources[0].clone();
        let again = update(&mut writer, known);

        assert_eq!((wrong.broken, first.embedded, again.unchanged), (1, 1, 1));
        let opened = VideoIndex::open(&index).unwrap();
        assert_eq!(opened.settings().sources.len(), 1);
        let record = opened.library().records().next().unwrap();
        assert_eq!(opened.path_of(&record.key), videos.join("more/footage.gif"));
        assert!(opened.open_clip(&record.key).is_ok());
    }
    #[test]
    fn shards_are_looked_through_once_for_all_their_samples() {
        let root = tempfile::tempdir().unwrap();
        let (videos, shards) = (root.path().join("videos"), root.path().join("shards"));
        library(&videos);
        let list = videos.join("list.jsonl");
        let lines =
            ["a.gif", "b.gif"].map(|clip| format!(r#"{{"clip": "{clip}", "captions": ["red"]}}"#));
        fs::write(&list, lines.join("\n")).unwrap();
        let table = ClipTable::open(&list, None, &|_, _| ()).unwrap();
        let config = PackConfig::new(PackFrames::Evenly(2));
        let stop = AtomicBool::new(false);
        pack(&table, &config, &shards, &|_| (), &stop).unwrap();
        let index = root.path().join("index");
        let mut writer = IndexWriter::open(&index, &settings(&embedder())).unwrap();
        let shard = LibrarySource::of(shards.join("000000.tar"));
        let source = writer
            .source(shard.clone(), shard.open(&|_, _| ()).unwrap())
            .unwrap();
        let (options, go_on) = (UpdateOptions::new(1, &[]).unwrap(), |_: IndexEvent<'_>| {
            ControlFlow::Continue(())
        });
        writer
            .update(&embedder(), &[source], &options, &mut { go_on })
            .unwrap();
        let opened = VideoIndex::open(&index).unwrap();
        let clips: Vec<_> = opened
            .library()
            .records()
            .map(|one| one.key.clone())
            .collect();
        let [first, second] = clips.as_slice() else {
            panic!("{clips:?}")
        };
        let looked_through = || opened.opened.lock().unwrap().get(&0).cloned().unwrap();

        assert!(opened.open_clip(first).is_ok());
        let samples = looked_through();
        assert!(opened.open_clip(second).is_ok());

        assert!(Arc::ptr_eq(&samples, &looked_through()));
    }
}
