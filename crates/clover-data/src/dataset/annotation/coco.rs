//! COCO's captions: five sentences an image.
//!
//! Chen et al., "Microsoft COCO Captions" (2015): `{"images": [{"id", "file_name", ..}],
//! "annotations": [{"image_id", "caption"}]}`, a file a split. An image has the name of its file, in
//! which its id stands behind the split's name and zeros.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::super::items::{Gathered, check_text};
use super::super::rows::{Element, RowFault, RowNumber, walk_json};
use super::captions_by_video::{self, Captioned, CaptionsByVideo};
use super::fields::{name, object, text};
use super::reading::Reading;
use crate::DataError;

/// Reads `captions_*.json`: an item an image, with all its captions.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut captions = CaptionsByVideo::default();
    let mut files = HashMap::new();
    walk_json(reading.path, &mut |element| {
        let row = RowNumber::Entry(element.entry);
        if let Err(fault) = add(element, row, &mut captions, &mut files) {
            gathered.skip(reading.path, row, fault);
        }
        ControlFlow::Continue(())
    })?;
    captions.gather(reading, &mut gathered, |clips, captioned| {
        let Captioned {
            video, captions, ..
        } = captioned;
        let file = files.get(&video).ok_or_else(|| RowFault::Unknown {
            name: video.clone(),
            file: reading.path.to_path_buf(),
        })?;
        Ok(captions_by_video::item(video, clips.named(file)?, captions))
    });
    Ok(gathered)
}

fn add(
    element: Element<'_>,
    row: RowNumber,
    captions: &mut CaptionsByVideo,
    files: &mut HashMap<String, String>,
) -> Result<(), RowFault> {
    match element.section {
        Some("images") => {
            let value = element.value?;
            let image = object(&value)?;
            let file = check_text("file_name", text(image, "file_name")?)?;
            files.insert(name(image, "id", "")?, file);
            Ok(())
        }
        Some("annotations") => {
            let value = element.value?;
            let sentence = object(&value)?;
            captions.add(
                &name(sentence, "image_id", "")?,
                text(sentence, "caption")?,
                row,
            )
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::AnnotationFormat;
    use super::super::sample::Sample;

    #[test]
    fn images_go_by_the_names_of_their_files() {
        let images = r#""images":[{"id":391895,"file_name":"COCO_val2014_000000391895.jpg"}]"#;
        let captions = r#""annotations":[{"image_id":391895,"id":770337,"caption":"A man on a
            bike."},{"image_id":391895,"id":771687,"caption":"A man rides"},
            {"image_id":7,"id":1,"caption":"nobody knows where"}]"#
            .replace("\n            ", " ");
        for content in [
            format!(
                "{{\"info\":{{\"year\":2014}},{images},\"licenses\":[{{\"id\":1}}],{captions}}}"
            ),
            format!("{{{captions},{images}}}"),
        ] {
            let converted = Sample::new("captions_val2014.json", content).convert();

            assert_eq!(converted.format, AnnotationFormat::CocoCaptions);
            let [item] = converted.retrieval() else {
                panic!("{converted:?}")
            };
            assert_eq!(item.clip, "COCO_val2014_000000391895.jpg");
            assert_eq!(item.captions[1].text(), "A man rides");
            assert!(
                converted.skipped[0].reason.contains("\"7\""),
                "{converted:?}"
            );
        }
    }
}
