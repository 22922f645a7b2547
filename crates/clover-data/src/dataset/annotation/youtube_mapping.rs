//! `youtube_mapping.txt`: which YouTube clip MSVD's `vid1`, `vid2`, .. are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::rows::{AnnotationError, Lines, RowFault};
use crate::DataError;

/// The set has 1,970 videos.
const MAX_VIDEOS: usize = 1 << 20;

/// The names of numbered videos.
#[derive(Debug)]
pub(super) struct YoutubeMapping {
    path: PathBuf,
    names: HashMap<u64, String>,
}

impl YoutubeMapping {
    /// Reads lines of a name and a number: `-4wsuPCjDBc_5_15 vid1`.
    pub(super) fn read(path: &Path) -> Result<Self, DataError> {
        let mut names = HashMap::new();
        let mut lines = Lines::open(path)?;
        while let Some(line) = lines.next_line()? {
            let bytes = line.bytes.ok();
            let text = bytes.as_deref().map(std::str::from_utf8);
            let entry = match text {
                Some(Ok(text)) if text.trim().is_empty() => continue,
                Some(Ok(text)) => parse(text),
                _ => None,
            };
            // Two names for one number would make every answer about it a guess.
            let known = entry.filter(|(number, name)| {
                names.len() < MAX_VIDEOS && names.insert(*number, (*name).to_owned()).is_none()
            });
            if known.is_none() {
                return Err(AnnotationError::Mapping {
                    path: path.to_path_buf(),
                    line: line.number,
                }
                .into());
            }
        }
        Ok(Self {
            path: path.to_path_buf(),
            names,
        })
    }

    /// The name of a video.
    pub(super) fn name(&self, number: u64) -> Result<&str, RowFault> {
        let name = self.names.get(&number).map(String::as_str);
        name.ok_or_else(|| RowFault::Unknown {
            name: format!("vid{number}"),
            file: self.path.clone(),
        })
    }
}

pub(super) fn parse(line: &str) -> Option<(u64, &str)> {
    let mut words = line.split_whitespace();
    let (name, number) = (words.next()?, words.next()?);
    let number = number.strip_prefix("vid")?.parse().ok()?;
    words.next().is_none().then_some((number, name))
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn numbers_have_names() {
        let sample = Sample::new("map.txt", "-4w_sjC_5_15 vid1\r\n\nab_1_2\tvid20\n");

        let mapping = YoutubeMapping::read(sample.path()).unwrap();

        assert_eq!(mapping.name(1).unwrap(), "-4w_sjC_5_15");
        assert_eq!(mapping.name(20).unwrap(), "ab_1_2");
        assert!(mapping.name(2).unwrap_err().to_string().contains("vid2"));
    }

    #[test]
    fn a_line_of_another_kind_is_named() {
        for content in [
            "a vid1\nb video2\n",
            "a vid1\nb vid1\n",
            "a vid1\nb\n",
            "a vid1\nb vid2 c\n",
        ] {
            let sample = Sample::new("map.txt", content);

            let error = YoutubeMapping::read(sample.path()).unwrap_err();

            assert!(error.to_string().contains("line 2"), "{content}");
        }
    }
}
