//! A clip of the benchmark from its number alone: what is seen, what is said, what is asked.

use rand::Rng;
use rand::seq::SliceRandom;

use crate::SyntheticError;
use crate::annotation::{Annotations, MultipleChoiceItem, annotate, annotate_pairs};
use crate::attributes::Attributes;
use crate::combinations::Combinations;
use crate::config::{BenchmarkConfig, Split, Stories};
use crate::drawing::{Background, Scene};
use crate::family::{MEMBERS, Member, family};
use crate::layout::{Room, draw_layout};
use crate::randomness;
use crate::story::{Difference, Story, draw_story};

/// Companions of a single move: the other direction.
const SINGLE_COMPANIONS: usize = 2;

/// Clips of one folder.
const CLIPS_PER_FOLDER: usize = 1_000;

/// Keeps what is seen, said and asked from sharing numbers, and orders of combinations, too.
const SCENE: u64 = 0;
const WORDS: u64 = 1;
const PAIRS: u64 = 2;
const SHOWN: u64 = 1;

/// A planned benchmark; no clip of it is held.
#[derive(Debug, Clone)]
pub struct Benchmark {
    config: BenchmarkConfig,
    combinations: Combinations,
    /// Where stories are single moves, what the clips of each split show in turn.
    shown: [Vec<Attributes>; Split::ALL.len()],
}

/// From which clip a companion differs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Twin {
    /// The number of the other clip.
    pub(crate) clip: usize,
    /// The single respect in which the two differ.
    pub(crate) difference: Difference,
    /// The shape that differs, counted from zero, where it is a single one.
    pub(crate) actor: Option<usize>,
}

/// A clip that is not yet drawn, with its annotations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clip {
    pub(crate) split: Split,
    /// Its path below the folder of clips, with `/`.
    pub(crate) file: String,
    pub(crate) scene: Scene,
    /// The clip it is nearly identical to, where it is a companion.
    pub(crate) twin: Option<Twin>,
    pub(crate) annotations: Annotations,
    /// Where one measures.
    pub(crate) pair_tests: Vec<MultipleChoiceItem>,
}

impl Benchmark {
    /// Plans a benchmark.
    ///
    /// # Errors
    ///
    /// As [`BenchmarkConfig::validate`].
    pub fn plan(config: &BenchmarkConfig) -> Result<Self, SyntheticError> {
        config.validate()?;
        let combinations = Combinations::new(config);
        let shown = Split::ALL.map(|split| {
            // Of its own, so that what is measured with does not depend on what is trained on.
            let mut rng = randomness::for_order(config.seed, SHOWN + split as u64);
            let combinations = combinations.of(split);
            // Neighbours are companions.
            let mut groups: Vec<_> = combinations.chunks(companions(config, split)).collect();
            groups.shuffle(&mut rng);
            groups.concat()
        });
        Ok(Self {
            config: *config,
            combinations,
            shown,
        })
    }

    /// The frames of one clip, each `size x size` pixels of red, green and blue, rows from the top.
    ///
    /// # Errors
    ///
    /// When there is no such clip.
    pub fn frames(&self, index: usize) -> Result<Vec<Vec<u8>>, SyntheticError> {
        let BenchmarkConfig { frames, size, .. } = self.config;
        Ok(self.clip(index)?.scene.render(frames, size))
    }

    pub(crate) fn config(&self) -> &BenchmarkConfig {
        &self.config
    }

