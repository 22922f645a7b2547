//! Every collection of clips as one table, whatever it came from: a row is a clip with all that is said
//! or asked about it.
//!
//! Rows of files are kept as bytes in one arena, so that ten million of them fit in a laptop's memory;
//! rows of shards are read from their shard when they are asked for. A clip with several captions is
//! one row, and is decoded once.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::clip_rows::Files;
use super::items::{Caption, Items, ItemsTask};
use super::shards::ShardSet;
use super::skipped::SkippedItem;
use crate::DataError;
use crate::video::{ClipSource, Span};

/// Rows that are looked at to tell what a table is for.
const FIRST_ROWS: usize = 1_000;

/// A clip that has not been opened yet, and its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClipRow {
    /// The clip.
    pub clip: ClipSource,
    /// The part of it that is meant; none for all of it.
    pub span: Option<Span>,
    /// What is said or asked about it.
    pub texts: Texts,
}

/// What is said or asked about a clip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Texts {
    /// Nothing.
    #[default]
    None,
    /// Sentences about it, at least one.
    Captions(Vec<Caption>),
    /// A question with options.
    Choice {
        /// Empty where the options are sentences about the clip.
        question: String,
        /// The answers to choose from.
        options: Vec<String>,
        /// The number of the right one, counted from zero.
        answer: usize,
    },
    /// A question, or a sentence with `[MASK]`, to be answered in words.
    Question {
        /// The question.
        question: String,
        /// The right answers; the first is trained on, any counts in evaluation.
        answers: Vec<String>,
    },
}

/// Clips with their texts. Clones share the rows.
#[derive(Debug, Clone)]
pub struct ClipTable {
    origin: Origin,
    /// The rows in use, where they are not all, or where each is a clip with one of its captions.
    chosen: Option<Arc<[Chosen]>>,
    skipped: Arc<[SkippedItem]>,
}

#[derive(Debug, Clone)]
enum Origin {
    Files(Arc<Files>),
    Shards(ShardSet),
}

/// A row, or one caption of it.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    clip: u32,
    /// [`ALL`], or the number of a caption.
    caption: u32,
}

/// All captions of a clip.
const ALL: u32 = u32::MAX;

impl Texts {
    /// What a clip with such texts is for; nothing where there are none.
    pub fn task(&self) -> Option<ItemsTask> {
        match self {
            Self::None => None,
            Self::Captions(_) => Some(ItemsTask::Retrieval),
            Self::Choice { .. } => Some(ItemsTask::MultipleChoice),
            Self::Question { .. } => Some(ItemsTask::OpenEnded),
        }
    }

    /// All of them, questions before answers.
    pub fn all(&self) -> Vec<&str> {
        let asked = |question, answers| -> Vec<&str> {
            let question = Some(question).filter(|question: &&str| !question.is_empty());
            let answers: &Vec<String> = answers;
            let answers = answers.iter().map(String::as_str);
            question.into_iter().chain(answers).collect()
        };
        match self {
            Self::None => Vec::new(),
            Self::Captions(captions) => captions.iter().map(Caption::text).collect(),
            Self::Choice {
                question, options, ..
            } => asked(question, options),
            Self::Question { question, answers } => asked(question, answers),
        }
    }
}

impl From<Files> for ClipTable {
    fn from(files: Files) -> Self {
        Self {
            origin: Origin::Files(Arc::new(files)),
            chosen: None,
            skipped: Arc::default(),
        }
    }
}

impl From<ShardSet> for ClipTable {
    fn from(shards: ShardSet) -> Self {
        Self {
            skipped: shards.skipped().into(),
            origin: Origin::Shards(shards),
            chosen: None,
        }
    }
}

impl ClipTable {
    /// Clips at these paths, each with a caption.
    pub fn of_captions<P: AsRef<Path>, C: Into<String>>(
        pairs: impl IntoIterator<Item = (P, C)>,
    ) -> Self {
        let mut files = Files::in_folder("", true);
        for (path, caption) in pairs {
            let texts = Texts::Captions(vec![Caption::Plain(caption.into())]);
            files.push(None, (&path.as_ref().to_string_lossy(), None), &texts);
        }
        files.joined().into()
    }

