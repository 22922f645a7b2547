//! From any annotation file to the project's own form.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::clip_table::ClipTable;
use super::super::items::{Gathered, Items, ItemsFile, gather_items};
use super::super::pairs::{ManifestColumns, is_named_as_manifest};
use super::super::rows::{AnnotationError, open_regular};
use super::super::skipped::SkippedItem;
use super::format::{AnnotationFormat, Auxiliary};
use super::other_file::other_file;
use super::reading::Reading;
use super::{
    cc3m, coco, detect, didemo, lsmdc, moments, msrvtt, msrvtt_choice, pairs_manifest, pickled,
    tgif, three_splits, video_qa, webvid,
};
use crate::DataError;

/// What to convert, and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvertRequest {
    /// The annotation file.
    pub annotation: PathBuf,
    /// Its format, unless its content is to tell.
    pub format: Option<AnnotationFormat>,
    /// The videos to keep, in this order: a csv file with a column `video_id`, or a name a line.
    pub list: Option<PathBuf>,
    /// Which name stands for `vid1`, `vid2`, ..: `youtube_mapping.txt`.
    pub mapping: Option<PathBuf>,
    /// Which answer stands for a number.
    pub vocabulary: Option<PathBuf>,
    /// The split to keep: `train`, `val` or `test`.
    pub split: Option<String>,
    /// Whether films are whole and clips a part of them, where files of clips are usual.
    pub whole_films: bool,
    /// What the order of options depends on where the file has the right one first.
    pub seed: u64,
    /// The extension of clips where the usual one is not theirs.
    pub extension: Option<String>,
    /// The path of a clip with `{placeholders}` where the usual one is not it.
    pub clip_pattern: Option<String>,
    /// What is chosen of the columns of a manifest of pairs.
    pub columns: ManifestColumns,
    /// Whether a split and a vocabulary are passed over by a format without use for them, instead of
    /// being an error that names them.
    pub lenient: bool,
}

/// The items of an annotation file in the project's own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The format that was read.
    pub format: AnnotationFormat,
    /// The items.
    pub items: Items,
    /// The rows that are not among them, by name.
    pub skipped: Vec<SkippedItem>,
    /// The videos or rows that the list or the split leaves out.
    pub unlisted: usize,
}

impl ConvertRequest {
    /// A request with nothing but the annotation file.
    pub fn new(annotation: impl Into<PathBuf>) -> Self {
        Self {
            annotation: annotation.into(),
            format: None,
            list: None,
            mapping: None,
            vocabulary: None,
            split: None,
            whole_films: false,
            seed: 0,
            extension: None,
            clip_pattern: None,
            columns: ManifestColumns::default(),
            lenient: false,
        }
    }

    /// The format of the file: the one asked for; a manifest where columns are chosen; otherwise what its
    /// content looks like, and, where it looks like nothing, a manifest if it is named as one.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is not recognised, or has no use for an option of the request.
    pub(in super::super) fn format_of_file(&self) -> Result<AnnotationFormat, DataError> {
        let path = &self.annotation;
        // A file that cannot be opened is a clearer error than one whose format is not recognised.
        open_regular(path, None)?;
        let chosen = (!self.columns.is_usual()).then_some(AnnotationFormat::Pairs);
        let format = match self.format.or(chosen).or_else(|| detect(path)) {
            Some(format) => format,
            None => match (other_file(path), path.to_path_buf()) {
                (Some(what), path) => return Err(AnnotationError::OtherFile { path, what }.into()),
                (None, path) if is_named_as_manifest(&path) => AnnotationFormat::Pairs,
                (None, path) => return Err(AnnotationError::UnknownFormat { path }.into()),
            },
        };
        self.check_uses(format)?;
        Ok(format)
    }

    /// Refuses an option that would be passed over.
    fn check_uses(&self, format: AnnotationFormat) -> Result<(), AnnotationError> {
        use Auxiliary::{List, Mapping, Split, Vocabulary, WholeFilms};
        let strict = !self.lenient;
        let given = [
            (List, self.list.is_some(), "a list of videos"),
            (Mapping, self.mapping.is_some(), "a mapping of videos"),
            (
                Vocabulary,
                strict && self.vocabulary.is_some(),
                "a vocabulary",
            ),
            (Split, strict && self.split.is_some(), "a split"),
            (WholeFilms, self.whole_films, "whole films"),
        ];
        if !self.columns.is_usual() && format != AnnotationFormat::Pairs {
            let option = "columns or a separator";
            return Err(AnnotationError::UnusedOption { format, option });
        }
        let mut unused = given
            .iter()
            .filter(|(auxiliary, ..)| !format.uses(*auxiliary));
        match unused.find(|(_, given, _)| *given) {
            Some(&(_, _, option)) => Err(AnnotationError::UnusedOption { format, option }),
            None => Ok(()),
        }
    }
}

