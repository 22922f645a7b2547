//! Bundles from files of other programs.

use std::fs;
use std::path::Path;

use super::*;
use crate::{BundleExport, ExportFormat, TestBackend};
use clover_model::Clover;
use clover_model::heads::OpenEndedHeadConfig;
use clover_model::tasks::OpenEndedModel;
use clover_model::weights::{tensors, to_bytes, write_file};
use clover_synthetic::vocabulary;

fn config() -> CloverConfig {
    CloverConfig::tiny(vocabulary().len())
        .with_image_size(28)
        .with_frames(2)
}

fn write_vocabulary(path: &Path) {
    fs::write(path, vocabulary().join("\n") + "\n").unwrap();
}

fn file(path: PathBuf) -> WeightPath {
    WeightPath { path, naming: None }
}

fn same_bits(a: &Clover<TestBackend>, b: &Clover<TestBackend>, parts: &[&str]) {
    let [a, b] = [a, b].map(|clover| tensors(clover, Naming::Native).unwrap());
    let mut compared = 0;
    for ((path, a), (_, b)) in a.iter().zip(&b) {
        if parts.iter().any(|part| path.starts_with(part)) && !path.contains("mask_token") {
            assert!(a == b, "{path}");
            compared += 1;
        }
    }
    assert!(compared > 0);
}

#[test]
fn a_bundle_is_made_of_a_video_swin_and_a_bert_and_turned_back() {
    let folder = tempfile::tempdir().unwrap();
    let device = Default::default();
    let original: Clover<TestBackend> = config().init(&device);
    let video = folder.path().join("swin.safetensors");
    write_file(&original, &video, Naming::Torchvision).unwrap();
    let bert = folder.path().join("bert");
    fs::create_dir(&bert).unwrap();
    write_file(
        &original,
        &bert.join("model.safetensors"),
        Naming::HuggingFace,
    )
    .unwrap();
    fs::write(bert.join("config.json"), r#"{"num_attention_heads": 4}"#).unwrap();
    write_vocabulary(&bert.join("vocab.txt"));
    let request = BundleImport {
        frames: Some(2),
        image_size: Some(28),
        ..BundleImport::new(vec![file(video), file(bert)], ChannelOrder::Rgb)
    };

    let imported = request.read::<TestBackend>(&device).unwrap();

    let namings: Vec<_> = imported.files.iter().map(|(_, naming)| *naming).collect();
    assert_eq!(namings, ["torchvision", "huggingface"]);
    assert_eq!(imported.bundle.config.text.heads(), 4);
    assert!(imported.report.unused.is_empty(), "{}", imported.report);
    same_bits(
        &original,
        &imported.bundle.clover,
        &["text_encoder.", "mlm_head.", "video_encoder.stages."],
    );
    let again = request.read::<TestBackend>(&device).unwrap();
    same_bits(
        &imported.bundle.clover,
        &again.bundle.clover,
        &["video_projection.", "fusion_encoder."],
    );

    // Back to where it came from: the first convolution is turned twice.
    let export = BundleExport {
        format: ExportFormat::TorchvisionAndHuggingFace,
        channels: ChannelOrder::Rgb,
    };
    let out = folder.path().join("out");
    let files = export.write(&imported.bundle, &out).unwrap();
    assert_eq!(files.len(), 2);
    let [before, after] = [
        folder.path().join("swin.safetensors"),
        files[0].path.clone(),
    ];
    assert!(fs::read(before).unwrap() == fs::read(after).unwrap());
    let back = BundleImport::new(
        vec![file(files[0].path.clone()), file(out.join("text"))],
        ChannelOrder::Rgb,
    );
    let back = back.read::<TestBackend>(&device).unwrap();
    assert_eq!(back.bundle.preprocessing, imported.bundle.preprocessing);
    same_bits(
        &back.bundle.clover,
        &imported.bundle.clover,
        &["text_encoder.", "mlm_head.", "video_encoder."],
    );
}

#[test]
fn a_fine_tuned_checkpoint_brings_its_head_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    let device = Default::default();
    let clover: Clover<TestBackend> = config().init(&device);
    let head = OpenEndedHeadConfig::new(config().text.width(), 3);
    let model = OpenEndedModel::from_clover(clover, &head, &device);
    let path = folder.path().join("checkpoint.safetensors");
    write_file(&model, &path, Naming::Published).unwrap();
    let words = folder.path().join("vocab.txt");
    write_vocabulary(&words);
    let list = folder.path().join("answers.txt");
    fs::write(&list, "yes\nno\nmaybe\n").unwrap();
    let request = BundleImport {
        vocabulary: Some(words),
        answers: Some(list.clone()),
        image_size: Some(28),
        ..BundleImport::new(vec![file(path)], ChannelOrder::Bgr)
    };

    let mut imported = request.read::<TestBackend>(&device).unwrap();

    assert!(imported.report.unused.is_empty(), "{}", imported.report);
    let bundle = folder.path().join("bundle");
    imported.bundle.preprocessing.pixels = PixelPipeline::test_resize(28);
    imported.bundle.preprocessing.text_len = 9;
    imported.bundle.write(&bundle).unwrap();
    let read = Bundle::<TestBackend>::read(&bundle, &device).unwrap();
    let (answers, head) = read.answers.unwrap();
    let labels = ["yes", "no", "maybe"].map(str::to_owned).to_vec();
    assert_eq!(answers, Answers::OpenEnded { answers: labels });
    let AnswerHead::OpenEnded(head) = head else {
        panic!("another head")
    };
    let [found, wanted] =
        [&head.answer_head, &model.answer_head].map(|head| to_bytes(head, Naming::Native).unwrap());
    assert!(found == wanted);

    // Exported and imported again, it is the same: what is beside the weights says how it sees.
    let out = folder.path().join("out");
    for format in [ExportFormat::Published, ExportFormat::Native] {
        let channels = ChannelOrder::Bgr;
        let files = BundleExport { format, channels };
        let files = files.write(&imported.bundle, &out).unwrap();
        let back = BundleImport {
            answers: Some(out.join("answers.json")),
            ..BundleImport::new(vec![file(files[0].path.clone())], channels)
        };
        let back = back.read::<TestBackend>(&device).unwrap().bundle;
        assert_eq!(back.preprocessing, imported.bundle.preprocessing);
        assert_eq!(back.config.to_string(), imported.bundle.config.to_string());
        assert_eq!(back.answers.unwrap().0, answers);
    }

    fs::write(&list, "yes\nno\n").unwrap();
    let error = request.read::<TestBackend>(&device).unwrap_err();
    assert!(error.to_string().contains("lists 2 answers"), "{error}");
}

