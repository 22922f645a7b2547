//! The formats of annotation files that are known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::rows::AnnotationError;

/// A format of annotation files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AnnotationFormat {
    /// The project's own form.
    Items,
    /// A table of paths and captions.
    Pairs,
    /// `MSRVTT_data.json`, in both cuts.
    MsrvttCaptions,
    /// `MSRVTT_JSFUSION_test.csv`.
    MsrvttJsfusion,
    /// MSRVTT-QA, one object a line or one list.
    MsrvttQa,
    /// The multiple-choice test of MSRVTT, in both forms.
    MsrvttMultipleChoice,
    /// MSVD-QA.
    MsvdQa,
    /// `LSMDC16_annos_*.csv`.
    Lsmdc,
    /// `LSMDC16_*_FIB.csv`.
    LsmdcFillInTheBlank,
    /// `LSMDC16_multiple_choice_*.csv`.
    LsmdcMultipleChoice,
    /// DiDeMo.
    Didemo,
    /// TGIF-QA, actions and transitions.
    TgifMultipleChoice,
    /// TGIF-QA, questions about one frame.
    TgifFrame,
    /// TGIF-QA, questions of how often.
    TgifCount,
    /// One JSON file with the splits of a task.
    ThreeSplits,
    /// WebVid.
    Webvid,
    /// Conceptual Captions.
    Cc3m,
    /// COCO's captions.
    CocoCaptions,
    /// ActivityNet Captions.
    ActivitynetCaptions,
    /// YouCook2.
    Youcook2,
    /// HowTo100M, a table or one object.
    Howto100m,
    /// InternVid.
    Internvid,
    /// QVHighlights.
    Qvhighlights,
    /// Charades-STA.
    CharadesSta,
    /// Pickles of the published implementation.
    Pickle,
}

/// What a format needs or can use beside its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Auxiliary {
    List,
    Mapping,
    Vocabulary,
    Split,
    WholeFilms,
}

/// What is known of a format.
#[derive(Debug)]
pub(super) struct Facts {
    format: AnnotationFormat,
    name: &'static str,
    description: &'static str,
    /// See [`Facts::clips`].
    clips: Option<&'static str>,
    /// What patterns of clip paths can hold.
    pub(super) placeholders: &'static [&'static str],
    uses: &'static [Auxiliary],
}

/// Placeholders of formats that give a clip one name.
const NAME: &[&str] = &["id", "name", "stem"];

/// The usual path of a film where clips of films are not cut out.
const FILM: &str = "{movie}.mp4";

