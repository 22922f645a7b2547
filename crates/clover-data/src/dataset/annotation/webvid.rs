//! WebVid: videos from the web and their titles.
//!
//! Bain et al., "Frozen in Time" (ICCV 2021). Two releases order their columns differently, so
//! they are found by name. Some titles are empty; those rows are skipped.

use super::super::items::Gathered;
use super::super::rows::{Records, RowFault, RowNumber, TableStyle};
use super::captions_by_video;
use super::reading::Reading;
use crate::DataError;

/// The columns that place a clip, where a release has them.
const PLACES: [&str; 3] = ["videoid", "page_dir", "page_idx"];

/// Reads `results_*.csv`: an item a row.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut records = Records::open(reading.path, TableStyle::CSV)?;
    let header = records.header(reading.path)?;
    let id_column = header.column("videoid")?;
    let caption_column = header.column("name")?;
    let places = PLACES.map(|place| header.find(place));
    while let Some((line, record)) = records.next_record()? {
        let item = record.and_then(|record| {
            let field = |column: usize, key| record.get(column).ok_or(RowFault::Missing { key });
            let id = field(id_column, "videoid")?;
            let caption = field(caption_column, "name")?;
            let places = PLACES
                .iter()
                .zip(places)
                .filter_map(|(&place, column)| Some((place, record.get(column?)?.as_str())));
            let clip = reading.clips.path(&places.collect::<Vec<_>>())?;
            Ok(captions_by_video::item(id.clone(), clip, [caption.clone()]))
        });
        gathered.push(RowNumber::Line(line), item);
    }
    Ok(gathered)
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::super::{AnnotationFormat, convert};

    #[test]
    fn columns_are_found_by_name_in_either_order() {
        let first = "videoid,name,page_idx,page_dir,duration,contentUrl\n\
            17,\"A flag, waving\",873,000851_000900,PT00H00M05S,https://a/17.mp4\n\
            18,,873,000851_000900,PT00H00M05S,https://a/18.mp4\n";
        let second = "videoid,contentUrl,duration,page_dir,name\n\
            17,https://a/17.mp4,PT00H00M05S,000851_000900,\"A flag, waving\"\n";

        let first = Sample::new("results_2M_val.csv", first).convert();
        let second = Sample::new("results_10M_val.csv", second).convert();

        assert_eq!(first.format, AnnotationFormat::Webvid);
        assert_eq!(first.items, second.items);
        let item = &first.retrieval()[0];
        assert_eq!(item.clip, "videos/000851_000900/17.mp4");
        assert_eq!(item.captions[0].text(), "A flag, waving");
        assert!(first.skipped[0].to_string().contains("line 3"), "{first:?}");
    }

    #[test]
    fn a_row_cannot_climb_out_of_the_folder_of_clips() {
        let content = "videoid,name,page_dir\n1,a cat,../../etc\n2,a dog,p\n";

        let converted = Sample::new("results.csv", content).convert();

        assert_eq!(converted.items.len(), 1);
        assert!(
            converted.skipped[0].reason.contains("climbs"),
            "{converted:?}"
        );
    }

    #[test]
    fn a_pattern_moves_the_clips() {
        let sample = Sample::new("results.csv", "videoid,name,page_dir\n1,a cat,p\n");
        let mut request = sample.request();
        request.clip_pattern = Some("{videoid:05}.mp4".to_owned());

        let converted = convert(&request).unwrap();

        assert_eq!(converted.retrieval()[0].clip, "00001.mp4");
    }
}
