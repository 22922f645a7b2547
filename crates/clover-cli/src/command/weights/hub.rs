//! Files of the Hugging Face Hub, in the cache that its other programs use.
//!
//! `HF_HOME` moves the cache, `HF_ENDPOINT` names another server, `HF_HUB_OFFLINE=1` says
//! `--offline`.

use std::collections::BTreeSet;
use std::env;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use hf_hub::api::sync::{ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};

use crate::arguments::FetchWeights;

/// The usual names of weights, the preferred ones first: Hugging Face's, and open_clip's.
const USUAL: [&str; 6] = [
    "model.safetensors",
    INDEX_OF_SAFETENSORS,
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    INDEX_OF_PICKLES,
    "open_clip_pytorch_model.bin",
];
const INDEX_OF_SAFETENSORS: &str = "model.safetensors.index.json";
const INDEX_OF_PICKLES: &str = "pytorch_model.bin.index.json";

/// What an import reads beside weights: sizes and activations, how images are seen, the tokenizer.
const BESIDE: [&str; 8] = [
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
];

const EXTENSIONS: [&str; 4] = ["safetensors", "pth", "pt", "bin"];

/// Broken connections are taken up again this often.
const RETRIES: usize = 3;

/// Gets what is asked for, or the weights with what an import reads beside them, and says where it is; an index
/// comes with its shards, after it.
pub(super) fn fetch(arguments: &FetchWeights) -> Result<Vec<PathBuf>> {
    let repository = &arguments.repository;
    ensure!(
        is_repository(repository),
        "{repository:?} is no repository: it is called `owner/name`"
    );
    for path in arguments.file.iter().chain([&arguments.revision]) {
        ensure!(
            stays_inside(path),
            "{path:?} is no file or revision of a repository"
        );
    }
    let has_place = env::var_os("HF_HOME").is_some() || env::home_dir().is_some();
    ensure!(
        has_place,
        "there is no home folder for the cache: set HF_HOME"
    );
    let offline = arguments.offline || env::var("HF_HUB_OFFLINE").is_ok_and(|set| set == "1");
    let (repository, revision) = (repository.clone(), arguments.revision.clone());
    let repo = Repo::with_revision(repository, RepoType::Model, revision);
    let store = match offline {
        true => Store::Cache(Cache::from_env(), repo),
        false => {
            let builder = ApiBuilder::from_env().with_retries(RETRIES);
            let api = builder.build().context("the Hub's client cannot start")?;
            Store::Hub(Box::new(api.repo(repo.clone())), repo)
        }
    };
    fetch_from(&store, &arguments.file)
}

fn fetch_from(store: &Store, asked: &[String]) -> Result<Vec<PathBuf>> {
    let names = match asked {
        [] => store.usual()?,
        names => names.to_vec(),
    };
    let mut paths = Vec::new();
    for name in names {
        let path = store.get(&name)?;
        let shards = match name.ends_with(".index.json") {
            true => shards(&path)?,
            false => BTreeSet::new(),
        };
        paths.push(path);
        let folder = name.rsplit_once('/').map(|(folder, _)| folder);
        for shard in shards {
            ensure!(
                stays_inside(&shard),
                "{name} names {shard:?}, which is no file beside it"
            );
            let shard = folder.map_or(shard.clone(), |folder| format!("{folder}/{shard}"));
            paths.push(store.get(&shard)?);
        }
    }
    Ok(paths)
}

/// Where files come from.
enum Store {
    Cache(Cache, Repo),
    Hub(Box<ApiRepo>, Repo),
}

impl Store {
    /// Where a file is, once it is there.
    fn get(&self, name: &str) -> Result<PathBuf> {
        match self {
            Self::Cache(cache, repo) => cached(cache, repo, name).with_context(|| {
                let place = cache.path().display();
                format!(
                    "{}: not in the cache {place}, and --offline",
                    label(repo, name)
                )
            }),
            Self::Hub(api, repo) => api.get(name).map_err(|error| explain(error, repo, name)),
        }
    }

