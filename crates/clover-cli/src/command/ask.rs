//! `clover ask`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burn::tensor::backend::{AutodiffBackend, Backend};
use clover_data::dataset::AnswerVocabulary;
use clover_data::video::{ClipSource, Span};
use clover_inference::{
    AnswerPrompt, AnsweredBy, Answerer, Bundle, ClipAnswers, FoundMoment, SearchQuery, Searcher,
};
use serde_json::json;

use super::open_bundle;
use super::search::doubt;
use crate::arguments::{Ask, Asked};
use crate::device::Work;
use crate::output::print_line;

/// Pixels of a frame's height in the image of attention.
const STRIP: u32 = 160;

pub(crate) fn run(arguments: Ask) -> Result<()> {
    let span = arguments.span()?;
    let mut seen = HashSet::new();
    if let Some(twice) = arguments
        .choices
        .iter()
        .find(|choice| !seen.insert(choice.trim()))
    {
        bail!("--choices: `{twice}` is given twice");
    }
    let answers = AnswersFrom {
        choices: arguments.choices.clone(),
        list: arguments.answers.clone(),
        prompt: arguments
            .prompt
            .as_deref()
            .map(AnswerPrompt::new)
            .transpose()?,
    };
    match arguments.asked()? {
        Asked::Clip {
            bundle,
            clip,
            question,
        } => {
            let asking = Asking {
                bundle,
                clip: clip.clone(),
                span,
                question: question.clone(),
                answers,
                top: usize::from(arguments.top),
                attention: arguments.attention.clone(),
            };
            let found = arguments.device.run(asking)?;
            if arguments.json {
                let clip = clip.display().to_string();
                let all =
                    json!({ "clip": clip, "span": span, "question": question, "answers": found });
                print_line(&serde_json::to_string_pretty(&all)?);
                return Ok(());
            }
            lines(&found, &clip, span)
                .iter()
                .for_each(|line| print_line(line));
            if let Some(path) = arguments.attention {
                print_line(&format!("what the answer looks at: {}", path.display()));
            }
            Ok(())
        }
        Asked::Index { index, question } => {
            let asking = AskingIndex {
                query: SearchQuery {
                    text: Some(arguments.about.unwrap_or_else(|| question.clone())),
                    top: usize::from(arguments.moments),
                    ..SearchQuery::default()
                },
                index,
                bundle: arguments.bundle,
                question: question.clone(),
                answers,
                top: usize::from(arguments.top),
            };
            let (matches, found) = arguments.device.run(asking)?;
            if arguments.json {
                let moments: Vec<_> = found
                    .iter()
                    .map(|(moment, answers)| json!({ "moment": moment, "answers": answers }))
                    .collect();
                let all = json!({ "question": question, "matches": matches, "found": moments });
                print_line(&serde_json::to_string_pretty(&all)?);
                return Ok(());
            }
            let is_measured = found.iter().any(|(moment, _)| moment.place.is_some());
            if let Some(doubt) = doubt(matches, is_measured) {
                print_line(doubt);
            }
            for (moment, answers) in &found {
                let answers = lines(answers, &moment.path, moment.span);
                answers.iter().for_each(|line| print_line(line));
            }
            Ok(())
        }
    }
}

/// What answers are chosen from where the bundle has no list of its own.
#[derive(Default)]
struct AnswersFrom {
    choices: Vec<String>,
    list: Option<PathBuf>,
    prompt: Option<AnswerPrompt>,
}

impl AnswersFrom {
    fn answerer<B: Backend>(&self, bundle: Bundle<B>, device: B::Device) -> Result<Answerer<B>> {
        let mut answerer = Answerer::new(bundle, device);
        if let Some(list) = &self.list {
            answerer = answerer.with_answers(AnswerVocabulary::read(list)?)?;
        }
        Ok(match &self.prompt {
            Some(prompt) => answerer.with_prompt(prompt.clone()),
            None => answerer,
        })
    }
}

