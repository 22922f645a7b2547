//! What names mean.

use super::*;

fn parameter(path: &str) -> Meaning {
    Meaning::Parameter(path.to_owned())
}

#[test]
fn each_naming_is_told_from_its_names() {
    let cases = [
        (
            vec![
                "module.backbone.layers.0.blocks.0.attn.qkv.weight",
                "module.text_backbone.bert.x",
            ],
            Naming::Published,
        ),
        (
            vec![
                "backbone.layers.0.blocks.0.attn.qkv.weight",
                "cls_head.fc_cls.weight",
            ],
            Naming::VideoSwin,
        ),
        (
            vec!["model.layers.0.blocks.0.attn.qkv.bias"],
            Naming::VideoSwin,
        ),
        (
            vec!["module._orig_mod.text_backbone._orig_mod.bert.x"],
            Naming::Published,
        ),
        (vec!["features.0.0.attn.qkv.weight"], Naming::Torchvision),
        (
            vec!["bert.encoder.layer.0.output.dense.weight"],
            Naming::HuggingFace,
        ),
        (
            vec!["video_encoder.stages.0.blocks.0.norm1.gamma"],
            Naming::Native,
        ),
    ];

    for (names, naming) in cases {
        assert_eq!(Naming::detect(names.clone()).unwrap(), naming, "{names:?}");
    }
    let error = Naming::detect(["conv1.weight"]).unwrap_err();
    assert!(error.to_string().contains("conv1.weight"), "{error}");
}

#[test]
fn wrapping_does_not_change_what_a_name_means() {
    let qkv = parameter("video_encoder.stages.1.blocks.0.attention.qkv.weight");
    for front in [
        "",
        "backbone.",
        "module.backbone.",
        "state_dict.backbone.",
        "model.",
        "state_dict.module.backbone.",
        "module.module.",
        "model.module.backbone.",
        "_orig_mod.",
        "module._orig_mod.backbone.",
        "_orig_mod.module.backbone._orig_mod.",
    ] {
        let name = format!("{front}layers.1.blocks.0.attn.qkv.weight");
        assert_eq!(Naming::VideoSwin.meaning(&name), qkv, "{name}");
    }
    let norm = parameter("text_encoder.layers.3.attention.norm.gamma");
    for name in [
        "bert.encoder.layer.3.attention.output.LayerNorm.gamma",
        "encoder.layer.3.attention.output.LayerNorm.weight",
        "_orig_mod.bert.encoder.layer.3.attention.output.LayerNorm.weight",
        "bert.encoder.layer.3._orig_mod.attention.output.LayerNorm.weight",
    ] {
        assert_eq!(Naming::HuggingFace.meaning(name), norm, "{name}");
    }
}

#[test]
fn buffers_and_optimizers_hold_no_parameters() {
    for name in [
        "backbone.layers.0.blocks.0.attn.relative_position_index",
        "layers.0.blocks.1.attn_mask",
        "optimizer.state.0.exp_avg",
        "bert.embeddings.position_ids",
    ] {
        for naming in [Naming::VideoSwin, Naming::HuggingFace, Naming::Published] {
            assert_eq!(naming.meaning(name), Meaning::NoParameter, "{name}");
        }
    }
}

#[test]
fn stages_and_mergings_alternate_in_torchvision() {
    let cases = [
        (
            "features.4.17.mlp.3.weight",
            "video_encoder.stages.2.blocks.17.mlp.fc2.weight",
        ),
        (
            "features.5.reduction.weight",
            "video_encoder.stages.2.merging.reduction.weight",
        ),
        (
            "features.0.1.norm2.bias",
            "video_encoder.stages.0.blocks.1.norm2.beta",
        ),
        (
            "patch_embed.proj.weight",
            "video_encoder.patch_embedding.projection.weight",
        ),
        ("norm.weight", "video_encoder.norm.gamma"),
    ];

    for (name, path) in cases {
        assert_eq!(Naming::Torchvision.meaning(name), parameter(path));
        assert_eq!(
            Naming::Torchvision.name_of(path, &[]).as_deref(),
            Some(name)
        );
    }
    assert_eq!(Naming::Torchvision.meaning("head.weight"), Meaning::Unknown);
    assert_eq!(
        Naming::Torchvision.name_of("video_encoder.mask_token.token", &[]),
        None
    );
}

#[test]
fn the_word_head_is_that_of_bert() {
    let cases = [
        (
            "cls.predictions.transform.LayerNorm.weight",
            "mlm_head.norm.gamma",
        ),
        ("cls.predictions.decoder.weight", "mlm_head.decoder.weight"),
        ("cls.predictions.bias", "mlm_head.decoder.bias"),
    ];

    for (name, path) in cases {
        assert_eq!(Naming::HuggingFace.meaning(name), parameter(path));
        assert_eq!(
            Naming::HuggingFace.name_of(path, &[]).as_deref(),
            Some(name)
        );
    }
    let tied = Meaning::Substitute("mlm_head.decoder.bias".to_owned());
    assert_eq!(
        Naming::HuggingFace.meaning("cls.predictions.decoder.bias"),
        tied
    );
}