    /// Plans one clip; it depends on the configuration and the number alone.
    pub(crate) fn clip(&self, index: usize) -> Result<Clip, SyntheticError> {
        let mut splits = Split::ALL.into_iter();
        let split = splits
            .find(|&split| self.config.range(split).contains(&index))
            .ok_or(SyntheticError::OutOfRange {
                key: "clip",
                value: index as f64,
                smallest: 0.0,
                largest: (self.config.clips - 1) as f64,
            })?;
        let single = self.config.stories == Stories::SingleMove;
        let companions = companions(&self.config, split);
        let alone = single || companions == 1;
        let in_split = index - self.config.range(split).start;
        // Companions share their places and their background.
        let in_group = in_split % companions;
        let first = index - in_group;
        let mut rng = randomness::for_item(self.config.seed, SCENE, first as u64);
        let story = if single {
            let shown = &self.shown[split as usize];
            Story::single_move(&shown[in_split % shown.len()])
        } else {
            draw_story(&self.combinations, split, self.config.shapes, &mut rng)
        };
        let places = draw_layout(&story, Room::of(&self.config), &mut rng);
        let background = Background::sample(&mut rng);
        let mut members = family(story.clone(), &self.combinations, &mut rng);
        let mut member = if alone {
            // Any of a family whose others exist in words only: were it always the first, the right
            // option could be told from the wrong ones without looking.
            rng.random_range(0..members.len())
        } else {
            // A family always has all its members; were one missing, the last would stand in.
            in_group.min(members.len() - 1)
        };
        if single {
            // The clip shows this very story, as a companion of the one that was drawn.
            members = family(members[member].seen(), &self.combinations, &mut rng);
            let same = |one: &Member| one.seen() == story;
            member = members.iter().position(same).unwrap_or_default();
        }
        let this = &members[member];
        let twin = (!single && in_group > 0).then_some(Twin {
            clip: first,
            difference: this.difference,
            actor: this.actor,
        });
        let mut rng = randomness::for_item(self.config.seed, WORDS, index as u64);
        let (id, file) = (name(index, split, twin), file_name(index));
        let annotations = annotate([&id, &file], &members, member, &self.config, &mut rng);
        let mut rng = randomness::for_item(self.config.seed, PAIRS, index as u64);
        let pair_tests = match split {
            Split::Train => Vec::new(),
            Split::Validation | Split::Test => {
                annotate_pairs([&id, &file], &this.seen(), self.config.shapes, &mut rng)
            }
        };
        Ok(Clip {
            split,
            file,
            scene: Scene {
                drawn: this.drawn.clone(),
                places,
                background,
                backwards: this.backwards,
            },
            twin,
            annotations,
            pair_tests,
        })
    }
}

/// How many clips that follow each other are companions.
fn companions(config: &BenchmarkConfig, split: Split) -> usize {
    match (split, config.stories) {
        (Split::Train, _) if !config.train_twins => 1,
        (Split::Train, Stories::SingleMove) => SINGLE_COMPANIONS,
        (_, Stories::Any) => MEMBERS,
        // Each combination that is held out has one clip, of places of its own.
        (_, Stories::SingleMove) => 1,
    }
}

/// The path of a clip below the folder of clips.
pub(crate) fn file_name(index: usize) -> String {
    format!("{:03}/{index:06}.gif", index / CLIPS_PER_FOLDER)
}

