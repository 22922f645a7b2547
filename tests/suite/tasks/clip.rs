//! A CLIP learns retrieval by low-rank changes and its own temperature, and is measured with the latter.

use std::fs;
use std::path::Path;

use burn::module::Param;
use burn::prelude::*;
use clover_data::text::Tokenizer;
use clover_inference::Bundle;
use clover_model::CloverConfig;
use clover_model::weights::WeightFile;
use clover_trainer::checkpoint::Checkpoints;
use clover_trainer::evaluate::{EvaluationPlan, TaskMetrics};
use clover_trainer::metric::RetrievalMetrics;
use clover_trainer::model_parts::ModelPart;

use super::{SmallTask, measure, tune, write_drawn};
use crate::TestBackend;
use crate::small_run::{SmallData, weights};

/// Retrieval among the clips of a small task, by a CLIP that nobody trained.
fn clip_task(keys: &[&str]) -> SmallTask {
    let task = SmallTask::new("retrieval-custom", keys);
    let bundle = task.data.path("clip");
    write_clip(&task.data, &bundle);
    SmallTask { bundle, ..task }
}

fn write_clip(data: &SmallData, folder: &Path) {
    let words = fs::read_to_string(&data.files.vocabulary).unwrap();
    // The end of a text is the last piece of a CLIP's vocabulary.
    let others = words.lines().filter(|word| *word != "[SEP]");
    let words: Vec<&str> = others.chain(["[SEP]"]).collect();
    let tokenizer = Tokenizer::from_vocab_lines(words.iter().copied(), "vocab.txt").unwrap();
    let config = CloverConfig::clip_nano(words.len()).with_frames(2);
    write_drawn(&config, &tokenizer, folder);
}

/// Recalls and ranks of texts and of clips, plain and by dual softmax.
fn retrieval(plan: &EvaluationPlan) -> [[RetrievalMetrics; 2]; 2] {
    let plan = EvaluationPlan {
        dual_softmax: true,
        ..plan.clone()
    };
    let TaskMetrics::Retrieval(found) = measure(&plan).unwrap().evaluation.metrics else {
        panic!("no retrieval")
    };
    let plain = [found.text_to_video.metrics, found.video_to_text.metrics];
    [plain, found.dual_softmax.unwrap()]
}

#[test]
fn low_rank_changes_and_a_learned_temperature_teach_a_clip_whose_weights_stay() {
    let task = clip_task(&[
        "train=lora-4",
        "temperature=learned",
        "learning_rate=1e-2",
        "train_crop=whole",
        "test_crop=whole",
        "epochs=6",
    ]);

    let run = tune(&task.finetuning("run")).unwrap();

    let stored = |folder: &Path| WeightFile::open(&folder.join("model.safetensors")).unwrap();
    let [before, after] = [&task.bundle, &run.bundle].map(|bundle| weights(&stored(bundle)));
    let checkpoints = Checkpoints::new(task.data.path("run/checkpoints"), 1);
    let checkpoint = checkpoints.latest().unwrap().unwrap().checkpoint;
    let kept = weights(&WeightFile::from_bytes(checkpoint.model).unwrap());
    for (name, values) in &kept {
        match ModelPart::of(name) {
            ModelPart::Tower => assert!(before[name] == *values, "{name}"),
            ModelPart::Temperature => assert!(before[name] != *values, "{name}"),
            ModelPart::New => (),
        }
    }
    assert!(kept.contains_key("logit_scale") && kept["logit_scale"] == after["logit_scale"]);
    // The bundle is a plain one: matrices with their changes, everything else as it was.
    let changed = |name: &str| before[name] != after[name];
    for encoder in ["video_encoder.vision", "text_encoder.text"] {
        assert!(
            changed(&format!("{encoder}.blocks.1.qkv.weight")),
            "{encoder}"
        );
        assert!(
            !changed(&format!("{encoder}.blocks.1.qkv.bias")),
            "{encoder}"
        );
    }
    let losses: Vec<f64> = run.metrics.iter().map(|step| step.loss).collect();
    let epoch = losses.len() / 6;
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let [first, last] = [&losses[..epoch], &losses[5 * epoch..]].map(mean);
    assert!(last < 0.95 * first, "{losses:?}");
    // The bundle ranks as the model did in memory, with its changes beside it.
    let TaskMetrics::Retrieval(validated) = &run.validations.last().unwrap().metrics else {
        panic!("no retrieval")
    };
    let [ranked, _] = retrieval(&task.evaluation(&run.bundle));
    assert_eq!(ranked[0], validated.text_to_video.metrics);
    assert_eq!(ranked[1], validated.video_to_text.metrics);
}

#[test]
fn dual_softmax_takes_the_temperature_that_the_model_has_learned() {
    let task = clip_task(&[]);
    let device = Default::default();
    let of_scale = |logit_scale: f32| {
        let mut bundle = Bundle::<TestBackend>::read(&task.bundle, &device).unwrap();
        let logit_scale = Tensor::from_floats([logit_scale], &device);
        bundle.clover.logit_scale = Some(Param::from_tensor(logit_scale));
        let folder = task.data.path("scaled");
        bundle.write(&folder).unwrap();
        retrieval(&task.evaluation(&folder))
    };

    // A temperature of exp(9), at which all queries want a candidate alike; and of a hundredth.
    let [plain, flat] = of_scale(-9.0);
    let [_, sharp] = of_scale(100_f32.ln());

    assert_eq!(flat, plain);
    assert_ne!(sharp, plain);
}
