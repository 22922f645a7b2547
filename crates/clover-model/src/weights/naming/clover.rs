//! The names of the published implementation, beside ours.

use super::rule::{Rule, fill, layer, match_prefix, norm, tensor};

/// The parts that pre-training and all tasks share.
const RULES: &[Rule] = &[
    // Video Swin.
    tensor("backbone.mask_token", "video_encoder.mask_token.token"),
    layer(
        "backbone.patch_embed.proj",
        "video_encoder.patch_embedding.projection",
    ),
    norm(
        "backbone.patch_embed.norm",
        "video_encoder.patch_embedding.norm",
    ),
    norm(
        "backbone.layers.*.blocks.*.norm1",
        "video_encoder.stages.*.blocks.*.norm1",
    ),
    norm(
        "backbone.layers.*.blocks.*.norm2",
        "video_encoder.stages.*.blocks.*.norm2",
    ),
    tensor(
        "backbone.layers.*.blocks.*.attn.relative_position_bias_table",
        "video_encoder.stages.*.blocks.*.attention.relative_position_bias_table",
    ),
    layer(
        "backbone.layers.*.blocks.*.attn.qkv",
        "video_encoder.stages.*.blocks.*.attention.qkv",
    ),
    layer(
        "backbone.layers.*.blocks.*.attn.proj",
        "video_encoder.stages.*.blocks.*.attention.projection",
    ),
    layer(
        "backbone.layers.*.blocks.*.mlp.fc1",
        "video_encoder.stages.*.blocks.*.mlp.fc1",
    ),
    layer(
        "backbone.layers.*.blocks.*.mlp.fc2",
        "video_encoder.stages.*.blocks.*.mlp.fc2",
    ),
    norm(
        "backbone.layers.*.downsample.norm",
        "video_encoder.stages.*.merging.norm",
    ),
    layer(
        "backbone.layers.*.downsample.reduction",
        "video_encoder.stages.*.merging.reduction",
    ),
    norm("backbone.norm", "video_encoder.norm"),
    // BERT.
    layer(
        "text_backbone.bert.embeddings.word_embeddings",
        "text_encoder.embeddings.word",
    ),
    layer(
        "text_backbone.bert.embeddings.position_embeddings",
        "text_encoder.embeddings.position",
    ),
    layer(
        "text_backbone.bert.embeddings.token_type_embeddings",
        "text_encoder.embeddings.segment",
    ),
    norm(
        "text_backbone.bert.embeddings.LayerNorm",
        "text_encoder.embeddings.norm",
    ),
    // The fusion encoder.
    layer(
        "multimodal_backbone.fc_in",
        "fusion_encoder.embeddings.video_projection",
    ),
    tensor(
        "multimodal_backbone.vis_space_pos",
        "fusion_encoder.embeddings.space_position",
    ),
    tensor(
        "multimodal_backbone.vis_tempor_pos",
        "fusion_encoder.embeddings.time_position",
    ),
    layer(
        "multimodal_backbone.token_type_embeddings",
        "fusion_encoder.embeddings.token_type",
    ),
    norm("multimodal_backbone.norm", "fusion_encoder.embeddings.norm"),
    tensor("multimodal_backbone.all_cls_token", "separator_token"),
    // Projections and word prediction.
    layer("ssl_head.img_projector.0", "video_projection.fc1"),
    norm("ssl_head.img_projector.1", "video_projection.norm1"),
    layer("ssl_head.img_projector.3", "video_projection.fc2"),
    norm("ssl_head.img_projector.4", "video_projection.norm2"),
    layer("ssl_head.text_projector.0", "text_projection.fc1"),
    layer("ssl_head.text_projector.2", "text_projection.fc2"),
    layer("mlm_ssl_V_head.img_fc1", "fused_masked_video_head.fc1"),
    norm("mlm_ssl_V_head.img_bn1", "fused_masked_video_head.norm1"),
    layer("mlm_ssl_V_head.img_fc2", "fused_masked_video_head.fc2"),
    norm("mlm_ssl_V_head.img_bn2", "fused_masked_video_head.norm2"),
    layer("mlm_ssl_T_head.fc1", "fused_masked_text_head.fc1"),
    layer("mlm_ssl_T_head.fc2", "fused_masked_text_head.fc2"),
    layer("mlm_head.predictions.transform.dense", "mlm_head.transform"),
    norm("mlm_head.predictions.transform.LayerNorm", "mlm_head.norm"),
    layer("mlm_head.predictions.decoder", "mlm_head.decoder"),
];

/// BERT's layers, in the text encoder and in the fusion encoder: published and native stacks.
const BERT_STACKS: &[(&str, &str)] = &[
    (
        "text_backbone.bert.encoder.layer.*.",
        "text_encoder.layers.*.",
    ),
    (
        "multimodal_backbone.bert_encoder.layer.*.",
        "fusion_encoder.layers.*.",
    ),
];

