//! What the files beside CLIP's weights say and the weights do not.
//!
//! Hugging Face's `config.json` and `preprocessor_config.json`, and open_clip's `open_clip_config.json`. Which
//! function the perceptrons have is never guessed: the wrong one computes without an error, and worse.

use std::path::{Path, PathBuf};

use clover_data::video::ColourStatistics;
use clover_model::clip::Activation;
use clover_model::weights::ClipHints;
use serde_json::{Value, json};

use crate::InferenceError;
use crate::bundle::read_json;

/// Epsilon of every LayerNorm.
const EPSILON: f64 = 1e-5;
/// Channels of a head, if open_clip's file does not say.
const HEAD_WIDTH: u64 = 64;
/// What OpenAI's archives have beside parameters, and nothing else has.
pub(super) const OPENAI_SIGNS: [&str; 3] = ["input_resolution", "context_length", "vocab_size"];

const HUGGING_FACE: &str = "config.json";
const OPEN_CLIP: &str = "open_clip_config.json";
const PIXELS: &str = "preprocessor_config.json";
/// What is read beside weights.
pub(super) const CONFIGURATIONS: [&str; 3] = [HUGGING_FACE, OPEN_CLIP, PIXELS];

/// What is known of a model beside its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ClipSettings {
    /// The function in the perceptrons, and which file says so.
    pub(super) activation: Option<(Activation, PathBuf)>,
    pub(super) hints: ClipHints,
    /// What colours are normalised by, if the files say it.
    pub(super) colours: Option<ColourStatistics>,
}

impl ClipSettings {
    /// Reads what lies in the first of some folders that has each file.
    pub(super) fn beside(folders: &[&Path]) -> Result<Self, InferenceError> {
        let find = |name: &str| {
            let places = folders.iter().map(|folder| folder.join(name));
            places.into_iter().find(|place| place.is_file())
        };
        let mut settings = Self::default();
        // A repository of open_clip's may have both; its own file is about its own model.
        if let Some(path) = find(HUGGING_FACE) {
            settings.hugging_face(&path, &read_json(&path)?)?;
        }
        if let (None, Some(path)) = (&settings.activation, find(OPEN_CLIP)) {
            settings.open_clip(&path, &read_json(&path)?)?;
        }
        if let Some(path) = find(PIXELS) {
            let config: Value = read_json(&path)?;
            settings.read_colours(&path, [&config["image_mean"], &config["image_std"]])?;
        }
        Ok(settings)
    }

    fn hugging_face(&mut self, path: &Path, config: &Value) -> Result<(), InferenceError> {
        let [text, vision] = [&config["text_config"], &config["vision_config"]];
        if !text.is_object() || !vision.is_object() {
            // That of another model, or of a bundle.
            return Ok(());
        }
        let mut activations = Vec::new();
        for part in [text, vision] {
            let name = &part["hidden_act"];
            activations.push(match name.as_str() {
                Some("gelu") => Activation::Gelu,
                Some("quick_gelu") => Activation::QuickGelu,
                // The default of transformers' CLIP.
                None if name.is_null() => Activation::QuickGelu,
                _ => {
                    return Err(wrong(
                        path,
                        format!("hidden_act is {name}; gelu and quick_gelu are known"),
                    ));
                }
            });
            let epsilon = part["layer_norm_eps"].as_f64().unwrap_or(EPSILON);
            if (epsilon - EPSILON).abs() > 1e-9 {
                let reason = format!("layer_norm_eps is {epsilon}; a CLIP has {EPSILON}");
                return Err(wrong(path, reason));
            }
        }
        if activations[0] != activations[1] {
            let reason = "hidden_act of text_config and vision_config differ".to_owned();
            return Err(wrong(path, reason));
        }
        self.activation = Some((activations[0], path.to_owned()));
        self.hints = ClipHints {
            vision_heads: count(&vision["num_attention_heads"]),
            text_heads: count(&text["num_attention_heads"]),
        };
        Ok(())
    }

    fn open_clip(&mut self, path: &Path, config: &Value) -> Result<(), InferenceError> {
        let model = &config["model_cfg"];
        if !model.is_object() {
            return Err(wrong(path, "has no model_cfg".to_owned()));
        }
        let activation = match model["quick_gelu"].as_bool() {
            Some(true) => Activation::QuickGelu,
            // open_clip's default.
            Some(false) | None => Activation::Gelu,
        };
        self.activation = Some((activation, path.to_owned()));
        let vision = &model["vision_cfg"];
        let width = vision["width"].as_u64();
        let head = vision["head_width"].as_u64().unwrap_or(HEAD_WIDTH).max(1);
        self.hints = ClipHints {
            vision_heads: width.and_then(|width| usize::try_from(width / head).ok()),
            text_heads: count(&model["text_cfg"]["heads"]),
        };
        let pixels = &config["preprocess_cfg"];
        self.read_colours(path, [&pixels["mean"], &pixels["std"]])
    }

