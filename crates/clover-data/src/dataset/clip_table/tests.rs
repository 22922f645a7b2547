use super::*;
use crate::dataset::{OpenEndedItem, RetrievalItem, TaggedCaption};

fn captions(texts: &Texts) -> Vec<&str> {
    texts.all()
}

#[test]
fn a_clip_with_several_captions_is_one_row() {
    let pairs = [("a.mp4", "one"), ("b.mp4", "two"), ("a.mp4", "three")];

    let table = ClipTable::of_captions(pairs);

    assert_eq!(table.len(), 2);
    assert_eq!(captions(&table.texts(0)), ["one", "three"]);
    assert_eq!(captions(&table.texts(1)), ["two"]);
    assert_eq!(table.name(1), "b.mp4");
}

#[test]
fn captions_apart_keep_their_clip() {
    let pairs = [("a.mp4", "one"), ("b.mp4", "two"), ("a.mp4", "three")];

    let table = ClipTable::of_captions(pairs).apart();

    let read: Vec<_> = (0..table.len())
        .map(|row| table.read(row).unwrap())
        .collect();
    let texts: Vec<_> = read.iter().flat_map(|row| captions(&row.texts)).collect();
    assert_eq!(texts, ["one", "three", "two"]);
    assert_eq!(read[1].clip, ClipSource::Path("a.mp4".into()));
}

#[test]
fn rows_are_taken_from_all_over_the_table() {
    let table = ClipTable::of_captions((0..10).map(|row| (format!("{row}.mp4"), "a text")));
    let names = |table: &ClipTable| -> Vec<String> {
        (0..table.len()).map(|row| table.name(row)).collect()
    };

    assert_eq!(names(&table.spread(3)), ["0.mp4", "3.mp4", "6.mp4"]);
    assert_eq!(names(&table.spread(99)), names(&table));
    assert!(table.filtered(|_| false).spread(3).is_empty());
}

#[test]
fn questions_about_a_clip_are_rows_of_their_own() {
    let question = |question: &str| OpenEndedItem {
        id: None,
        span: None,
        clip: "a.mp4".to_owned(),
        question: question.to_owned(),
        answers: vec!["red".to_owned()],
    };
    let items = Items::OpenEnded(vec![question("what colour ?"), question("which colour ?")]);

    let table = ClipTable::of_items(items, "clips");

    assert_eq!(table.len(), 2);
    assert_eq!(captions(&table.texts(1)), ["which colour ?", "red"]);
    let path = ClipSource::Path("clips/a.mp4".into());
    assert_eq!(table.read(1).unwrap().clip, path);
    let none = table.filtered(|texts| texts.all().contains(&"blue"));
    assert!(none.is_empty());
}

#[test]
fn parts_of_a_video_are_clips_of_their_own() {
    let item = |span: [u64; 2], caption: &str| RetrievalItem {
        id: None,
        span: Some(Span::new(span[0], span[1]).unwrap()),
        clip: "a.mp4".to_owned(),
        captions: vec![Caption::Plain(caption.to_owned())],
    };
    let (first, second) = ([0, 1_500], [1_500, 9_000]);
    let items = vec![
        item(first, "one"),
        item(second, "two"),
        item(first, "three"),
    ];

    let table = ClipTable::of_items(Items::Retrieval(items), "");

    assert_eq!(table.len(), 2);
    assert_eq!(captions(&table.texts(0)), ["one", "three"]);
    assert_eq!(table.name(1), "a.mp4#t=1.5,9");
    assert_eq!(table.read(1).unwrap().span, Span::new(1_500, 9_000).ok());
}

#[test]
fn tags_and_names_come_back_as_they_were() {
    let tagged = Caption::Tagged(TaggedCaption {
        text: "a dog".to_owned(),
        tags: vec!["DET".to_owned(), "NOUN".to_owned()],
    });
    let item = RetrievalItem {
        id: Some("first".to_owned()),
        span: None,
        clip: "a.mp4".to_owned(),
        captions: vec![tagged.clone(), Caption::Plain("it".to_owned())],
    };

    let table = ClipTable::of_items(Items::Retrieval(vec![item]), "");

    assert_eq!(table.name(0), "first");
    let expected = vec![tagged, Caption::Plain("it".to_owned())];
    assert_eq!(table.texts(0), Texts::Captions(expected));
}
