//! The pairs manifest as items; paths start at the manifest's folder.

use std::path::{Component, Path};

use super::super::items::{Gathered, RetrievalItem};
use super::super::pairs::each_pair;
use super::super::rows::UnsafePath;
use super::reading::Reading;
use crate::DataError;

/// Reads a manifest: an item a row, so that rows of one clip stay apart.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    each_pair(reading.path, reading.columns, &mut |row, pair| {
        let item = pair.and_then(|((file, span), caption)| {
            let clip = with_slashes(Path::new(file)).ok_or_else(|| UnsafePath {
                path: file.chars().take(100).collect(),
                reason: "is not below the folder of the manifest",
            })?;
            Ok(RetrievalItem {
                id: None,
                span,
                clip,
                captions: vec![caption],
            })
        });
        gathered.push(row, item);
    })?;
    Ok(gathered)
}

/// The path with `/` between its parts, as items have it on every system, unless it begins at a root.
fn with_slashes(path: &Path) -> Option<String> {
    let parts = path.components().map(|part| match part {
        Component::RootDir | Component::Prefix(_) => None,
        part => part.as_os_str().to_str(),
    });
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{AnnotationFormat, convert};

    #[test]
    fn paths_stay_relative_to_the_manifest() {
        let content =
            "caption,path\n\"a cat, asleep\",clips/a.mp4\na dog,/b.mp4\na dog,../b.mp4\n,c\n";

        let converted = Sample::new("pairs.csv", content).convert();

        assert_eq!(converted.format, AnnotationFormat::Pairs);
        let items = converted.retrieval();
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].clip, "clips/a.mp4");
        assert_eq!(items[0].id, None);
        assert_eq!(converted.skipped.len(), 3);
        assert!(!converted.skipped[1].reason.contains("//"), "{converted:?}");
    }

    #[test]
    fn a_list_of_pairs_is_a_manifest_and_other_columns_can_be_chosen() {
        let list = Sample::new("pairs.json", r#"[{"path":"a.mp4","caption":"a cat"}]"#).convert();
        let sample = Sample::new("pairs.csv", "clip;words\na.mp4;a cat\n");
        let mut request = sample.request();
        request.columns.path = Some("clip".to_owned());
        request.columns.caption = Some("words".to_owned());

        let table = convert(&request).unwrap();

        assert_eq!(list.format, AnnotationFormat::Pairs);
        assert_eq!(list.items, table.items);
    }
}
