//! Weights of a bundle in the forms of other programs.

mod clip;

use std::path::{Path, PathBuf};

use burn::prelude::*;
use clover_data::video::ChannelOrder;
use clover_model::text_encoder::BertConfig;
use clover_model::weights::{Export, Naming};
use serde_json::json;

use crate::bundle::{
    PREPROCESSING, create_folder, export_trained, seal, write_json, write_tokenizer,
};
use crate::{Bundle, InferenceError};

/// Whose form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// The PyTorch code released with Clover: one file.
    Published,
    /// Our own paths: one file.
    Native,
    /// The video encoder for torchvision's `swin3d`, and a folder that `transformers` reads as a
    /// BERT with its word head. What they have no place for is left out.
    TorchvisionAndHuggingFace,
    /// The encoders of a CLIP under OpenAI's names: one file.
    OpenAi,
    /// The same for open_clip: a folder with its configuration.
    OpenClip,
    /// The same for `transformers`: a folder that it reads as a `CLIPModel`.
    HuggingFaceClip,
}

/// How weights are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BundleExport {
    /// Whose form.
    pub format: ExportFormat,
    /// Which colour comes first in the clips that the weights will see.
    pub channels: ChannelOrder,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFile {
    /// Where.
    pub path: PathBuf,
    /// Tensors in it.
    pub tensors: usize,
    /// Parameters of the bundle that are not in it.
    pub left_out: Vec<String>,
}

impl BundleExport {
    /// Writes a bundle's weights into a folder, with the files beside them that an import reads.
    ///
    /// # Errors
    ///
    /// A file cannot be written, or the bundle has no encoders of such a form.
    pub fn write<B: Backend>(
        self,
        bundle: &Bundle<B>,
        folder: &Path,
    ) -> Result<Vec<ExportedFile>, InferenceError> {
        create_folder(folder)?;
        match self.format {
            ExportFormat::Published => {
                bundle.write_settings(folder)?;
                let all = self.exported(bundle, Naming::Published);
                Ok(vec![written(&all, folder.join("clover.safetensors"))?])
            }
            ExportFormat::Native => {
                bundle.write_settings(folder)?;
                let all = self.exported(bundle, Naming::Native);
                let file = written(&all, folder.join("model.safetensors"))?;
                seal(folder)?;
                Ok(vec![file])
            }
            ExportFormat::TorchvisionAndHuggingFace => self.write_both(bundle, folder),
            ExportFormat::OpenAi | ExportFormat::OpenClip | ExportFormat::HuggingFaceClip => {
                clip::write(bundle, self.format, folder)
            }
        }
    }

    fn write_both<B: Backend>(
        self,
        bundle: &Bundle<B>,
        folder: &Path,
    ) -> Result<Vec<ExportedFile>, InferenceError> {
        let Some(config) = bundle.config.text.bert() else {
            return Err(InferenceError::Option {
                option: "format",
                reason: "the model's encoders are no Video Swin and BERT".to_owned(),
            });
        };
        let video = self.exported(bundle, Naming::Torchvision);
        let text = export_trained(&bundle.clover, &bundle.untrained, Naming::HuggingFace);
        let text_folder = folder.join("text");
        create_folder(&text_folder)?;
        write_tokenizer(&text_folder, &bundle.tokenizer)?;
        write_json(&folder.join(PREPROCESSING), &bundle.preprocessing)?;
        write_json(&text_folder.join("config.json"), &bert(config))?;
        Ok(vec![
            written(&video, folder.join("video.safetensors"))?,
            written(&text, text_folder.join("model.safetensors"))?,
        ])
    }

    fn exported<B: Backend>(self, bundle: &Bundle<B>, naming: Naming) -> Export {
        let mut export = export_trained(&bundle.clover, &bundle.untrained, naming);
        if let Some((_, part)) = &bundle.answers {
            export.add_answers(part, naming);
        }
        if self.channels == bundle.preprocessing.pixels.channels {
            export
        } else {
            export.with_colours_reversed()
        }
    }
}

fn written(export: &Export, path: PathBuf) -> Result<ExportedFile, InferenceError> {
    export.write(&path)?;
    Ok(ExportedFile {
        path,
        tensors: export.len(),
        left_out: export.left_out().to_vec(),
    })
}

/// What `transformers` asks of a BERT. The output matrix of Clover's word head is its own.
fn bert(config: &BertConfig) -> serde_json::Value {
    json!({
        "architectures": ["BertForMaskedLM"],
        "model_type": "bert",
        "vocab_size": config.vocabulary,
        "hidden_size": config.hidden,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "intermediate_size": config.inner,
        "max_position_embeddings": config.max_positions,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": config.dropout,
        "attention_probs_dropout_prob": config.dropout,
        "layer_norm_eps": 1e-12,
        "tie_word_embeddings": false,
    })
}
