//! Heads of published annotation files, where their folder is there.

use std::path::{Path, PathBuf};

use super::super::answer_vocabulary::AnswerVocabulary;
use super::{AnnotationFormat, ConvertRequest, Converted, convert};

/// The folder of published files, or a loud note that it is missing.
fn published() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/annotations");
    if !folder.is_dir() {
        eprintln!("SKIPPED: no annotation files in {}", folder.display());
        return None;
    }
    Some(folder)
}

fn converted(folder: &Path, name: &str, format: AnnotationFormat, items: usize) -> Converted {
    let converted = convert(&ConvertRequest::new(folder.join(name))).unwrap();
    assert_eq!(converted.format, format, "{name}");
    assert_eq!(converted.items.len(), items, "{name}");
    assert_eq!(converted.skipped, [], "{name}");
    converted
}

#[test]
fn published_tables_are_read_whole() {
    let Some(folder) = published() else { return };

    for (name, format, items) in [
        (
            "msrvtt_JSFUSION_test.csv",
            AnnotationFormat::MsrvttJsfusion,
            199,
        ),
        (
            "quirk_rows/msrvtt_jsfusion_duplicate_captions.csv",
            AnnotationFormat::MsrvttJsfusion,
            9,
        ),
        ("webvid_results_2M_val.csv", AnnotationFormat::Webvid, 9),
        (
            "video2dataset_test_webvid.csv",
            AnnotationFormat::Webvid,
            20,
        ),
        (
            "cc3m_Validation_GCC-1.1.0-Validation.tsv",
            AnnotationFormat::Cc3m,
            200,
        ),
    ] {
        converted(&folder, name, format, items);
    }
}

#[test]
fn published_paragraphs_are_joined_by_video() {
    let Some(folder) = published() else { return };
    let quirks = "quirk_rows/didemo_test_trailing_dot_and_nonstandard_annotator_counts.json";

    converted(
        &folder,
        "didemo_val_data.json",
        AnnotationFormat::Didemo,
        181,
    );
    let odd = converted(&folder, quirks, AnnotationFormat::Didemo, 28);

    assert!(odd.retrieval().iter().any(|item| item.clip.ends_with('.')));
    let mut request = ConvertRequest::new(folder.join(quirks));
    request.list = Some(folder.join("didemo_test_list.txt"));
    let listed = convert(&request).unwrap();
    assert_eq!(
        (listed.items.len(), listed.unlisted, listed.skipped.len()),
        (6, 22, 194)
    );
}

#[test]
fn published_questions_are_read_whole() {
    let Some(folder) = published() else { return };

    converted(
        &folder,
        "msrvtt_qa_val.jsonl",
        AnnotationFormat::MsrvttQa,
        200,
    );
    let mut request = ConvertRequest::new(folder.join("msvd_qa_train_qa.json"));
    request.mapping = Some(folder.join("msvd_youtube_mapping.txt"));
    let msvd = convert(&request).unwrap();

    assert_eq!(
        (msvd.format, msvd.items.len()),
        (AnnotationFormat::MsvdQa, 200)
    );
    assert_eq!(msvd.questions()[0].clip, "-4wsuPCjDBc_5_15.avi");
}

#[test]
fn published_answers_are_numbered() {
    let Some(folder) = published() else { return };

    let text = AnswerVocabulary::read(folder.join("msvd_qa_answer_set.txt")).unwrap();
    let numbers = AnswerVocabulary::read(folder.join("msrvtt_qa_train_ans2label.json")).unwrap();

    assert_eq!((text.len(), text.index_of("person")), (1_000, Some(2)));
    assert_eq!(
        (numbers.len(), numbers.index_of("accident")),
        (1_500, Some(1))
    );
}

#[test]
fn published_lists_name_videos() {
    let Some(folder) = published() else { return };
    let list = |name: &str| super::video_list::VideoList::read(&folder.join(name)).unwrap();

    let counts = [
        "msrvtt_train.7k.csv",
        "msrvtt_train.9k.csv",
        "msrvtt_test.full.csv",
        "msrvtt_JSFUSION_test.csv",
        "didemo_test_list.txt",
    ]
    .map(|name| list(name).videos.len());

    assert_eq!(counts, [199, 199, 199, 199, 200]);
}
