//! The files of a tokenizer: `vocab.txt` of WordPiece, Hugging Face's `tokenizer.json`, and `vocab.json`
//! with `merges.txt`, as CLIP's folders have them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use tokenizers::normalizers::replace::{Replace, ReplacePattern};
use tokenizers::normalizers::unicode::NFC;
use tokenizers::normalizers::utils::{Lowercase, Sequence};
use tokenizers::processors::roberta::RobertaProcessing;
use tokenizers::{AddedToken, PaddingParams};

use super::bpe::{END_OF_WORD, bytes};
use super::normalization::TextNormalization;
use super::tokenizer::Tokenizer;
use super::vocabulary::{SpecialTokens, Vocabulary, read_text};
use crate::DataError;

const VOCABULARY: &str = "vocab.txt";
const LIBRARY: &str = "tokenizer.json";
const PIECES: &str = "vocab.json";
const MERGES: &str = "merges.txt";

/// The names that the first and the last token of a text go by: OpenAI's, and open_clip's.
const FRAMES: [[&str; 2]; 2] = [
    ["<|startoftext|>", "<|endoftext|>"],
    ["<start_of_text>", "<end_of_text>"],
];

/// `tokenizer.json`, as far as it is read.
#[derive(Deserialize)]
struct Library {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    padding: Option<Padding>,
}

