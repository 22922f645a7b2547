//! The figures of the paper, beside which ours are put, with the generation they are of.
//!
//! Huang et al., "Clover": a preprint of 2022 (arXiv:2207.07885) and the CVPR version of 2023 have
//! different figures for the same tasks. Those marked as quoted stand in papers that compare with
//! the model; the others come from notes on the CVPR version and were not read again.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which of the paper's two versions a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Generation {
    /// The preprint.
    Preprint2022,
    /// The conference's version.
    Cvpr2023,
    /// Papers that quote the figure do not say which.
    Unknown,
}

/// What is known of a task's figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedFigure {
    /// The recipe of the task.
    pub task: &'static str,
    /// Whether without any fine-tuning.
    pub zero_shot: bool,
    /// Which version.
    pub generation: Generation,
    /// Whether it was read in a paper that quotes it.
    pub quoted: bool,
    /// The figures.
    pub values: PublishedValues,
}

/// Figures in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PublishedValues {
    /// Text to video: recall at 1, 5 and 10, and the median rank, where each is known.
    Retrieval([Option<f64>; 4]),
    /// Accuracy.
    Accuracy(f64),
}

const fn retrieval(
    task: &'static str,
    zero_shot: bool,
    (generation, quoted): (Generation, bool),
    figures: [Option<f64>; 4],
) -> PublishedFigure {
    PublishedFigure {
        task,
        zero_shot,
        generation,
        quoted,
        values: PublishedValues::Retrieval(figures),
    }
}

const fn accuracy(
    task: &'static str,
    generation: Generation,
    quoted: bool,
    accuracy: f64,
) -> PublishedFigure {
    PublishedFigure {
        task,
        zero_shot: false,
        generation,
        quoted,
        values: PublishedValues::Accuracy(accuracy),
    }
}

/// Every figure that is known.
pub const PUBLISHED: [PublishedFigure; 21] = {
    use Generation::{Cvpr2023, Preprint2022, Unknown};
    let [msrvtt, didemo, lsmdc] = ["retrieval-msrvtt", "retrieval-didemo", "retrieval-lsmdc"];
    [
        retrieval(
            msrvtt,
            true,
            (Unknown, true),
            [Some(26.4), Some(49.5), Some(60.0), None],
        ),
        retrieval(
            lsmdc,
            true,
            (Unknown, true),
            [Some(14.7), Some(29.2), Some(38.2), None],
        ),
        retrieval(
            didemo,
            true,
            (Unknown, true),
            [Some(29.5), Some(55.2), Some(66.3), None],
        ),
        retrieval(
            msrvtt,
            false,
            (Preprint2022, true),
            [Some(38.6), Some(67.4), Some(76.4), Some(2.0)],
        ),
        retrieval(
            msrvtt,
            false,
            (Cvpr2023, false),
            [Some(40.5), Some(69.8), Some(79.4), Some(2.0)],
        ),
        retrieval(
            lsmdc,
            false,
            (Preprint2022, true),
            [Some(22.7), Some(42.0), Some(52.6), Some(9.0)],
        ),
        retrieval(
            lsmdc,
            false,
            (Cvpr2023, false),
            [Some(24.8), Some(44.0), Some(54.5), Some(8.0)],
        ),
        retrieval(
            didemo,
            false,
            (Preprint2022, true),
            [Some(48.6), Some(74.3), Some(82.2), Some(2.0)],
        ),
        retrieval(
            didemo,
            false,
            (Cvpr2023, true),
            [Some(50.1), None, None, None],
        ),
        retrieval(
            didemo,
            false,
            (Cvpr2023, false),
            [None, Some(76.7), Some(85.6), Some(1.0)],
        ),
        accuracy("multiple-choice-tgif-action", Cvpr2023, false, 95.0),
        accuracy("multiple-choice-tgif-transition", Cvpr2023, false, 98.2),
        accuracy("multiple-choice-msrvtt", Cvpr2023, false, 95.2),
        accuracy("multiple-choice-lsmdc", Cvpr2023, true, 83.7),
        accuracy("open-ended-tgif-frame", Preprint2022, true, 71.4),
        accuracy("open-ended-tgif-frame", Cvpr2023, false, 71.6),
        accuracy("open-ended-msrvtt-qa", Preprint2022, true, 43.9),
        accuracy("open-ended-msrvtt-qa", Cvpr2023, true, 44.1),
        accuracy("open-ended-msvd-qa", Preprint2022, true, 51.9),
        accuracy("open-ended-msvd-qa", Cvpr2023, false, 52.4),
        accuracy("open-ended-lsmdc-fib", Cvpr2023, true, 54.1),
    ]
};

/// What is known of a task, fine-tuned or not.
pub fn published(task: &str, zero_shot: bool) -> impl Iterator<Item = &'static PublishedFigure> {
    PUBLISHED
        .iter()
        .filter(move |figure| figure.task == task && figure.zero_shot == zero_shot)
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Preprint2022 => "preprint of 2022",
            Self::Cvpr2023 => "CVPR version",
            Self::Unknown => "version not said",
        })
    }
}

impl fmt::Display for PublishedFigure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.values {
            PublishedValues::Accuracy(accuracy) => write!(formatter, "accuracy {accuracy:.1} %")?,
            PublishedValues::Retrieval(figures) => {
                let names = ["R@1", "R@5", "R@10", "median rank"];
                let known = names.iter().zip(figures).filter_map(|(name, figure)| {
                    figure.map(|figure| format!("{name} {figure:.1}"))
                });
                write!(formatter, "{}", known.collect::<Vec<_>>().join(", "))?;
            }
        }
        let source = if self.quoted {
            "as other papers quote it"
        } else {
            "not read again in its source"
        };
        write!(formatter, " ({}; {source})", self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{AnyRecipe, ShippedRecipe};

    #[test]
    fn every_figure_is_of_a_shipped_task_and_says_where_it_is_from() {
        for figure in &PUBLISHED {
            assert!(
                ShippedRecipe::find(figure.task).is_some(),
                "{}",
                figure.task
            );
            let recipe = AnyRecipe::open(figure.task).unwrap();
            assert!(matches!(recipe, AnyRecipe::Task(_)), "{}", figure.task);
        }
        let lines: Vec<String> = published("retrieval-didemo", false)
            .map(ToString::to_string)
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(
            lines[1],
            "R@1 50.1 (CVPR version; as other papers quote it)"
        );
        assert_eq!(published("retrieval-custom", false).count(), 0);
    }
}
