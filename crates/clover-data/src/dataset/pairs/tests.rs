use super::*;

fn manifest(name: &str, content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

#[test]
fn columns_are_found_by_name_and_paths_start_at_the_manifest() {
    let content = "\u{feff}id,caption,path\n7,\"a cat, asleep\",clips/a.mp4\n8,a dog,/b.gif\n";
    let (folder, path) = manifest("pairs.csv", content);

    let read = PairsManifest::read(path).unwrap();

    assert_eq!(read.skipped, []);
    assert_eq!(read.pairs[0].path, folder.path().join("clips/a.mp4"));
    assert_eq!(read.pairs[0].caption.text(), "a cat, asleep");
    assert_eq!(read.pairs[0].line, 2);
    assert_eq!(read.pairs[1].path, Path::new("/b.gif"));
}

#[test]
fn a_table_may_be_separated_by_tabs() {
    let (_folder, path) = manifest("pairs.tsv", "path\tcaption\na.mp4\ta cat, asleep\n");

    let read = PairsManifest::read(path).unwrap();

    assert_eq!(read.pairs[0].caption.text(), "a cat, asleep");
}

#[test]
fn a_missing_column_is_named_with_those_found() {
    let (_folder, path) = manifest("pairs.csv", "path,text\na.mp4,a cat\n");

    let message = PairsManifest::read(path).unwrap_err().to_string();

    for part in ["pairs.csv", "caption", "path, text"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn bad_rows_are_skipped_by_line() {
    let long = "word ".repeat(10_000);
    let content = format!("path,caption\na.mp4,\nb.mp4,{long}\n,a cat\nc.mp4\nd.mp4,a dog\n");
    let (_folder, path) = manifest("pairs.csv", content);

    let read = PairsManifest::read(path).unwrap();

    assert_eq!(read.pairs.len(), 1);
    assert_eq!(read.pairs[0].line, 6);
    let lines = ["line 2", "line 3", "line 4", "line 5"];
    assert_eq!(read.skipped.len(), lines.len());
    for (item, line) in read.skipped.iter().zip(lines) {
        assert!(item.name.ends_with(line), "{item:?}");
    }
    assert!(read.skipped[0].reason.contains("no caption"), "{read:?}");
    assert!(read.skipped[2].reason.contains("no path"), "{read:?}");
}

#[test]
fn a_row_that_is_not_text_is_skipped() {
    let mut content = b"path,caption\na.mp4,caf\xff\n".to_vec();
    content.extend_from_slice(b"b.mp4,a dog\n");
    let (_folder, path) = manifest("pairs.csv", content);

    let read = PairsManifest::read(path).unwrap();

    assert_eq!(read.pairs.len(), 1);
    assert!(read.skipped[0].name.ends_with("line 2"));
}

#[test]
fn json_lines_are_read_and_bad_ones_skipped() {
    let content = concat!(
        "{\"path\":\"a.mp4\",\"caption\":\"a cat\",\"extra\":1}\n",
        "\n",
        "{\"path\":\"b.mp4\"}\n",
        "not json\n",
        "{\"path\":\"c.mp4\",\"caption\":\"  \"}\n",
        "{\"path\":\"d.mp4\",\"caption\":\"a dog\"}",
    );
    let (_folder, path) = manifest("pairs.jsonl", content);

    let read = PairsManifest::read(path).unwrap();

    let lines: Vec<_> = read.pairs.iter().map(|pair| pair.line).collect();
    assert_eq!(lines, [1, 6]);
    assert_eq!(read.skipped.len(), 3);
    assert!(read.skipped[0].reason.contains("caption"), "{read:?}");
    assert!(read.skipped[1].name.ends_with("line 4"));
}

#[test]
fn a_manifest_without_a_usable_row_is_an_error() {
    let (_folder, path) = manifest("pairs.csv", "path,caption\na.mp4,\n");

    let message = PairsManifest::read(path).unwrap_err().to_string();

    assert!(
        message.contains("pairs.csv") && message.contains("line 2"),
        "{message}"
    );
}

#[test]
fn an_unknown_ending_and_a_missing_file_are_named() {
    let (_folder, path) = manifest("pairs.txt", "path,caption\n");

    let unknown = PairsManifest::read(path).unwrap_err().to_string();
    let missing = PairsManifest::read("no/such.csv").unwrap_err().to_string();

    assert!(unknown.contains("pairs.txt"), "{unknown}");
    assert!(missing.contains("no/such.csv"), "{missing}");
}

#[test]
fn tags_stand_beside_the_caption_or_not_at_all() {
    let table = "path,caption,tags\na.mp4,a cat,DET NOUN\nb.mp4,a dog,\nc.mp4,a cow,NOUN\n";
    let lines = concat!(
        r#"{"path":"a.mp4","caption":"a cat","tags":["DET","NOUN"]}"#,
        "\n",
        r#"{"path":"b.mp4","caption":"a dog"}"#,
        "\n",
        r#"{"path":"c.mp4","caption":"a cow","tags":"NOUN"}"#,
    );

    for (name, content) in [("pairs.csv", table), ("pairs.jsonl", lines)] {
        let (_folder, path) = manifest(name, content);
        let read = PairsManifest::read(path).unwrap();

        assert!(
            matches!(&read.pairs[0].caption, Caption::Tagged(caption) if caption.tags == ["DET", "NOUN"]),
            "{read:?}"
        );
        assert_eq!(read.pairs[1].caption, Caption::Plain("a dog".to_owned()));
        assert_eq!(read.pairs.len(), 2);
        assert!(
            read.skipped[0].reason.contains("1 tags for 2 words"),
            "{read:?}"
        );
    }
}