const BERT_LAYER: &[Rule] = &[
    layer("attention.self.query", "attention.query"),
    layer("attention.self.key", "attention.key"),
    layer("attention.self.value", "attention.value"),
    layer("attention.output.dense", "attention.output"),
    norm("attention.output.LayerNorm", "attention.norm"),
    layer("intermediate.dense", "feed_forward.inner"),
    layer("output.dense", "feed_forward.outer"),
    norm("output.LayerNorm", "feed_forward.norm"),
];

const OPEN_ENDED_HEAD: &[Rule] = &[
    layer("qa_head.vqa_classifier.1", "answer_head.fc"),
    norm("qa_head.vqa_classifier.2", "answer_head.norm"),
    layer("qa_head.vqa_classifier.4", "answer_head.classifier"),
];

const MULTIPLE_CHOICE_HEAD: &[Rule] = &[
    layer("qa_head.mc_vqa_classifier.1", "answer_head.fc"),
    norm("qa_head.mc_vqa_classifier.2", "answer_head.norm"),
    layer("qa_head.mc_vqa_classifier.4", "answer_head.scorer"),
];

/// Prefixes of published parameters that no configured task uses and none ever trains: BERT's
/// pooler, the fusion encoder's copy of BERT's embedding table, and the matching head that the
/// fill-in-the-blank model creates. They are reported as unused.
pub const UNUSED_BY_DESIGN: &[&str] = &[
    "text_backbone.bert.pooler.",
    "multimodal_backbone.bert_embedding.",
    "itm_head.",
];

/// Our parameter path for a published name, or nothing if the model has no place for it.
#[must_use]
pub fn native_name(published: &str) -> Option<String> {
    let direct = [RULES, OPEN_ENDED_HEAD, MULTIPLE_CHOICE_HEAD]
        .into_iter()
        .flatten()
        .find_map(|rule| rule.to_native(published));
    direct.or_else(|| {
        BERT_STACKS.iter().find_map(|(from, to)| {
            let (numbers, rest) = match_prefix(from, published)?;
            let inside = BERT_LAYER.iter().find_map(|rule| rule.to_native(rest))?;
            Some(fill(to, &numbers) + &inside)
        })
    })
}

/// The published name for one of our parameter paths, or nothing if the published model has no such
/// parameter. The parameters of a norm may go by Burn's words or by PyTorch's.
///
/// Both answer heads begin alike here but not there, so the other paths of the model are needed.
#[must_use]
pub fn published_name(native: &str, all: &[String]) -> Option<String> {
    let scores_candidates = all
        .iter()
        .any(|path| path.starts_with("answer_head.scorer."));
    let answer_head = if scores_candidates {
        MULTIPLE_CHOICE_HEAD
    } else {
        OPEN_ENDED_HEAD
    };
    let direct = [RULES, answer_head]
        .into_iter()
        .flatten()
        .find_map(|rule| rule.to_published(native));
    direct.or_else(|| {
        BERT_STACKS.iter().find_map(|(to, from)| {
            let (numbers, rest) = match_prefix(from, native)?;
            let inside = BERT_LAYER.iter().find_map(|rule| rule.to_published(rest))?;
            Some(fill(to, &numbers) + &inside)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_names_become_parameter_paths() {
        let pairs = [
            (
                "backbone.layers.2.blocks.17.attn.qkv.weight",
                "video_encoder.stages.2.blocks.17.attention.qkv.weight",
            ),
            (
                "backbone.layers.1.blocks.0.norm2.bias",
                "video_encoder.stages.1.blocks.0.norm2.beta",
            ),
            (
                "multimodal_backbone.bert_encoder.layer.2.output.LayerNorm.weight",
                "fusion_encoder.layers.2.feed_forward.norm.gamma",
            ),
            (
                "multimodal_backbone.vis_space_pos",
                "fusion_encoder.embeddings.space_position",
            ),
            (
                "qa_head.mc_vqa_classifier.4.bias",
                "answer_head.scorer.bias",
            ),
        ];

        for (published, native) in pairs {
            assert_eq!(native_name(published).as_deref(), Some(native));
        }
    }

    #[test]
    fn names_without_a_place_are_not_guessed() {
        for name in [
            "backbone.layers.x.blocks.0.norm1.weight",
            "backbone.layers.0.blocks.0.attn.relative_position_index",
            "text_backbone.bert.pooler.dense.weight",
            "backbone.norm.running_mean",
        ] {
            assert_eq!(native_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_answer_head_is_published_by_its_kind() {
        let norm = "answer_head.norm.weight";
        let scorer = ["answer_head.scorer.weight".to_owned()];

        let open_ended = published_name(norm, &[]);
        let multiple_choice = published_name(norm, &scorer);

        assert_eq!(
            open_ended.as_deref(),
            Some("qa_head.vqa_classifier.2.weight")
        );
        assert_eq!(
            multiple_choice.as_deref(),
            Some("qa_head.mc_vqa_classifier.2.weight")
        );
    }
}