/// A question about a clip on its way to a model.
struct Asking {
    bundle: PathBuf,
    clip: PathBuf,
    span: Option<Span>,
    question: String,
    answers: AnswersFrom,
    top: usize,
    attention: Option<PathBuf>,
}

impl Work for Asking {
    type Output = ClipAnswers;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<ClipAnswers> {
        let bundle: Bundle<B::InnerBackend> = open_bundle(&self.bundle, &device)?;
        let answerer = self.answers.answerer(bundle, device)?;
        let source = ClipSource::Path(self.clip);
        let clip = answerer.read(source.clone(), self.span)?;
        let found = answerer.answer(&clip, &self.question, &self.answers.choices, self.top)?;
        if let Some(path) = self.attention {
            let map = answerer.attention(&clip, &self.question, &self.answers.choices)?;
            let overlay = answerer.overlay();
            overlay.write_png(&path, (source, self.span), &map, STRIP)?;
        }
        Ok(found)
    }
}

/// A question about the best moments of an index on its way to a model.
struct AskingIndex {
    index: PathBuf,
    query: SearchQuery,
    bundle: Option<PathBuf>,
    question: String,
    answers: AnswersFrom,
    top: usize,
}

/// Whether anything fits, and what was answered of each moment.
type IndexAnswers = (Option<bool>, Vec<(FoundMoment, ClipAnswers)>);

impl Work for AskingIndex {
    type Output = IndexAnswers;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<Self::Output> {
        let searcher = Searcher::<B::InnerBackend>::open(&self.index, device.clone())?;
        let own = &searcher.index().settings().bundle;
        let bundle = open_bundle::<B::InnerBackend>(self.bundle.as_ref().unwrap_or(own), &device)?;
        let answerer = self.answers.answerer(bundle, device)?;
        let found = searcher.search(&self.query)?;
        let mut answered = Vec::new();
        for moment in found.moments {
            let (clip, part) = searcher.index().open_clip(&moment.clip)?;
            let clip = answerer.read(clip, moment.span.or(part))?;
            let answers =
                answerer.answer(&clip, &self.question, &self.answers.choices, self.top)?;
            answered.push((moment, answers));
        }
        Ok((found.matches, answered))
    }
}

/// The answers for a reader, below the moment that they are about.
fn lines(found: &ClipAnswers, clip: &Path, span: Option<Span>) -> Vec<String> {
    let answers = found
        .ranked
        .iter()
        .map(|answer| answer.answer.chars().count());
    let width = answers.max().unwrap_or(0);
    let known = found.known;
    let answers = found.ranked.iter().map(|one| {
        let percent = 100.0 * one.probability;
        let weight = match one.similarity {
            Some(cosine) => {
                format!("similarity {cosine:.3}   {percent:5.1} % of these {known}")
            }
            None => format!("{percent:5.1} %"),
        };
        format!("{:<width$}  {weight}", one.answer)
    });
    let how = match found.answered_by {
        AnsweredBy::AnswerList => format!("the bundle chose among {known} answers that it knows"),
        AnsweredBy::MultipleChoice => format!("the bundle chose among these {known} choices"),
        AnsweredBy::Similarity => format!(
            "compared by similarity of the clip and each of {known} texts: no head was trained to \
             answer this"
        ),
    };
    let moment = match span {
        Some(span) => {
            let [start, end] = [span.start(), span.end()].map(|time| time as f64 / 1000.0);
            format!(", {start} to {end} s")
        }
        None => String::new(),
    };
    let mut lines = vec![format!("{}{moment}: {how}", clip.display())];
    lines.extend(answers);
    if !found.sure {
        let doubt = match found.answered_by {
            AnsweredBy::Similarity => {
                "unsure: similarities say which answer is the nearest, not how probable it is"
            }
            _ => "unsure: the best answer hardly beats the others",
        };
        lines.push(doubt.to_owned());
    }
    if found.cut {
        lines.push("the text is longer than the model reads, and its end was left out".to_owned());
    }
    lines
}

