//! `clover ask`.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use clover_data::video::Span;
use clover_inference::is_index;

use crate::device::DeviceName;

#[derive(Args, Debug)]
pub(crate) struct Ask {
    /// The bundle's folder; a video, an image or a folder of numbered frames; and the question, or, of a
    /// bundle for blanks, a sentence with `[MASK]`. Or an index, whose best moments are asked about, and
    /// the question.
    #[arg(num_args = 1..=3, required = true, value_name = "BUNDLE CLIP QUESTION")]
    words: Vec<OsString>,
    /// Answers to choose from, each as a word of its own or in quotes; after the question.
    #[arg(long, num_args = 1.., value_name = "ANSWER")]
    pub(crate) choices: Vec<String>,
    /// A list of answers to choose from, an answer a line, or JSON: for a bundle without a head, which compares
    /// the clip with each.
    #[arg(long, conflicts_with = "choices", value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// How an answer becomes a text to compare the clip with, such as "a video about {answer}"; `{question}`
    /// stands for the question. By the question's form if not given.
    #[arg(long, value_name = "TEMPLATE")]
    pub(crate) prompt: Option<String>,
    /// Ask about the part of the video that begins here: seconds, or as 1:20 or 00:01:20.5.
    #[arg(long, requires = "to", value_name = "TIME")]
    from: Option<String>,
    /// Where that part ends.
    #[arg(long, requires = "from", value_name = "TIME")]
    to: Option<String>,
    /// Of an index: the bundle that answers, if it is not the one that the index was made with.
    #[arg(long)]
    pub(crate) bundle: Option<PathBuf>,
    /// Of an index: what to look for, where it is not the question itself.
    #[arg(long, value_name = "TEXT")]
    pub(crate) about: Option<String>,
    /// Of an index: moments to ask about.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) moments: u16,
    /// Answers to show.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) top: u16,
    /// Print the answers as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also write a PNG of the frames that the model saw, and where in them the answer looks.
    #[arg(long, value_name = "FILE")]
    pub(crate) attention: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, default_value_t)]
    pub(crate) device: DeviceName,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// One clip.
    Clip {
        bundle: PathBuf,
        clip: PathBuf,
        question: String,
    },
    /// The best moments of an index.
    Index { index: PathBuf, question: String },
}

impl Ask {
    /// What the words are, told by their number.
    pub(crate) fn asked(&self) -> Result<Asked> {
        let text = |question: &OsString| match question.to_str() {
            Some(question) => Ok(question.to_owned()),
            None => bail!("the question: is not UTF-8"),
        };
        match self.words.as_slice() {
            [bundle, clip, question] => Ok(Asked::Clip {
                bundle: bundle.into(),
                clip: clip.into(),
                question: text(question)?,
            }),
            [index, question] if is_index(index.as_ref()) => {
                if self.from.is_some() || self.attention.is_some() {
                    bail!(
                        "--from, --to and --attention are for one clip: give the bundle, the clip and the question"
                    );
                }
                Ok(Asked::Index {
                    index: index.into(),
                    question: text(question)?,
                })
            }
            [folder, ..] => {
                let name = folder.display();
                match is_index(folder.as_ref()) {
                    true => bail!("the question is missing: `clover ask {name} QUESTION`"),
                    false => bail!(
                        "{name} is not an index: ask it about a clip, as in `clover ask BUNDLE CLIP QUESTION`, \
                         or ask an index, as in `clover ask INDEX QUESTION`, with the question in quotes"
                    ),
                }
            }
            [] => bail!("name a bundle, a clip and the question, or an index and the question"),
        }
    }

    /// The part of the clip that is meant; none for all of it.
    pub(crate) fn span(&self) -> Result<Option<Span>> {
        let (Some(from), Some(to)) = (&self.from, &self.to) else {
            return Ok(None);
        };
        match Span::parse(from, to) {
            Ok(span) => Ok(Some(span)),
            Err(error) => bail!("--from and --to: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command};
    use clap::Parser;

    fn ask(words: &[&str]) -> Ask {
        let line = ["clover", "ask"].iter().chain(words);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Ask(ask) => *ask,
            _ => panic!("another command"),
        }
    }

    #[test]
    fn three_words_are_a_bundle_a_clip_and_a_question() {
        let ask = ask(&[
            "runs/qa",
            "a.mp4",
            "what is red ?",
            "--choices",
            "a cat",
            "dog",
            "--from",
            "1:20",
            "--to",
            "90.5",
        ]);

        let expected = Asked::Clip {
            bundle: "runs/qa".into(),
            clip: "a.mp4".into(),
            question: "what is red ?".to_owned(),
        };
        assert_eq!(ask.asked().unwrap(), expected);
        assert_eq!(ask.choices, ["a cat", "dog"]);
        let span = Span::new(80_000, 90_500).unwrap();
        assert_eq!(ask.span().unwrap(), Some(span));
    }

    #[test]
    fn fewer_words_and_impossible_spans_are_refused_by_name() {
        let few = ask(&["runs/qa", "what"]).asked().unwrap_err().to_string();
        assert!(few.starts_with("runs/qa is not an index"), "{few}");
        for (from, to) in [("9", "8"), ("soon", "9"), ("-1", "9")] {
            let from = format!("--from={from}");
            let error = ask(&["b", "c", "q", &from, "--to", to]).span().unwrap_err();
            assert!(
                error.to_string().starts_with("--from and --to: "),
                "{error}"
            );
        }
        assert_eq!(ask(&["b", "c", "q"]).span().unwrap(), None);
        let half = Arguments::try_parse_from(["clover", "ask", "b", "c", "q", "--from", "3"]);
        assert!(half.unwrap_err().to_string().contains("--to"));
    }
}
