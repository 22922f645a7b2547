//! Pair tests: whether a clip is more like the sentence that fits it than like the same sentence with one
//! word changed, by what was changed.
//!
//! Zero-shot, by the cosines of embeddings; random answers are right half of the time. Sentences that score
//! the same are not told apart, so such a pair counts as wrong.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::path::Path;

use burn::prelude::*;
use clover_data::dataset::{
    Caption, Captioned, ClipTable, Items, ItemsFile, ItemsTask, MultipleChoiceItem, RetrievalItem,
    SkippedItem, read_items,
};
use clover_data::video::Span;
use clover_inference::Embedder;
use serde::{Deserialize, Serialize};

use super::embedded_list::{EmbeddedList, embed_list};
use super::settings::MeasureSettings;
use crate::TrainerError;
use crate::checkpoint::ListFingerprint;
use crate::metric::{Interval, share_interval};

/// The pair tests of a list, by clip: each is read and embedded once, as is each of its sentences.
#[derive(Clone, Debug)]
pub struct PairTests {
    /// A row a clip, with its sentences.
    table: ClipTable,
    /// The tests of each row.
    tests: Vec<Vec<PairTest>>,
    /// In the order of the list.
    skills: Vec<String>,
    fingerprint: ListFingerprint,
    unusable: Vec<SkippedItem>,
}

/// Two sentences of a clip, by their numbers among its sentences.
#[derive(Clone, Copy, Debug)]
struct PairTest {
    skill: usize,
    right: usize,
    wrong: usize,
}

/// How many pairs that differ in one respect are told apart. Shares lie between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SkillAccuracy {
    /// The respect: `color`.
    pub skill: String,
    /// Pairs whose right sentence scores higher.
    pub correct: usize,
    /// Pairs whose sentences score the same, which are wrong: a text that was cut may have lost the word.
    pub tied: usize,
    /// All pairs whose clip could be read.
    pub total: usize,
    /// The share of correct ones.
    pub accuracy: f64,
    /// How far it may be off: Wilson's interval, 95 %.
    pub interval: Interval,
}

impl PairTests {
    /// Reads a list: multiple-choice items of two options, with a `skill`. Its clips lie in `clips`, or
    /// beside it if that is not given.
    ///
    /// # Errors
    ///
    /// The list cannot be read, or an item is no pair test.
    pub fn read(list: &Path, clips: Option<&Path>) -> Result<Self, TrainerError> {
        let ItemsFile { items, skipped } = read_items(list)?;
        let Items::MultipleChoice(items) = items else {
            return Err(TrainerError::OtherTask {
                path: list.to_owned(),
                wanted: ItemsTask::MultipleChoice.name(),
            });
        };
        let mut gathered = Gathered::default();
        for item in items {
            let name = item.id.clone().unwrap_or_else(|| item.clip.clone());
            gathered
                .add(item)
                .map_err(|reason| TrainerError::NoPairTest {
                    path: list.to_owned(),
                    name,
                    reason,
                })?;
        }
        let beside = list.parent().unwrap_or(Path::new(""));
        let table = Items::Retrieval(gathered.clips);
        Ok(Self {
            table: ClipTable::of_items(table, clips.unwrap_or(beside)),
            tests: gathered.tests,
            skills: gathered.skills,
            fingerprint: ListFingerprint::of(&gathered.entries),
            unusable: skipped,
        })
    }

    /// Rows of the list that cannot be used.
    #[must_use]
    pub fn unusable(&self) -> &[SkippedItem] {
        &self.unusable
    }

