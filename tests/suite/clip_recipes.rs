//! The recipes for training on top of a CLIP hold what CLIP4Clip published.

use clover_trainer::recipe::{PretrainingRecipe, Recipe, TaskRecipe};
use clover_trainer::temperature::TemperatureChoice;
use clover_trainer::trained_parts::TrainedParts;

const TOWER: &str = "video_encoder.vision.blocks.0.qkv.weight";
const NEW: &str = "video_encoder.temporal.blocks.0.qkv.weight";

fn close(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() <= 1e-9 * expected
}

#[test]
fn retrieval_is_fine_tuned_with_the_published_settings() {
    for (name, frames, words) in [
        ("retrieval-clip-msrvtt", 12, 32),
        ("retrieval-clip-lsmdc", 12, 32),
        ("retrieval-clip-didemo", 64, 64),
    ] {
        let recipe = TaskRecipe::open(name).unwrap();
        let schedule = recipe.schedule(100);
        let optimizer = recipe.optimizer().init::<crate::TestAutodiffBackend>();
        let rate = |path: &str| {
            let group = optimizer.group_of(path);
            (
                recipe.learning_rate * group.learning_rate_multiplier,
                group.weight_decay,
            )
        };

        assert_eq!((recipe.frames, recipe.test_frames), (frames, frames));
        assert_eq!((recipe.text_len, recipe.test_text_len), (words, words));
        assert_eq!((recipe.batch_size, recipe.epochs), (128, 5));
        assert!(close(recipe.fps, 1.0) && close(recipe.clip_norm, 1.0));
        // A tenth of the run.
        assert!(close(schedule.warmup_epochs, 0.5));
        assert!(close(
            schedule.learning_rate(25),
            0.5 * schedule.base * cosine(25.0 / 500.0)
        ));
        assert!(close(rate(TOWER).0, 1e-7) && close(rate(TOWER).1, 0.2));
        assert!(close(rate(NEW).0, 1e-4) && close(rate(NEW).1, 0.2));
        assert!(close(rate("logit_scale").0, 1e-7) && rate("logit_scale").1 <= 0.0);
        assert_eq!(recipe.temperature, TemperatureChoice::Learned);
        assert_eq!(recipe.train, TrainedParts::All);
    }
}

fn cosine(progress: f64) -> f64 {
    f64::midpoint(1.0, (std::f64::consts::PI * progress).cos())
}

#[test]
fn pre_training_changes_the_encoders_less_than_what_is_new() {
    let recipe = PretrainingRecipe::open("pretrain-clip").unwrap();
    let optimizer = recipe.optimizer().init::<crate::TestAutodiffBackend>();

    let multiplier = |path: &str| optimizer.group_of(path).learning_rate_multiplier;
    assert!(close(multiplier(TOWER), 1e-2));
    for new in [
        NEW,
        "fusion_encoder.layers.0.attention.query.weight",
        "mlm_head.decoder.weight",
    ] {
        assert!(close(multiplier(new), 1.0), "{new}");
    }
    assert_eq!(recipe.temperature, TemperatureChoice::Learned);
}
