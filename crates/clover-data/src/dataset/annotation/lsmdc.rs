//! LSMDC: clips of films and sentences about them.
//!
//! Rohrbach et al., "Movie Description" (IJCV 2017). Tables with tabs and without a header, in
//! which quotes are letters and often stand alone. The name of a clip is that of its film and its
//! time span, `0001_American_Beauty_00.00.51.926-00.00.54.129`; the film is its folder, or whole films
//! have that name and the clip is a part of one. Names of persons are `SOMEONE` throughout.

use rand::RngCore;
use serde_json::Value;

use super::super::items::{
    Gathered, Item, MultipleChoiceItem, OpenEndedItem, RetrievalItem, span_of,
};
use super::super::randomness::Randomness;
use super::super::rows::{Records, RowFault, RowNumber, TableStyle};
use super::captions_by_video;
use super::reading::Reading;
use crate::DataError;
use crate::video::Span;

/// The clip and four times.
const BEFORE_SENTENCE: usize = 5;

/// What stands for the word to find, and what a model reads in its place.
const MASK: &str = "[MASK]";

/// A name, a path and a part of what is there.
type Clip = (String, String, Option<Span>);

/// A blank is at least as many underlines.
const BLANK_LETTERS: usize = 3;

/// Reads `LSMDC16_annos_*.csv`: a sentence a clip. The blind test has no sentences.
pub(super) fn read_sentences(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    each_record(reading, |_, fields| {
        let (id, clip, span) = clip(reading, fields)?;
        let sentence = match fields {
            [.., last] if fields.len() == 5 && is_time(last) => return Err(RowFault::Blind),
            [.., sentence] if matches!(fields.len(), 5 | 6) => sentence.clone(),
            _ => return Err(columns(fields, "5 or 6")),
        };
        let item = captions_by_video::item(id, clip, [sentence]);
        Ok(RetrievalItem { span, ..item }.into())
    })
}

/// Reads `LSMDC16_*_FIB.csv`: the sentence with a blank is the question, its word the answer.
pub(super) fn read_blanks(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    each_record(reading, |_, fields| {
        let [_, _, _, _, _, _, sentence, answer] = fields else {
            return Err(columns(fields, "8"));
        };
        let (id, clip, span) = clip(reading, fields)?;
        Ok(Item::from(OpenEndedItem {
            id: Some(id),
            span,
            clip,
            question: mask_blank(sentence)?,
            answers: vec![answer.clone()],
        }))
    })
}

/// Reads `LSMDC16_multiple_choice_*.csv`.
///
/// For training and validation the right sentence is always the first of five, so they are put in
/// an order that depends on the seed and the row alone. For the test the number of the right one
/// follows, counted from one.
pub(super) fn read_choices(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    each_record(reading, |line, fields| {
        let (id, clip, span) = clip(reading, fields)?;
        let (options, answer) = match fields {
            [_, _, _, _, _, options @ ..] if options.len() == 5 => {
                shuffle(options.to_vec(), reading.seed, line)
            }
            [_, _, _, _, _, options @ .., answer] if options.len() == 5 => {
                (options.to_vec(), from_one(answer, options.len())?)
            }
            _ => return Err(columns(fields, "10 or 11")),
        };
        Ok(Item::from(MultipleChoiceItem {
            skill: None,
            id: Some(id),
            span,
            clip,
            question: String::new(),
            options,
            answer,
        }))
    })
}

fn each_record(
    reading: &Reading<'_>,
    item: impl Fn(usize, &[String]) -> Result<Item, RowFault>,
) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let mut records = Records::open(reading.path, TableStyle::PLAIN_TABS)?;
    while let Some((line, record)) = records.next_record()? {
        if line == 1 && record.as_deref().is_ok_and(is_header) {
            continue;
        }
        let item = record.and_then(|fields| item(line, &fields));
        gathered.push(RowNumber::Line(line), item);
    }
    Ok(gathered)
}

