//! What answers look at: the fused attention over regions and frames, for some questions.
//!
//! Clover, section 3.1. Computed from the model when all questions have been answered, so that an
//! evaluation that went on after an interruption has it, too.

use burn::prelude::*;
use clover_data::dataset::ClipReading;

use super::asked::AskedQuestions;
use crate::TrainerError;
use crate::finetune::AnswerScores;

/// Questions that are looked into together: attention that is looked at stands in memory whole.
const TOGETHER: usize = 2;

/// Attention maps, and what is needed to lay them over frames.
#[derive(Clone, Debug)]
pub struct AttentionMaps {
    /// How the model saw the clips: which frames, and which part of them.
    pub reading: ClipReading,
    /// Pixels along a side of a region, of the size that the model saw frames at. Regions begin at the
    /// upper left; the last of a row or column may reach beyond the frame.
    pub region_side: usize,
    /// Frames of a time step.
    pub frames_a_step: usize,
    /// The questions that were asked for, by their number.
    pub chosen: Vec<usize>,
    /// A map a question, in the order of their numbers; none of a question that cannot be read.
    pub maps: Vec<AttentionMap>,
}

/// How much the position that answers a question attends to each region and frame.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionMap {
    /// The number of the question among the usable ones, from zero.
    pub index: usize,
    /// Time steps, rows and columns; a time step is as many frames as the video encoder joins.
    pub grid: [usize; 3],
    /// `[frames, height, width]`, the last axis varying fastest; what is missing to 1 is the text's.
    pub values: Vec<f32>,
}

impl AttentionMaps {
    /// The map of a question.
    #[must_use]
    pub fn of(&self, index: usize) -> Option<&AttentionMap> {
        self.maps.iter().find(|map| map.index == index)
    }
}

impl AttentionMap {
    /// The share that goes to the video, between 0 and 1.
    #[must_use]
    pub fn video_share(&self) -> f32 {
        self.values.iter().sum::<f32>().clamp(0.0, 1.0)
    }

    /// The largest share that goes to one region of a time step.
    #[must_use]
    pub fn largest_share(&self) -> f32 {
        self.values.iter().copied().fold(0.0, f32::max)
    }

    /// What each region of each time step would get if the video's share went to all alike.
    #[must_use]
    pub fn even_share(&self) -> f32 {
        self.video_share() / self.values.len().max(1) as f32
    }

    /// The values of a time step, `[height, width]`; empty beyond the last.
    #[must_use]
    pub fn step(&self, step: usize) -> &[f32] {
        let regions = self.grid[1] * self.grid[2];
        let start = step.saturating_mul(regions);
        self.values
            .get(start..start.saturating_add(regions))
            .unwrap_or_default()
    }
}

/// The maps of questions by their numbers. One that can no longer be read has none: its answer is
/// known, and a picture is not worth the evaluation.
pub(super) fn attention_maps<B, M, S>(
    model: &M,
    asked: &S,
    questions: impl IntoIterator<Item = usize>,
    views: usize,
    device: &B::Device,
) -> Vec<AttentionMap>
where
    B: Backend,
    M: AnswerScores<B>,
    S: AskedQuestions<Sample = M::Sample>,
{
    let questions: Vec<usize> = questions.into_iter().collect();
    let mut maps = Vec::new();
    for some in questions.chunks(TOGETHER) {
        let samples = some.iter().filter_map(|&index| asked.read(0, index).ok());
        let samples: Vec<_> = samples.collect();
        if samples.is_empty() {
            continue;
        }
        let found = model.video_attention(&samples, views, device);
        let [_, frames, height, width] = found.dims();
        let values: Vec<f32> = found.into_data().convert::<f32>().iter().collect();
        let each = values.chunks(frames * height * width);
        maps.extend(
            samples
                .iter()
                .zip(each)
                .map(|(sample, values)| AttentionMap {
                    index: M::index(sample),
                    grid: [frames, height, width],
                    values: values.to_vec(),
                }),
        );
    }
    maps
}

/// The numbers of the questions that a user names: all of a name in predictions, or, where none has
/// it, the one of a number in predictions.
///
/// # Errors
///
/// No question has the name.
pub(super) fn chosen_questions<S: AskedQuestions>(
    asked: &S,
    names: &[String],
) -> Result<Vec<usize>, TrainerError> {
    let mut chosen = Vec::new();
    for name in names {
        let before = chosen.len();
        chosen.extend((0..asked.len()).filter(|&index| asked.name(index) == *name));
        if chosen.len() > before {
            continue;
        }
        match name.parse() {
            Ok(index) if index < asked.len() => chosen.push(index),
            _ => {
                return Err(TrainerError::NoSuchQuestion {
                    name: name.clone(),
                    questions: asked.len(),
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
    use crate::evaluate::asked::Asked;
    use clover_data::DataError;
    use clover_data::dataset::SampleSource;

    /// Questions of these names.
    struct Named(&'static [&'static str]);

    impl SampleSource for Named {
        type Sample = ();

        fn len(&self) -> usize {
            self.0.len()
        }

        fn name(&self, index: usize) -> String {
            self.0[index].to_owned()
        }

        fn read(&self, _epoch: u64, _index: usize) -> Result<(), DataError> {
            Ok(())
        }
    }

    impl AskedQuestions for Named {
        fn asked(&self, _index: usize) -> Asked<'_> {
            Asked::default()
        }
    }

    fn chosen(names: &[&str]) -> Result<Vec<usize>, String> {
        let asked = Named(&["a.gif", "b.gif", "a.gif", "0", "e.gif"]);
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        chosen_questions(&asked, &names).map_err(|error| error.to_string())
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

    #[test]
    fn a_map_knows_its_steps_and_sums() {
        let map = AttentionMap {
            index: 0,
            grid: [2, 1, 2],
            values: vec![0.1, 0.2, 0.05, 0.15],
        };

        assert!((map.video_share() - 0.5).abs() < 1e-6);
        assert!((map.largest_share() - 0.2).abs() < 1e-6);
        assert!((map.even_share() - 0.125).abs() < 1e-6);
        assert_eq!(map.step(1), [0.05, 0.15]);
        assert!(map.step(2).is_empty());
    }
}
