//! Which data a run was made on, in a few bytes: a resumed run must find the same.

use std::path::Path;

use clover_data::dataset::ClipTable;
use serde::{Deserialize, Serialize};

use crate::TrainerError;

/// What the lists of a run hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFingerprint {
    /// The pairs of videos.
    pub videos: ListFingerprint,
    /// The pairs of images, where the run has any.
    pub images: Option<ListFingerprint>,
    /// The word pieces.
    pub vocabulary: ListFingerprint,
    /// The pairs to validate with. They may come or go, since nothing is learned from them, but
    /// not change: figures of two lists cannot be compared.
    pub validation: Option<ListFingerprint>,
    /// The pair tests, which may come or go as well.
    #[serde(default)]
    pub pair_tests: Option<ListFingerprint>,
}

/// How many entries a list has, and a hash of them in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFingerprint {
    /// Entries.
    pub entries: usize,
    /// BLAKE3 of 256 bits, in hexadecimal.
    pub hash: String,
}

impl ListFingerprint {
    /// Of a list of words.
    pub(crate) fn of<S: AsRef<str>>(entries: &[S]) -> Self {
        let mut hash = ListHash::default();
        for entry in entries {
            hash.add(entry.as_ref());
        }
        hash.finish(entries.len())
    }

    /// Of a table: the names of its rows, seen from the folder of their list, and their texts. The texts
    /// of shards are not read for it.
    pub(crate) fn of_table(table: &ClipTable, list: &Path) -> Self {
        let folder = if list.is_dir() {
            list
        } else {
            list.parent().unwrap_or(list)
        };
        let mut hash = ListHash::default();
        for row in 0..table.len() {
            // A data set that moved as a whole is still the same one.
            let name = table.name(row);
            match Path::new(&name).strip_prefix(folder) {
                Ok(inside) => hash.add(&inside.to_string_lossy()),
                Err(_) => hash.add(&name),
            }
            if !table.is_of_shards() {
                table
                    .texts(row)
                    .all()
                    .into_iter()
                    .for_each(|text| hash.add(text));
            }
        }
        hash.finish(table.len())
    }

    fn describe(list: Option<&Self>) -> String {
        list.map_or_else(
            || "none".to_owned(),
            |list| format!("{} entries ({})", list.entries, list.hash),
        )
    }
}

impl DataFingerprint {
    /// Refuses other data than a checkpoint was made on, and names the list that differs.
    pub(crate) fn check(&self, recorded: &Self, path: &Path) -> Result<(), TrainerError> {
        let lists = [
            ("videos", Some(&recorded.videos), Some(&self.videos)),
            ("images", recorded.images.as_ref(), self.images.as_ref()),
            (
                "vocabulary",
                Some(&recorded.vocabulary),
                Some(&self.vocabulary),
            ),
        ];
        let measured = [
            ("validation", &recorded.validation, &self.validation),
            ("pair tests", &recorded.pair_tests, &self.pair_tests),
        ];
        let measured = measured.into_iter().filter_map(|(list, there, here)| {
            let (there, here) = there.as_ref().zip(here.as_ref())?;
            Some((list, Some(there), Some(here)))
        });
        let mut lists = lists.into_iter().chain(measured);
        match lists.find(|(_, there, here)| there != here) {
            None => Ok(()),
            Some((list, there, here)) => Err(TrainerError::OtherData {
                path: path.to_owned(),
                list,
                recorded: ListFingerprint::describe(there),
                wanted: ListFingerprint::describe(here),
            }),
        }
    }
}

/// BLAKE3 of the entries so far.
#[derive(Default)]
struct ListHash(blake3::Hasher);

impl ListHash {
    /// Adds an entry and its end.
    fn add(&mut self, entry: &str) {
        self.0.update(entry.as_bytes()).update(&[0xff]);
    }

    fn finish(self, entries: usize) -> ListFingerprint {
        ListFingerprint {
            entries,
            hash: self.0.finalize().to_hex().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &str, captions: [&str; 2]) -> ListFingerprint {
        let path = |line| Path::new(folder).join(format!("{line}.gif"));
        let pairs = captions.into_iter().enumerate();
        let table = ClipTable::of_captions(pairs.map(|(line, caption)| (path(line), caption)));
        ListFingerprint::of_table(&table, &Path::new(folder).join("pairs.csv"))
    }

    #[test]
    fn a_moved_data_set_is_the_same_and_another_caption_is_not() {
        let here = of("/here", ["a cat", "a dog"]);

        assert_eq!(here, of("/there", ["a cat", "a dog"]));
        assert_ne!(here, of("/here", ["a cat", "a hog"]));
        assert_ne!(here, of("/here", ["a dog", "a cat"]));
        // Entries end somewhere.
        assert_ne!(here, of("/here", ["a cata", " dog"]));
    }

    #[test]
    fn the_list_that_differs_is_named() {
        let data = |images| DataFingerprint {
            videos: of("/here", ["a cat", "a dog"]),
            images,
            vocabulary: ListFingerprint::of(&["[PAD]"]),
            validation: None,
            pair_tests: None,
        };
        let with = data(Some(of("/here", ["a pie", "a tree"])));

        let error = with.check(&data(None), Path::new("step-1")).unwrap_err();

        assert!(with.check(&with, Path::new("step-1")).is_ok());
        let message = error.to_string();
        assert!(
            message.starts_with("step-1: was made on other data: images: none there, 2 entries"),
            "{message}"
        );
    }
}
