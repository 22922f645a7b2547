//! A collection in three parts: to train on, to choose the best model with, and to measure it with.
//!
//! The part of a clip follows from what its file holds and from nothing else: clips that are added move no other,
//! nor does another name; and files of equal contents, all captions of a clip and all moments of a video stay
//! together.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf, absolute};

use super::clip_rows::Files;
use super::clip_table::{ClipTable, Texts};
use super::collection::name_of;
use super::items::{Caption, TaggedCaption};
use super::skipped::SkippedItem;
use crate::DataError;
use crate::files::{open_regular, write_whole};
use crate::video::ClipSource;

/// Another number would be another split.
const SEED: u64 = 0;
/// Bytes of a clip that count, beside the lengths of its files. Clips that differ only after them are taken for
/// equal, which is rare: all compressed videos differ early, or in length.
const BYTES: u64 = 256 << 10;

impl ClipTable {
    /// The rows to train on, about 80 %, to validate with, about 10 %, and to measure with, about 10 %. Of few
    /// clips a part may be empty. Tells how many rows are read, of how many.
    #[must_use]
    pub fn split(&self, progress: &dyn Fn(usize, usize)) -> [Self; 3] {
        let mut parts = [const { Vec::new() }; 3];
        // The moments of a video are rows of their own.
        let mut known = HashMap::new();
        for row in 0..self.len() {
            let part = known.entry(self.file(row));
            parts[*part.or_insert_with_key(|file| part_of(file))].push(row);
            progress(row + 1, self.len());
        }
        parts.map(|rows| self.only_rows(&rows))
    }

    /// The rows whose file `other` has, too, under whatever name: a moment of a video in one list is held to be known
    /// from another moment of it in the other. Files are equal if their lengths and first 256 KiB are. Tells how many
    /// rows are read, of how many.
    #[must_use]
    pub fn also_in(&self, other: &Self, progress: &dyn Fn(usize, usize)) -> Vec<usize> {
        let mut known = HashMap::new();
        let mut hash = |table: &Self, row| {
            let file = known.entry(table.file(row));
            // What cannot be read is equal to nothing.
            *file.or_insert_with_key(|file| contents(file).ok().map(|hasher| hasher.finalize()))
        };
        let rows = self.len() + other.len();
        let mut others = HashSet::new();
        for row in 0..other.len() {
            others.extend(hash(other, row));
            progress(row + 1, rows);
        }
        let mut also = Vec::new();
        for row in 0..self.len() {
            if hash(self, row).is_some_and(|hash| others.contains(&hash)) {
                also.push(row);
            }
            progress(other.len() + row + 1, rows);
        }
        also
    }

    /// The same with the samples of shards as files in `folder`, named by their contents; those that cannot be read
    /// are left out by name. Files stay where they are.
    ///
    /// # Errors
    ///
    /// A file cannot be written.
    pub fn unpacked(&self, folder: &Path) -> Result<Self, DataError> {
        if !self.is_of_shards() {
            return Ok(self.clone());
        }
        let mut files = Files::in_folder(folder, true);
        let mut skipped = self.skipped().to_vec();
        for row in 0..self.len() {
            match self.read(row) {
                Ok(sample) => {
                    let name = unpack(&sample.clip, folder)?;
                    files.push(None, (&name, sample.span), &sample.texts);
                }
                Err(error) => skipped.push(SkippedItem::new(self.name(row), &error)),
            }
        }
        Ok(Self::from(files.joined()).with_skipped(skipped))
    }
}

/// Writes captioned clips as a manifest that can be read from anywhere: their paths are whole. A file that is there
/// already stays as it is.
///
/// # Errors
///
/// The file cannot be written, or holds something else; or a path is not UTF-8.
pub fn write_pairs(path: &Path, table: &ClipTable) -> Result<(), DataError> {
    let mut text = String::from("path,caption,tags,start,end\n");
    for row in 0..table.len() {
        let file = table.file(row);
        let whole = absolute(&file).map_err(|source| DataError::Read { path: file, source })?;
        let clip = field(name_of(&whole)?);
        let span = table.span(row).map(|span| [span.start(), span.end()]);
        let [start, end] = span.map_or_else(Default::default, |span| span.map(seconds));
        let Texts::Captions(captions) = table.texts(row) else {
            continue;
        };
        for caption in captions {
            let (caption, tags) = match caption {
                Caption::Plain(caption) => (caption, String::new()),
                Caption::Tagged(TaggedCaption { text, tags }) => (text, tags.join(" ")),
            };
            // A row is a line.
            let words: Vec<&str> = caption.split_whitespace().collect();
            let caption = field(&words.join(" "));
            // Writing to memory what has no part that cannot be written.
            let _ = writeln!(text, "{clip},{caption},{tags},{start},{end}");
        }
    }
    let written = match open_regular(path) {
        Ok(file) => holds(file, text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_whole(path, |file| file.write_all(text.as_bytes()))
        }
        Err(error) => Err(error),
    };
    written.map_err(|source| DataError::Write {
        path: path.to_path_buf(),
        source,
    })
}

