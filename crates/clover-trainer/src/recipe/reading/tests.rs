use super::*;
use crate::recipe::{
    AblationRecipe, AnyRecipe, Crop, PretrainingRecipe, SHIPPED_RECIPES, TaskRecipe,
};
use clover_data::video::DecodeLimits;

fn text() -> &'static str {
    ShippedRecipe::find("pretrain").unwrap().text
}

#[test]
fn shipped_recipes_are_complete_and_valid() {
    for shipped in SHIPPED_RECIPES {
        let recipe = match AnyRecipe::open(shipped.name).unwrap() {
            AnyRecipe::Pretraining(recipe) => *recipe,
            AnyRecipe::Ablation(recipe) => recipe.pretraining,
            AnyRecipe::Task(_) => continue,
        };

        recipe.model(100).unwrap();
    }
}

#[test]
fn an_unknown_key_is_refused_by_name_with_the_nearest_known_one() {
    let text = format!("lerning_rate = 1.0\n{}", text());

    let error = PretrainingRecipe::from_toml(&text, "mine.toml").unwrap_err();

    let message = error.to_string();
    for part in ["mine.toml", "`lerning_rate`", "`learning_rate`"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_missing_key_is_refused_by_name() {
    let text = text().replace("weight_decay = 0.005", "");

    let error = PretrainingRecipe::from_toml(&text, "mine.toml").unwrap_err();

    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("weight_decay"), "{source}");
}

#[test]
fn a_size_that_regions_do_not_divide_is_refused() {
    let text = text().replace("image_size = 0", "image_size = 100");

    let error = PretrainingRecipe::from_toml(&text, "mine.toml").unwrap_err();

    assert!(error.to_string().contains("image_size"), "{error}");
}

#[test]
fn more_frames_of_an_image_than_of_a_video_are_refused() {
    let recipe = PretrainingRecipe::shipped("pretrain").unwrap();

    let error = recipe.with_overrides(&["image_frames=9"]).unwrap_err();

    assert!(error.to_string().contains("image_frames"), "{error}");
}

#[test]
fn a_name_that_is_neither_a_file_nor_shipped_is_refused_with_those_there_are() {
    let error = PretrainingRecipe::open("pretrian").unwrap_err();

    let message = error.to_string();
    assert!(
        message.contains("pretrian") && message.contains(", pretrain, pretrain-clip"),
        "{message}"
    );
}

#[test]
fn keys_are_replaced_in_order() {
    let recipe = PretrainingRecipe::shipped("pretrain").unwrap();
    let overrides = [
        "preset=base",
        "crop=\"whole\"",
        "batch_size=1_024",
        "learning_rate=5e-5",
        "clip_norm=5",
        "epochs=6",
        "epochs=8",
    ];

    let changed = recipe.clone().with_overrides(&overrides).unwrap();

    let expected = PretrainingRecipe {
        preset: "base".to_owned(),
        crop: Crop::Whole,
        batch_size: 1_024,
        learning_rate: 5e-5,
        clip_norm: 5.0,
        epochs: 8,
        ..recipe
    };
    assert_eq!(changed, expected);
}

#[test]
fn what_is_not_given_follows_the_keys_that_are() {
    let followed = |keys: &[&str]| {
        let recipe = PretrainingRecipe::shipped("pretrain").unwrap();
        let recipe = recipe.with_overrides(keys).unwrap();
        (recipe.warmup_epochs, recipe.test_frames)
    };

    assert_eq!(followed(&[]), (4.0, 8));
    assert_eq!(followed(&["epochs=8", "frames=4"]), (4.0, 4));
    assert_eq!(followed(&["epochs=2", "frames=12"]), (0.0, 12));
    assert_eq!(followed(&["test_frames=2", "frames=12"]), (4.0, 2));
    assert_eq!(followed(&["warmup_epochs=1", "epochs=1"]), (1.0, 8));
    // Published: a model of 8 frames is tested with 32.
    let published = PretrainingRecipe::shipped("pretrain-webvid-cc3m").unwrap();
    let published = published.with_overrides(&["frames=4"]).unwrap();
    assert_eq!(published.test_frames, 32);
    let ablation = AblationRecipe::shipped("ablation/rendered-full").unwrap();
    let frames = ablation.pretraining.frames;
    let keys = [
        "pretraining.epochs=1",
        &format!("pretraining.frames={}", frames + 4),
    ];
    let ablation = ablation.with_overrides(&keys).unwrap();
    assert!(ablation.pretraining.warmup_epochs < 1e-9);
    assert_eq!(ablation.pretraining.test_frames, frames + 4);
}

#[test]
fn an_override_that_does_not_fit_is_refused_and_quoted() {
    let recipe = PretrainingRecipe::shipped("pretrain").unwrap();

    for (argument, reason) in [
        ("batchsize=8", "`batch_size`"),
        ("batch_size", "key=value"),
        ("=8", "key=value"),
        ("batch_size=many", "expected a whole number"),
        ("batch_size=2.5", "expected a whole number"),
        ("learning_rate=many", "expected a number"),
        ("crop=half", "unknown variant"),
    ] {
        let error = recipe.clone().with_overrides(&[argument]).unwrap_err();

        let message = error.to_string();
        assert!(
            message.starts_with(argument) && message.contains(reason),
            "{message}"
        );
    }
    let error = recipe.with_overrides(&["masked_share=2"]).unwrap_err();
    assert!(error.to_string().contains("masked_share"), "{error}");
}

#[test]
fn a_recipe_survives_being_written() {
    let recipe = PretrainingRecipe::shipped("demo").unwrap();

    let written = recipe.to_toml().unwrap();

    assert_eq!(
        PretrainingRecipe::from_toml(&written, "written.toml").unwrap(),
        recipe
    );
}

#[test]
fn frames_a_second_are_those_of_videos_alone_and_limits_those_of_all_files() {
    let recipe = PretrainingRecipe::shipped("pretrain").unwrap();
    let published = recipe.reading(&recipe.model(100).unwrap()).clip;

    let recipe = recipe
        .with_overrides(&["fps=2", "limits.max_frames=500"])
        .unwrap();

    let config = recipe.model(100).unwrap();
    let [videos, images] = [recipe.reading(&config), recipe.image_reading(&config)];
    assert_eq!((published.fps, videos.clip.fps), (None, Some(2.0)));
    assert_eq!(images.clip.fps, None);
    assert_eq!(recipe.preprocessing(&config).fps, Some(2.0));
    assert_eq!(published.limits, DecodeLimits::default());
    for reading in [videos, images] {
        assert_eq!(reading.clip.limits.max_frames, 500);
    }
}

#[test]
fn an_unknown_limit_and_one_without_meaning_are_refused_by_name() {
    let recipe = PretrainingRecipe::shipped("pretrain").unwrap();
    let text = text().replace("max_frames = ", "max_frame = ");

    let unknown = PretrainingRecipe::from_toml(&text, "mine.toml").unwrap_err();

    assert!(unknown.to_string().contains("`max_frames`"), "{unknown}");
    for (argument, key) in [
        ("limits.max_pixels_per_fram=9", "`max_pixels_per_frame`"),
        ("limits.max_file_bytes=0", "limits.max_file_bytes"),
        ("fps=-1", "fps"),
        ("fps=5000", "fps"),
    ] {
        let error = recipe.clone().with_overrides(&[argument]).unwrap_err();
        assert!(error.to_string().contains(key), "{argument}: {error}");
    }
}

#[test]
fn a_name_that_no_recipe_has_is_answered_with_those_of_its_kind() {
    let message = TaskRecipe::open("retrieval").unwrap_err().to_string();

    assert!(
        message.contains("the nearest is `retrieval-custom`"),
        "{message}"
    );
    assert!(message.contains("open-ended-msvd-qa"), "{message}");
    assert!(
        !message.contains("ablation/") && !message.contains("pretrain"),
        "{message}"
    );
}
