//! The index of a model whose tensors are spread over several files.

use std::collections::{BTreeSet, HashSet};
use std::path::{Component, Path};

use serde::Deserialize;

use super::json::Pairs;
use super::source::Source;
use super::{Contents, FileFault};

/// A name and a file for each of 100,000 tensors take a tenth of it.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// Which file holds which tensor.
#[derive(Debug)]
pub(super) struct Index {
    weight_map: Vec<(String, String)>,
    shards: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Written {
    weight_map: Pairs<String>,
}

impl Index {
    pub(super) fn read(source: &Source) -> Result<Self, FileFault> {
        let what = "index of shards";
        let bytes = source.bytes(what, 0, source.length(), MAX_INDEX_BYTES)?;
        let written: Written =
            serde_json::from_slice(&bytes).map_err(|source| FileFault::Json { what, source })?;
        let Pairs(weight_map) = written.weight_map;
        let mut names = HashSet::new();
        let mut shards = BTreeSet::new();
        for (name, shard) in &weight_map {
            if !names.insert(name) {
                return Err(FileFault::Duplicate { name: name.clone() });
            }
            if !is_plain_name(shard) {
                return Err(FileFault::ShardElsewhere {
                    shard: shard.clone(),
                });
            }
            shards.insert(shard.clone());
        }
        Ok(Self { weight_map, shards })
    }

    /// The files, each once.
    pub(super) fn shards(&self) -> impl Iterator<Item = &str> {
        self.shards.iter().map(String::as_str)
    }

    /// Whether a shard holds all that the index promises.
    pub(super) fn compare(&self, shard: &str, contents: &Contents) -> Result<(), FileFault> {
        let readable = contents.tensors.iter().map(|(entry, _)| &entry.name);
        let unreadable = contents.unreadable.iter().map(|tensor| &tensor.name);
        let held: HashSet<&String> = readable.chain(unreadable).collect();
        let promised = self.weight_map.iter().filter(|(_, file)| file == shard);
        for (name, _) in promised {
            if !held.contains(name) {
                return Err(FileFault::NotInShard {
                    shard: shard.to_owned(),
                    name: name.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Whether a text is the name of a file and no path to elsewhere, on any system.
fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let first = components.next();
    let only = matches!(first, Some(Component::Normal(_))) && components.next().is_none();
    only && !name.contains(['/', '\\', ':', '\0'])
}
