//! The videos of an index under ids: what clients may name. No path ever comes from a client.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use clover_inference::{ClipKey, ClipRecord, ClipState, FoundMoment, VideoIndex};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;

/// Names a video or a folder, the same as long as it lies where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id([u8; 16]);

impl Id {
    fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        Self(id)
    }

    /// One that nobody has had.
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Reads what [`Display`](fmt::Display) writes, and nothing else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_own = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_own) {
            return None;
        }
        let value = u128::from_str_radix(text, 16).ok()?;
        Some(Self(value.to_be_bytes()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A video as clients see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Video {
    /// Names it in other requests.
    id: String,
    /// The name of its file, or of its sample in a shard.
    name: String,
    /// The folder it lies in, from the indexed folder or list on.
    folder: String,
    /// Names the folder in searches.
    folder_id: String,
    /// `indexed`, `broken` (it cannot be read) or `gone`.
    state: &'static str,
    /// Why it, or a part of it, could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// How long it is shown; zero where the file does not say.
    seconds: f64,
    /// Bytes of its file.
    bytes: u64,
    /// What its name says: `video` and `image` are shown by browsers, `other` by its preview alone.
    kind: &'static str,
    /// Its bytes.
    stream: String,
    /// Its first frame.
    thumbnail: String,
    /// The part of the file that is meant, in milliseconds, where a list named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<(u64, u64)>,
}

#[cfg(test)]
impl Video {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

/// The best moment of a video.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Moment {
    video: Video,
    /// Milliseconds from the beginning of the file; none where it is all of it.
    from_ms: Option<u64>,
    /// The end of the moment.
    to_ms: Option<u64>,
    /// The cosine of query and moment.
    score: f32,
    /// The share of this library's pairs of a clip and a neutral text that score lower.
    place: Option<f32>,
    /// Names of other files with the same content.
    copies: Vec<String>,
    /// Frames spread over the moment, the first of them at its beginning.
    thumbnails: Vec<String>,
    /// The moment as an animated image, for what a browser cannot play.
    preview: String,
}

/// A folder with videos, of an indexed folder or list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Folder {
    id: String,
    name: String,
    /// How many of the videos in it, and in folders below, are in the index.
    videos: usize,
    #[serde(skip)]
    place: FolderPlace,
}

/// Where a folder lies: two lists may name clips of the same one, and have each its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct FolderPlace {
    /// The place of the indexed folder or list among those of the index.
    pub(crate) source: usize,
    /// The folder, where it is not all of the source.
    pub(crate) path: Option<PathBuf>,
}

impl FolderPlace {
    /// Whether another folder is this one or lies in it.
    fn holds(&self, other: &Self) -> bool {
        let within = |path: &PathBuf| other.path.as_ref().is_some_and(|one| one.starts_with(path));
        self.source == other.source && self.path.as_ref().is_none_or(within)
    }

    fn id(&self) -> Id {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let source = (self.source as u64).to_le_bytes();
        Id::of(&[b"folder", &source, path.as_os_str().as_encoded_bytes()])
    }
}

/// The clips of one reading of the index, under ids.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) index: Arc<VideoIndex>,
    /// By folder and name.
    entries: Vec<Entry>,
    by_id: HashMap<Id, usize>,
    /// By name.
    folders: Vec<Folder>,
    name: String,
}

#[derive(Debug)]
struct Entry {
    id: Id,
    key: ClipKey,
    state: ClipState,
    folder: FolderPlace,
    folder_name: String,
    name: String,
}

/// Which videos are listed.
#[derive(Debug, Default)]
pub(crate) struct Listing<'l> {
    pub(crate) folder: Option<&'l FolderPlace>,
    pub(crate) state: Option<ClipState>,
    /// In lower case.
    pub(crate) name: Option<&'l str>,
}

/// Frames of a moment that are shown one after the other.
const THUMBNAILS: u64 = 5;
/// They are not nearer to each other.
const APART_MS: u64 = 500;

