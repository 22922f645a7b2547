//! Lists of the videos that belong to a split.
//!
//! MSRVTT's lists are csv files with a column `video_id` (train.7k, train.9k, test.full, and the
//! 1k-A test itself); DiDeMo's retrieval test has a name a line.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::super::items::check_text;
use super::super::rows::{AnnotationError, Records, RowFault, RowNumber, TableStyle};
use crate::DataError;

/// Longer lists than any data set has videos are refused.
const MAX_VIDEOS: usize = 16 << 20;

/// Names of videos, in order.
#[derive(Debug)]
pub(super) struct VideoList {
    pub(super) path: PathBuf,
    /// The names and their lines, each name once.
    pub(super) videos: Vec<(String, RowNumber)>,
    known: HashSet<String>,
}

impl VideoList {
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let mut list = Self {
            path: path.to_path_buf(),
            videos: Vec::new(),
            known: HashSet::new(),
        };
        let mut column = None;
        let mut records = Records::open(path, TableStyle::CSV)?;
        while let Some((line, record)) = records.next_record()? {
            let row = RowNumber::Line(line);
            let record = record.map_err(|fault| list.broken(row, fault))?;
            let Some(column) = column else {
                // Without a header the first line is a name already.
                let header = record.iter().position(|name| name.trim() == "video_id");
                column = Some(header.unwrap_or(0));
                if header.is_none() {
                    list.add(&record, 0, row)?;
                }
                continue;
            };
            list.add(&record, column, row)?;
        }
        Ok(list)
    }

    fn add(&mut self, record: &[String], column: usize, row: RowNumber) -> Result<(), DataError> {
        let video = record.get(column).map_or("", String::as_str);
        let video = check_text("video", video).map_err(|fault| self.broken(row, fault))?;
        if self.videos.len() >= MAX_VIDEOS {
            return Err(self.broken(row, RowFault::TooLong { limit: MAX_VIDEOS }));
        }
        if self.known.insert(video.clone()) {
            self.videos.push((video, row));
        }
        Ok(())
    }

    fn broken(&self, row: RowNumber, source: RowFault) -> DataError {
        AnnotationError::Row {
            path: self.path.clone(),
            row,
            source,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    fn names(content: &str) -> Vec<String> {
        let sample = Sample::new("list.csv", content);
        let list = VideoList::read(sample.path()).unwrap();
        list.videos.into_iter().map(|(video, _)| video).collect()
    }

    #[test]
    fn a_column_or_a_name_a_line_is_a_list() {
        assert_eq!(
            names("video_id\nvideo2\nvideo0\nvideo2\n"),
            ["video2", "video0"]
        );
        assert_eq!(names("key,video_id\nret0,video9\n"), ["video9"]);
        assert_eq!(
            names("1@N03_7_ab.mov\r\n2@N03_8_cd.\r\n"),
            ["1@N03_7_ab.mov", "2@N03_8_cd."]
        );
    }

    #[test]
    fn a_line_without_a_video_is_an_error_that_names_it() {
        let sample = Sample::new("list.csv", "key,video_id\nret0,\n");

        let error = VideoList::read(sample.path()).unwrap_err();

        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