/// Reads an annotation file of any known format.
///
/// # Errors
///
/// When the format is not recognised, an option does not fit it, a file cannot be read, or no row
/// can be used.
pub fn convert(request: &ConvertRequest) -> Result<Converted, DataError> {
    let format = request.format_of_file()?;
    let gathered = read(&Reading::prepare(request, format, None)?)?;
    let unlisted = gathered.unlisted;
    let ItemsFile { items, skipped } = gathered.finish()?;
    Ok(Converted {
        format,
        items,
        skipped,
        unlisted,
    })
}

/// Reads an annotation file of this format into a table; its clips lie in `folder`.
pub(in super::super) fn convert_to_table(
    (request, format): (&ConvertRequest, AnnotationFormat),
    folder: &Path,
) -> Result<ClipTable, DataError> {
    read(&Reading::prepare(request, format, Some(folder))?)?.finish_table()
}

fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    match reading.format {
        AnnotationFormat::Items => gather_items(reading.path, reading.gathered()),
        AnnotationFormat::Pairs => pairs_manifest::read(reading),
        AnnotationFormat::MsrvttCaptions => msrvtt::read_captions(reading),
        AnnotationFormat::MsrvttJsfusion => msrvtt::read_jsfusion(reading),
        AnnotationFormat::MsrvttQa => video_qa::read_msrvtt(reading),
        AnnotationFormat::MsrvttMultipleChoice => msrvtt_choice::read(reading),
        AnnotationFormat::MsvdQa => video_qa::read_msvd(reading),
        AnnotationFormat::Lsmdc => lsmdc::read_sentences(reading),
        AnnotationFormat::LsmdcFillInTheBlank => lsmdc::read_blanks(reading),
        AnnotationFormat::LsmdcMultipleChoice => lsmdc::read_choices(reading),
        AnnotationFormat::Didemo => didemo::read(reading),
        AnnotationFormat::TgifMultipleChoice => tgif::read_choices(reading),
        AnnotationFormat::TgifFrame | AnnotationFormat::TgifCount => tgif::read_questions(reading),
        AnnotationFormat::ThreeSplits => three_splits::read(reading),
        AnnotationFormat::Webvid => webvid::read(reading),
        AnnotationFormat::Cc3m => cc3m::read(reading),
        AnnotationFormat::CocoCaptions => coco::read(reading),
        AnnotationFormat::ActivitynetCaptions => moments::read_activitynet(reading),
        AnnotationFormat::Youcook2 => moments::read_youcook(reading),
        AnnotationFormat::Howto100m => moments::read_howto(reading),
        AnnotationFormat::Internvid => moments::read_internvid(reading),
        AnnotationFormat::Qvhighlights => moments::read_qvhighlights(reading),
        AnnotationFormat::CharadesSta => moments::read_charades(reading),
        AnnotationFormat::Pickle => pickled::read(reading),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn an_option_without_use_is_an_error_that_names_it() {
        let sample = Sample::new("a.csv", "path,caption\na.mp4,a cat\n");
        let mut request = sample.request();
        request.split = Some("test".to_owned());

        let message = convert(&request).unwrap_err().to_string();

        assert!(
            message.contains("pairs") && message.contains("split"),
            "{message}"
        );
    }

    #[test]
    fn whole_films_are_an_option_of_sets_with_cut_clips() {
        let sample = Sample::new("a.csv", "path,caption\na.mp4,a cat\n");
        let mut request = sample.request();
        request.whole_films = true;

        let message = convert(&request).unwrap_err().to_string();

        assert!(message.contains("no use for whole films"), "{message}");
    }

    #[test]
    fn an_unknown_file_is_an_error_that_names_it() {
        let sample = Sample::new("notes.txt", "bread\nmilk\n");

        let message = convert(&sample.request()).unwrap_err().to_string();

        assert!(message.contains("notes.txt"), "{message}");
    }

    #[test]
    fn a_missing_file_cannot_be_read() {
        let error = convert(&ConvertRequest::new("nowhere/a.json")).unwrap_err();

        assert!(matches!(error, DataError::Read { .. }));
    }

    #[test]
    fn the_own_form_passes_through() {
        let content = "{\"clip\":\"a.mp4\",\"captions\":[\"a cat\"]}\n";
        let converted = Sample::new("a.jsonl", content).convert();

        assert_eq!(converted.format, AnnotationFormat::Items);
        assert_eq!(converted.items.len(), 1);
    }
}