#[test]
fn a_table_beyond_the_vocabulary_is_cut_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let device = Default::default();
    let pieces = vocabulary().len();
    let clover: Clover<TestBackend> = CloverConfig::tiny(pieces + 5)
        .with_image_size(28)
        .with_frames(2)
        .init(&device);
    let path = folder.path().join("clover.safetensors");
    write_file(&clover, &path, Naming::Published).unwrap();
    write_vocabulary(&folder.path().join("vocab.txt"));

    let imported = BundleImport::new(vec![file(path)], ChannelOrder::Bgr)
        .read::<TestBackend>(&device)
        .unwrap();

    assert_eq!(imported.bundle.config.text.vocabulary(), pieces);
    assert_eq!(imported.report.resized.len(), 3, "{}", imported.report);
    imported.bundle.write(folder.path()).unwrap();
    Bundle::<TestBackend>::read(folder.path(), &device).unwrap();
}

#[test]
fn a_vocabulary_of_another_length_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let device = Default::default();
    let clover: Clover<TestBackend> = config().init(&device);
    let path = folder.path().join("clover.safetensors");
    write_file(&clover, &path, Naming::Published).unwrap();
    let words = folder.path().join("words.txt");
    fs::write(&words, vocabulary().join("\n") + "\nanother\n").unwrap();
    let request = BundleImport {
        vocabulary: Some(words),
        ..BundleImport::new(vec![file(path)], ChannelOrder::Bgr)
    };

    let error = request.read::<TestBackend>(&device).unwrap_err();

    assert!(error.to_string().contains("words.txt"), "{error}");
}