    /// Items whose clips lie in `folder`. Captions of one clip come together; every question is a row.
    pub fn of_items(items: Items, folder: impl Into<PathBuf>) -> Self {
        let mut files = Files::in_folder(folder, false);
        match items {
            Items::Retrieval(items) => {
                items
                    .into_iter()
                    .for_each(|item| files.push_item(item.into()));
            }
            Items::MultipleChoice(items) => {
                items
                    .into_iter()
                    .for_each(|item| files.push_item(item.into()));
            }
            Items::OpenEnded(items) => {
                items
                    .into_iter()
                    .for_each(|item| files.push_item(item.into()));
            }
        }
        files.joined().into()
    }

    /// The same, with what was left out while its list was read.
    #[must_use]
    pub(crate) fn with_skipped(self, skipped: Vec<SkippedItem>) -> Self {
        Self {
            skipped: skipped.into(),
            ..self
        }
    }

    /// What was left out before any clip was opened, by name.
    pub fn skipped(&self) -> &[SkippedItem] {
        &self.skipped
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match (&self.chosen, &self.origin) {
            (Some(chosen), _) => chosen.len(),
            (None, Origin::Files(files)) => files.len(),
            (None, Origin::Shards(shards)) => shards.len(),
        }
    }

    /// Tells whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number in its origin, and the caption that is meant.
    fn chosen(&self, row: usize) -> Chosen {
        match &self.chosen {
            Some(chosen) => chosen[row],
            None => Chosen {
                clip: row as u32,
                caption: ALL,
            },
        }
    }

    /// What reports call the row.
    pub fn name(&self, row: usize) -> String {
        let clip = self.chosen(row).clip as usize;
        match &self.origin {
            Origin::Files(files) => files.name(clip),
            Origin::Shards(shards) => shards.name(clip),
        }
    }

    /// The clip as its list names it, a path below the folder of clips; of shards, its name.
    pub fn clip(&self, row: usize) -> String {
        let clip = self.chosen(row).clip as usize;
        match &self.origin {
            Origin::Files(files) => files.clip(clip).to_owned(),
            Origin::Shards(shards) => shards.name(clip),
        }
    }

    /// The file or the folder of images that holds the clip; of shards, the shard.
    pub fn file(&self, row: usize) -> PathBuf {
        let clip = self.chosen(row).clip as usize;
        match &self.origin {
            Origin::Files(files) => files.path(clip),
            Origin::Shards(shards) => shards.shard(clip).to_path_buf(),
        }
    }

    /// The part of the clip that its list names; of shards only [`read`](Self::read) tells.
    pub fn span(&self, row: usize) -> Option<Span> {
        let clip = self.chosen(row).clip as usize;
        match &self.origin {
            Origin::Files(files) => files.span(clip),
            Origin::Shards(_) => None,
        }
    }

    /// The texts of a row; none where they are in a shard and cannot be read.
    pub fn texts(&self, row: usize) -> Texts {
        let Chosen { clip, caption } = self.chosen(row);
        match &self.origin {
            Origin::Files(files) => only(files.texts(clip as usize), caption),
            Origin::Shards(shards) => shards.texts(clip as usize).unwrap_or_default(),
        }
    }

    /// Finds the clip and its texts.
    ///
    /// # Errors
    ///
    /// When the shard cannot be read or a text cannot be used; whether the clip can be is only known
    /// when it is opened.
    pub fn read(&self, row: usize) -> Result<ClipRow, DataError> {
        let Chosen { clip, caption } = self.chosen(row);
        let read = match &self.origin {
            Origin::Files(files) => ClipRow {
                clip: ClipSource::Path(files.path(clip as usize)),
                span: files.span(clip as usize),
                texts: files.texts(clip as usize),
            },
            Origin::Shards(shards) => shards.read(clip as usize)?,
        };
        Ok(ClipRow {
            texts: only(read.texts, caption),
            ..read
        })
    }

    /// Stretches of rows that lie together on disk.
    pub fn stretches(&self) -> Vec<Range<usize>> {
        match (&self.origin, &self.chosen) {
            (Origin::Shards(shards), None) => shards.stretches(),
            _ => std::iter::once(0..self.len()).collect(),
        }
    }