const fn facts(
    format: AnnotationFormat,
    name: &'static str,
    description: &'static str,
    (clips, placeholders): (Option<&'static str>, &'static [&'static str]),
    uses: &'static [Auxiliary],
) -> Facts {
    Facts {
        format,
        name,
        description,
        clips,
        placeholders,
        uses,
    }
}

/// In the order of the enum.
const FACTS: [Facts; 25] = {
    use AnnotationFormat as F;
    use Auxiliary::{List, Mapping, Split, Vocabulary, WholeFilms};
    [
        facts(
            F::Items,
            "items",
            "this project's own form, .jsonl or .json",
            (None, &[]),
            &[],
        ),
        facts(
            F::Pairs,
            "pairs",
            "csv, tsv, json or jsonl with path and caption, packed by gzip or not",
            (None, &[]),
            &[],
        ),
        facts(
            F::MsrvttCaptions,
            "msrvtt-captions",
            "MSRVTT_data.json; a list (train.7k, train.9k, test.full) or a split chooses videos",
            (Some("{id}.mp4"), NAME),
            &[List, Split, WholeFilms],
        ),
        facts(
            F::MsrvttJsfusion,
            "msrvtt-jsfusion",
            "MSRVTT_JSFUSION_test.csv, the 1k-A test of retrieval",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::MsrvttQa,
            "msrvtt-qa",
            "MSRVTT-QA as jsonl, or the original list with numbers for videos",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::MsrvttMultipleChoice,
            "msrvtt-multiple-choice",
            "MSRVTT multiple choice, five sentences a video",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::MsvdQa,
            "msvd-qa",
            "MSVD-QA; needs youtube_mapping.txt as mapping",
            (Some("{id}.avi"), NAME),
            &[Mapping],
        ),
        facts(
            F::Lsmdc,
            "lsmdc",
            "LSMDC16_annos_*.csv, clips and sentences",
            (Some("{movie}/{id}.avi"), &["id", "movie"]),
            &[WholeFilms],
        ),
        facts(
            F::LsmdcFillInTheBlank,
            "lsmdc-fill-in-the-blank",
            "LSMDC16_*_FIB.csv, sentences with a blank",
            (Some("{movie}/{id}.avi"), &["id", "movie"]),
            &[WholeFilms],
        ),
        facts(
            F::LsmdcMultipleChoice,
            "lsmdc-multiple-choice",
            "LSMDC16_multiple_choice_*.csv, five sentences a clip",
            (Some("{movie}/{id}.avi"), &["id", "movie"]),
            &[WholeFilms],
        ),
        facts(
            F::Didemo,
            "didemo",
            "DiDeMo {train,val,test}_data.json, a paragraph a video; a list chooses videos",
            (Some("{id}"), NAME),
            &[List],
        ),
        facts(
            F::TgifMultipleChoice,
            "tgif-multiple-choice",
            "TGIF-QA *_action_question.csv and *_transition_question.csv",
            (Some("{id}.gif"), NAME),
            &[],
        ),
        facts(
            F::TgifFrame,
            "tgif-frame",
            "TGIF-QA *_frameqa_question.csv",
            (Some("{id}.gif"), NAME),
            &[],
        ),
        facts(
            F::TgifCount,
            "tgif-count",
            "TGIF-QA *_count_question.csv, a number as answer",
            (Some("{id}.gif"), NAME),
            &[],
        ),
        facts(
            F::ThreeSplits,
            "three-splits",
            "one json with train, val and test, as VIOLET's; a split chooses, numbered answers need a \
             vocabulary",
            (Some("{id}.mp4"), NAME),
            &[Split, Vocabulary],
        ),
        facts(
            F::Webvid,
            "webvid",
            "WebVid results_*.csv",
            (
                Some("videos/{page_dir}/{videoid}.mp4"),
                &["page_dir", "videoid", "page_idx"],
            ),
            &[],
        ),
        facts(
            F::Cc3m,
            "cc3m",
            "Conceptual Captions *_GCC*.tsv, captions and addresses",
            (Some("{row:08}.jpg"), &["row"]),
            &[],
        ),
        facts(
            F::CocoCaptions,
            "coco-captions",
            "COCO captions_*.json, images by the names of their files",
            (Some("{id}"), NAME),
            &[],
        ),
        facts(
            F::ActivitynetCaptions,
            "activitynet-captions",
            "ActivityNet Captions {train,val_1,val_2}.json, moments of videos",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::Youcook2,
            "youcook2",
            "YouCook2 youcookii_annotations_*.json, moments of videos; a split chooses a subset",
            (Some("{id}.mp4"), NAME),
            &[Split],
        ),
        facts(
            F::Howto100m,
            "howto100m",
            "HowTo100M's narrations: a table with video_id, start, end and text, or one json by video",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::Internvid,
            "internvid",
            "InternVid .jsonl, moments of videos",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::Qvhighlights,
            "qvhighlights",
            "QVHighlights highlight_*_release.jsonl, an item a relevant window",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::CharadesSta,
            "charades-sta",
            "Charades-STA charades_sta_*.txt, moments of videos",
            (Some("{id}.mp4"), NAME),
            &[],
        ),
        facts(
            F::Pickle,
            "pickle",
            "pickled list of {filename, text, ..}; numbered answers need a vocabulary",
            (Some("{id}"), NAME),
            &[Vocabulary],
        ),
    ]
};

impl Facts {
    /// The usual pattern of clip paths, unless the file holds whole paths that nothing can change.
    pub(super) fn clips(&self, whole_films: bool) -> Option<&'static str> {
        match whole_films && self.placeholders.contains(&"movie") {
            true => Some(FILM),
            false => self.clips,
        }
    }
}

impl AnnotationFormat {
    /// All formats.
    pub const ALL: [Self; 25] = {
        let mut all = [Self::Items; 25];
        let mut index = 0;
        while index < all.len() {
            all[index] = FACTS[index].format;
            index += 1;
        }
        all
    };

    /// Its name in commands and recipes.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What it is, in a line.
    pub fn description(self) -> &'static str {
        self.facts().description
    }

    /// Whether it can use such a file or option.
    pub(super) fn uses(self, auxiliary: Auxiliary) -> bool {
        self.facts().uses.contains(&auxiliary)
    }

    pub(super) fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }
}

impl fmt::Display for AnnotationFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for AnnotationFormat {
    type Err = AnnotationError;

    fn from_str(name: &str) -> Result<Self, AnnotationError> {
        let mut all = Self::ALL.into_iter();
        all.find(|format| format.name() == name)
            .ok_or_else(|| AnnotationError::UnknownFormatName {
                name: name.chars().take(50).collect(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_found_by_the_name_it_is_written_with() {
        for format in AnnotationFormat::ALL {
            let written = serde_json::to_value(format).unwrap();

            assert_eq!(written, format.to_string());
            assert_eq!(format.name().parse::<AnnotationFormat>().unwrap(), format);
            assert_eq!(format.facts().format, format);
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        let message = "lsmdc16"
            .parse::<AnnotationFormat>()
            .unwrap_err()
            .to_string();

        assert!(message.contains("lsmdc-multiple-choice"), "{message}");
    }
}
