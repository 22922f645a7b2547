//! A CLIP's encoders under the names of other programs, with the configuration that each of them reads.

use std::path::Path;

use burn::prelude::*;
use clover_model::CloverConfig;
use clover_model::clip::{Activation, ClipTextConfig, ClipVisionConfig};
use clover_model::text_encoder::TextEncoderConfig;
use clover_model::video_encoder::VideoEncoderConfig;
use serde_json::{Value, json};

use super::{ClipForm, ExportedFile};
use crate::bundle::write_json;
use crate::{Bundle, InferenceError};

/// Both encoders of a CLIP.
fn encoders(config: &CloverConfig) -> Option<(&ClipVisionConfig, &ClipTextConfig)> {
    match (&config.video, &config.text) {
        (VideoEncoderConfig::Clip(video), TextEncoderConfig::Clip(text)) => {
            Some((&video.vision, text))
        }
        _ => None,
    }
}

/// What `transformers` asks of a CLIP.
fn hugging_face(
    vision: &ClipVisionConfig,
    text: &ClipTextConfig,
    [start, end]: [u32; 2],
) -> Value {
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
    (mean, deviation): ([f32; 3], [f32; 3]),
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
