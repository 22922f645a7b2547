use super::*;
use crate::dataset::skipped::{SkippedItem, SkippedRows};
use std::path::PathBuf;

/// A usable row.
#[derive(Debug, PartialEq)]
struct Clip {
    path: PathBuf,
    caption: Caption,
    span: Option<Span>,
    line: usize,
}

#[derive(Debug)]
struct Manifest {
    pairs: Vec<Clip>,
    skipped: Vec<SkippedItem>,
}

fn read_columns(path: impl AsRef<Path>, columns: &ManifestColumns) -> Result<Manifest, DataError> {
    let path = path.as_ref();
    let (mut pairs, mut skipped) = (Vec::new(), SkippedRows::default());
    each_pair(path, columns, &mut |row, pair| match pair {
        Err(fault) => skipped.push(path, row, fault),
        Ok(((file, span), caption)) => {
            let (RowNumber::Line(line) | RowNumber::Entry(line)) = row;
            pairs.push(Clip {
                path: path.parent().unwrap().join(file),
                caption,
                span,
                line,
            });
        }
    })?;
    let pairs = Some(pairs).filter(|pairs| !pairs.is_empty());
    let (pairs, skipped) = skipped.beside(pairs, path)?;
    Ok(Manifest { pairs, skipped })
}

fn read(path: impl AsRef<Path>) -> Result<Manifest, DataError> {
    read_columns(path, &ManifestColumns::default())
}

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

    let read = read(path).unwrap();

    assert_eq!(read.skipped, []);
    assert_eq!(read.pairs[0].path, folder.path().join("clips/a.mp4"));
    assert_eq!(read.pairs[0].caption.text(), "a cat, asleep");
    assert_eq!(read.pairs[0].line, 2);
    assert_eq!(read.pairs[1].path, Path::new("/b.gif"));
}

#[test]
fn a_table_may_be_separated_by_tabs() {
    let (_folder, path) = manifest("pairs.tsv", "path\tcaption\na.mp4\ta cat, asleep\n");

    let read = read(path).unwrap();

    assert_eq!(read.pairs[0].caption.text(), "a cat, asleep");
}