    fn read_colours(&mut self, path: &Path, lists: [&Value; 2]) -> Result<(), InferenceError> {
        if lists.iter().all(|list| list.is_null()) {
            return Ok(());
        }
        let read = serde_json::from_value(json!({ "mean": lists[0], "deviation": lists[1] }));
        let colours = read.map_err(|error| wrong(path, error.to_string()))?;
        self.colours = Some(colours);
        Ok(())
    }
}

/// The function that files or the user say; both must agree.
pub(super) fn activation(
    weights: &Path,
    told: Option<&(Activation, PathBuf)>,
    asked: Option<Activation>,
) -> Result<Activation, InferenceError> {
    match (told, asked) {
        (Some((told, path)), Some(asked)) if *told != asked => Err(InferenceError::Option {
            option: "activation",
            reason: format!("{} says another one; leave the option out", path.display()),
        }),
        (Some((told, _)), _) => Ok(*told),
        (None, Some(asked)) => Ok(asked),
        (None, None) => Err(InferenceError::Option {
            option: "activation",
            reason: format!(
                "{} does not tell which function its perceptrons have, and with the wrong one all results are \
                 worse: say quick-gelu for OpenAI's weights, MetaCLIP, DFN and LAION-400M, gelu for LAION-2B and \
                 DataComp",
                weights.display()
            ),
        }),
    }
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|count| usize::try_from(count).ok())
}

fn wrong(path: &Path, reason: String) -> InferenceError {
    InferenceError::Configuration {
        path: path.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn settings(files: &[(&str, &str)]) -> Result<ClipSettings, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        ClipSettings::beside(&[folder.path()]).map_err(|error| error.to_string())
    }

    fn hugging_face(text: &str, vision: &str) -> String {
        format!(r#"{{"text_config": {text}, "vision_config": {vision}}}"#)
    }

    #[test]
    fn either_library_says_function_heads_and_colours() {
        let config = hugging_face(
            r#"{"hidden_act": "gelu", "num_attention_heads": 8}"#,
            r#"{"hidden_act": "gelu", "num_attention_heads": 12}"#,
        );
        let pixels = r#"{"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}"#;
        let theirs = [
            ("config.json", &*config),
            ("preprocessor_config.json", pixels),
        ];
        let open_clip = r#"{"model_cfg": {"vision_cfg": {"width": 768}, "text_cfg": {"heads": 8}},
            "preprocess_cfg": {"mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}}"#;

        let theirs = settings(&theirs).unwrap();
        let open_clip = settings(&[("open_clip_config.json", open_clip)]).unwrap();

        for found in [theirs, open_clip] {
            assert_eq!(found.activation.unwrap().0, Activation::Gelu);
            let heads = (found.hints.vision_heads, found.hints.text_heads);
            assert_eq!(heads, (Some(12), Some(8)));
            let expected = ColourStatistics {
                mean: [0.1, 0.2, 0.3],
                deviation: [0.4, 0.5, 0.6],
            };
            assert_eq!(found.colours, Some(expected));
        }
    }

    #[test]
    fn what_a_clip_cannot_be_is_refused_by_name() {
        let config = |text, vision| {
            let config = hugging_face(text, vision);
            settings(&[("config.json", &*config)]).unwrap_err()
        };

        assert!(config(r#"{"hidden_act": "relu"}"#, "{}").contains("hidden_act is \"relu\""));
        assert!(config(r#"{"hidden_act": "gelu"}"#, "{}").contains("differ"));
        assert!(config("{}", r#"{"layer_norm_eps": 1e-6}"#).contains("layer_norm_eps"));
        let pixels = [("preprocessor_config.json", r#"{"image_mean": [1, 2]}"#)];
        assert!(
            settings(&pixels)
                .unwrap_err()
                .contains("preprocessor_config.json")
        );
    }

    #[test]
    fn the_function_is_asked_for_and_never_guessed() {
        let told = (Activation::Gelu, PathBuf::from("config.json"));
        let path = Path::new("b32.pt");
        let quick = Some(Activation::QuickGelu);

        let unknown = activation(path, None, None).unwrap_err().to_string();
        let other = activation(path, Some(&told), quick)
            .unwrap_err()
            .to_string();

        assert!(unknown.contains("b32.pt") && unknown.contains("quick-gelu for OpenAI's"));
        assert!(other.contains("config.json says another one"), "{other}");
        assert_eq!(
            activation(path, None, quick).unwrap(),
            Activation::QuickGelu
        );
        assert_eq!(
            activation(path, Some(&told), None).unwrap(),
            Activation::Gelu
        );
    }
}
