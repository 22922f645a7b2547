//! Conceptual Captions: images from the web and what stood beside them.
//!
//! Sharma et al., "Conceptual Captions" (ACL 2018). A table with tabs and without a header: caption
//! and URL. What an image is called after it was fetched depends on the program that fetched
//! it; the usual pattern numbers the rows from zero, skipped ones too: `00000000.jpg`.

use super::super::items::Gathered;
use super::super::rows::{Records, RowFault, RowNumber, TableStyle};
use super::captions_by_video;
use super::reading::Reading;
use crate::DataError;

/// Reads `*_GCC*.tsv`: an item a row.
pub(super) fn read(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut records = Records::open(reading.path, TableStyle::PLAIN_TABS)?;
    let mut row: u64 = 0;
    while let Some((line, record)) = records.next_record()? {
        let number = row.to_string();
        let item = record.and_then(|record| match record.as_slice() {
            [caption, _address] => {
                let clip = reading.clips.path(&[("row", &number)])?;
                Ok(captions_by_video::item(number, clip, [caption.clone()]))
            }
            fields => Err(RowFault::Columns {
                found: fields.len(),
                wanted: "2",
            }),
        });
        gathered.push(RowNumber::Line(line), item);
        row += 1;
    }
    Ok(gathered)
}

#[cfg(test)]
mod tests {
    use super::super::AnnotationFormat;
    use super::super::sample::Sample;

    #[test]
    fn images_are_numbered_by_row() {
        let content = "a \"flag\" in the wind\thttp://a/1.jpg\n\
            no URL\n\
            person : in pictures\thttps://b/2.png\n";

        let converted = Sample::new("Validation_GCC.tsv", content).convert();

        assert_eq!(converted.format, AnnotationFormat::Cc3m);
        let items = converted.retrieval();
        assert_eq!(items[0].clip, "00000000.jpg");
        assert_eq!(items[0].captions[0].text(), "a \"flag\" in the wind");
        assert_eq!(items[1].clip, "00000002.jpg");
        assert!(
            converted.skipped[0].to_string().contains("line 2"),
            "{converted:?}"
        );
    }
}