    /// The clips.
    #[must_use]
    pub fn clips(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn fingerprint(&self) -> &ListFingerprint {
        &self.fingerprint
    }

    /// Scores the pairs of the clips that were embedded.
    fn scores(&self, list: &EmbeddedList) -> Vec<SkillAccuracy> {
        let mut skills: Vec<_> = self.skills.iter().map(|skill| (skill, [0; 3])).collect();
        for (&clip, texts) in list.clips.iter().zip(list.texts_by_clip()) {
            for &PairTest {
                skill,
                right,
                wrong,
            } in &self.tests[clip]
            {
                let [right, wrong] = [right, wrong].map(|text| list.own_cosine(texts.start + text));
                let [correct, tied, total] = &mut skills[skill].1;
                *total += 1;
                match right.total_cmp(&wrong) {
                    Ordering::Greater => *correct += 1,
                    Ordering::Equal => *tied += 1,
                    Ordering::Less => {}
                }
            }
        }
        let scored = skills.into_iter();
        scored
            .map(|(skill, counts)| SkillAccuracy::new(skill, counts))
            .collect()
    }
}

/// Embeds the clips and sentences of pair tests and scores the pairs by skill; also returns the clips that
/// could not be read. `reading` is how many threads read, and the share that may be broken; `progress` is
/// told how many clips of how many are done.
///
/// # Errors
///
/// Too many clips cannot be read, or embeddings are not finite.
pub fn measure_pair_tests<B: Backend>(
    embedder: &Embedder<B>,
    tests: &PairTests,
    (workers, max_failed_share): (usize, f64),
    mut progress: impl FnMut(usize, usize),
) -> Result<(Vec<SkillAccuracy>, Vec<SkippedItem>), TrainerError> {
    let dataset = embedder.captioned(tests.table.clone(), Captioned::All)?;
    let settings = MeasureSettings::new(workers, max_failed_share);
    let list = embed_list(embedder, dataset, &settings, &mut progress)?;
    Ok((tests.scores(&list), list.skipped))
}

impl SkillAccuracy {
    /// Of pairs counted: correct ones, tied ones, and all.
    #[must_use]
    pub fn new(skill: &str, [correct, tied, total]: [usize; 3]) -> Self {
        Self {
            skill: skill.to_owned(),
            correct,
            tied,
            total,
            accuracy: correct as f64 / total.max(1) as f64,
            interval: share_interval(correct, total),
        }
    }
}

/// The items of a list so far.
#[derive(Default)]
struct Gathered {
    rows: HashMap<(String, Option<Span>), usize>,
    clips: Vec<RetrievalItem>,
    tests: Vec<Vec<PairTest>>,
    skills: Vec<String>,
    /// What tells the list from another one.
    entries: Vec<String>,
}

impl Gathered {
    /// Adds an item, or tells what it lacks.
    fn add(&mut self, item: MultipleChoiceItem) -> Result<(), String> {
        let found = item.options.len();
        let Ok([first, second]) = <[String; 2]>::try_from(item.options) else {
            return Err(format!("has {found} options instead of two"));
        };
        let skill = item.skill.ok_or("has no `skill`")?;
        let (right, wrong) = match item.answer {
            0 => (first, second),
            _ => (second, first),
        };
        let entry = [&*item.clip, &skill, &right, &wrong];
        self.entries.push(entry.join("\n"));
        let row = self.row(&item.clip, item.span);
        let test = PairTest {
            skill: place(&mut self.skills, skill),
            right: place(&mut self.clips[row].captions, Caption::Plain(right)),
            wrong: place(&mut self.clips[row].captions, Caption::Plain(wrong)),
        };
        self.tests[row].push(test);
        Ok(())
    }

