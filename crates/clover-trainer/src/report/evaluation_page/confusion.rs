//! Which answers are taken for which: how often each true answer was given which answer.

use std::collections::HashMap;

use crate::evaluate::AnsweredPrediction;
use crate::report::{Escaped, Page};

/// True answers shown.
const SHOWN: usize = 12;

/// The most frequent true answers, and what was answered instead.
#[derive(Debug, PartialEq)]
struct Confusion<'p> {
    /// The rows, most frequent first, and the columns.
    answers: Vec<&'p str>,
    /// A row a true answer, a column an answer given; the last column counts all others.
    counts: Vec<Vec<usize>>,
    /// True answers there are.
    all: usize,
}

impl<'p> Confusion<'p> {
    /// Of questions; nothing where every true answer is that of one question alone.
    fn of(predictions: &[&'p AnsweredPrediction]) -> Option<Self> {
        let mut questions = HashMap::<&str, usize>::new();
        for truth in predictions.iter().filter_map(|one| truth(one)) {
            *questions.entry(truth).or_default() += 1;
        }
        let all = questions.len();
        let mut frequent: Vec<_> = questions.into_iter().collect();
        frequent.sort_by(|(a, most), (b, least)| least.cmp(most).then(a.cmp(b)));
        if frequent.first().is_none_or(|(_, count)| *count < 2) {
            return None;
        }
        let answers: Vec<_> = frequent
            .into_iter()
            .take(SHOWN)
            .map(|(answer, _)| answer)
            .collect();
        let places: HashMap<_, _> = answers.iter().copied().zip(0..).collect();
        let mut counts = vec![vec![0; answers.len() + 1]; answers.len()];
        for one in predictions {
            if let Some(row) = truth(one).and_then(|truth| places.get(truth)) {
                let given: Option<&usize> = places.get(one.answer.as_str());
                counts[*row][given.copied().unwrap_or(answers.len())] += 1;
            }
        }
        Some(Self {
            answers,
            counts,
            all,
        })
    }
}

/// The right answer of a question: of several the one that was given, or else the first.
fn truth(one: &AnsweredPrediction) -> Option<&str> {
    if one.correct {
        return Some(&one.answer);
    }
    one.truth.first().map(String::as_str)
}

/// Adds the table: rows are true answers, columns answers given.
pub(super) fn write_confusion(page: &mut Page, predictions: &[&AnsweredPrediction]) {
    let Some(confusion) = Confusion::of(predictions) else {
        return;
    };
    page.heading("Which answers are taken for which");
    write!(
        page,
        "<div class=\"wide\"><table class=\"confusion\"><thead><tr><th>true answer</th>"
    );
    for answer in confusion.answers.iter().chain(&["others", "questions"]) {
        write!(page, "<th class=\"number\">{}</th>", Escaped(answer));
    }
    writeln!(page, "</tr></thead><tbody>");
    for (row, answer) in confusion.answers.iter().enumerate() {
        let counts = &confusion.counts[row];
        let all: usize = counts.iter().sum();
        write!(page, "<tr><th>{}</th>", Escaped(answer));
        for (column, count) in counts.iter().enumerate() {
            let share = *count as f64 / all.max(1) as f64;
            let color = if row == column {
                "42 157 143"
            } else {
                "213 94 0"
            };
            let shown = if *count == 0 {
                String::new()
            } else {
                count.to_string()
            };
            write!(
                page,
                "<td class=\"number\" style=\"background: rgb({color} / {:.2})\">{shown}</td>",
                0.7 * share
            );
        }
        writeln!(page, "<td class=\"number\">{all}</td></tr>");
    }
    writeln!(page, "</tbody></table></div>");
    page.note(&format!(
        "A row a true answer, a column the answer given: the {} most frequent of {} true answers.",
        confusion.answers.len(),
        confusion.all
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(truth: &[&str], answer: &str) -> AnsweredPrediction {
        AnsweredPrediction {
            index: 0,
            name: String::new(),
            clip: String::new(),
            question: String::new(),
            truth: truth.iter().map(|&one| one.to_owned()).collect(),
            answerable: true,
            answer: answer.to_owned(),
            correct: truth.contains(&answer),
            truth_probability: 0.0,
            probabilities: Vec::new(),
        }
    }

    #[test]
    fn rows_are_true_answers_and_columns_answers_given() {
        let all = [
            answered(&["red"], "red"),
            answered(&["red"], "blue"),
            answered(&["red"], "a circle"),
            answered(&["blue"], "red"),
            // Of several right answers the one that was given.
            answered(&["azure", "blue"], "blue"),
            answered(&[], "blue"),
        ];

        let confusion = Confusion::of(&all.each_ref()).unwrap();

        assert_eq!(confusion.answers, ["red", "blue"]);
        assert_eq!(confusion.counts, [[1, 1, 1], [1, 1, 0]]);
        assert_eq!(confusion.all, 2);
    }

    #[test]
    fn of_many_answers_the_most_frequent_are_shown() {
        let names: Vec<_> = (0..30).map(|name| format!("{name:02}")).collect();
        let all: Vec<_> = names
            .iter()
            .chain(&names[5..])
            .map(|name| answered(&[name], name))
            .collect();

        let confusion = Confusion::of(&all.iter().collect::<Vec<_>>()).unwrap();

        assert_eq!(confusion.answers.len(), SHOWN);
        assert_eq!((confusion.answers[0], confusion.all), ("05", 30));
    }

    #[test]
    fn answers_that_are_all_different_have_no_table_and_hostile_ones_are_text() {
        let (mut none, mut page) = (Page::new(""), Page::new(""));
        let hostile = answered(&["<script>"], "</td><b>");
        let again = answered(&["<script>"], "<script>");

        write_confusion(&mut none, &[&answered(&["a"], "b"), &answered(&["b"], "a")]);
        write_confusion(&mut page, &[&hostile, &again]);

        assert!(!none.finish().contains("<table"));
        let page = page.finish();
        assert!(page.contains("<th>&lt;script&gt;</th>") && !page.contains("<script>"));
    }
}