#[derive(Deserialize)]
struct Model {
    vocab: Pieces,
    #[serde(default)]
    merges: Vec<Merge>,
    #[serde(default)]
    end_of_word_suffix: Option<String>,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Padding {
    pad_id: u32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Line(String),
}

/// What kind of file it is, before all of it is understood.
#[derive(Deserialize)]
struct Kind {
    /// An object; in a list of pieces, `model` is a word.
    #[serde(default)]
    model: Value,
}

/// `tokenizer_config.json` of a tokenizer that is not WordPiece.
#[derive(Default, Deserialize)]
struct Config {
    #[serde(default)]
    bos_token: Value,
    #[serde(default)]
    eos_token: Value,
}

/// Pieces with their ids, in the order of the file, none of them twice.
struct Pieces(Vec<(String, u32)>);

impl<'de> Deserialize<'de> for Pieces {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pieces;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("pieces with their ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pieces, A::Error> {
                let mut pieces = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    pieces.push(entry);
                }
                Ok(Pieces(pieces))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Tokenizer {
    /// The files that a tokenizer may consist of in the folder of a model.
    pub const FILES: [&'static str; 3] = [VOCABULARY, TextNormalization::FILE, LIBRARY];

    /// Reads a tokenizer: its folder, or one of its files.
    ///
    /// WordPiece is read from `vocab.txt`, one piece a line, or from `tokenizer.json`; what stands beside
    /// tells whether capitals are kept ([`TextNormalization::beside`]). CLIP's BPE is read from
    /// `tokenizer.json`, or from `vocab.json` with `merges.txt` beside it. In a folder that has several
    /// of these, the first in the order `vocab.txt`, `tokenizer.json`, `vocab.json` is read.
    ///
    /// # Errors
    ///
    /// When a file is unreadable or of another kind of tokenizer; when a piece or an id is there twice
    /// or missing, or a special token is; when a merge makes no piece of the vocabulary.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let path = if path.is_dir() { &file_in(path)? } else { path };
        if path.extension().is_none_or(|extension| extension != "json") {
            let vocabulary = Vocabulary::from_file(path)?;
            return Self::word_piece(vocabulary, TextNormalization::beside(path)?);
        }
        let text = read_text(path)?;
        let Value::Object(model) = parse::<Kind>(&text, path)?.model else {
            let beside = path.with_file_name(MERGES);
            let merges = merges_of(&read_text(&beside)?, &beside)?;
            let pieces = in_order(parse::<Pieces>(&text, path)?.0, path)?;
            return bpe(pieces, merges, &Framing::default(), path);
        };
        match model.get("type").and_then(Value::as_str) {
            Some("WordPiece") => {
                let library: Library = parse(&text, path)?;
                let pieces = in_order(library.model.vocab.0, path)?;
                let vocabulary = Vocabulary::from_lines(pieces.iter().map(String::as_str), path)?;
                Self::word_piece(vocabulary, TextNormalization::beside(path)?)
            }
            None | Some("BPE") => bpe_of_library(parse(&text, path)?, path),
            Some(other) => Err(DataError::OtherTokenizer {
                path: path.to_owned(),
                found: format!("the kind {other}"),
            }),
        }
    }

    /// Names and contents of the files that [`Tokenizer::read`] reads this tokenizer from. Those of
    /// [`Tokenizer::FILES`] that are not among them must not lie beside these.
    ///
    /// # Errors
    ///
    /// When the tokenizer's library fails.
    pub fn files(&self) -> Result<Vec<(&'static str, String)>, DataError> {
        let json = |value: &TextNormalization| {
            serde_json::to_string_pretty(value)
                .map_err(|source| DataError::Tokenizer(source.into()))
        };
        if let Some(normalization) = self.normalization() {
            let pieces = self.vocabulary().pieces().join("\n") + "\n";
            let normalization = json(&normalization)?;
            return Ok(vec![
                (VOCABULARY, pieces),
                (TextNormalization::FILE, normalization),
            ]);
        }
        let library = self.for_library().map_err(DataError::Tokenizer)?;
        let text = library.to_string(false).map_err(DataError::Tokenizer)?;
        Ok(vec![(LIBRARY, text)])
    }

    /// With all that other readers of `tokenizer.json` need to give the same ids for most texts.
    fn for_library(&self) -> tokenizers::Result<tokenizers::Tokenizer> {
        let special = self.special();
        let piece = |id: u32| (self.vocabulary().pieces()[id as usize].clone(), id);
        let mut library = self.library.clone();
        let reserved = self.vocabulary().reserved().iter();
        let reserved: Vec<_> = reserved
            .map(|id| AddedToken::from(piece(*id).0, true).normalized(false))
            .collect();
        library.add_special_tokens(reserved)?;
        let whitespace = Replace::new(ReplacePattern::Regex(r"\s+".to_owned()), " ")?;
        library.with_normalizer(Some(Sequence::new(vec![
            NFC.into(),
            whitespace.into(),
            Lowercase.into(),
        ])))?;
        let framing = RobertaProcessing::new(piece(special.sep), piece(special.cls));
        library.with_post_processor(Some(framing.trim_offsets(false).add_prefix_space(false)));
        library.with_decoder(Some(bytes()));
        library.with_padding((special.pad != 0).then(|| PaddingParams {
            pad_id: special.pad,
            pad_token: piece(special.pad).0,
            ..PaddingParams::default()
        }));
        Ok(library)
    }
}

/// The first file of a tokenizer in a folder.
fn file_in(folder: &Path) -> Result<PathBuf, DataError> {
    let all = [VOCABULARY, LIBRARY, PIECES].map(|name| folder.join(name));
    let mut found = all.into_iter().filter(|path| path.is_file());
    found.next().ok_or_else(|| DataError::NoTokenizer {
        path: folder.to_owned(),
    })
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str, path: &Path) -> Result<T, DataError> {
    serde_json::from_str(text).map_err(|source| DataError::TokenizerConfig {
        path: path.to_owned(),
        source,
    })
}

fn odd(path: &Path, fault: String) -> DataError {
    DataError::OddVocabulary {
        path: path.to_owned(),
        fault,
    }
}

/// Pieces by their ids, each of which must be there once.
fn in_order(pieces: Vec<(String, u32)>, path: &Path) -> Result<Vec<String>, DataError> {
    let count = pieces.len();
    let mut ordered: Vec<Option<String>> = vec![None; count];
    let mut known = HashMap::with_capacity(count);
    for (piece, id) in pieces {
        let Some(place) = ordered.get_mut(id as usize) else {
            let fault =
                format!("{piece:?} has the id {id}, where {count} pieces are numbered from 0");
            return Err(odd(path, fault));
        };
        if let Some(other) = place {
            return Err(odd(
                path,
                format!("{other:?} and {piece:?} both have the id {id}"),
            ));
        }
        if let Some(other) = known.insert(piece.clone(), id) {
            return Err(odd(
                path,
                format!("{piece:?} has two ids, {other} and {id}"),
            ));
        }
        *place = Some(piece);
    }
    Ok(ordered.into_iter().flatten().collect())
}

/// The pairs of `merges.txt`, with the lines they stand on.
fn merges_of(text: &str, path: &Path) -> Result<Merges, DataError> {
    let lines = (1..).zip(text.lines());
    let is_head = |number: u32, line: &str| number == 1 && line.starts_with("#version");
    let pairs = lines.filter(|(number, line)| !line.is_empty() && !is_head(*number, line));
    let pairs = pairs.map(|(number, line)| {
        let pair = pair_of(line);
        pair.ok_or_else(|| {
            odd(
                path,
                format!("line {number} is no pair of pieces: {line:?}"),
            )
        })
    });
    Ok(Merges {
        pairs: pairs.collect::<Result<_, _>>()?,
        path: path.to_owned(),
    })
}

fn pair_of(line: &str) -> Option<(String, String)> {
    let (first, second) = line.split_once(' ')?;
    let whole = !first.is_empty() && !second.is_empty() && !second.contains(' ');
    whole.then(|| (first.to_owned(), second.to_owned()))
}

/// Pairs that become one piece, the most important first, and the file they are from.
struct Merges {
    pairs: Vec<(String, String)>,
    path: PathBuf,
}

/// What else a file says about the tokens around a text.
#[derive(Default)]
struct Framing {
    /// The names of the first and the last token.
    frame: Option<[String; 2]>,
    /// Tokens that no text has.
    special: Vec<String>,
    pad: u32,
}

fn bpe_of_library(library: Library, path: &Path) -> Result<Tokenizer, DataError> {
    let suffix = library.model.end_of_word_suffix.unwrap_or_default();
    if suffix != END_OF_WORD {
        return Err(DataError::OtherTokenizer {
            path: path.to_owned(),
            found: format!("the kind BPE whose words end in {suffix:?} and not in {END_OF_WORD:?}"),
        });
    }
    let mut ids: BTreeMap<u32, String> = BTreeMap::new();
    let mut pieces = library.model.vocab.0;
    for (piece, id) in &pieces {
        ids.insert(*id, piece.clone());
    }
    // Special tokens may be listed apart from the others.
    for added in &library.added_tokens {
        if ids.get(&added.id) != Some(&added.content) {
            pieces.push((added.content.clone(), added.id));
        }
    }
    let pieces = in_order(pieces, path)?;
    let pairs = (1..).zip(library.model.merges).map(|(number, merge)| {
        let fault = |line| {
            odd(
                path,
                format!("merge {number} is no pair of pieces: {line:?}"),
            )
        };
        match merge {
            Merge::Pair(first, second) => Ok((first, second)),
            Merge::Line(line) => pair_of(&line).ok_or_else(|| fault(line)),
        }
    });
    let merges = Merges {
        pairs: pairs.collect::<Result<_, _>>()?,
        path: path.to_owned(),
    };
    let special = library
        .added_tokens
        .into_iter()
        .filter(|added| added.special);
    let framing = Framing {
        frame: frame_of(&library.post_processor),
        special: special.map(|added| added.content).collect(),
        pad: library.padding.map_or(0, |padding| padding.pad_id),
    };
    bpe(pieces, merges, &framing, path)
}

/// The tokens that a post-processor puts before and after a text.
fn frame_of(processor: &Value) -> Option<[String; 2]> {
    let name = |value: &Value| value.as_str().map(str::to_owned);
    if let (Some(first), Some(last)) = (name(&processor["cls"][0]), name(&processor["sep"][0])) {
        return Some([first, last]);
    }
    let steps = processor["single"].as_array()?;
    let token = |step: Option<&Value>| name(&step?["SpecialToken"]["id"]);
    Some([token(steps.first())?, token(steps.last())?])
}

/// The name of a token, alone or with how it is found in a text.
fn token_name(value: &Value) -> Option<String> {
    let name = value.as_str().or_else(|| value["content"].as_str());
    name.map(str::to_owned)
}

fn bpe(
    pieces: Vec<String>,
    merges: Merges,
    framing: &Framing,
    path: &Path,
) -> Result<Tokenizer, DataError> {
    let ids: HashMap<&str, u32> = pieces.iter().map(String::as_str).zip(0..).collect();
    if !pieces.iter().any(|piece| piece.ends_with(END_OF_WORD)) {
        return Err(DataError::OtherTokenizer {
            path: path.to_owned(),
            found: format!("the kind BPE whose words do not end in {END_OF_WORD:?}"),
        });
    }
    for (number, (first, second)) in (1..).zip(&merges.pairs) {
        let made = format!("{first}{second}");
        for piece in [first, second, &made] {
            if !ids.contains_key(piece.as_str()) {
                let fault = format!(
                    "merge {number}, {first:?} with {second:?}, needs the piece {piece:?}, which is not \
                     among the {} of the vocabulary: they do not belong together",
                    pieces.len()
                );
                return Err(odd(&merges.path, fault));
            }
        }
    }
    let [first, last] = frame(&ids, framing, path)?;
    let count = pieces.len() as u32;
    if framing.pad >= count {
        let fault = format!("padding has the id {}, beyond {count} pieces", framing.pad);
        return Err(odd(path, fault));
    }
    let special = SpecialTokens {
        pad: framing.pad,
        unknown: last,
        cls: first,
        sep: last,
        mask: count,
    };
    let others = framing
        .special
        .iter()
        .filter_map(|name| ids.get(name.as_str()));
    let reserved = others.copied().chain([first, last]).collect();
    Tokenizer::bpe(Vocabulary::new(pieces, special, reserved), merges.pairs)
}

/// The ids of the first and last token of a text: those the file names, or the one beside it, or the
/// usual ones.
fn frame(ids: &HashMap<&str, u32>, framing: &Framing, path: &Path) -> Result<[u32; 2], DataError> {
    let beside = path.with_file_name(TextNormalization::FILE);
    let config: Config = match beside.is_file() {
        true => parse(&read_text(&beside)?, &beside)?,
        false => Config::default(),
    };
    let beside = token_name(&config.bos_token).zip(token_name(&config.eos_token));
    let beside = beside.map(|(first, last)| [first, last]);
    let usual = FRAMES.map(|frame| frame.map(str::to_owned));
    let named = framing.frame.clone().into_iter().chain(beside);
    let all: Vec<[String; 2]> = named.chain(usual).collect();
    let known = |frame: &[String; 2]| {
        let [first, last] = frame;
        Some([*ids.get(first.as_str())?, *ids.get(last.as_str())?])
    };
    all.iter().find_map(known).ok_or_else(|| {
        let missing = all.first().into_iter().flatten();
        let mut missing = missing.filter(|token| !ids.contains_key(token.as_str()));
        DataError::MissingSpecialToken {
            path: path.to_owned(),
            token: missing.next().cloned().unwrap_or_default(),
            hint: "; a text begins and ends with one",
        }
    })
}

#[cfg(test)]
mod tests;