/// Asks an index, for a test that has one.
#[cfg(all(test, feature = "flex"))]
pub(super) fn of_index(index: PathBuf, question: &str, choices: &[&str]) -> Result<IndexAnswers> {
    let asking = AskingIndex {
        index,
        query: SearchQuery {
            text: Some(question.to_owned()),
            top: 3,
            ..SearchQuery::default()
        },
        bundle: None,
        question: question.to_owned(),
        answers: AnswersFrom {
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            ..AnswersFrom::default()
        },
        top: 2,
    };
    let device = Default::default();
    asking.run::<burn::backend::Autodiff<burn_flex::Flex>>(device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clover_inference::RankedAnswer;

    fn found(answered_by: AnsweredBy, similarity: Option<f64>, sure: bool) -> ClipAnswers {
        let answer = |answer: &str, probability| RankedAnswer {
            answer: answer.to_owned(),
            probability,
            similarity,
        };
        ClipAnswers {
            ranked: vec![answer("a red circle", 0.75), answer("blue", 0.2)],
            answered_by,
            known: 1_500,
            sure,
            cut: !sure,
        }
    }

    #[test]
    fn answers_stand_in_columns_below_the_moment_that_was_used() {
        let span = Span::new(80_000, 90_500).unwrap();

        let lines = lines(
            &found(AnsweredBy::AnswerList, None, true),
            Path::new("a.mp4"),
            Some(span),
        );

        let expected = [
            "a.mp4, 80 to 90.5 s: the bundle chose among 1500 answers that it knows",
            "a red circle   75.0 %",
            "blue           20.0 %",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn similarity_doubt_and_a_cut_text_are_said_plainly() {
        let found = found(AnsweredBy::Similarity, Some(0.25), false);

        let lines = lines(&found, Path::new("a.mp4"), None);

        assert!(
            lines[0].starts_with("a.mp4: compared by similarity"),
            "{}",
            lines[0]
        );
        let expected = "a red circle  similarity 0.250    75.0 % of these 1500";
        assert_eq!(lines[1], expected);
        assert!(lines[3].starts_with("unsure: similarities") && lines[4].contains("was left out"));
    }

    #[cfg(feature = "flex")]
    #[test]
    fn a_clip_is_asked_about_and_what_the_answer_looks_at_is_drawn() {
        use burn::backend::Autodiff;
        use clover_inference::Answers;

        let folder = tempfile::tempdir().unwrap();
        let answers = ["red", "blue", "left"].map(str::to_owned).to_vec();
        let clips = super::super::bundle_folder::small::write(
            folder.path(),
            Some(Answers::OpenEnded { answers }),
        );
        let attention = folder.path().join("attention.png");
        let asking = |clip: &Path, question: &str| Asking {
            bundle: folder.path().join("bundle"),
            clip: clip.to_owned(),
            span: Some(Span::new(0, 400).unwrap()),
            question: question.to_owned(),
            answers: AnswersFrom::default(),
            top: 2,
            attention: Some(attention.clone()),
        };
        let run = |asking: Asking| asking.run::<Autodiff<burn_flex::Flex>>(Default::default());

        let found = run(asking(&clips[0], "which colour")).unwrap();
        let gone = run(asking(Path::new("gone.mp4"), "which colour")).unwrap_err();
        let empty = run(asking(&clips[0], " ")).unwrap_err();

        assert_eq!((found.ranked.len(), found.known), (2, 3));
        // The start of a PNG.
        assert_eq!(std::fs::read(attention).unwrap()[1..4], *b"PNG");
        assert!(gone.to_string().contains("gone.mp4"), "{gone}");
        assert!(
            empty.to_string().contains("the question: is empty"),
            "{empty}"
        );
    }
}
