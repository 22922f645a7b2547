//! A table from the path that a user gives: a list of any form, shards, a folder of clips, or one clip.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::annotation::{AnnotationFormat, ConvertRequest, convert_to_table};
use super::clip_rows::Files;
use super::clip_table::{ClipTable, Texts};
use super::pairs::each_pair;
use super::shards::{MAX_TEXT_BYTES, Refusal, ShardOptions, ShardSet, texts_of};
use super::skipped::{SkippedItem, SkippedRows};
use crate::DataError;
use crate::files::read_regular;

/// Extensions of the files in a folder that are taken for clips; their content decides what they are.
const EXTENSIONS: [&str; 30] = [
    "3g2", "3gp", "apng", "asf", "avi", "flv", "gif", "jpeg", "jpg", "m2ts", "m4v", "mkv", "mov",
    "mp4", "mpeg", "mpg", "mts", "mxf", "ogg", "ogv", "png", "qt", "rm", "rmvb", "ts", "vob",
    "webm", "webp", "wmv", "y4m",
];

/// Folders deeper than this are not looked into: links may lead round in circles.
const MAX_DEPTH: usize = 32;

impl ClipTable {
    /// Opens what `path` names: a shard (`.tar`), a folder of shards or a pattern of them; a manifest or
    /// an annotation file; a folder of clips, in which `clip.txt` or `clip.json` beside `clip.mp4` says
    /// what goes with it; or a single clip.
    ///
    /// Relative paths of a list start at `clips`, or at the list's folder if that is not given. `progress`
    /// hears how many of how many shards are read.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is none of these, or has no usable row.
    pub fn open(
        path: &Path,
        clips: Option<&Path>,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, DataError> {
        Self::open_as(&ConvertRequest::new(path), clips, progress)
    }

    /// As [`open`](Self::open), where an annotation file is read as the request says.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); or an option does not fit the file.
    pub fn open_as(
        request: &ConvertRequest,
        clips: Option<&Path>,
        progress: &dyn Fn(usize, usize),
    ) -> Result<Self, DataError> {
        let path = &request.annotation;
        if is_shards(path) {
            let shards = ShardSet::open(
                std::slice::from_ref(path),
                &ShardOptions::default(),
                progress,
            )?;
            return Ok(shards.into());
        }
        if path.is_dir() {
            return Self::of_folder(path);
        }
        if is_clip(path) {
            let mut files = Files::in_folder("", true);
            files.push(None, (name_of(path)?, None), &Texts::None);
            return Ok(files.into());
        }
        let beside = path.parent().unwrap_or(Path::new(""));
        let folder = clips.unwrap_or(beside);
        match request.format_of_file()? {
            AnnotationFormat::Pairs => Self::of_manifest(request, folder),
            format => convert_to_table((request, format), folder),
        }
    }

    /// The pairs of a manifest, whose paths may lead anywhere.
    fn of_manifest(request: &ConvertRequest, folder: &Path) -> Result<Self, DataError> {
        let (mut files, mut skipped) = (Files::in_folder(folder, true), SkippedRows::default());
        let path = &request.annotation;
        each_pair(path, &request.columns, &mut |row, pair| match pair {
            Ok((clip, caption)) => files.push(None, clip, &Texts::Captions(vec![caption])),
            Err(fault) => skipped.push(path, row, fault),
        })?;
        let files = Some(files).filter(|files| files.len() > 0);
        let (files, skipped) = skipped.beside(files, path)?;
        Ok(Self::from(files.joined()).with_skipped(skipped))
    }

    /// The clips of a folder and of the folders within it, by name; hidden files are passed over. A folder
    /// with a text beside it, `clip/` and `clip.txt`, is one clip of numbered images.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read, or there is no clip.
    pub fn of_folder(folder: &Path) -> Result<Self, DataError> {
        let mut found = Found::default();
        found.walk(folder, 0)?;
        found.clips.sort();
        let mut files = Files::in_folder(folder, true);
        let mut skipped = Vec::new();
        for clip in found.clips {
            let row = texts_beside(&clip).and_then(|texts| {
                let below = clip.strip_prefix(folder).unwrap_or(&clip);
                files.push(None, (name_of(below)?, None), &texts);
                Ok(())
            });
            if let Err(error) = row {
                skipped.push(SkippedItem::new(clip.display().to_string(), &error));
            }
        }
        let table = Self::from(files).with_skipped(skipped);
        if table.is_empty() {
            return Err(DataError::NoClips {
                path: folder.to_path_buf(),
                others: found.others,
            });
        }
        Ok(table)
    }
}

/// What a folder holds.
#[derive(Default)]
struct Found {
    clips: Vec<PathBuf>,
    others: usize,
}

impl Found {
    fn walk(&mut self, folder: &Path, depth: usize) -> Result<(), DataError> {
        let unreadable = |source| DataError::Read {
            path: folder.to_path_buf(),
            source,
        };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if path.is_dir() && beside(&path).iter().any(|text| text.is_file()) {
                // A folder of images that are one clip.
                self.clips.push(path);
            } else if path.is_dir() {
                if depth < MAX_DEPTH {
                    self.walk(&path, depth + 1)?;
                }
            } else if is_clip(&path) {
                self.clips.push(path);
            } else {
                self.others += 1;
            }
        }
        Ok(())
    }
}