impl Catalog {
    pub(crate) fn new(index: Arc<VideoIndex>) -> Self {
        let records = index.library().records();
        let sources = source_names(&index);
        let of = |record| Entry::of(&index, &sources, record);
        let mut entries: Vec<Entry> = records.map(of).collect();
        entries.sort_by(|a, b| {
            (&a.folder_name, &a.name, &a.key).cmp(&(&b.folder_name, &b.name, &b.key))
        });
        let by_id = entries.iter().zip(0..).map(|(entry, at)| (entry.id, at));
        let by_id = by_id.collect();
        let mut folders = HashMap::<&FolderPlace, Folder>::new();
        for entry in entries
            .iter()
            .filter(|entry| entry.state == ClipState::Indexed)
        {
            let folder = folders.entry(&entry.folder).or_insert_with(|| Folder {
                id: entry.folder.id().to_string(),
                name: entry.folder_name.clone(),
                videos: 0,
                place: entry.folder.clone(),
            });
            folder.videos += 1;
        }
        let mut folders: Vec<Folder> = folders.into_values().collect();
        folders.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let name = index
            .folder()
            .file_name()
            .map_or("index".into(), OsStr::to_string_lossy);
        Self {
            name: name.into_owned(),
            by_id,
            folders,
            entries,
            index,
        }
    }

    /// What the index is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn folders(&self) -> &[Folder] {
        &self.folders
    }

    /// How many clips became what.
    pub(crate) fn count(&self, state: ClipState) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.state == state)
            .count()
    }

    /// The folder that a client names.
    pub(crate) fn folder(&self, id: &str) -> Result<&FolderPlace, Problem> {
        let folder = self.folders.iter().find(|folder| folder.id == id);
        let folder = folder.map(|folder| &folder.place);
        folder.ok_or_else(|| Problem::not_found("no folder of this index has that id"))
    }

    /// The clip that a client names.
    pub(crate) fn clip(&self, id: &str) -> Result<&ClipKey, Problem> {
        let entry = Id::parse(id).and_then(|id| self.by_id.get(&id));
        let entry = entry.and_then(|&at| self.entries.get(at));
        let gone = || Problem::not_found("no video of this index has that id");
        Ok(&entry.ok_or_else(gone)?.key)
    }

    /// A clip as clients see it.
    pub(crate) fn video(&self, clip: &ClipKey) -> Option<Video> {
        let entry = self.entries.get(*self.by_id.get(&clip_id(clip))?)?;
        Some(self.describe(entry))
    }

    fn describe(&self, entry: &Entry) -> Video {
        let record = self.index.library().record(&entry.key);
        let id = entry.id.to_string();
        Video {
            name: entry.name.clone(),
            folder: entry.folder_name.clone(),
            folder_id: entry.folder.id().to_string(),
            state: match entry.state {
                ClipState::Indexed => "indexed",
                ClipState::Broken => "broken",
                ClipState::Gone => "gone",
            },
            fault: record.and_then(|record| record.fault.clone()),
            seconds: record.map_or(0.0, |record| record.seconds),
            bytes: record.map_or(0, |record| record.size),
            kind: kind_of(&entry.name),
            stream: format!("/api/v1/videos/{id}/stream"),
            thumbnail: format!(
                "/api/v1/thumbnails/{id}@{}",
                entry.key.span_ms.map_or(0, |part| part.0)
            ),
            part: entry.key.span_ms,
            id,
        }
    }

    /// A moment as clients see it.
    pub(crate) fn moment(&self, found: &FoundMoment) -> Option<Moment> {
        let video = self.video(&found.clip)?;
        let id = &video.id;
        let span = found.span.map(|span| (span.start(), span.end()));
        // Of a whole video, as far as is known.
        let whole = (0, (video.seconds * 1000.0) as u64);
        let (from, to) = span.or(video.part).unwrap_or(whole);
        let length = to.saturating_sub(from);
        let frames = (length / APART_MS).clamp(1, THUMBNAILS);
        let times = (0..frames).map(|frame| from + length * frame / frames);
        let copies = found.copies.iter().filter_map(|copy| copy.file_name());
        Some(Moment {
            from_ms: span.map(|span| span.0),
            to_ms: span.map(|span| span.1),
            score: found.score,
            place: found.place,
            copies: copies
                .map(|name| name.to_string_lossy().into_owned())
                .collect(),
            thumbnails: times
                .map(|ms| format!("/api/v1/thumbnails/{id}@{ms}"))
                .collect(),
            preview: match span {
                Some((from, to)) => format!("/api/v1/videos/{id}/preview?from={from}&to={to}"),
                None => format!("/api/v1/videos/{id}/preview"),
            },
            video,
        })
    }

    /// A page of videos, and how many there are.
    pub(crate) fn list(
        &self,
        listing: &Listing<'_>,
        skip: usize,
        take: usize,
    ) -> (Vec<Video>, usize) {
        let wanted = |entry: &&Entry| {
            let state = match listing.state {
                Some(state) => entry.state == state,
                None => entry.state != ClipState::Gone,
            };
            let folder = listing
                .folder
                .is_none_or(|folder| folder.holds(&entry.folder));
            let name = listing
                .name
                .is_none_or(|name| entry.name.to_lowercase().contains(name));
            state && folder && name
        };
        let found: Vec<&Entry> = self.entries.iter().filter(wanted).collect();
        let page = found.iter().skip(skip).take(take);
        (
            page.map(|entry| self.describe(entry)).collect(),
            found.len(),
        )
    }

    /// Texts to try, of names of files that say what is to be seen.
    pub(crate) fn telling_names(&self, most: usize) -> Vec<String> {
        let indexed = self
            .entries
            .iter()
            .filter(|entry| entry.state == ClipState::Indexed);
        let names = indexed.filter_map(|entry| {
            let stem = Path::new(&entry.name).file_stem()?.to_str()?;
            let words = stem.split(|letter: char| !letter.is_alphabetic());
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            let telling = words
                .iter()
                .filter(|word| word.chars().count() >= 3)
                .count();
            (telling >= 2).then(|| words.join(" "))
        });
        names.take(most).collect()
    }
}

