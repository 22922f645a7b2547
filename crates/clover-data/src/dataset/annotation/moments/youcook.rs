//! YouCook2: the steps of recipes, with one subset or several in a file.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use serde_json::Value;

use super::super::super::items::Gathered;
use super::super::super::rows::{RowFault, RowNumber, walk_json};
use super::super::fields::object;
use super::super::reading::Reading;
use super::super::three_splits::{pick, usual};
use super::{MAX_NAME_BYTES, Moment, gather, list, pair};
use crate::DataError;

/// More subsets than this are not told apart.
const MAX_SUBSETS: usize = 10;

/// Reads `youcookii_annotations_*.json`; a split chooses a subset.
pub(in super::super) fn read_youcook(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let chosen = choose_subset(reading)?;
    walk_json(reading.path, &mut |element| {
        let (Some("database"), Some(video)) = (element.section, element.key) else {
            return ControlFlow::Continue(());
        };
        let number = RowNumber::Entry(element.entry);
        match element.value {
            Ok(value) if !is_of(chosen.as_deref(), &value) => gathered.unlisted += 1,
            Ok(value) => gather(
                reading,
                &mut gathered,
                number,
                (video, None),
                segments(&value),
            ),
            Err(fault) => gathered.skip(reading.path, number, fault),
        }
        ControlFlow::Continue(())
    })?;
    Ok(gathered)
}

/// Tells whether a video of a `database` has segments with sentences.
pub(in super::super) fn is_youcook(video: &Value) -> bool {
    let segment = video.get("annotations").and_then(|list| list.get(0));
    segment.is_some_and(|segment| segment.get("sentence").is_some())
}

/// The subset to read, of a file with several or where one is asked for.
fn choose_subset(reading: &Reading<'_>) -> Result<Option<String>, DataError> {
    let mut found = BTreeSet::new();
    walk_json(reading.path, &mut |element| {
        if element.section == Some("database")
            && let Ok(value) = &element.value
            && let Some(subset) = subset(value)
            && found.len() < MAX_SUBSETS
            && subset.len() <= MAX_NAME_BYTES
            && !found.contains(subset)
        {
            found.insert(subset.to_owned());
        }
        ControlFlow::Continue(())
    })?;
    match reading.split.is_none() && found.is_empty() {
        true => Ok(None),
        false => pick(reading, found).map(Some),
    }
}

fn subset(video: &Value) -> Option<&str> {
    video.get("subset")?.as_str().map(str::trim)
}

/// Tells whether a video is of the chosen subset; one that is none is left to be named.
fn is_of(chosen: Option<&str>, video: &Value) -> bool {
    let Some(chosen) = chosen.filter(|_| video.is_object()) else {
        return true;
    };
    subset(video).is_some_and(|subset| usual(subset) == usual(chosen))
}

/// The segments of a video of YouCook2.
fn segments(video: &Value) -> Result<Vec<Moment<'_>>, RowFault> {
    let segments = list(object(video)?, "annotations")?;
    Ok(segments
        .iter()
        .map(|segment| match segment.as_object() {
            Some(row) => (pair("segment", row.get("segment")), row.get("sentence")),
            None => (Err(RowFault::NotAnObject), None),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::AnnotationFormat;
    use super::super::super::convert;
    use super::super::super::sample::Sample;
    use super::super::look_alikes::{assert_skipped, converted, moments, of};

    const YOUCOOK: &str = r#"{"database": {
    "GLd3aX16zBg": {"duration": 241.6, "subset": "training", "recipe_type": "113", "annotations": [
        {"segment": [90, 102], "id": 0, "sentence": "spread margarine on the bread"},
        {"segment": [114, 113], "id": 1, "sentence": "place cheese"}]},
    "xHr8X2Wpmno": {"subset": "validation", "annotations": [
        {"segment": [47, 60], "id": 0, "sentence": "pick the ends off"}]},
    "V53XmPeyjIU": {"subset": "testing", "annotations": [{"segment": [1, 2], "id": 0}]}}}"#;

    #[test]
    fn a_subset_of_youcook_is_chosen_by_any_of_its_names() {
        let sample = Sample::new("youcookii_annotations_trainval.json", YOUCOOK);
        let split = |split: &str| {
            let mut request = sample.request();
            request.split = Some(split.to_owned());
            convert(&request)
        };

        let message = convert(&sample.request()).unwrap_err().to_string();
        let [training, train] = ["training", "train"].map(|name| split(name).unwrap());
        let [validation, val] = ["validation", "val"].map(|name| split(name).unwrap());
        let testing = split("test").unwrap_err().to_string();
        let unknown = split("trian").unwrap_err().to_string();

        assert!(
            message.contains("--split testing|training|validation"),
            "{message}"
        );
        let wanted = [[
            "GLd3aX16zBg.mp4",
            "90..102",
            "spread margarine on the bread",
        ]];
        assert_eq!(moments(&train), of(wanted));
        assert_skipped(
            &train,
            &[(
                "entry 1",
                "moment 2, of \"GLd3aX16zBg\": its start and end are no span",
            )],
        );
        assert_eq!(
            (train.format, train.unlisted),
            (AnnotationFormat::Youcook2, 2)
        );
        let wanted = [["xHr8X2Wpmno.mp4", "47..60", "pick the ends off"]];
        assert_eq!(moments(&val), of(wanted));
        assert_eq!((training, validation), (train, val));
        assert!(testing.contains("it has no sentence"), "{testing}");
        assert!(
            unknown.contains("testing, training, validation"),
            "{unknown}"
        );
    }

    #[test]
    fn youcook_with_one_subset_or_none_needs_no_choice() {
        for subset in [r#""subset":"training","#, ""] {
            let content = format!(
                r#"{{"database":{{"a":{{{subset}"annotations":[{{"segment":["00:01:30",102],
                "sentence":"stir"}},7]}},"b":5}}}}"#
            );

            let converted = converted("one.json", &content, AnnotationFormat::Youcook2);

            assert_eq!(moments(&converted), of([["a.mp4", "90..102", "stir"]]));
            let reasons = [
                ("entry 1", "moment 2, of \"a\": it is not an object"),
                ("entry 2", "it is not an object"),
            ];
            assert_skipped(&converted, &reasons);
        }
    }
}
