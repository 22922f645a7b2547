//! `clover search`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use clover_data::video::{ClipSource, Span};

use crate::device::DeviceName;

#[derive(Args, Debug)]
pub(crate) struct Search {
    /// The folder of an index, as `clover index` makes it.
    pub(crate) index: PathBuf,
    /// What to look for, in quotes. Without it, and without `--like`, texts are read from standard input, a
    /// line each, and answered one after another.
    pub(crate) text: Option<String>,
    /// What should not be seen; may be given several times.
    #[arg(long, value_name = "TEXT")]
    pub(crate) not: Vec<String>,
    /// A video, an image or a folder of numbered frames that shows something like it, or, as in
    /// `a.mp4@1:20-1:30`, a part of it; may be given several times.
    #[arg(long, value_name = "FILE[@FROM-TO]")]
    like: Vec<OsString>,
    /// Look at clips in this folder, or at this file, alone.
    #[arg(long = "in", value_name = "PATH")]
    pub(crate) within: Option<PathBuf>,
    /// Clips to show, each with its best moment.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: u16,
    /// Print what was found as JSON; of texts from standard input, an object a line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Let the fusion encoder, which reads a clip and the text together, put the best 50 in order, by the
    /// number that is then printed first: slower, for it looks at their frames again.
    #[arg(long)]
    pub(crate) rerank: bool,
    /// Look at those rows alone that are in the lists nearest to the query, which `clover index
    /// --approximate` made: faster in an index of millions of rows, and a clip may be missed. With `--in`
    /// all rows are looked at.
    #[arg(long)]
    pub(crate) approximate: bool,
    /// Also write a page with frames of every moment.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

impl Search {
    /// The examples, each with the part of it that is meant.
    pub(crate) fn examples(&self) -> Result<Vec<(ClipSource, Option<Span>)>> {
        self.like.iter().map(|word| example(word)).collect()
    }
}

/// A file, and the part of it that is meant.
fn example(word: &OsStr) -> Result<(ClipSource, Option<Span>)> {
    let whole = || (ClipSource::Path(word.into()), None);
    let Some((file, from, to)) = word.to_str().and_then(with_times) else {
        return Ok(whole());
    };
    // A folder of frames, or a file without an extension, may be called so.
    if Path::new(word).exists() {
        return Ok(whole());
    }
    match Span::parse(from, to) {
        Ok(span) => Ok((ClipSource::Path(file.into()), Some(span))),
        Err(error) => bail!("--like {}: {error}", word.display()),
    }
}

/// A name, and two times behind its last `@`. Any other `@` is a part of the name.
fn with_times(word: &str) -> Option<(&str, &str, &str)> {
    let (file, times) = word.rsplit_once('@')?;
    let (from, to) = times.split_once('-')?;
    let is_time = |text: &str| {
        text.contains(|letter: char| letter.is_ascii_digit())
            && text
                .chars()
                .all(|letter| letter.is_ascii_digit() || matches!(letter, ':' | '.'))
    };
    (!file.is_empty() && is_time(from) && is_time(to)).then_some((file, from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn search(words: &[&str]) -> Search {
        let line = ["clover", "search"].iter().chain(words);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Search(search) => *search,
            _ => panic!("another command"),
        }
    }

    fn like(word: &str) -> Result<(ClipSource, Option<Span>)> {
        Ok(search(&["index", "--like", word]).examples()?.remove(0))
    }

    #[test]
    fn a_text_and_what_it_is_bounded_by_are_read() {
        let search = search(&[
            "index",
            "a red circle",
            "--not",
            "night",
            "--not",
            "rain",
            "--in",
            "videos/2024",
            "--top",
            "3",
        ]);

        assert_eq!(search.text.as_deref(), Some("a red circle"));
        assert_eq!(search.not, ["night", "rain"]);
        assert_eq!(search.within, Some("videos/2024".into()));
        assert_eq!((search.top, search.json, search.rerank), (3, false, false));
        assert!(Arguments::try_parse_from(["clover", "search", "i", "--top", "0"]).is_err());
    }

    #[test]
    fn an_example_is_a_file_or_a_part_of_one() {
        let part = |file: &str, from, to| {
            let span = Span::new(from, to).unwrap();
            (ClipSource::Path(file.into()), Some(span))
        };

        assert_eq!(
            like("a.mp4@1:20-1:30").unwrap(),
            part("a.mp4", 80_000, 90_000)
        );
        assert_eq!(
            like("a.mp4@80-90.5").unwrap(),
            part("a.mp4", 80_000, 90_500)
        );
        assert_eq!(like("me@home@1-2").unwrap(), part("me@home", 1_000, 2_000));
    }

    #[test]
    fn a_name_may_have_an_at_sign() {
        for name in [
            "me@home.mp4",
            "a@1-2.mp4",
            "a@1-",
            "a@-",
            "@1-2",
            "a@.-:",
            "a@b-c",
        ] {
            let whole = (ClipSource::Path(name.into()), None);
            assert_eq!(like(name).unwrap(), whole, "{name}");
        }
        let folder = tempfile::tempdir().unwrap();
        let frames = folder.path().join("take@1-2");
        std::fs::create_dir(&frames).unwrap();
        let whole = (ClipSource::Path(frames.clone()), None);
        assert_eq!(like(frames.to_str().unwrap()).unwrap(), whole);
    }

    #[test]
    fn impossible_times_are_refused_by_name() {
        for word in ["a.mp4@9-8", "a.mp4@1:99-2:00", "a.mp4@1..2-3"] {
            let error = like(word).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--like {word}: ")), "{error}");
        }
    }
}