/// What reports call a clip: its split, its number, and how it differs from its twin.
fn name(index: usize, split: Split, twin: Option<Twin>) -> String {
    let name = format!("{}-{index:06}", split.name());
    match twin {
        Some(twin) => format!("{name}-{}", twin.difference.name()),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::vocabulary;
    use crate::question::answers;
    use std::collections::HashSet;

    fn benchmark(clips: usize) -> Benchmark {
        let config = BenchmarkConfig {
            clips,
            seed: 7,
            ..BenchmarkConfig::default()
        };
        Benchmark::plan(&config).unwrap()
    }

    fn clips(benchmark: &Benchmark, split: Split) -> impl Iterator<Item = Clip> {
        let range = benchmark.config.range(split);
        range.map(|index| benchmark.clip(index).unwrap())
    }

    /// The combinations that the clips of a split show, with their other shapes or without.
    fn shown(benchmark: &Benchmark, split: Split, all: bool) -> HashSet<Attributes> {
        let seen = clips(benchmark, split).map(|clip| clip.scene.seen());
        seen.flat_map(|story| {
            let shapes = if all { story.actors.len() } else { 1 };
            let shown = (0..shapes).flat_map(|actor| story.combinations(actor));
            shown.collect::<Vec<_>>()
        })
        .collect()
    }

    #[test]
    fn held_out_combinations_are_never_trained_on() {
        let benchmark = benchmark(3_000);

        let train = shown(&benchmark, Split::Train, true);
        let validation = shown(&benchmark, Split::Validation, false);
        let test = shown(&benchmark, Split::Test, false);

        assert!(train.is_disjoint(&validation));
        assert!(train.is_disjoint(&test));
        assert!(validation.is_disjoint(&test));
        // All that are trained on, and most of the 48 that are held out.
        assert_eq!(train.len(), 288);
        assert!(validation.len() > 40 && test.len() > 40);
    }

    #[test]
    fn of_single_moves_each_held_out_combination_has_one_clip() {
        let benchmark = Benchmark::plan(&BenchmarkConfig::one_shape(600, 0.25)).unwrap();

        let splits = Split::ALL.map(|split| shown(&benchmark, split, true));

        let clips = Split::ALL.map(|split| benchmark.config.range(split).len());
        assert_eq!(clips, [600, 16, 96]);
        // Thirty-four, two and twelve of 48 parts of blocks; what is trained on comes again and again.
        assert_eq!(splits.each_ref().map(HashSet::len), [272, 16, 96]);
        assert_eq!(splits.iter().flatten().collect::<HashSet<_>>().len(), 384);
        let options = |index| {
            let mut clip = benchmark.clip(index).unwrap();
            assert!(clip.twin.is_none());
            clip.annotations.multiple_choice.swap_remove(0).options
        };
        assert!((0..712).all(|index| options(index).len() == MEMBERS));
    }

    #[test]
    fn clips_to_train_on_come_in_groups_where_asked_for() {
        let config = BenchmarkConfig {
            train_twins: true,
            ..*benchmark(400).config()
        };
        let twins = Benchmark::plan(&config).unwrap();

        let members: Vec<_> = clips(&twins, Split::Train).collect();

        for (number, group) in members.chunks(MEMBERS).enumerate() {
            assert_eq!(group[0].twin, None);
            for clip in &group[1..] {
                let twin = clip.twin.map(|twin| twin.clip);
                assert_eq!(twin, Some(number * MEMBERS), "{}", clip.file);
            }
        }
        assert!(clips(&benchmark(400), Split::Train).all(|clip| clip.twin.is_none()));
    }

    #[test]
    fn single_moves_come_with_the_opposite_ones_in_one_scene_where_asked_for() {
        let alone = BenchmarkConfig::one_shape(200, 0.25);
        let config = BenchmarkConfig {
            train_twins: true,
            ..alone
        };
        let [twins, alone] = [config, alone].map(|config| Benchmark::plan(&config).unwrap());

        let members: Vec<_> = clips(&twins, Split::Train).collect();

        for group in members.chunks(SINGLE_COMPANIONS) {
            let seen: HashSet<_> = group
                .iter()
                .flat_map(|clip| clip.scene.seen().combinations(0).collect::<Vec<_>>())
                .collect();
            let shapes: HashSet<_> = seen
                .iter()
                .map(|one| (one.color, one.shape, one.size))
                .collect();
            assert_eq!((seen.len(), shapes.len()), (SINGLE_COMPANIONS, 1));
            for clip in group {
                assert_eq!(clip.scene.places, group[0].scene.places);
                assert_eq!(clip.scene.background, group[0].scene.background);
                assert_eq!(clip.twin, None);
            }
        }
        // What is measured with is the same either way, and others have places of their own.
        let tests = [&twins, &alone].map(|set| clips(set, Split::Test).collect::<Vec<_>>());
        assert_eq!(tests[0], tests[1]);
        let places = clips(&alone, Split::Train).map(|clip| clip.scene.places);
        assert!(
            places
                .collect::<Vec<_>>()
                .windows(2)
                .all(|two| two[0] != two[1])
        );
    }

    #[test]
    fn companions_differ_from_their_twin_in_images_and_words() {
        let benchmark = benchmark(1_000);
        let mut turned = 0;
        for clip in clips(&benchmark, Split::Validation) {
            let Some(twin) = clip.twin else { continue };
            let other = benchmark.clip(twin.clip).unwrap();

            let [mut frames, others] = [&clip, &other].map(|clip| clip.scene.render(16, 32));

            assert_eq!((other.split, other.twin), (Split::Validation, None));
            assert_ne!(frames, others);
            if twin.difference == Difference::Time {
                frames.reverse();
                assert_eq!(frames, others);
                turned += 1;
            }
            let [own, theirs] = [&clip, &other].map(|clip| &clip.annotations.retrieval.captions);
            assert!(own.iter().all(|text| !theirs.contains(text)));
            let id = clip.annotations.retrieval.id;
            assert!(id.ends_with(twin.difference.name()), "{id}");
        }
        // All of the twenty groups but the shapes that go there and back, one in twelve.
        assert!(turned >= 15, "{turned}");
    }

    #[test]
    fn every_answer_stands_in_the_list_and_every_word_in_the_vocabulary() {
        let (closed, known) = (answers(), vocabulary());
        let known: HashSet<_> = known.iter().map(String::as_str).collect();
        let benchmark = benchmark(500);
        for index in 0..500 {
            let Annotations {
                retrieval,
                multiple_choice,
                open_ended,
            } = benchmark.clip(index).unwrap().annotations;

            assert_eq!(open_ended.len(), 2);
            assert!(
                open_ended
                    .iter()
                    .all(|item| closed.contains(&item.answers[0]))
            );
            for item in &multiple_choice {
                assert_eq!(item.options.len(), MEMBERS);
                let asked = !item.question.is_empty();
                assert!(!asked || item.options.iter().all(|option| closed.contains(option)));
            }
            let different: HashSet<_> = retrieval.captions.iter().collect();
            assert_eq!(different.len(), 3);
            let longest = different.iter().map(|text| text.split(' ').count()).max();
            assert!(longest.unwrap() <= 44, "{different:?}");
            let questions = open_ended.iter().map(|item| &item.question);
            let options = multiple_choice.iter().flat_map(|item| &item.options);
            for text in questions.chain(options).chain(&retrieval.captions) {
                assert!(text.split(' ').all(|word| known.contains(word)), "{text}");
            }
        }
    }

    #[test]
    fn pair_tests_are_of_held_out_clips_and_in_known_words() {
        let known = vocabulary();
        let known: HashSet<_> = known.iter().map(String::as_str).collect();
        let benchmark = benchmark(500);
        let mut answers = [0; 2];
        for index in 0..500 {
            let clip = benchmark.clip(index).unwrap();

            let least = if clip.split == Split::Train { 0 } else { 4 };
            assert!(clip.pair_tests.len() >= least);
            assert!(least > 0 || clip.pair_tests.is_empty());
            for test in &clip.pair_tests {
                assert_eq!(test.clip, clip.file);
                answers[test.answer] += 1;
                let mut words = test.options.iter().flat_map(|option| option.split(' '));
                assert!(words.all(|word| known.contains(word)), "{test:?}");
            }
        }
        // The right one is as often the first as the second.
        assert!(answers.iter().all(|&count| count > 200), "{answers:?}");
    }

    #[test]
    fn the_last_of_a_million_clips_is_planned_alone() {
        let benchmark = benchmark(1_000_000);
        for index in [0, 799_999, 800_000, 899_999, 999_995, 999_999] {
            let clip = benchmark.clip(index).unwrap();

            assert_eq!(clip, benchmark.clip(index).unwrap());
            let folder = index / 1_000;
            assert_eq!(clip.file, format!("{folder:03}/{index:06}.gif"));
        }
        let message = benchmark.frames(1_000_000).unwrap_err().to_string();
        assert!(message.contains("999999"), "{message}");
    }
}