    fn row(&mut self, clip: &str, span: Option<Span>) -> usize {
        let next = self.clips.len();
        let row = *self.rows.entry((clip.to_owned(), span)).or_insert(next);
        if row == next {
            self.clips.push(RetrievalItem {
                id: None,
                clip: clip.to_owned(),
                span,
                captions: Vec::new(),
            });
            self.tests.push(Vec::new());
        }
        row
    }
}

/// The place of a value in a list, at its end where it was not in it.
fn place<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter()
        .position(|known| *known == value)
        .unwrap_or_else(|| {
            list.push(value);
            list.len() - 1
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Storage;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Two skills of each of so many clips; both tests of a clip have one right sentence.
    fn tests(clips: usize) -> PairTests {
        let line = |clip: usize, skill: &str| {
            let (options, answer) = match clip % 2 {
                0 => (format!("\"right\",\"wrong {skill}\""), 0),
                _ => (format!("\"wrong {skill}\",\"right\""), 1),
            };
            format!(
                "{{\"clip\":\"{clip}.gif\",\"question\":\"\",\"options\":[{options}],\
                 \"answer\":{answer},\"skill\":\"{skill}\"}}\n"
            )
        };
        let lines = (0..clips).flat_map(|clip| ["shape", "color"].map(|skill| line(clip, skill)));
        read(&lines.collect::<String>()).unwrap()
    }

    fn read(lines: &str) -> Result<PairTests, TrainerError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pair_tests.jsonl");
        std::fs::write(&path, lines).unwrap();
        PairTests::read(&path, None)
    }

    /// The accuracies where a text lies at this angle to its clip, by the number of the text.
    fn accuracies(tests: &PairTests, mut angle: impl FnMut(usize) -> f32) -> Vec<SkillAccuracy> {
        let mut list = EmbeddedList::new(Storage::F32);
        for clip in 0..tests.clips() {
            let texts = [0, 1, 2].map(|text| {
                let angle: f32 = angle(text);
                [angle.cos(), angle.sin()]
            });
            let texts = texts.iter().map(|text| text.as_slice());
            list.push(clip, &[1.0, 0.0], texts).unwrap();
        }
        tests.scores(&list)
    }

    #[test]
    fn all_right_all_wrong_and_half_by_chance() {
        let tests = tests(400);
        let mut rng = ChaCha8Rng::seed_from_u64(0);

        let perfect = accuracies(&tests, |text| text as f32);
        let reversed = accuracies(&tests, |text| 2.0 - text as f32);
        let tied = accuracies(&tests, |_| 1.0);
        let random = accuracies(&tests, |_| rng.random_range(0.0..3.0));

        assert_eq!(perfect[0], SkillAccuracy::new("shape", [400, 0, 400]));
        assert_eq!(perfect[1], SkillAccuracy::new("color", [400, 0, 400]));
        assert!((perfect[1].accuracy - 1.0).abs() < 1e-12);
        assert_eq!((reversed[0].correct, reversed[1].correct), (0, 0));
        assert_eq!((tied[0].correct, tied[0].tied), (0, 400));
        for skill in random {
            let [low, high] = skill.interval;
            // Four standard errors of 0.025.
            assert!((skill.accuracy - 0.5).abs() < 0.1, "{skill:?}");
            assert!(low < skill.accuracy && skill.accuracy < high);
        }
    }

    #[test]
    fn a_clip_is_one_row_with_each_sentence_once() {
        let tests = tests(3);

        assert_eq!(tests.clips(), 3);
        let texts = tests.table.texts(2);
        assert_eq!(texts.all(), ["right", "wrong shape", "wrong color"]);
        assert_eq!(tests.table.texts(1), texts);
    }

    #[test]
    fn a_clip_that_was_left_out_is_not_counted() {
        let tests = tests(3);
        let mut list = EmbeddedList::new(Storage::F32);
        let texts: [&[f32]; 3] = [&[1.0, 0.0], &[0.0, 1.0], &[1.0, 1.0]];
        list.push(2, &[1.0, 0.0], texts).unwrap();

        let scores = tests.scores(&list);

        assert_eq!((scores[0].correct, scores[0].total), (1, 1));
    }

    #[test]
    fn what_is_no_pair_test_is_named_with_what_it_lacks() {
        let item = |rest: &str| {
            let line = format!(r#"{{"id":"x7","clip":"a.gif","question":"",{rest}}}"#);
            read(&line).unwrap_err().to_string()
        };

        let three = item(r#""options":["a","b","c"],"answer":0,"skill":"color""#);
        let none = item(r#""options":["a","b"],"answer":0"#);
        let captions = read(r#"{"clip":"a.gif","captions":["a"]}"#).unwrap_err();

        assert!(three.contains("x7 has 3 options instead of two"), "{three}");
        assert!(none.contains("x7 has no `skill`"), "{none}");
        assert!(captions.to_string().contains("multiple-choice"));
    }
}
