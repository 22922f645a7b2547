//! How a text is written before it is cut into word pieces, as the files that Hugging Face's
//! `transformers` has beside a vocabulary say it: `tokenizer_config.json` or `tokenizer.json`.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::vocabulary::read_text;
use crate::DataError;

/// How a text is written before it is cut into word pieces; by default as for BERT uncased.
///
/// The fields are keys of `tokenizer_config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextNormalization {
    /// Whether capitals become small letters.
    pub do_lower_case: bool,
    /// Whether letters lose their accents; where it is open, those that lose their capitals do.
    pub strip_accents: Option<bool>,
    /// Whether each Chinese character is a word.
    pub tokenize_chinese_chars: bool,
}

impl Default for TextNormalization {
    fn default() -> Self {
        Self {
            do_lower_case: true,
            strip_accents: None,
            tokenize_chinese_chars: true,
        }
    }
}

/// What `tokenizer_config.json` says, among much else.
#[derive(Default, Deserialize)]
struct Config {
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
}

/// What `tokenizer.json` says.
#[derive(Default, Deserialize)]
struct Library {
    #[serde(default)]
    normalizer: Value,
}

impl TextNormalization {
    /// The file that tells it, beside a vocabulary.
    pub const FILE: &'static str = "tokenizer_config.json";

    /// Reads what stands beside a vocabulary; what no file says is as by default.
    ///
    /// # Errors
    ///
    /// When a file is there and cannot be read.
    pub fn beside(vocabulary: &Path) -> Result<Self, DataError> {
        let mut config: Config = read(&vocabulary.with_file_name(Self::FILE))?;
        if config.do_lower_case.is_none() {
            let library: Library = read(&vocabulary.with_file_name("tokenizer.json"))?;
            config.add(&library.normalizer);
        }
        let usual = Self::default();
        Ok(Self {
            do_lower_case: config.do_lower_case.unwrap_or(usual.do_lower_case),
            strip_accents: config.strip_accents,
            tokenize_chinese_chars: config
                .tokenize_chinese_chars
                .unwrap_or(usual.tokenize_chinese_chars),
        })
    }

    /// Whether letters lose their accents.
    pub fn strips_accents(&self) -> bool {
        self.strip_accents.unwrap_or(self.do_lower_case)
    }
}

impl Config {
    /// Takes over what it does not say itself from BERT's normalizer, alone or among others.
    fn add(&mut self, normalizer: &Value) {
        let steps = normalizer["normalizers"].as_array();
        let mut steps = steps.into_iter().flatten().chain([normalizer]);
        let Some(bert) = steps.find(|step| step["type"] == "BertNormalizer") else {
            return;
        };
        let says = |own: Option<bool>, key: &str| own.or_else(|| bert[key].as_bool());
        self.do_lower_case = says(self.do_lower_case, "lowercase");
        self.strip_accents = says(self.strip_accents, "strip_accents");
        self.tokenize_chinese_chars = says(self.tokenize_chinese_chars, "handle_chinese_chars");
    }
}

fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, DataError> {
    if !path.is_file() {
        return Ok(T::default());
    }
    serde_json::from_str(&read_text(path)?).map_err(|source| DataError::TokenizerConfig {
        path: path.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beside(files: &[(&str, &str)]) -> Result<TextNormalization, DataError> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        TextNormalization::beside(&folder.path().join("vocab.txt"))
    }

    #[test]
    fn what_is_said_is_taken_and_the_rest_is_as_for_bert_uncased() {
        let cased = TextNormalization {
            do_lower_case: false,
            ..TextNormalization::default()
        };
        let library = r#"{"normalizer":{"type":"Sequence","normalizers":[
            {"type":"BertNormalizer","lowercase":false,"handle_chinese_chars":true}]},"model":{}}"#;
        let config = r#"{"do_lower_case":false,"model_max_length":512}"#;

        assert_eq!(beside(&[]).unwrap(), TextNormalization::default());
        assert_eq!(beside(&[("tokenizer_config.json", config)]).unwrap(), cased);
        assert_eq!(beside(&[("tokenizer.json", library)]).unwrap(), cased);
        let both = [
            (
                "tokenizer_config.json",
                r#"{"do_lower_case":true,"strip_accents":false}"#,
            ),
            ("tokenizer.json", library),
        ];
        let both = beside(&both).unwrap();
        assert!(both.do_lower_case && !both.strips_accents());
    }

    #[test]
    fn a_broken_file_is_named() {
        for content in ["{", r#"{"do_lower_case":"no"}"#] {
            let error = beside(&[("tokenizer_config.json", content)]).unwrap_err();

            assert!(
                error.to_string().contains("tokenizer_config.json"),
                "{error}"
            );
        }
    }
}