/// Some copies have the names of the columns as first line.
pub(super) fn is_header(fields: &[String]) -> bool {
    let first = fields.first().map_or("", |name| name.trim());
    fields.len() > BEFORE_SENTENCE
        && matches!(
            first.to_ascii_lowercase().as_str(),
            "clip_id" | "clip" | "video_id"
        )
        && !fields.iter().any(|field| is_time(field))
}

/// The name of a row's clip, the path of its file, and which part of a whole film it is.
fn clip(reading: &Reading<'_>, fields: &[String]) -> Result<Clip, RowFault> {
    let id = fields.first().map_or("", |id| id.trim());
    let movie = movie(id).ok_or_else(|| RowFault::NoTimeSpan {
        clip: id.chars().take(100).collect(),
    })?;
    let path = reading.clips.path(&[("id", id), ("movie", movie)])?;
    let span = match reading.whole_films {
        true => time_span(id)?,
        false => None,
    };
    Ok((id.to_owned(), path, span))
}

/// The film in the name of a clip, which ends in a time span.
pub(super) fn movie(id: &str) -> Option<&str> {
    let (movie, span) = id.rsplit_once('_')?;
    let (start, end) = span.split_once('-')?;
    (!movie.is_empty() && is_time(start) && is_time(end)).then_some(movie)
}

/// The time span at the end of a clip's name.
fn time_span(id: &str) -> Result<Option<Span>, RowFault> {
    let times = id
        .rsplit_once('_')
        .and_then(|(_, span)| span.split_once('-'));
    // Hours and minutes end in a colon elsewhere.
    let [start, end] = <[&str; 2]>::from(times.unwrap_or_default())
        .map(|time| Value::from(time.replacen('.', ":", 2)));
    span_of(Some(&start), Some(&end))
}

/// Tells whether a text is a time, `hh.mm.ss.ms`.
fn is_time(text: &str) -> bool {
    let parts = text.trim().split('.');
    let is_number = |part: &str| {
        (1..=6).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    parts.clone().count() == 4 && parts.into_iter().all(is_number)
}

fn mask_blank(sentence: &str) -> Result<String, RowFault> {
    let mut masked = String::with_capacity(sentence.len());
    let mut found = sentence.matches(MASK).count();
    let mut rest = sentence;
    while let Some(start) = rest.find('_') {
        let (before, after) = rest.split_at(start);
        let length = after.len() - after.trim_start_matches('_').len();
        let (line, after) = after.split_at(length);
        masked.push_str(before);
        let is_blank = length >= BLANK_LETTERS;
        masked.push_str(if is_blank { MASK } else { line });
        found += usize::from(is_blank);
        rest = after;
    }
    masked.push_str(rest);
    match found {
        1 => Ok(masked),
        found => Err(RowFault::Blanks { found }),
    }
}

/// The number of an answer that is counted from one.
fn from_one(answer: &str, options: usize) -> Result<usize, RowFault> {
    let number: u64 = answer.trim().parse().map_err(|_| RowFault::WrongKind {
        key: "answer",
        wanted: "a whole number",
    })?;
    let index = number
        .checked_sub(1)
        .and_then(|index| usize::try_from(index).ok());
    index
        .filter(|&index| index < options)
        .ok_or(RowFault::Answer {
            answer: number,
            options,
        })
}

/// Options in a random order, and where the first of them went.
fn shuffle(mut options: Vec<String>, seed: u64, line: usize) -> (Vec<String>, usize) {
    let mut rng = Randomness::new(seed).for_item(0, line as u64);
    let mut answer = 0;
    // Drawn here and not by a library: the order must outlive any version of one.
    for last in (1..options.len()).rev() {
        let other = (rng.next_u64() % (last as u64 + 1)) as usize;
        options.swap(last, other);
        answer = match answer {
            place if place == last => other,
            place if place == other => last,
            place => place,
        };
    }
    (options, answer)
}

fn columns(fields: &[String], wanted: &'static str) -> RowFault {
    RowFault::Columns {
        found: fields.len(),
        wanted,
    }
}

#[cfg(test)]
mod tests;