/// The json and the text that belong to a clip; the name of a folder has no extension.
fn beside(clip: &Path) -> [PathBuf; 2] {
    ["json", "txt"].map(|extension| match clip.is_dir() {
        true => {
            let mut name = clip.as_os_str().to_owned();
            name.push(format!(".{extension}"));
            name.into()
        }
        false => clip.with_extension(extension),
    })
}

/// What `clip.json` or `clip.txt` says about `clip.mp4`.
fn texts_beside(clip: &Path) -> Result<Texts, DataError> {
    let [json, text] = beside(clip);
    let (json, text) = (read_beside(&json)?, read_beside(&text)?);
    if json.is_none() && text.is_none() {
        return Ok(Texts::None);
    }
    let refused = |refusal| match refusal {
        Refusal::Text(source) => DataError::TextBeside {
            path: clip.to_path_buf(),
            source,
        },
        Refusal::Status(status) => DataError::NotFetched {
            path: clip.to_path_buf(),
            status,
        },
    };
    texts_of(json.as_deref(), text.as_deref()).map_err(refused)
}

fn read_beside(path: &Path) -> Result<Option<Vec<u8>>, DataError> {
    let failed = |source| DataError::Read {
        path: path.to_path_buf(),
        source,
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // No text, then.
        Ok(about) if !about.is_file() => return Ok(None),
        Err(_) | Ok(_) => {}
    }
    read_regular(path, MAX_TEXT_BYTES).map(Some).map_err(failed)
}

/// A path as a table holds it.
pub(super) fn name_of(path: &Path) -> Result<&str, DataError> {
    path.to_str().ok_or_else(|| DataError::Read {
        path: path.to_path_buf(),
        source: std::io::Error::other("its name is not UTF-8"),
    })
}

fn is_clip(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EXTENSIONS.contains(&&*extension.to_ascii_lowercase()))
}