#[test]
fn a_missing_column_is_named_with_those_found() {
    let (_folder, path) = manifest("pairs.csv", "path,words\na.mp4,a cat\n");

    let message = read(path).unwrap_err().to_string();

    for part in ["pairs.csv", "caption", "path, words"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn an_empty_table_and_one_without_rows_are_refused_as_such() {
    for (name, content, expected) in [
        ("pairs.csv", "", "pairs.csv: is empty"),
        ("pairs.csv", "path,caption\n", "pairs.csv: has no rows"),
        ("pairs.jsonl", "", "pairs.jsonl: has no rows"),
    ] {
        let (_folder, path) = manifest(name, content);

        let message = read(path).unwrap_err().to_string();

        assert!(message.ends_with(expected), "{message}");
    }
}

#[test]
fn bad_rows_are_skipped_by_line() {
    let long = "word ".repeat(10_000);
    let content = format!("path,caption\na.mp4,\nb.mp4,{long}\n,a cat\nc.mp4\nd.mp4,a dog\n");
    let (_folder, path) = manifest("pairs.csv", content);

    let read = read(path).unwrap();

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

    let read = read(path).unwrap();

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

    let read = read(path).unwrap();

    let lines: Vec<_> = read.pairs.iter().map(|pair| pair.line).collect();
    assert_eq!(lines, [1, 6]);
    assert_eq!(read.skipped.len(), 3);
    assert!(read.skipped[0].reason.contains("caption"), "{read:?}");
    assert!(read.skipped[1].name.ends_with("line 4"));
}

#[test]
fn half_an_emoji_costs_its_own_row_and_a_nan_nothing() {
    let rows = [
        r#"{"path":"a.mp4","caption":"a cat","score":NaN}"#,
        r#"{"path":"b.mp4","caption":"a dog \ud83d"}"#,
        r#"{"path":"c.mp4","caption":"a cow \ud83d\ude00","title":"\udc00","score":-Infinity}"#,
    ];

    for (name, content, place) in [
        ("pairs.jsonl", rows.join("\n"), "line 2"),
        ("pairs.json", format!("[{}]", rows.join(",")), "entry 2"),
    ] {
        let (_folder, path) = manifest(name, content);
        let read = read(path).unwrap();

        assert_eq!(read.pairs[0].caption.text(), "a cat");
        assert_eq!(read.pairs[1].caption.text(), "a cow \u{1f600}");
        let [skipped] = &read.skipped[..] else {
            panic!("{read:?}")
        };
        assert!(skipped.name.ends_with(place), "{skipped}");
        assert!(skipped.reason.contains("surrogate"), "{skipped}");
    }
}

#[test]
fn a_line_without_an_end_is_skipped_by_name() {
    let line = r#"{"path":"a.mp4","caption":"a cat"}"#;
    let (_folder, path) = manifest("pairs.jsonl", format!("{line}\n{}", "[".repeat(5 << 20)));

    let read = read(path).unwrap();

    assert_eq!(read.pairs.len(), 1);
    assert!(read.skipped[0].reason.contains("bytes"), "{read:?}");
}

#[test]
fn a_quote_without_an_end_costs_its_own_row() {
    let content = "path,caption\na.mp4,\"a cat\nb.mp4,a dog\nc.mp4,\"two\nlines\"\n";
    let (_folder, path) = manifest("pairs.csv", content);

    let read = read(path).unwrap();

    let captions: Vec<_> = read.pairs.iter().map(|pair| pair.caption.text()).collect();
    assert_eq!(captions, ["a dog", "two\nlines"]);
    assert!(read.skipped[0].name.ends_with("line 2"), "{read:?}");
}

#[test]
fn columns_go_by_other_names_and_separators() {
    let packed = |content: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, content.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let cases = [
        ("a.csv", b"Text;Video\na cat, asleep;a.mp4\n".to_vec()),
        (
            "a.csv",
            b"FILE_NAME\ttitle\na.mp4\ta cat, asleep\n".to_vec(),
        ),
        ("a.csv.gz", packed("image,name\na.mp4,\"a cat, asleep\"\n")),
        (
            "a.jsonl.gz",
            packed(r#"{"filepath":"a.mp4","sentence":"a cat, asleep"}"#),
        ),
    ];
    for (name, content) in cases {
        let (folder, path) = manifest(name, content);

        let read = read(path).unwrap();

        assert_eq!(read.pairs[0].path, folder.path().join("a.mp4"), "{name}");
        assert_eq!(read.pairs[0].caption.text(), "a cat, asleep", "{name}");
    }
}

#[test]
fn columns_and_a_separator_may_be_chosen() {
    let columns = ManifestColumns {
        path: Some("Clip".to_owned()),
        caption: Some("words".to_owned()),
        separator: Some(b'|'),
    };
    let (folder, path) = manifest("a.csv", "clip|words|caption\na.mp4|a cat|other\n");

    let read = read_columns(&path, &columns).unwrap();
    let other = ManifestColumns {
        caption: Some("sentence".to_owned()),
        ..columns
    };
    let message = read_columns(&path, &other).unwrap_err().to_string();

    assert_eq!(read.pairs[0].path, folder.path().join("a.mp4"));
    assert_eq!(read.pairs[0].caption.text(), "a cat");
    assert!(message.contains("sentence"), "{message}");
}

#[test]
fn a_manifest_without_a_usable_row_is_an_error() {
    let (_folder, path) = manifest("pairs.csv", "path,caption\na.mp4,\n");

    let message = read(path).unwrap_err().to_string();

    assert!(
        message.contains("pairs.csv") && message.contains("line 2"),
        "{message}"
    );
}

#[test]
fn an_unknown_ending_and_a_missing_file_are_named() {
    let (_folder, path) = manifest("pairs.txt", "path,caption\n");

    let unknown = read(path).unwrap_err().to_string();
    let missing = read("no/such.csv").unwrap_err().to_string();

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
        let read = read(path).unwrap();

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

#[test]
fn a_row_may_mean_a_part_of_a_video_and_a_broken_span_costs_its_row() {
    let content = "path,Start,end,caption\na.mp4,1.5,00:00:03,a cat\nb.mp4,,,a dog\n\
                   c.mp4,3,2,an eel\nd.mp4,-1,2,a fox\ne.mp4,4,,a gnu\nf.mp4,nan,2,a hen\n";
    let lines = "{\"path\":\"a.mp4\",\"caption\":\"a cat\",\"start\":1.5,\"end\":3}\n";

    let (_folder, path) = manifest("pairs.csv", content);
    let table = read(path).unwrap();
    let (_folder, path) = manifest("pairs.jsonl", lines);
    let json = read(path).unwrap();

    let span = Span::new(1_500, 3_000).ok();
    assert_eq!([table.pairs[0].span, table.pairs[1].span], [span, None]);
    assert_eq!((table.pairs.len(), table.skipped.len()), (2, 4));
    assert_eq!(json.pairs[0].span, span);
}
