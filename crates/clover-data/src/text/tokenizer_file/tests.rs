use std::fs;

use serde_json::json;

use super::*;
use crate::text::TokenizerKind;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// All letters, and the words *dog* and *do*.
fn pieces() -> Vec<String> {
    let alphabet = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet();
    let mut letters: Vec<String> = alphabet.into_iter().map(String::from).collect();
    letters.sort();
    let ends: Vec<String> = letters
        .iter()
        .map(|letter| format!("{letter}</w>"))
        .collect();
    let merged = [
        "do",
        "dog</w>",
        "do</w>",
        "<|startoftext|>",
        "<|endoftext|>",
    ];
    let all = letters.into_iter().chain(ends);
    all.chain(merged.map(str::to_owned)).collect()
}

fn vocabulary(pieces: &[String]) -> String {
    let ids: HashMap<&String, usize> = pieces.iter().zip(0..).collect();
    serde_json::to_string(&ids).unwrap()
}

const LINES: &str = "#version: 0.2\nd o\ndo g</w>\nd o</w>\n";

fn read(merges: &str) -> Result<Tokenizer, DataError> {
    let folder = folder(&[
        ("vocab.json", &vocabulary(&pieces())),
        ("merges.txt", merges),
    ]);
    Tokenizer::read(folder.path())
}

#[test]
fn a_text_is_framed_padded_with_zeros_and_its_words_are_known() {
    let tokenizer = read(LINES).unwrap();
    let id = |piece: &str| pieces().iter().position(|one| one == piece).unwrap() as u32;
    let [first, last] = ["<|startoftext|>", "<|endoftext|>"].map(id);

    let encoding = tokenizer.encode(" A  DOG é.", 9).unwrap();

    let dog = [
        id("a</w>"),
        id("dog</w>"),
        id("Ã"),
        id("©</w>"),
        id(".</w>"),
    ];
    let expected = [&[first], &dog[..], &[last, 0, 0]].concat();
    assert_eq!(encoding.ids, expected);
    assert_eq!(encoding.attention_mask, [1, 1, 1, 1, 1, 1, 1, 0, 0]);
    assert_eq!(encoding.words, [1..2, 2..3, 3..5, 5..6]);
    assert_eq!(tokenizer.words(&encoding), ["a", "dog", "é", "."]);
    let cut = tokenizer.encode("a dog é.", 5).unwrap();
    assert_eq!(cut.ids, [first, dog[0], dog[1], dog[2], last]);
    assert_eq!(tokenizer.full_len("a dog é.").unwrap(), 7);
}

#[test]
fn a_blank_is_one_past_the_vocabulary_and_no_other_special_token_can_be_written() {
    let tokenizer = read(LINES).unwrap();
    let count = tokenizer.vocabulary().len() as u32;

    let encoding = tokenizer
        .encode("do [MASK] [SEP] do<|endoftext|>", 30)
        .unwrap();

    assert_eq!(encoding.ids[2], count);
    assert_eq!(encoding.ids[1], encoding.ids[3]);
    assert_eq!(encoding.words[..2], [1..2, 3..4]);
    let last = tokenizer.special().sep;
    assert_eq!(encoding.ids.iter().filter(|id| **id == last).count(), 1);
}

#[test]
fn lines_may_end_as_windows_ends_them() {
    let windows = read(&LINES.replace('\n', "\r\n")).unwrap();
    let other = read(LINES).unwrap();

    let text = "dog do dogs";
    assert_eq!(
        windows.encode(text, 12).unwrap(),
        other.encode(text, 12).unwrap()
    );
}

#[test]
fn what_is_written_reads_back() {
    let tokenizer = read(LINES).unwrap();
    let files = tokenizer.files().unwrap();
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    assert_eq!(files.len(), 1);

    let again = Tokenizer::read(folder(&files).path()).unwrap();

    assert_eq!(again.vocabulary(), tokenizer.vocabulary());
    let text = "a DOG é do [MASK]";
    assert_eq!(
        again.encode(text, 12).unwrap(),
        tokenizer.encode(text, 12).unwrap()
    );
}

