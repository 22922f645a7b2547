//! `clover search`.

mod page;

use std::io::{self, BufRead, BufReader, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use burn::tensor::backend::{AutodiffBackend, Backend};
use clover_data::video::Span;
use clover_inference::{FoundMoment, LibrarySource, SearchQuery, SearchResult, Searcher};
use clover_trainer::report::write_whole;
use serde_json::{Value, json};

use self::page::search_page;
use super::bundle_folder::say_if_unchecked;
use super::index_folder::check_index;
use super::text_lines::TextLines;
use crate::arguments::Search;
use crate::device::Work;
use crate::output::Stdout;

/// What is said where the best fits no better than chance would have it.
const NO_MATCH: &str = "nothing here matches: the best are shown all the same";
/// What is said where a high score says nothing.
const CANNOT_TELL: &str = "whether anything here matches cannot be told: this model hardly prefers the clips of \
                           its own captions to others";
const CUT: &str = "the text is longer than the model reads, and its end was left out";

pub(crate) fn run(arguments: Search) -> Result<()> {
    check_index(&arguments.index)?;
    let query = SearchQuery {
        like: arguments.examples()?,
        text: arguments.text,
        not: arguments.not,
        within: arguments.within,
        top: usize::from(arguments.top),
        rerank: arguments.rerank,
        ..SearchQuery::default()
    };
    ensure!(
        arguments.html.is_none() || is_complete(&query),
        "--html: a page shows the answer to one query: give a text, or --like"
    );
    let mut input = BufReader::new(io::stdin());
    arguments.device.run(Searching {
        index: arguments.index,
        approximate: arguments.approximate,
        query,
        form: match arguments.json {
            true => Form::Json,
            false => Form::Lines,
        },
        html: arguments.html,
        input: &mut input,
        output: &mut Stdout,
    })
}

/// Whether a query says what to look for; if not, texts follow.
fn is_complete(query: &SearchQuery) -> bool {
    query.text.is_some() || !query.like.is_empty()
}

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// For a reader.
    Lines,
    /// For a program.
    Json,
}

/// A query, or many that are yet to be read, on its way to an index.
struct Searching<'s> {
    index: PathBuf,
    approximate: bool,
    query: SearchQuery,
    form: Form,
    html: Option<PathBuf>,
    input: &'s mut dyn BufRead,
    output: &'s mut dyn Write,
}

impl Work for Searching<'_> {
    type Output = ();

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Result<()> {
        let mut searcher = Searcher::<B::InnerBackend>::open(&self.index, device)?;
        say_if_unchecked(&searcher.index().settings().bundle);
        if self.approximate {
            searcher.search_approximately()?;
        }
        if !is_complete(&self.query) {
            if self.form == Form::Lines && io::stdin().is_terminal() {
                let hint = "what to look for, a text a line; Ctrl-D ends it";
                let _ = writeln!(io::stderr(), "{hint}");
            }
            return answer_each(&searcher, self.query, self.form, self.input, self.output);
        }
        let found = searcher.search(&self.query)?;
        if let (Some(within), true) = (&self.query.within, found.moments.is_empty()) {
            bail!(none_within(within));
        }
        if let Some(path) = &self.html {
            let page = search_page(searcher.index(), &self.query, &found);
            write_whole(path, page.as_bytes())?;
        }
        // What could not be written is known at the program's end.
        let _ = match self.form {
            Form::Lines => {
                let page = self.html.map(|path| format!("page: {}", in_a_line(&path)));
                let sources = &searcher.index().settings().sources;
                let lines = lines(&self.query, &found, sources).into_iter().chain(page);
                write_lines(self.output, lines)
            }
            Form::Json => {
                let text = serde_json::to_string_pretty(&as_json(&self.query, &found)?)?;
                writeln!(self.output, "{text}")
            }
        };
        Ok(())
    }
}

