use super::super::sample::Sample;
use super::super::{AnnotationFormat, convert};
use super::movie;
use crate::video::Span;

const CLIP: &str = "0042_Some_Film_00.00.51.926-00.00.54.129";
const TIMES: &str = "00.00.51.926\t00.00.54.129\t00.00.51.426\t00.00.54.629";

#[test]
fn quotes_are_letters_and_the_film_is_the_folder() {
    let content = format!("{CLIP}\t{TIMES}\t\"Go, SOMEONE says.\n{CLIP}\t{TIMES}\tHe \"waits.\n");

    let converted = Sample::new("LSMDC16_annos_val.csv", content).convert();

    assert_eq!(converted.format, AnnotationFormat::Lsmdc);
    let items = converted.retrieval();
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].captions[0].text(), "\"Go, SOMEONE says.");
    assert_eq!(items[0].clip, format!("0042_Some_Film/{CLIP}.avi"));
    assert_eq!(items[0].id.as_deref(), Some(CLIP));
}

#[test]
fn the_film_is_what_stands_before_the_time_span() {
    assert_eq!(movie(CLIP), Some("0042_Some_Film"));
    assert_eq!(movie("3012_UP_00.00.51.926-00.00.54"), None);
    assert_eq!(movie("_00.00.51.926-00.00.54.129"), None);
    assert_eq!(movie("video7010"), None);
}

#[test]
fn another_pattern_moves_the_clips() {
    let sample = Sample::new("a.csv", format!("{CLIP}\t{TIMES}\tHe waits.\n"));
    let mut request = sample.request();
    request.clip_pattern = Some("all/{id}.mp4".to_owned());

    let converted = convert(&request).unwrap();

    assert_eq!(converted.retrieval()[0].clip, format!("all/{CLIP}.mp4"));
}

#[test]
fn the_blind_test_says_that_it_has_no_sentences() {
    let sample = Sample::new("blind.csv", format!("{CLIP}\t{TIMES}\n"));

    let message = convert(&sample.request()).unwrap_err().to_string();

    assert!(message.contains("blind"), "{message}");
}

#[test]
fn a_row_without_a_time_span_is_skipped_by_line() {
    let content = format!("{CLIP}\t{TIMES}\tHe waits.\nfilm\t{TIMES}\tHe\nx\ty\n");

    let converted = Sample::new("a.csv", content).convert();

    assert_eq!(converted.skipped.len(), 2);
    assert!(
        converted.skipped[0].name.ends_with("line 2"),
        "{converted:?}"
    );
    assert!(
        converted.skipped[0].reason.contains("time span"),
        "{converted:?}"
    );
}

#[test]
fn the_blank_becomes_a_mask() {
    let content = format!(
        "{CLIP}\t{TIMES}\tHe opens the door.\tHe _____ the door.\topens\n\
         {CLIP}\t{TIMES}\tHe waits.\tHe waits.\twaits\n"
    );

    let converted = Sample::new("LSMDC16_val_FIB.csv", content).convert();

    assert_eq!(converted.format, AnnotationFormat::LsmdcFillInTheBlank);
    let items = converted.questions();
    assert_eq!(items[0].question, "He [MASK] the door.");
    assert_eq!(items[0].answers, ["opens"]);
    assert!(
        converted.skipped[0].reason.contains("0 blanks"),
        "{converted:?}"
    );
}

#[test]
fn names_of_columns_are_no_row() {
    let names = "clip_id\tsa\tea\tse\tee\tSENTENCE\tFILL_IN\tBLANK";
    let content = format!("{names}\n{CLIP}\t{TIMES}\tHe waits.\tHe _____.\twaits\n");

    let converted = Sample::new("LSMDC16_val_FIB.csv", content).convert();

    assert_eq!(converted.items.len(), 1);
    assert_eq!(converted.skipped, []);
}

#[test]
fn in_training_the_first_sentence_is_right_wherever_it_goes() {
    let row = format!("{CLIP}\t{TIMES}\tright\tw1\tw2\tw3\tw4\n");
    let sample = Sample::new("LSMDC16_multiple_choice_train.csv", row.repeat(50));

    let converted = sample.convert();

    assert_eq!(converted.format, AnnotationFormat::LsmdcMultipleChoice);
    let items = converted.choices();
    assert_eq!(items.len(), 50);
    assert!(
        items
            .iter()
            .all(|item| item.options[item.answer] == "right")
    );
    assert!((0..5).all(|place| items.iter().any(|item| item.answer == place)));
    assert_eq!(converted, sample.convert());
    let mut request = sample.request();
    request.seed = 1;
    assert_ne!(converted.items, convert(&request).unwrap().items);
}

#[test]
fn in_the_test_the_answer_counts_from_one() {
    let row = |answer: &str| format!("{CLIP}\t{TIMES}\ta\tb\tc\td\te\t{answer}\n");
    let content = ["5", "1", "0", "6", "x"].map(row).concat();

    let converted = Sample::new("LSMDC16_multiple_choice_test_randomized.csv", content).convert();

    let items = converted.choices();
    assert_eq!(items[0].options[items[0].answer], "e");
    assert_eq!(items[1].options[items[1].answer], "a");
    assert_eq!(items[0].question, "");
    assert_eq!(converted.skipped.len(), 3);
}

#[test]
fn a_clip_is_a_part_of_its_film_where_films_are_whole() {
    let reversed = "0042_Some_Film_00.00.54.129-00.00.51.926";
    let impossible = "0042_Some_Film_00.61.51.926-01.62.54.129";
    let late = "0043_Other_01.02.03.004-01.02.04.000";
    let annotated = |clip: &str| format!("{clip}\t{TIMES}\tHe waits.\n");
    let rows = [CLIP, reversed, impossible, late].map(annotated).concat();
    let sample = Sample::new("annos.csv", &rows);
    let mut request = sample.request();
    request.whole_films = true;

    let converted = convert(&request).unwrap();

    let items = converted.retrieval();
    assert_eq!(items[0].clip, "0042_Some_Film.mp4");
    assert_eq!(items[0].span, Span::new(51_926, 54_129).ok());
    assert_eq!(items[0].id.as_deref(), Some(CLIP));
    assert_eq!(items[1].clip, "0043_Other.mp4");
    assert_eq!(items[1].span, Span::new(3_723_004, 3_724_000).ok());
    assert_eq!((items.len(), converted.skipped.len()), (2, 2));
    assert!(converted.skipped[0].reason.contains("does not end after"));
    assert!(converted.skipped[1].reason.contains("00:61:51.926"));
    request.extension = Some("mkv".to_owned());
    let other = convert(&request).unwrap();
    assert_eq!(other.retrieval()[0].clip, "0042_Some_Film.mkv");
    assert_eq!(sample.convert().retrieval()[0].span, None);
}

#[test]
fn questions_about_whole_films_are_about_their_spans_too() {
    let blank = format!("{CLIP}\t{TIMES}\tHe waits.\tHe _____.\twaits\n");
    let choice = format!("{CLIP}\t{TIMES}\ta\tb\tc\td\te\t5\n");
    let whole = |content: &str| {
        let sample = Sample::new("a.csv", content);
        let mut request = sample.request();
        request.whole_films = true;
        convert(&request).unwrap()
    };
    let span = Span::new(51_926, 54_129).ok();

    let (blank, choice) = (whole(&blank), whole(&choice));

    let blank = &blank.questions()[0];
    assert_eq!((&*blank.clip, blank.span), ("0042_Some_Film.mp4", span));
    let choice = &choice.choices()[0];
    assert_eq!((&*choice.clip, choice.span), ("0042_Some_Film.mp4", span));
}