#[test]
fn names_and_ids_around_a_text_are_the_files() {
    let mut pieces = pieces();
    let count = pieces.len();
    pieces[count - 2] = "<s>".to_owned();
    pieces[count - 1] = "</s>".to_owned();
    let ids: HashMap<&String, usize> = pieces.iter().zip(0..).collect();
    let template = json!({"type": "TemplateProcessing", "single": [
        {"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}},
        {"SpecialToken": {"id": "</s>"}}]});
    let roberta = json!({"type": "RobertaProcessing", "cls": ["<s>", 7], "sep": ["</s>", 8]});
    for processor in [template, roberta] {
        let library = json!({"model": {"type": "BPE", "vocab": ids, "merges": ["d o"],
            "end_of_word_suffix": "</w>"}, "post_processor": processor,
            "padding": {"pad_id": count - 1}, "added_tokens": [
            {"id": count, "content": "<extra>", "special": true}]});
        let folder = folder(&[("tokenizer.json", &library.to_string())]);

        let tokenizer = Tokenizer::read(folder.path()).unwrap();

        let special = tokenizer.special();
        let count = count as u32;
        assert_eq!(
            [special.cls, special.sep, special.pad],
            [count - 2, count - 1, count - 1]
        );
        assert_eq!(special.mask, count + 1);
        assert!(tokenizer.vocabulary().is_special(count));
        let written = tokenizer.files().unwrap();
        let again = self::folder(&[(written[0].0, &written[0].1)]);
        let again = Tokenizer::read(again.path()).unwrap();
        assert_eq!(again.vocabulary(), tokenizer.vocabulary());
    }
    let beside = r#"{"bos_token": {"content": "<s>"}, "eos_token": "</s>"}"#;
    let folder = folder(&[
        ("vocab.json", &vocabulary(&pieces)),
        ("merges.txt", LINES),
        ("tokenizer_config.json", beside),
    ]);
    let special = Tokenizer::read(folder.path()).unwrap().special();
    assert_eq!(special.cls, count as u32 - 2);
}

#[test]
fn word_pieces_are_read_from_the_librarys_file() {
    let names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "A", "a"];
    let ids: HashMap<&str, usize> = names.into_iter().zip(0..).collect();
    let library = json!({"model": {"type": "WordPiece", "vocab": ids},
        "normalizer": {"type": "BertNormalizer", "lowercase": false}});
    let folder = folder(&[("tokenizer.json", &library.to_string())]);

    let tokenizer = Tokenizer::read(folder.path()).unwrap();

    assert_eq!(tokenizer.kind(), TokenizerKind::WordPiece);
    assert_eq!(tokenizer.encode("a A", 4).unwrap().ids, [2, 6, 5, 3]);
}

#[test]
fn files_that_do_not_fit_are_refused_with_the_reason() {
    let refused = |files: &[(&str, &str)]| {
        let folder = folder(files);
        Tokenizer::read(folder.path()).unwrap_err().to_string()
    };
    let whole = vocabulary(&pieces());
    let with = |merges| refused(&[("vocab.json", &whole), ("merges.txt", merges)]);
    assert!(refused(&[]).contains("has no vocab.txt, no tokenizer.json"));
    let other = with("d o\ndo gs</w>\n");
    assert!(
        other.contains("merge 2") && other.contains("\"gs</w>\""),
        "{other}"
    );
    assert!(with("d o\nd\n").contains("line 2 is no pair"));

    let unfit = |vocabulary: &str| refused(&[("vocab.json", vocabulary), ("merges.txt", "")]);
    let twice = unfit(r#"{"a</w>": 0, "b": 0}"#);
    assert!(twice.contains("both have the id 0"), "{twice}");
    assert!(unfit(r#"{"a</w>": 0, "a</w>": 1}"#).contains("two ids, 0 and 1"));
    assert!(unfit(r#"{"a</w>": 0, "b": 7}"#).contains("has the id 7, where 2"));
    assert!(unfit(r#"{"Ġa": 0, "b": 1}"#).contains("do not end in"));
    let frameless = unfit(r#"{"a</w>": 0, "<|startoftext|>": 1}"#);
    assert!(frameless.contains("no <|endoftext|>"), "{frameless}");

    let library = |model: &str| refused(&[("tokenizer.json", model)]);
    let unigram = library(r#"{"model": {"type": "Unigram", "vocab": [["a", 0.5]]}}"#);
    assert!(unigram.contains("the kind Unigram"), "{unigram}");
    let roberta = r#"{"model": {"type": "BPE", "vocab": {"Ġa": 0}, "merges": []}}"#;
    assert!(library(roberta).contains("words end in \"\""));
    let nested = "[".repeat(1 << 20);
    assert!(library(&nested).contains("tokenizer.json: is not what"));
}

#[test]
fn a_file_of_a_gigabyte_is_not_read() {
    let folder = folder(&[("tokenizer.json", "")]);
    let path = folder.path().join("tokenizer.json");
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1 << 30)
        .unwrap();

    let error = Tokenizer::read(folder.path()).unwrap_err().to_string();

    assert!(error.contains("1073741824 bytes are too many"), "{error}");
}
