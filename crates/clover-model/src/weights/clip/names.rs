//! The names of CLIP's parameters, OpenAI's and Hugging Face's, beside our paths, and which weights are
//! transposed in files that follow them.

use super::super::naming::rule::{Rule, fill, layer, match_prefix, norm, tensor};

/// Whose names a file of CLIP's weights follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipNaming {
    /// OpenAI's own, and open_clip's.
    OpenAi,
    /// Those of Hugging Face's `transformers`.
    HuggingFace,
}

/// Names without what is wrapped around them, beside ours.
struct Names {
    once: &'static [Rule],
    /// The blocks of both encoders.
    blocks: [(&'static str, &'static str); 2],
    block: &'static [Rule],
}

const OPENAI: Names = Names {
    once: &[
        tensor("logit_scale", "logit_scale"),
        layer("visual.conv1", "vision.patches"),
        tensor("visual.class_embedding", "vision.class_token"),
        tensor("visual.positional_embedding", "vision.positions"),
        norm("visual.ln_pre", "vision.first_norm"),
        norm("visual.ln_post", "vision.last_norm"),
        tensor("visual.proj", "vision.projection.weight"),
        layer("token_embedding", "text.pieces"),
        tensor("positional_embedding", "text.positions"),
        norm("ln_final", "text.last_norm"),
        tensor("text_projection", "text.projection.weight"),
    ],
    blocks: [
        ("visual.transformer.resblocks.*.", "vision.blocks.*."),
        ("transformer.resblocks.*.", "text.blocks.*."),
    ],
    block: &[
        norm("ln_1", "attention_norm"),
        tensor("attn.in_proj_weight", "qkv.weight"),
        tensor("attn.in_proj_bias", "qkv.bias"),
        layer("attn.out_proj", "output"),
        norm("ln_2", "mlp_norm"),
        layer("mlp.c_fc", "inner"),
        layer("mlp.c_proj", "outer"),
    ],
};

const HUGGING_FACE: Names = Names {
    once: &[
        tensor("logit_scale", "logit_scale"),
        layer("vision_model.embeddings.patch_embedding", "vision.patches"),
        tensor(
            "vision_model.embeddings.class_embedding",
            "vision.class_token",
        ),
        tensor(
            "vision_model.embeddings.position_embedding.weight",
            "vision.positions",
        ),
        // Misspelt there.
        norm("vision_model.pre_layrnorm", "vision.first_norm"),
        norm("vision_model.post_layernorm", "vision.last_norm"),
        layer("visual_projection", "vision.projection"),
        layer("text_model.embeddings.token_embedding", "text.pieces"),
        tensor(
            "text_model.embeddings.position_embedding.weight",
            "text.positions",
        ),
        norm("text_model.final_layer_norm", "text.last_norm"),
        layer("text_projection", "text.projection"),
    ],
    blocks: [
        ("vision_model.encoder.layers.*.", "vision.blocks.*."),
        ("text_model.encoder.layers.*.", "text.blocks.*."),
    ],
    block: &[
        norm("layer_norm1", "attention_norm"),
        layer("self_attn.q_proj", "qkv.0"),
        layer("self_attn.k_proj", "qkv.1"),
        layer("self_attn.v_proj", "qkv.2"),
        layer("self_attn.out_proj", "output"),
        norm("layer_norm2", "mlp_norm"),
        layer("mlp.fc1", "inner"),
        layer("mlp.fc2", "outer"),
    ],
};

impl ClipNaming {
    const fn names(self) -> &'static Names {
        match self {
            Self::OpenAi => &OPENAI,
            Self::HuggingFace => &HUGGING_FACE,
        }
    }

    /// Our path of a parameter, or of a third of one: `vision.blocks.0.qkv.1.weight`.
    pub(super) fn path_of(self, name: &str) -> Option<String> {
        let names = self.names();
        let once = names.once.iter().find_map(|rule| rule.to_native(name));
        once.or_else(|| {
            names.blocks.iter().find_map(|(theirs, ours)| {
                let (numbers, rest) = match_prefix(theirs, name)?;
                let inside = names.block.iter().find_map(|rule| rule.to_native(rest))?;
                Some(fill(ours, &numbers) + &inside)
            })
        })
    }

    /// Their names of one of our parameters: one, or those of queries, keys and values.
    pub(super) fn names_of(self, path: &str) -> Vec<String> {
        let names = self.names();
        let one = |path: &str| {
            let once = names.once.iter().find_map(|rule| rule.to_published(path));
            once.or_else(|| {
                names.blocks.iter().find_map(|(theirs, ours)| {
                    let (numbers, rest) = match_prefix(ours, path)?;
                    let inside = names
                        .block
                        .iter()
                        .find_map(|rule| rule.to_published(rest))?;
                    Some(fill(theirs, &numbers) + &inside)
                })
            })
        };
        match one(path) {
            Some(name) => vec![name],
            None => ["0", "1", "2"]
                .iter()
                .filter_map(|part| one(&path.replace(".qkv.", &format!(".qkv.{part}."))))
                .collect(),
        }
    }

    /// Whether a weight of ours, of two axes, is turned there.
    pub(super) fn transposes(self, path: &str) -> bool {
        let as_ours = match self {
            Self::OpenAi => path.ends_with(".projection.weight"),
            Self::HuggingFace => false,
        };
        path.ends_with(".weight") && !as_ours && path != "text.pieces.weight"
    }
}
