//! A CLIP's encoders under the names of other programs, with the configuration that each of them reads.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use burn::prelude::*;
use clover_data::video::ColourStatistics;
use clover_model::clip::{Activation, Clip, ClipTextConfig, ClipVisionConfig};
use clover_model::text_encoder::{TextEncoder, TextEncoderConfig};
use clover_model::video_encoder::{VideoEncoder, VideoEncoderConfig};
use clover_model::weights::{ClipNaming, Naming, clip_tensors};
use clover_model::{Clover, CloverConfig};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use super::{ExportFormat, ExportedFile};
use crate::bundle::{export_trained, write_json, write_tokenizer, write_whole};
use crate::{Bundle, InferenceError};

/// How the paths of parameters begin that a CLIP has, too.
const OF_CLIP: [&str; 3] = ["video_encoder.vision.", "text_encoder.text.", "logit_scale"];

/// Writes the encoders of a bundle's CLIP, and what is read beside them.
pub(super) fn write<B: Backend>(
    bundle: &Bundle<B>,
    form: ExportFormat,
    folder: &Path,
) -> Result<Vec<ExportedFile>, InferenceError> {
    let clover = &bundle.clover;
    let (Some((vision, text)), Some(clip)) = (sizes(&bundle.config), encoders(clover)) else {
        return Err(InferenceError::Option {
            option: "clip",
            reason: "the bundle's encoders are not CLIP's".to_owned(),
        });
    };
    let (file, naming) = match form {
        ExportFormat::HuggingFaceClip => ("model.safetensors", ClipNaming::HuggingFace),
        ExportFormat::OpenClip => ("open_clip_model.safetensors", ClipNaming::OpenAi),
        _ => ("clip.safetensors", ClipNaming::OpenAi),
    };
    let ColourStatistics { mean, deviation } = bundle.preprocessing.pixels.colours;
    let special = bundle.tokenizer.special();
    match form {
        ExportFormat::HuggingFaceClip => {
            let config = hugging_face(vision, text, [special.cls, special.sep]);
            write_json(&folder.join("config.json"), &config)?;
            let size = vision.image_size;
            let pixels = json!({
                "image_processor_type": "CLIPImageProcessor",
                "do_resize": true, "size": { "shortest_edge": size }, "resample": 3,
                "do_center_crop": true, "crop_size": { "height": size, "width": size },
                "do_rescale": true, "do_normalize": true, "do_convert_rgb": true,
                "image_mean": mean, "image_std": deviation,
            });
            write_json(&folder.join("preprocessor_config.json"), &pixels)?;
        }
        ExportFormat::OpenClip => {
            let config = open_clip(vision, text, (mean, deviation));
            write_json(&folder.join("open_clip_config.json"), &config)?;
        }
        _ => {}
    }
    write_tokenizer(folder, &bundle.tokenizer)?;
    let tensors = clip_tensors(&clip, naming)?;
    let path = folder.join(file);
    let failed = |error: safetensors::SafeTensorError| InferenceError::File {
        path: path.clone(),
        source: io::Error::other(error),
    };
    let views = tensors.iter().map(|(name, data)| {
        let view = TensorView::new(Dtype::F32, data.shape.to_vec(), data.as_bytes());
        Ok((name.as_str(), view.map_err(failed)?))
    });
    let views = views.collect::<Result<Vec<_>, InferenceError>>()?;
    // What `transformers` asks for before it reads a file.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(failed)?;
    write_whole(&path, &bytes)?;
    let all = export_trained(clover, &bundle.untrained, Naming::Native);
    let left_out = all.names().filter(|name| {
        let is_there = OF_CLIP.iter().any(|prefix| name.starts_with(prefix));
        !is_there
    });
    Ok(vec![ExportedFile {
        left_out: left_out.map(str::to_owned).collect(),
        tensors: tensors.len(),
        path,
    }])
}

/// Both encoders of a CLIP, without what Clover has added to them.
fn encoders<B: Backend>(clover: &Clover<B>) -> Option<Clip<B>> {
    match (&clover.video_encoder, &clover.text_encoder) {
        (VideoEncoder::Clip(video), TextEncoder::Clip(text)) => Some(Clip {
            vision: video.vision.clone(),
            text: text.text.clone(),
            logit_scale: clover.logit_scale.clone()?,
        }),
        _ => None,
    }
}

fn sizes(config: &CloverConfig) -> Option<(&ClipVisionConfig, &ClipTextConfig)> {
    match (&config.video, &config.text) {
        (VideoEncoderConfig::Clip(video), TextEncoderConfig::Clip(text)) => {
            Some((&video.vision, text))
        }
        _ => None,
    }
}

/// What `transformers` asks of a CLIP.
fn hugging_face(vision: &ClipVisionConfig, text: &ClipTextConfig, [start, end]: [u32; 2]) -> Value {
    json!({
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": vision.embedding,
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": text.vocabulary,
            "hidden_size": text.width,
            "intermediate_size": 4 * text.width,
            "projection_dim": text.embedding,
            "num_hidden_layers": text.layers,
            "num_attention_heads": text.heads,
            "max_position_embeddings": text.max_positions,
            "hidden_act": hidden_act(text.activation),
            "layer_norm_eps": 1e-5,
            "bos_token_id": start,
            "eos_token_id": end,
        },
        "vision_config": {
            "model_type": "clip_vision_model",
            "hidden_size": vision.width,
            "intermediate_size": 4 * vision.width,
            "projection_dim": vision.embedding,
            "num_hidden_layers": vision.layers,
            "num_attention_heads": vision.heads,
            "num_channels": 3,
            "image_size": vision.image_size,
            "patch_size": vision.patch,
            "hidden_act": hidden_act(vision.activation),
            "layer_norm_eps": 1e-5,
        },
    })
}

fn hidden_act(activation: Activation) -> &'static str {
    match activation {
        Activation::Gelu => "gelu",
        Activation::QuickGelu => "quick_gelu",
    }
}

/// What open_clip asks of a model.
fn open_clip(
    vision: &ClipVisionConfig,
    text: &ClipTextConfig,
    (mean, deviation): ([f64; 3], [f64; 3]),
) -> Value {
    json!({
        "model_cfg": {
            "embed_dim": vision.embedding,
            "quick_gelu": vision.activation == Activation::QuickGelu,
            "vision_cfg": {
                "image_size": vision.image_size,
                "layers": vision.layers,
                "width": vision.width,
                "head_width": vision.width / vision.heads,
                "patch_size": vision.patch,
            },
            "text_cfg": {
                "context_length": text.max_positions,
                "vocab_size": text.vocabulary,
                "width": text.width,
                "heads": text.heads,
                "layers": text.layers,
            },
        },
        "preprocess_cfg": { "mean": mean, "std": deviation },
    })
}