    /// The names of the repository's weights, and of what an import reads beside them.
    fn usual(&self) -> Result<Vec<String>> {
        let (weights, files) = match self {
            Self::Cache(cache, repo) => {
                let here = |name: &&str| cached(cache, repo, name).is_some();
                let weights = USUAL.into_iter().find(|name| here(name));
                let weights = weights.map(str::to_owned).with_context(|| {
                    let place = cache.path().display();
                    let looked_for = USUAL.join(", ");
                    let repo = label(repo, "");
                    format!("{repo}: the cache {place} has none of {looked_for}, and --offline")
                })?;
                let beside = BESIDE.into_iter().filter(here).map(str::to_owned);
                (weights, beside.collect::<Vec<_>>())
            }
            Self::Hub(api, repo) => {
                let info = api.info().map_err(|error| explain(error, repo, ""))?;
                let files = info.siblings.into_iter().map(|file| file.rfilename);
                let files: Vec<String> = files.collect();
                (choose(&files).with_context(|| label(repo, ""))?, files)
            }
        };
        let beside = files.iter().filter(|file| BESIDE.contains(&file.as_str()));
        Ok(std::iter::once(weights).chain(beside.cloned()).collect())
    }
}

/// The weights among the files of a repository.
fn choose(files: &[String]) -> Result<String> {
    if let Some(usual) = USUAL
        .iter()
        .find(|name| files.iter().any(|file| file == *name))
    {
        return Ok((*usual).to_owned());
    }
    let ends = |file: &&String| {
        let extension = Path::new(file.as_str()).extension();
        extension.is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
    };
    let found: Vec<&String> = files.iter().filter(ends).collect();
    match *found {
        [] => bail!("the repository holds no weights"),
        [one] if stays_inside(one) => Ok(one.clone()),
        _ => bail!("the repository holds several files of weights, say which by --file: {found:?}"),
    }
}

/// The file in the cache, under the branch's or tag's last known commit, or under the commit itself.
fn cached(cache: &Cache, repo: &Repo, name: &str) -> Option<PathBuf> {
    let held = cache.repo(repo.clone());
    let by_commit = || {
        let path = held.pointer_path(repo.revision()).join(name);
        path.exists().then_some(path)
    };
    held.get(name).or_else(by_commit)
}

fn shards(index: &Path) -> Result<BTreeSet<String>> {
    let text = std::fs::read(index).with_context(|| format!("{}", index.display()))?;
    let index_json: serde_json::Value =
        serde_json::from_slice(&text).with_context(|| format!("{}", index.display()))?;
    let map = index_json.get("weight_map").and_then(|map| map.as_object());
    let map = map.with_context(|| format!("{}: it is no index of shards", index.display()))?;
    let names = map.values().filter_map(|name| name.as_str());
    Ok(names.map(str::to_owned).collect())
}

/// What went wrong, in words for the one who asked.
fn explain(error: ApiError, repo: &Repo, name: &str) -> anyhow::Error {
    let text = error.to_string();
    let refused = ["401", "403", "404"]
        .iter()
        .any(|status| text.contains(status));
    let hint = match refused {
        true => {
            "the Hub has no such repository, revision or file, or it asks for a token \
             (`hf auth login` keeps one)"
        }
        false => "the Hub cannot be reached; --offline takes what the cache holds",
    };
    anyhow::Error::new(error).context(format!("{}: {hint}", label(repo, name)))
}

fn label(repo: &Repo, name: &str) -> String {
    let end = if name.is_empty() { "" } else { "/" };
    format!("{}@{}{end}{name}", repo.url(), repo.revision())
}

/// `owner/name`, or only `name` as the oldest repositories have.
fn is_repository(text: &str) -> bool {
    let is_word = |word: &str| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        !word.is_empty() && !word.starts_with('.') && word.chars().all(plain)
    };
    text.split('/').count() <= 2 && text.split('/').all(is_word)
}

/// Whether a path leads to no other folder: it becomes one of the cache.
fn stays_inside(path: &str) -> bool {
    let mut components = Path::new(path).components();
    !path.is_empty()
        && !path.contains(['\\', '\0'])
        && components.all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests;
