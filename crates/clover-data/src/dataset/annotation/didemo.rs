//! DiDeMo: moments of a video and sentences about them, read as a paragraph a video.
//!
//! Hendricks et al., "Localizing Moments in Video with Natural Language" (ICCV 2017). Retrieval
//! joins all descriptions of a video in the order of the file. Names have many extensions, and some
//! end in a dot; they stay as they are. How many annotators there were (4, 5 or 7) plays no role.

use std::ops::ControlFlow;

use serde_json::Value;

use super::super::items::{Gathered, RetrievalItem};
use super::super::rows::{RowFault, RowNumber, walk_json};
use super::captions_by_video::{self, Captioned, CaptionsByVideo};
use super::clip_names::ClipNames;
use super::fields::{object, text};
use super::reading::Reading;
use crate::DataError;

/// Reads `{train,val,test}_data.json`; a list keeps the videos it names.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut videos = CaptionsByVideo::default();
    walk_json(reading.path, &mut |element| {
        let row = RowNumber::Entry(element.entry);
        let added = element
            .value
            .and_then(|moment| add(&moment, row, &mut videos));
        if let Err(fault) = added {
            gathered.skip(reading.path, row, fault);
        }
        ControlFlow::Continue(())
    })?;
    videos.gather(reading, &mut gathered, paragraph);
    Ok(gathered)
}

fn add(moment: &Value, row: RowNumber, videos: &mut CaptionsByVideo) -> Result<(), RowFault> {
    let moment = object(moment)?;
    videos.add(text(moment, "video")?, text(moment, "description")?, row)
}

fn paragraph(clips: &ClipNames, captioned: Captioned) -> Result<RetrievalItem, RowFault> {
    let clip = clips.named(&captioned.video)?;
    let paragraph = captioned.captions.join(" ");
    Ok(captions_by_video::item(captioned.video, clip, [paragraph]))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{AnnotationFormat, convert};

    const DATA: &str = r#"[
        {"num_segments":6,"description":"a dog runs.","dl_link":"https://a","times":[[1,1],[1,2],
         [0,1],[1,1]],"video":"12@N03_7_ab.","annotation_id":1},
        {"num_segments":6,"description":"a man waves","dl_link":"https://b","times":[[1,1],[1,2],
         [0,1],[1,1],[2,2],[1,1],[1,1]],"video":"34@N00_8_cd.3gp","annotation_id":2},
        {"num_segments":6,"description":"it sits down","dl_link":"https://a","times":[[3,3],[3,3],
         [3,3],[3,3],[3,3]],"video":"12@N03_7_ab.","annotation_id":3},
        {"num_segments":6,"times":[],"video":"56@N00_9_ef.mov","annotation_id":4}
    ]"#;

    #[test]
    fn descriptions_are_joined_to_a_paragraph_a_video() {
        let converted = Sample::new("val_data.json", DATA).convert();

        assert_eq!(converted.format, AnnotationFormat::Didemo);
        let items = converted.retrieval();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].clip, "12@N03_7_ab.");
        assert_eq!(items[0].captions.len(), 1);
        assert_eq!(items[0].captions[0].text(), "a dog runs. it sits down");
        assert!(
            converted.skipped[0].name.ends_with("entry 4"),
            "{converted:?}"
        );
    }

    #[test]
    fn a_list_keeps_the_videos_it_names() {
        let sample = Sample::new("test_data.json", DATA);
        let mut request = sample.request();
        request.list = Some(sample.beside("list.txt", "34@N00_8_cd.3gp\n99@N00_1_zz.mov\n"));

        let converted = convert(&request).unwrap();

        assert_eq!(converted.retrieval().len(), 1);
        assert_eq!(converted.unlisted, 1);
        assert!(
            converted.skipped[1].reason.contains("99@N00_1_zz.mov"),
            "{converted:?}"
        );
    }

    #[test]
    fn another_extension_replaces_all_endings() {
        let sample = Sample::new("test_data.json", DATA);
        let mut request = sample.request();
        request.extension = Some("mp4".to_owned());

        let converted = convert(&request).unwrap();

        let clips: Vec<_> = converted
            .retrieval()
            .iter()
            .map(|item| &item.clip)
            .collect();
        assert_eq!(clips, ["12@N03_7_ab.mp4", "34@N00_8_cd.mp4"]);
    }
}
