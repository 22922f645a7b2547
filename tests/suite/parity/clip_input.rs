//! What CLIP's encoders read, as open_clip prepares it: the tokens of texts and the pixels of images.

use clover_data::text::{Tokenizer, TokenizerKind};
use serde_json::Value;

use super::clip::folders;
use super::fixture::Fixture;

/// A list of recorded cases, if the folder has it.
fn recorded(fixture: &Fixture, name: &str) -> Vec<Value> {
    let Ok(text) = std::fs::read_to_string(fixture.folder.join(name)) else {
        println!("SKIPPED: {} has no {name}", fixture.folder.display());
        return Vec::new();
    };
    serde_json::from_str(&text).unwrap()
}

#[test]
fn texts_have_the_tokens_of_open_clip_whichever_files_are_read() {
    for fixture in folders() {
        let cases = recorded(&fixture, "tokens.json");
        let folder = fixture.folder.join("tokenizer");
        if cases.is_empty() || !folder.is_dir() {
            println!("SKIPPED: no tokenizer in {}", fixture.folder.display());
            continue;
        }
        let library = Tokenizer::read(&folder).unwrap();
        let pieces = Tokenizer::read(folder.join("vocab.json")).unwrap();
        assert_eq!(library.kind(), TokenizerKind::Bpe);
        assert_eq!(library.vocabulary(), pieces.vocabulary());

        let mut different = Vec::new();
        for case in &cases {
            let text = case["text"].as_str().unwrap();
            let expected: Vec<u32> = case["ids"]
                .as_array()
                .unwrap()
                .iter()
                .map(|id| u32::try_from(id.as_u64().unwrap()).unwrap())
                .collect();
            let found = library.encode(text, expected.len()).unwrap();
            assert_eq!(pieces.encode(text, expected.len()).unwrap(), found);
            if found.ids != expected {
                different.push(text);
            }
        }

        assert!(different.is_empty(), "{different:?}");
        println!("{}: {} texts, none differs", fixture.name(), cases.len());
    }
}