/// Answers a text a line. What is wrong with one is said, and the next one read.
fn answer_each<B: Backend>(
    searcher: &Searcher<B>,
    mut query: SearchQuery,
    form: Form,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<()> {
    let mut texts = TextLines::new(input, "standard input");
    loop {
        let text = match texts.next_line() {
            Ok(None) => return Ok(()),
            // Nothing can be read behind it.
            Err(error) if error.is::<io::Error>() => return Err(error),
            Ok(Some(text)) => Ok(text),
            Err(error) => Err(error),
        };
        let line = texts.line();
        let answer = text.and_then(|text| {
            query.text = Some(text);
            Ok(searcher.search(&query)?)
        });
        let written = match (form, answer) {
            (Form::Lines, Ok(found)) => {
                let end = std::iter::once(String::new());
                let sources = &searcher.index().settings().sources;
                write_lines(
                    output,
                    lines(&query, &found, sources).into_iter().chain(end),
                )
            }
            (Form::Lines, Err(error)) => {
                write_lines(output, [format!("error: {error:#}"), String::new()])
            }
            (Form::Json, Ok(found)) => {
                let mut answer = as_json(&query, &found)?;
                answer["line"] = line.into();
                writeln!(output, "{answer}")
            }
            (Form::Json, Err(error)) => {
                let answer = json!({ "line": line, "error": format!("{error:#}") });
                writeln!(output, "{answer}")
            }
        };
        match written.and_then(|()| output.flush()) {
            Ok(()) => {}
            // Nobody reads the answers any more.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn write_lines(output: &mut dyn Write, lines: impl IntoIterator<Item = String>) -> io::Result<()> {
    let mut lines = lines.into_iter();
    lines.try_for_each(|line| writeln!(output, "{line}"))
}

/// What was asked and found, for a program.
fn as_json(query: &SearchQuery, found: &SearchResult) -> Result<Value> {
    let mut answer = serde_json::to_value(found)?;
    answer["text"] = json!(query.text);
    if !query.not.is_empty() {
        answer["not"] = json!(query.not);
    }
    if !query.like.is_empty() {
        let like = query
            .like
            .iter()
            .map(|(clip, span)| json!({ "clip": clip.name().to_string_lossy(), "span": span }));
        answer["like"] = like.collect();
    }
    if let Some(within) = &query.within {
        answer["in"] = json!(within.to_string_lossy());
    }
    Ok(answer)
}

/// What was found, for a reader.
fn lines(query: &SearchQuery, found: &SearchResult, sources: &[LibrarySource]) -> Vec<String> {
    let mut lines = remarks(query, found);
    let number_width = found.moments.len().to_string().len();
    let mut columns = vec![
        column(found, |moment| in_a_line(&below_source(moment, sources))),
        column(found, |moment| when(moment.span)),
        column(found, decisive),
        column(found, place),
    ];
    if found.moments.iter().all(|moment| moment.span.is_none()) {
        columns.remove(1);
    }
    for (at, moment) in found.moments.iter().enumerate() {
        let cells = columns.iter().map(|column| column[at].as_str());
        let cells = cells.collect::<Vec<_>>().join("  ");
        let line = format!("{:>number_width$}. {cells}", at + 1);
        lines.push(line.trim_end().to_owned());
        let copies = moment.copies.iter();
        let copies = copies.map(|copy| in_a_line(below_root(copy, moment)));
        lines.extend(copies.map(|copy| format!("{:number_width$}  the same as {copy}", "")));
    }
    lines
}

/// What is said of each moment, as wide as the widest.
fn column(found: &SearchResult, say: impl Fn(&FoundMoment) -> String) -> Vec<String> {
    let cells: Vec<String> = found.moments.iter().map(say).collect();
    let width = cells.iter().map(|cell| cell.chars().count()).max();
    let width = width.unwrap_or(0);
    let padded = cells.iter().map(|cell| format!("{cell:<width$}"));
    padded.collect()
}

/// Where a clip lies in what was indexed; behind the name of the folder or list where there are several.
fn below_source(moment: &FoundMoment, sources: &[LibrarySource]) -> PathBuf {
    let name = sources
        .get(moment.clip.source)
        .filter(|_| sources.len() > 1);
    let name = name.and_then(|source| source.path().file_name());
    Path::new(name.unwrap_or_default()).join(&moment.clip.path)
}

/// A copy of a clip, from where the paths of that clip's source begin.
fn below_root<'c>(copy: &'c Path, moment: &FoundMoment) -> &'c Path {
    let own = Path::new(&moment.clip.path).components().count();
    let root = moment.path.ancestors().nth(own);
    let below = root.and_then(|root| copy.strip_prefix(root).ok());
    below.unwrap_or(copy)
}

/// What is to be known before the moments are looked at.
fn remarks(query: &SearchQuery, found: &SearchResult) -> Vec<String> {
    let mut remarks = Vec::new();
    if found.cut {
        remarks.push(CUT.to_owned());
    }
    match (&query.within, found.moments.is_empty()) {
        (Some(within), true) => {
            remarks.push(none_within(within));
        }
        (None, true) => remarks.push("there is no clip in this index".to_owned()),
        (_, false) => {
            let is_measured = found.moments.iter().any(|moment| moment.place.is_some());
            remarks.extend(doubt(found.matches, is_measured).map(str::to_owned));
        }
    }
    remarks
}

/// Where no clip of an index lies.
fn none_within(folder: &Path) -> String {
    format!("no clip of this index lies in {}", in_a_line(folder))
}

/// What speaks against the best of what was found, in an index whose scores were measured or not.
pub(super) fn doubt(matches: Option<bool>, is_measured: bool) -> Option<&'static str> {
    match matches {
        Some(false) => Some(NO_MATCH),
        None if is_measured => Some(CANNOT_TELL),
        _ => None,
    }
}

/// The number that decides where a moment stands, and what it is made of where that is more than the cosine.
fn decisive(moment: &FoundMoment) -> String {
    let cosine = moment.score;
    match (moment.combined, moment.fused) {
        (Some(combined), Some(fused)) => {
            format!("{combined:+.2} (similarity {cosine:.3}, fusion {fused:+.2})")
        }
        _ => format!("{cosine:.3}"),
    }
}

/// What the cosine means in this library, where that is known.
fn place(moment: &FoundMoment) -> String {
    let place = moment.place.map(|place| {
        let percent = 100.0 * place;
        format!("better than {percent:.1} % of unrelated texts")
    });
    place.unwrap_or_default()
}

/// From where to where.
fn when(span: Option<Span>) -> String {
    match span {
        Some(span) => format!("{} to {}", clock(span.start()), clock(span.end())),
        None => "all of it".to_owned(),
    }
}

/// Milliseconds as minutes and seconds, with hours and digits behind the point where there are any.
fn clock(time: u64) -> String {
    let (seconds, rest) = (time / 1000, time % 1000);
    let [hours, minutes, seconds] = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    let start = match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    };
    let digits = format!(".{rest:03}");
    start + digits.trim_end_matches('0').trim_end_matches('.')
}

/// A file name in which nothing ends a line, changes the direction of writing or commands a terminal, and
/// that shows bytes that are no text.
fn in_a_line(path: &Path) -> String {
    let mut line = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            let is_unseen = matches!(
                letter,
                '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            );
            if letter.is_control() || is_unseen {
                line.extend(letter.escape_default());
            } else {
                line.push(letter);
            }
        }
        for byte in chunk.invalid() {
            line.push_str(&format!("\\x{byte:02x}"));
        }
    }
    line
}

#[cfg(test)]
mod tests;
