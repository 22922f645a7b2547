//! What a reader of one format is given.

use std::path::Path;

use super::super::answer_vocabulary::AnswerVocabulary;
use super::super::items::Gathered;
use super::super::pairs::ManifestColumns;
use super::super::rows::RowFault;
use super::clip_names::ClipNames;
use super::convert::ConvertRequest;
use super::format::{AnnotationFormat, Auxiliary};
use super::video_list::VideoList;
use super::youtube_mapping::YoutubeMapping;
use crate::DataError;

/// What a reader of one format is given.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) path: &'a Path,
    pub(super) format: AnnotationFormat,
    pub(super) clips: ClipNames,
    pub(super) list: Option<VideoList>,
    pub(super) mapping: Option<YoutubeMapping>,
    pub(super) vocabulary: Option<AnswerVocabulary>,
    pub(super) split: Option<&'a str>,
    pub(super) whole_films: bool,
    pub(super) seed: u64,
    pub(super) columns: &'a ManifestColumns,
    /// The folder of clips, where a table is made.
    table: Option<&'a Path>,
}

impl<'a> Reading<'a> {
    /// Reads the files that go with the annotation.
    pub(super) fn prepare(
        request: &'a ConvertRequest,
        format: AnnotationFormat,
        table: Option<&'a Path>,
    ) -> Result<Self, DataError> {
        let clips = ClipNames::new(
            (format, request.whole_films),
            request.extension.as_deref(),
            request.clip_pattern.as_deref(),
        )?;
        Ok(Self {
            path: &request.annotation,
            format,
            clips,
            list: request.list.as_deref().map(VideoList::read).transpose()?,
            mapping: request
                .mapping
                .as_deref()
                .map(YoutubeMapping::read)
                .transpose()?,
            vocabulary: request
                .vocabulary
                .as_deref()
                .filter(|_| format.uses(Auxiliary::Vocabulary))
                .map(AnswerVocabulary::read)
                .transpose()?,
            split: request.split.as_deref(),
            whole_films: request.whole_films,
            seed: request.seed,
            columns: &request.columns,
            table,
        })
    }

    /// What items are gathered in.
    pub(super) fn gathered(&self) -> Gathered {
        match self.table {
            Some(folder) => Gathered::table(self.path, folder),
            None => Gathered::new(self.path),
        }
    }

    /// The answer in words that a number stands for.
    pub(super) fn answer(&self, number: u64) -> Result<String, RowFault> {
        let vocabulary = self.vocabulary.as_ref().ok_or(RowFault::NeedsVocabulary)?;
        let index = usize::try_from(number).ok();
        let answer = index.and_then(|index| vocabulary.answer(index));
        answer.map(str::to_owned).ok_or(RowFault::Answer {
            answer: number,
            options: vocabulary.len(),
        })
    }
}