/// Whether a file that was found holds this text and no other.
fn holds(file: fs::File, text: &[u8]) -> io::Result<()> {
    let mut found = Vec::new();
    file.take(text.len() as u64 + 1).read_to_end(&mut found)?;
    if found == text {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "is there already and lists other clips, and is not written over: name another folder",
    ))
}

/// A field in quotes.
fn field(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

/// The part of a clip: eight, one and one of ten.
fn part_of(clip: &Path) -> usize {
    let hasher = contents(clip).unwrap_or_else(|_| {
        // What cannot be read is left out by its name, in any part.
        let mut hasher = blake3::Hasher::new();
        hasher.update(clip.as_os_str().as_encoded_bytes());
        hasher
    });
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    match u64::from_le_bytes(bytes) % 10 {
        0..8 => 0,
        8 => 1,
        _ => 2,
    }
}

/// A video, an image or a folder of images.
fn contents(clip: &Path) -> io::Result<blake3::Hasher> {
    let mut files = vec![clip.to_path_buf()];
    if clip.is_dir() {
        let entries = fs::read_dir(clip)?.map(|entry| Ok(entry?.path()));
        files = entries.collect::<io::Result<Vec<PathBuf>>>()?;
        files.retain(|file| file.is_file());
        files.sort();
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&SEED.to_le_bytes());
    let mut left = BYTES;
    for file in files {
        let file = open_regular(&file)?;
        hasher.update(&file.metadata()?.len().to_le_bytes());
        left -= io::copy(&mut file.take(left), &mut hasher)?;
    }
    Ok(hasher)
}

/// Writes what a shard holds of a clip, and tells its name in the folder.
fn unpack(clip: &ClipSource, folder: &Path) -> Result<String, DataError> {
    let mut hasher = blake3::Hasher::new();
    let name = |hasher: &blake3::Hasher| hasher.finalize().to_hex().to_string();
    match clip {
        ClipSource::Path(path) => Ok(name_of(path)?.to_owned()),
        ClipSource::Bytes { bytes, .. } => {
            let name = name(hasher.update(bytes));
            write_once(&folder.join(&name), bytes)?;
            Ok(name)
        }
        ClipSource::Images { images, .. } => {
            for image in images {
                hasher
                    .update(&(image.len() as u64).to_le_bytes())
                    .update(image);
            }
            let name = name(&hasher);
            for (number, image) in images.iter().enumerate() {
                write_once(&folder.join(&name).join(format!("{number:06}.jpg")), image)?;
            }
            Ok(name)
        }
    }
}

/// A file that is there already is whole, and the same.
fn write_once(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    if path.is_file() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let written =
        fs::create_dir_all(folder).and_then(|()| write_whole(path, |file| file.write_all(bytes)));
    written.map_err(|source| DataError::Write {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::shards::tar_of;
    use std::collections::BTreeSet;

    fn table(folder: &Path, names: &[String]) -> ClipTable {
        ClipTable::of_captions(names.iter().map(|name| (folder.join(name), "a clip")))
    }

    /// Files of contents of their own, from one number to another.
    fn write_files(folder: &Path, numbers: std::ops::Range<usize>) -> Vec<String> {
        let names = numbers.map(|number| {
            let name = format!("{number:03}.mp4");
            fs::write(folder.join(&name), format!("clip {number}")).unwrap();
            name
        });
        names.collect()
    }

    fn files(table: &ClipTable) -> BTreeSet<PathBuf> {
        (0..table.len()).map(|row| table.file(row)).collect()
    }

    #[test]
    fn clips_that_are_added_move_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let few = write_files(folder.path(), 100..400);
        let before = table(folder.path(), &few).split(&|_, _| ());
        let more = [write_files(folder.path(), 0..100), few].concat();

        let after = table(folder.path(), &more).split(&|_, _| ());

        for (before, after) in before.iter().zip(&after) {
            assert!(files(before).is_subset(&files(after)));
            assert!(before.len() < after.len());
        }
        let [train, validation, test] = after.map(|part| part.len());
        assert_eq!(train + validation + test, 400);
        // 320 and twice 40, four deviations to both sides.
        assert!((288..=352).contains(&train), "{train}");
        assert!((16..=64).contains(&validation), "{validation}");
        assert!((16..=64).contains(&test), "{test}");
    }

    #[test]
    fn equal_clips_stay_together_whatever_they_are_called() {
        let folder = tempfile::tempdir().unwrap();
        let names = write_files(folder.path(), 0..60);
        let copies: Vec<String> = names.iter().map(|name| format!("again-{name}")).collect();
        for (name, copy) in names.iter().zip(&copies) {
            fs::copy(folder.path().join(name), folder.path().join(copy)).unwrap();
        }
        for clip in ["images-a", "images-b"] {
            fs::create_dir(folder.path().join(clip)).unwrap();
            for image in ["0.jpg", "1.jpg"] {
                fs::write(folder.path().join(clip).join(image), image).unwrap();
            }
        }
        let images = ["images-a", "images-b"].map(str::to_owned);
        let all = [names.clone(), copies.clone(), images.to_vec()].concat();

        let parts = table(folder.path(), &all).split(&|_, _| ());

        for part in &parts {
            let files = files(part);
            let same = |name: &str, copy: &str| {
                let [name, copy] =
                    [name, copy].map(|name| files.contains(&folder.path().join(name)));
                assert_eq!(name, copy);
            };
            for name in &names {
                same(name, &format!("again-{name}"));
            }
            same("images-a", "images-b");
        }
        let [once, twice] = [&names, &copies].map(|names| table(folder.path(), names));
        assert_eq!(
            twice.also_in(&once, &|_, _| ()),
            Vec::from_iter(0..copies.len())
        );
        assert!(parts[2].also_in(&parts[0], &|_, _| ()).is_empty());
        assert!(parts.iter().all(|part| part.len() > 1));
    }

    #[test]
    fn what_is_written_is_read_again_from_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.jsonl");
        let rows = [
            r#"{"path":"a, b.mp4","caption":"she says \"no\",\nand goes"}"#,
            r#"{"path":"a, b.mp4","caption":"a caption"}"#,
            r#"{"path":"c.mp4","caption":"it runs","tags":"PRON VERB","start":1.5,"end":61.25}"#,
        ];
        fs::write(&list, rows.join("\n")).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = elsewhere.path().join("copy.csv");
        let open = |list: &Path| ClipTable::open(list, None, &|_, _| ()).unwrap();

        write_pairs(&copy, &open(&list)).unwrap();
        write_pairs(&copy, &open(&list)).unwrap();
        let other = write_pairs(&list, &open(&list)).unwrap_err();

        assert!(other.to_string().contains("list.jsonl"), "{other}");
        assert_eq!(fs::read_to_string(&list).unwrap(), rows.join("\n"));
        let read = open(&copy);
        assert_eq!(read.len(), 2);
        assert_eq!(read.file(0), folder.path().join("a, b.mp4"));
        let captions = ["she says \"no\", and goes", "a caption"];
        assert_eq!(read.texts(0).all(), captions);
        assert_eq!(read.texts(1), open(&list).texts(1));
        assert_eq!(read.span(1), open(&list).span(1));
        assert!(read.span(1).is_some());
    }

    #[test]
    fn samples_of_shards_become_files_once() {
        let folder = tempfile::tempdir().unwrap();
        let shard = folder.path().join("0.tar");
        let members: [(&str, &[u8]); 7] = [
            ("a.gif", b"GIF"),
            ("a.txt", b"a cat"),
            ("b.000.jpg", b"one"),
            ("b.001.jpg", b"two"),
            ("b.txt", b"a dog"),
            ("c.gif", b"GIF"),
            ("c.txt", b"a pet"),
        ];
        fs::write(&shard, tar_of(&members)).unwrap();
        let shards = ClipTable::open(&shard, None, &|_, _| ()).unwrap();
        let out = folder.path().join("unpacked");

        let files = shards.unpacked(&out).unwrap();
        let again = shards.unpacked(&out).unwrap();

        assert_eq!(files.len(), 2);
        assert_eq!(files.texts(0).all(), ["a cat", "a pet"]);
        assert_eq!(fs::read(files.file(0)).unwrap(), b"GIF");
        assert_eq!(fs::read_dir(files.file(1)).unwrap().count(), 2);
        assert_eq!(again.file(1), files.file(1));
        assert_eq!(fs::read_dir(&out).unwrap().count(), 2);
    }
}