impl Entry {
    fn of(index: &VideoIndex, sources: &[String], record: &ClipRecord) -> Self {
        let key = &record.key;
        let path = index.path_of(key);
        // Told from the indexed folder on: where that lies is nobody's business.
        let source = index.settings().sources.get(key.source);
        let folder = path.parent().unwrap_or(Path::new(""));
        let below = source.and_then(|source| folder.strip_prefix(source.path()).ok());
        let below = below.unwrap_or_else(|| below_list(key));
        let top = sources.get(key.source).map_or("", String::as_str);
        let folder_name = Path::new(top).join(below);
        let name = path.file_name().unwrap_or(path.as_os_str());
        Self {
            id: clip_id(key),
            key: key.clone(),
            state: record.state,
            folder_name: folder_name
                .to_string_lossy()
                .trim_end_matches('/')
                .to_owned(),
            name: name.to_string_lossy().into_owned(),
            folder: FolderPlace {
                source: key.source,
                path: (below != Path::new("")).then(|| folder.to_owned()),
            },
        }
    }
}

/// The folder of a list's clip, from where its paths begin; empty where it lies elsewhere.
fn below_list(key: &ClipKey) -> &Path {
    let folder = Path::new(&key.path).parent().unwrap_or(Path::new(""));
    let is_below = |part| matches!(part, Component::Normal(_));
    match folder.components().all(is_below) {
        true => folder,
        false => Path::new(""),
    }
}

/// What the sources of an index are called: by their last name, with a number where another has that.
fn source_names(index: &VideoIndex) -> Vec<String> {
    let mut counts = HashMap::<String, usize>::new();
    let names = index.settings().sources.iter().map(|source| {
        let path = source.path();
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        match *count {
            1 => name,
            count => format!("{name} ({count})"),
        }
    });
    names.collect()
}

fn clip_id(clip: &ClipKey) -> Id {
    let span = clip
        .span_ms
        .map_or_else(String::new, |span| format!("{span:?}"));
    let source = (clip.source as u64).to_le_bytes();
    Id::of(&[&source, clip.path.as_bytes(), span.as_bytes()])
}

/// How browsers show what has such a name.
fn kind_of(name: &str) -> &'static str {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    match extension.unwrap_or_default().to_ascii_lowercase().as_str() {
        "mp4" | "m4v" | "webm" | "mov" => "video",
        "gif" | "png" | "apng" | "webp" | "jpg" | "jpeg" => "image",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_nothing_else_is() {
        let id = Id::random();
        let text = id.to_string();

        assert_eq!(Id::parse(&text), Some(id));
        for other in [
            "",
            "..",
            "../../etc/passwd",
            &text[1..],
            &text.replace(|_: char| true, "A"),
            &format!("{text}0"),
        ] {
            assert_eq!(Id::parse(other), None, "{other}");
        }
        let plus = format!("+{}", &text[1..]);
        assert_eq!(Id::parse(&plus), None);
    }

    #[test]
    fn parts_of_an_id_do_not_run_into_each_other() {
        assert_ne!(Id::of(&[b"ab", b"c"]), Id::of(&[b"a", b"bc"]));
    }
}
