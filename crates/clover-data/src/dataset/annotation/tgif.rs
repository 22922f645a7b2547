//! TGIF-QA: questions about animated images.
//!
//! Jang et al., "TGIF-QA" (CVPR 2017). The files are called csv and have tabs and CRLF line ends,
//! but they are quoted as csv files are. Right options are counted from zero. Questions about one
//! frame come with the `description` they were made from: it tells the answer and is not read. Questions
//! of how often something happens have neither a type nor a description.

use super::super::items::{Gathered, MultipleChoiceItem, OpenEndedItem};
use super::super::rows::{Records, RowFault, RowNumber, TableStyle};
use super::reading::Reading;
use crate::DataError;

const OPTIONS: [&str; 5] = ["a1", "a2", "a3", "a4", "a5"];

/// The columns that both kinds of questions have.
struct Columns {
    gif: usize,
    question: usize,
    answer: usize,
    key: Option<usize>,
}

/// Reads `*_action_question.csv` and `*_transition_question.csv`.
pub(super) fn read_choices(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let (mut records, columns, options) = open(reading, &OPTIONS)?;
    while let Some((line, record)) = records.next_record()? {
        let item = record.and_then(|record| {
            let answer = field(&record, columns.answer, "answer")?;
            let answer = answer.trim().parse().map_err(|_| RowFault::WrongKind {
                key: "answer",
                wanted: "a whole number",
            })?;
            let options = options.iter().zip(OPTIONS);
            let options = options.map(|(&column, key)| field(&record, column, key).cloned());
            Ok(MultipleChoiceItem {
                skill: None,
                id: id(&record, &columns),
                span: None,
                clip: reading
                    .clips
                    .named(field(&record, columns.gif, "gif_name")?)?,
                question: field(&record, columns.question, "question")?.clone(),
                options: options.collect::<Result<_, _>>()?,
                answer,
            })
        });
        gathered.push(RowNumber::Line(line), item);
    }
    Ok(gathered)
}

/// Reads `*_frameqa_question.csv`, and `*_count_question.csv`, where numbers are answers.
pub(super) fn read_questions(reading: &Reading<'_>) -> Result<Gathered, DataError> {
    let mut gathered = reading.gathered();
    let (mut records, columns, _) = open(reading, &[])?;
    while let Some((line, record)) = records.next_record()? {
        let item = record.and_then(|record| {
            Ok(OpenEndedItem {
                id: id(&record, &columns),
                span: None,
                clip: reading
                    .clips
                    .named(field(&record, columns.gif, "gif_name")?)?,
                question: field(&record, columns.question, "question")?.clone(),
                answers: vec![field(&record, columns.answer, "answer")?.clone()],
            })
        });
        gathered.push(RowNumber::Line(line), item);
    }
    Ok(gathered)
}

fn open(
    reading: &Reading<'_>,
    more: &[&'static str],
) -> Result<(Records, Columns, Vec<usize>), DataError> {
    let mut records = Records::open(reading.path, TableStyle::QUOTED_TABS)?;
    let header = records.header(reading.path)?;
    let columns = Columns {
        gif: header.column("gif_name")?,
        question: header.column("question")?,
        answer: header.column("answer")?,
        key: header.find("key"),
    };
    let more = more.iter().map(|&name| header.column(name));
    let more = more.collect::<Result<_, _>>()?;
    Ok((records, columns, more))
}

fn field<'a>(
    record: &'a [String],
    column: usize,
    key: &'static str,
) -> Result<&'a String, RowFault> {
    record.get(column).ok_or(RowFault::Missing { key })
}

fn id(record: &[String], columns: &Columns) -> Option<String> {
    columns.key.and_then(|key| record.get(key)).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::AnnotationFormat;
    use super::super::sample::Sample;

    #[test]
    fn options_count_from_zero_and_quotes_are_quotes() {
        let content = "gif_name\tquestion\ta1\ta2\ta3\ta4\ta5\tanswer\tvid_id\tkey\r\n\
            tumblr_a1\twhat does it do 2 times ?\tjump\tnod\tblink\twave\tspin\t0\tACTION1\t7\r\n\
            tumblr_b2\twhat next ?\tx\t\"respond \"\"no\"\"\"\ty\tz\tw\t1\tACTION2\t8\r\n\
            tumblr_c3\twhat next ?\tx\ty\tz\tu\tw\t5\tACTION3\t9\r\n\
            tumblr_d4\twhat next ?\tx\ty\r\n";

        let converted = Sample::new("Test_action_question.csv", content).convert();

        assert_eq!(converted.format, AnnotationFormat::TgifMultipleChoice);
        let items = converted.choices();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].options[items[0].answer], "jump");
        assert_eq!(items[0].clip, "tumblr_a1.gif");
        assert_eq!(items[0].id.as_deref(), Some("7"));
        assert_eq!(items[1].options[items[1].answer], "respond \"no\"");
        assert_eq!(converted.skipped.len(), 2);
    }

    #[test]
    fn questions_of_how_often_have_numbers_as_answers() {
        let content = "gif_name\tquestion\tanswer\tvid_id\tkey\r\n\
            tumblr_a1\thow many times does the cat blink ?\t3\tCOUNT1\t7\r\n";

        let converted = Sample::new("Test_count_question.csv", content).convert();

        assert_eq!(converted.format, AnnotationFormat::TgifCount);
        assert_eq!(converted.questions()[0].answers, ["3"]);
    }

    #[test]
    fn the_description_of_a_frame_is_not_read() {
        let content = "gif_name\tquestion\tanswer\ttype\tvid_id\tkey\tdescription\r\n\
            tumblr_a1\twhat runs ?\tdog\t0\tFRAMEQA1\t7\ta brown dog runs\r\n";

        let converted = Sample::new("Test_frameqa_question.csv", content).convert();

        assert_eq!(converted.format, AnnotationFormat::TgifFrame);
        let written = serde_json::to_string(&converted.questions()[0]).unwrap();
        let wanted =
            r#"{"id":"7","clip":"tumblr_a1.gif","question":"what runs ?","answers":["dog"]}"#;
        assert_eq!(written, wanted);
    }
}