    /// Whether the clips lie in shards.
    pub fn is_of_shards(&self) -> bool {
        matches!(self.origin, Origin::Shards(_))
    }

    /// What the first row that has texts is for; nothing where none of the first ones has any.
    pub fn task(&self) -> Option<ItemsTask> {
        let first = 0..self.len().min(FIRST_ROWS);
        first.into_iter().find_map(|row| self.texts(row).task())
    }

    /// The folder that the paths of a list start at.
    pub fn folder(&self) -> &Path {
        match &self.origin {
            Origin::Files(files) => files.folder(),
            Origin::Shards(_) => Path::new(""),
        }
    }

    /// The rows of which this is true.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Texts) -> bool) -> Self {
        let rows = (0..self.len()).filter(|&row| keep(&self.texts(row)));
        self.with_chosen(rows.map(|row| self.chosen(row)).collect())
    }

    /// The rows whose texts are for a task; the others are left out by name. The samples of shards, which
    /// are read later, all stay. `list` stands in errors.
    ///
    /// # Errors
    ///
    /// When no row has such texts.
    pub fn for_task(&self, task: ItemsTask, list: &Path) -> Result<Self, DataError> {
        if self.is_of_shards() {
            return Ok(self.clone());
        }
        let fits = |row: &usize| self.texts(*row).task() == Some(task);
        let (with, without): (Vec<usize>, Vec<usize>) = (0..self.len()).partition(fits);
        if without.is_empty() {
            return Ok(self.clone());
        }
        if with.is_empty() {
            return Err(DataError::OtherTexts {
                name: list.display().to_string(),
                wanted: task.texts(),
            });
        }
        let left_out = without.into_iter().map(|row| {
            let name = self.name(row);
            let error = DataError::OtherTexts {
                name: name.clone(),
                wanted: task.texts(),
            };
            SkippedItem::new(name, &error)
        });
        let skipped = self.skipped.iter().cloned().chain(left_out);
        let chosen = with.into_iter().map(|row| self.chosen(row));
        Ok(self
            .with_chosen(chosen.collect())
            .with_skipped(skipped.collect()))
    }

    /// Every caption as a row of its own: a clip is then decoded once for each. How many captions a
    /// sample of shards has is only known when it is read, so those stay as they are.
    #[must_use]
    pub fn apart(&self) -> Self {
        if let Origin::Shards(_) = &self.origin {
            return self.clone();
        }
        let mut chosen = Vec::new();
        let mut several = false;
        for row in 0..self.len() {
            match self.texts(row) {
                Texts::Captions(captions) if captions.len() > 1 => {
                    several = true;
                    let clip = self.chosen(row).clip;
                    let each = (0..captions.len() as u32).map(|caption| Chosen { clip, caption });
                    chosen.extend(each);
                }
                _ => chosen.push(self.chosen(row)),
            }
        }
        match several {
            true => self.with_chosen(chosen),
            false => self.clone(),
        }
    }

    /// Every clip with the first of its captions alone.
    #[must_use]
    pub fn with_first_captions(&self) -> Self {
        let first = (0..self.len()).map(|row| {
            let Chosen { clip, caption } = self.chosen(row);
            let caption = if caption == ALL { 0 } else { caption };
            Chosen { clip, caption }
        });
        self.with_chosen(first.collect())
    }

    /// So many rows at most, evenly spread over all.
    #[must_use]
    pub fn spread(&self, count: usize) -> Self {
        let count = count.min(self.len());
        let rows = (0..count).map(|number| self.chosen(number * self.len() / count));
        self.with_chosen(rows.collect())
    }

    /// These rows, in this order.
    pub(super) fn only_rows(&self, rows: &[usize]) -> Self {
        self.with_chosen(rows.iter().map(|&row| self.chosen(row)).collect())
    }

    fn with_chosen(&self, chosen: Vec<Chosen>) -> Self {
        Self {
            chosen: Some(chosen.into()),
            ..self.clone()
        }
    }
}

/// One caption of several, or all.
fn only(texts: Texts, caption: u32) -> Texts {
    match texts {
        Texts::Captions(mut captions) if (caption as usize) < captions.len() => {
            Texts::Captions(vec![captions.swap_remove(caption as usize)])
        }
        texts => texts,
    }
}

#[cfg(test)]
mod tests;
