//! What answers look at: the fused attention over regions and frames, for some questions.
//!
//! Clover, section 3.1. Computed from the model when all questions have been answered, so that an
//! evaluation that went on after an interruption has it, too.

use burn::prelude::*;
use clover_data::batch::{StackedClips, StackedItem};
use clover_data::dataset::SampleSource;
use clover_inference::{AttentionMap, AttentionOverlay};

use super::AnswerAttention;
use super::question_source::QuestionSource;
use crate::TrainerError;

/// Questions that are looked into together: attention that is looked at stands in memory whole.
const TOGETHER: usize = 2;

/// Attention maps, and what is needed to lay them over frames.
#[derive(Clone, Debug)]
pub struct AttentionMaps {
    /// How the model saw the clips.
    pub overlay: AttentionOverlay,
    /// The questions that were asked for, by their number.
    pub chosen: Vec<usize>,
    /// A map a question, in the order of their numbers; none of a question that cannot be read.
    pub maps: Vec<QuestionAttention>,
}

/// What the answer to a question looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionAttention {
    /// The number of the question among the usable ones, from zero.
    pub index: usize,
    /// Where.
    pub map: AttentionMap,
}

impl AttentionMaps {
    /// The map of a question.
    #[must_use]
    pub fn of(&self, index: usize) -> Option<&AttentionMap> {
        let found = self.maps.iter().find(|found| found.index == index);
        found.map(|found| &found.map)
    }
}

/// The maps of questions by their numbers. One that can no longer be read has none: its answer is
/// known, and an image is not worth the evaluation.
pub(super) fn attention_maps<B, M, S>(
    model: &M,
    source: &S,
    questions: impl IntoIterator<Item = usize>,
    views: usize,
    device: &B::Device,
) -> Vec<QuestionAttention>
where
    B: Backend,
    M: AnswerAttention<B>,
    S: QuestionSource + SampleSource<Batch = StackedClips>,
{
    let questions: Vec<usize> = questions.into_iter().collect();
    let mut maps = Vec::new();
    for some in questions.chunks(TOGETHER) {
        let samples = some.iter().filter_map(|&index| source.read(0, index).ok());
        let samples: Vec<_> = samples.collect();
        if samples.is_empty() {
            continue;
        }
        let batch = source.collate(samples).to_device(device);
        let read = batch.items.clone();
        let found = AttentionMap::of_batch(model.video_attention(batch, views));
        let found = read.into_iter().zip(found);
        maps.extend(found.map(|(StackedItem { index, .. }, map)| QuestionAttention { index, map }));
    }
    maps
}

/// The numbers of the questions that a user names: all of a name in predictions, or, where none has
/// it, the one of a number in predictions.
///
/// # Errors
///
/// No question has the name.
pub(super) fn chosen_questions<S: QuestionSource>(
    questions: &S,
    names: &[String],
) -> Result<Vec<usize>, TrainerError> {
    let mut chosen = Vec::new();
    for name in names {
        let before = chosen.len();
        chosen.extend((0..questions.len()).filter(|&index| questions.name(index) == *name));
        if chosen.len() > before {
            continue;
        }
        match name.parse() {
            Ok(index) if index < questions.len() => chosen.push(index),
            _ => {
                return Err(TrainerError::NoSuchQuestion {
                    name: name.clone(),
                    questions: questions.len(),
                });
            }
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::question_source::Question;
    use clover_data::DataError;

    /// Questions of these names.
    struct Named(&'static [&'static str]);

    impl SampleSource for Named {
        type Sample = ();
        type Batch = ();

        fn len(&self) -> usize {
            self.0.len()
        }

        fn name(&self, index: usize) -> String {
            self.0[index].to_owned()
        }

        fn read(&self, _epoch: u64, _index: usize) -> Result<(), DataError> {
            Ok(())
        }

        fn collate(&self, _samples: Vec<()>) {}
    }

    impl QuestionSource for Named {
        fn question(&self, _index: usize) -> Question<'_> {
            Question::default()
        }
    }

    fn chosen(names: &[&str]) -> Result<Vec<usize>, String> {
        let questions = Named(&["a.gif", "b.gif", "a.gif", "0", "e.gif"]);
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        chosen_questions(&questions, &names).map_err(|error| error.to_string())
    }

    #[test]
    fn a_question_is_chosen_by_its_name_or_else_by_its_number() {
        assert_eq!(chosen(&["4", "a.gif"]), Ok(vec![0, 2, 4]));
        // Another one is called so.
        assert_eq!(chosen(&["0", "3"]), Ok(vec![3]));
        assert_eq!(chosen(&[]), Ok(Vec::new()));
    }

    #[test]
    fn a_name_that_no_question_has_is_refused() {
        for name in ["c.gif", "5", "-1"] {
            let error = chosen(&["a.gif", name]).unwrap_err();

            assert!(error.contains(name) && error.contains("of 5"), "{error}");
        }
    }
}