/// Whether a path names shards: by its extension, by what the folder holds, or as a pattern.
fn is_shards(path: &Path) -> bool {
    let ends = |path: &Path| path.extension().is_some_and(|extension| extension == "tar");
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
    use crate::dataset::{
        BatchLoader, ClipDataset, ClipReading, EpochOrder, ItemsTask, LoaderConfig, Masked,
        Position, PretrainingDataset, SampleReading, SampleSource,
    };
    use crate::masking::TextMasking;
    use crate::text::Tokenizer;
    use crate::video::{DecodeLimits, FrameSampling, PixelPipeline};
    use clover_synthetic::{BenchmarkConfig, BenchmarkFiles, write_benchmark};
    use std::fs;

    fn open(path: &Path) -> ClipTable {
        ClipTable::open(path, None, &|_, _| ()).unwrap()
    }

    #[test]
    fn shards_manifests_and_annotations_all_are_tables() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(
            path("pairs.csv"),
            "path,caption\na.gif,a cat\na.gif,a pet\n",
        )
        .unwrap();
        let items = "{\"clip\":\"a.gif\",\"captions\":[\"a cat\",\"a pet\"]}\n";
        fs::write(path("items.jsonl"), items).unwrap();
        let json = br#"{"caption":["a cat","a pet"]}"#;
        fs::write(
            path("0.tar"),
            tar_of(&[("a.gif", b"GIF"), ("a.json", json)]),
        )
        .unwrap();

        let tables = ["pairs.csv", "items.jsonl", "0.tar", ""].map(|name| open(&path(name)));

        for table in tables {
            assert_eq!(table.len(), 1);
            assert_eq!(table.read(0).unwrap().texts.all(), ["a cat", "a pet"]);
        }
    }

    #[test]
    fn relative_paths_of_any_list_start_at_the_folder_of_clips() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a.csv"), "path,caption\na.gif,a cat\n/b.gif,a dog\n").unwrap();
        let pair = "{\"path\":\"a.gif\",\"caption\":\"a cat\"}\n";
        fs::write(path("b.jsonl"), pair).unwrap();
        let item = "{\"clip\":\"a.gif\",\"captions\":[\"a cat\"]}\n";
        fs::write(path("c.jsonl"), item).unwrap();

        for list in ["a.csv", "b.jsonl", "c.jsonl"] {
            let table = ClipTable::open(&path(list), Some(Path::new("videos")), &|_, _| ());
            let table = table.unwrap();

            assert_eq!(table.file(0), Path::new("videos/a.gif"), "{list}");
            assert_eq!(open(&path(list)).file(0), path("a.gif"), "{list}");
            if table.len() > 1 {
                assert_eq!(table.file(1), Path::new("/b.gif"));
            }
        }
    }

    #[test]
    fn chosen_columns_make_a_manifest_of_what_looks_like_an_annotation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.csv");
        fs::write(&path, "videoid,name,page_dir\na.gif,a cat,p\n").unwrap();
        let mut request = ConvertRequest::new(&path);
        let webvid = open(&path);

        request.columns.path = Some("videoid".to_owned());
        let manifest = ClipTable::open_as(&request, None, &|_, _| ()).unwrap();
        request.split = Some("train".to_owned());
        let message = ClipTable::open_as(&request, None, &|_, _| ()).unwrap_err();

        assert_eq!(webvid.clip(0), "videos/p/a.gif.mp4");
        assert_eq!(manifest.clip(0), "a.gif");
        assert!(message.to_string().contains("a split"), "{message}");
    }

    #[test]
    fn a_folder_is_clips_with_what_stands_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            fs::write(folder.path().join(name), content).unwrap();
        };
        fs::create_dir_all(folder.path().join("deeper/v1.0")).unwrap();
        for clip in [
            "a.mp4",
            "b.gif",
            "c.webm",
            "deeper/d.MP4",
            ".hidden.mp4",
            "e.png",
        ] {
            write(clip, "");
        }
        write("a.txt", "a cat\n");
        let question = r#"{"question":"what ?","answers":["a dog"]}"#;
        write("b.json", question);
        write("e.json", "no json");
        write("deeper/v1.0/000.png", "");
        write("deeper/v1.0.txt", "two images");
        write("list.csv", "");

        let table = open(folder.path());

        let texts: Vec<_> = (0..table.len()).map(|row| table.texts(row)).collect();
        assert_eq!(texts.len(), 5);
        assert_eq!(texts[0].all(), ["a cat"]);
        assert_eq!(texts[1].task(), Some(ItemsTask::OpenEnded));
        assert_eq!(texts[2..4], [Texts::None, Texts::None]);
        assert_eq!(texts[4].all(), ["two images"]);
        assert!(table.name(3).ends_with("deeper/d.MP4"));
        assert_eq!(table.skipped().len(), 1);
        assert!(table.skipped()[0].name.ends_with("e.png"));
        let captioned = table.for_task(ItemsTask::Retrieval, folder.path()).unwrap();
        assert_eq!((captioned.len(), captioned.skipped().len()), (2, 4));
        assert!(captioned.skipped()[2].reason.ends_with("has no captions"));
        let choices = table.for_task(ItemsTask::MultipleChoice, folder.path());
        assert!(choices.unwrap_err().to_string().ends_with("has no options"));
    }

    #[test]
    fn a_single_clip_is_a_table_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        fs::write(&path, "").unwrap();

        let table = open(&path);

        assert_eq!((table.len(), table.texts(0)), (1, Texts::None));
    }

    #[test]
    fn a_folder_without_clips_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.doc"), "").unwrap();

        let error = ClipTable::open(folder.path(), None, &|_, _| ()).unwrap_err();

        assert!(error.to_string().contains("1 other file"), "{error}");
    }

    /// The same clips as files and in shards of three.
    fn files_and_shards(folder: &Path) -> (BenchmarkFiles, ClipTable, ClipTable) {
        let config = BenchmarkConfig::one_shape(12, 0.01);
        let files = write_benchmark(&config, folder, |_, _| ()).unwrap();
        let table = open(&files.train.pairs);
        let rows: Vec<usize> = (0..table.len()).collect();
        for (shard, rows) in rows.chunks(3).enumerate() {
            let named: Vec<_> = rows
                .iter()
                .map(|&row| {
                    let path = table.name(row);
                    let stem = Path::new(&path).file_stem().unwrap().to_str().unwrap();
                    let text = table.texts(row).all().concat();
                    let clip = fs::read(&path).unwrap();
                    (format!("{stem}.gif"), format!("{stem}.txt"), clip, text)
                })
                .collect();
            let members: Vec<(&str, &[u8])> = named
                .iter()
                .flat_map(|(gif, txt, clip, text)| [(&**gif, &**clip), (&**txt, text.as_bytes())])
                .collect();
            fs::write(folder.join(format!("{shard}.tar")), tar_of(&members)).unwrap();
        }
        let shards = open(folder);
        (files, table, shards)
    }

    fn pretraining(files: &BenchmarkFiles, table: ClipTable) -> PretrainingDataset {
        let tokenizer = Tokenizer::read(&files.vocabulary).unwrap();
        let reading = SampleReading {
            clip: ClipReading {
                sampling: FrameSampling::train_frames(2),
                fps: None,
                pixels: PixelPipeline::train_video(28),
                limits: DecodeLimits::default(),
            },
            text_len: 20,
            seed: 5,
        };
        let masked = Masked::new(TextMasking::default(), 10).unwrap();
        ClipDataset::new(table, tokenizer, reading, masked).unwrap()
    }

    #[test]
    fn a_sample_is_the_same_from_a_file_and_from_a_shard() {
        let folder = tempfile::tempdir().unwrap();
        let (files, table, shards) = files_and_shards(folder.path());

        assert_eq!(table.len(), shards.len());
        assert_eq!(
            table.stretches(),
            std::iter::once(0..12).collect::<Vec<_>>()
        );
        assert_eq!(shards.stretches(), [0..3, 3..6, 6..9, 9..12]);
        assert!(shards.name(7).ends_with("2.tar/000007"));
        let read = |table| {
            let sample = pretraining(&files, table).read(3, 7).unwrap();
            (sample.clip, sample.token_ids, sample.masked)
        };
        assert_eq!(read(table), read(shards));
    }

    #[test]
    fn shards_are_read_one_after_the_other_and_resumed_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let (files, _, shards) = files_and_shards(folder.path());
        let names = |start| {
            let config = LoaderConfig {
                order: EpochOrder::ShuffledByShard { seed: 9, buffer: 2 },
                ..LoaderConfig::training(2, 9)
            };
            let dataset = pretraining(&files, shards.clone());
            let mut loader = BatchLoader::new(dataset, config).unwrap();
            let batches = loader.epoch(start).unwrap().map(Result::unwrap);
            let named = batches.map(|batch| (batch.samples.names().to_vec(), batch.next));
            named.collect::<Vec<_>>()
        };

        let all = names(Position { epoch: 2, item: 0 });

        let read: std::collections::BTreeSet<_> = all.iter().flat_map(|(names, _)| names).collect();
        assert_eq!((all.len(), read.len()), (6, 12));
        let shards: std::collections::BTreeSet<_> = all[0]
            .0
            .iter()
            .map(|name| &name[..name.len() - 7])
            .collect();
        assert!(shards.len() <= 2);
        assert_eq!(names(all[0].1), all[1..]);
    }
}
