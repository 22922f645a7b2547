//! `pipeline.json`: frame indices, views, question texts, words to mask, region masks, learning rate.

use clover_data::masking::{RegionMask, candidate_counts, first_words};
use clover_data::text::{PartOfSpeech, QuestionForm, TaggedToken, align_tags, word_groups};
use clover_data::video::{FrameSampling, SamplingMode};
use clover_trainer::schedule::{Progress, Schedule};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::Value;

use super::deviation::Deviations;
use super::fixture::fixtures;

const FILE: &str = "pipeline.json";
/// Clover, section 4.1: the share of candidates that is masked.
const MASK_RATIO: f64 = 0.3;
/// Pixels of a region mask drawn for the statistics.
const DRAWS: u32 = 40_000;

fn integer(value: &Value) -> usize {
    value.as_u64().unwrap().try_into().unwrap()
}

fn integers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(integer).collect()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value.as_str().unwrap())
        .collect()
}

#[test]
fn the_same_frames_are_taken() {
    for fixture in fixtures() {
        let about = fixture.json(FILE);
        let cases = about["sample_frames"].as_array().unwrap();
        for case in cases {
            let sampling = |mode| FrameSampling {
                clips: integer(&case["num_clips"]),
                clip_len: integer(&case["clip_len"]),
                interval: integer(&case["frame_interval"]),
                mode,
            };
            let frames = integer(&case["total_frames"]);
            let found = match case["mode"].as_str().unwrap() {
                "test" => sampling(SamplingMode::Test).test(frames),
                "train(no random part)" => {
                    sampling(SamplingMode::Train).train_short(frames).unwrap()
                }
                other => panic!("unknown mode {other}"),
            };
            assert_eq!(found, integers(&case["frames"]), "{case}");
        }
        println!(
            "{}/{FILE}: {} frame lists, equal",
            fixture.name(),
            cases.len()
        );
        assert!(!cases.is_empty());
    }
}

#[test]
fn lists_of_frames_are_cut_into_the_same_views() {
    for fixture in fixtures() {
        let about = fixture.json(FILE);
        for case in about["view_layout"]["cases"].as_array().unwrap() {
            let sampling = FrameSampling {
                clips: integer(&case["num_clips"]),
                clip_len: integer(&case["clip_len"]),
                interval: 1,
                mode: SamplingMode::Test,
            };
            let list: Vec<usize> = (0..sampling.len()).collect();
            let views: Vec<_> = list.chunks(list.len() / sampling.views()).collect();
            let recorded = case["positions_per_view"].as_array().unwrap();
            assert_eq!(
                views,
                recorded.iter().map(integers).collect::<Vec<_>>(),
                "{case}"
            );
        }
    }
}

#[test]
fn questions_become_the_same_texts() {
    for fixture in fixtures() {
        let about = fixture.json(FILE);
        for case in about["question_text"].as_array().unwrap() {
            let (input, options) = (&case["input"], &case["options"]);
            let is_set = |option: &str| options[option].as_bool() == Some(true);
            let question = input["question"]
                .as_str()
                .unwrap_or_else(|| strings(&input["text"])[0]);
            let candidates = input["answers"]
                .as_array()
                .map(|_| strings(&input["answers"]));
            let form = match candidates {
                None => QuestionForm::Alone,
                Some(_) if is_set("use_all_ans") => QuestionForm::AllOptions,
                Some(_) if is_set("use_mask") => QuestionForm::MaskedAnswer,
                Some(_) => QuestionForm::WithCandidate,
            };
            let texts = form.texts(question, &candidates.unwrap_or_default());
            assert_eq!(texts, strings(&case["text"]), "{case}");
        }
    }
}

/// The recorded tagger cuts `cannot` in two, as spaCy does; its recorded tag is the first part's.
fn tagged(words: &[&str], tags: &[PartOfSpeech]) -> Vec<TaggedToken> {
    let token = |text: &str, tag| TaggedToken {
        text: text.to_owned(),
        tag,
    };
    let cut = words
        .iter()
        .zip(tags)
        .map(|(word, tag)| match word.strip_suffix("not") {
            Some(first) if !first.is_empty() => {
                vec![token(first, *tag), token("not", PartOfSpeech::Other)]
            }
            _ => vec![token(word, *tag)],
        });
    cut.flatten().collect()
}

#[test]
fn the_same_words_are_candidates_for_masking() {
    for fixture in fixtures() {
        let about = fixture.json(FILE);
        for case in about["semantic_candidates"]["cases"].as_array().unwrap() {
            let (pieces, words) = (strings(&case["tokens"]), strings(&case["words"]));
            let tags: Vec<PartOfSpeech> = strings(&case["word_tags"])
                .iter()
                .map(|tag| tag.parse().unwrap())
                .collect();
            let groups = word_groups(
                pieces
                    .iter()
                    .map(|piece| (!piece.starts_with('[')).then_some(*piece)),
            );
            assert_eq!(groups.len(), words.len(), "{case}");
            let positions = |word: usize| groups[word].clone().collect::<Vec<_>>();
            let tags = align_tags(&words, &tagged(&words, &tags));

            let counts = candidate_counts(&tags);
            let counted = counts.iter().enumerate();
            let found: Vec<_> = counted
                .flat_map(|(word, count)| vec![positions(word); *count])
                .collect();
            let mut recorded: Vec<_> = case["candidate_groups"]
                .as_array()
                .unwrap()
                .iter()
                .map(integers)
                .collect();
            let mut sorted = found.clone();
            sorted.sort();
            recorded.sort();
            assert_eq!(sorted, recorded, "{case}");
            assert_eq!(found.len(), integer(&case["groups_count"]));

            let kept = case["order_kept"].as_array().unwrap().iter().map(integers);
            let kept: Vec<usize> = kept
                .map(|group| {
                    groups
                        .iter()
                        .position(|word| word.start == group[0])
                        .unwrap()
                })
                .collect();
            let mut mask = vec![0; pieces.len()];
            if !kept.is_empty() {
                let chosen = first_words(kept.iter().copied(), kept.len(), MASK_RATIO);
                assert!(chosen.len() <= integer(&case["words_to_mask"]));
                chosen
                    .into_iter()
                    .flat_map(positions)
                    .for_each(|position| mask[position] = 1);
            }
            assert_eq!(mask, integers(&case["mask_if_order_kept"]), "{case}");
        }
    }
}

#[test]
fn region_masks_have_the_recorded_distribution() {
    for fixture in fixtures() {
        let recorded = &fixture.json(FILE)["region_mask"];
        let mut rng = ChaCha8Rng::seed_from_u64(2023);
        let mut counts = [0_u32; 50];
        let mut cells = [[0_u32; 7]; 7];
        for _ in 0..DRAWS {
            let mask = RegionMask::sample(RegionMask::PUBLISHED_TARGET, &mut rng);
            counts[mask.count()] += 1;
            for (row, hidden) in cells.iter_mut().zip(mask.rows()) {
                row.iter_mut()
                    .zip(hidden)
                    .for_each(|(cell, hidden)| *cell += u32::from(*hidden));
            }
        }
        let draws = f64::from(DRAWS);
        let recorded_draws = recorded["draws"].as_f64().unwrap();
        // Five standard errors of the difference of two shares.
        let close = |found: f64, expected: f64| {
            let variance = expected * (1.0 - expected);
            let error = (variance / draws + variance / recorded_draws)
                .sqrt()
                .max(1.0 / draws);
            (found - expected).abs() < 5.0 * error
        };
        for (count, found) in counts.into_iter().enumerate() {
            let expected = recorded["count_histogram"][count.to_string()]
                .as_f64()
                .unwrap_or(0.0);
            let (found, expected) = (f64::from(found) / draws, expected / recorded_draws);
            assert!(
                close(found, expected),
                "{count} cells: {found} of the masks, not {expected}"
            );
        }
        for (row, cells) in cells.iter().enumerate() {
            for (column, found) in cells.iter().enumerate() {
                let expected = recorded["cell_frequency"][row][column].as_f64().unwrap();
                let found = f64::from(*found) / draws;
                assert!(
                    close(found, expected),
                    "cell {row}, {column}: {found}, not {expected}"
                );
            }
        }
    }
}

#[derive(Deserialize)]
struct RecordedSchedule {
    name: String,
    base: f64,
    epochs: usize,
    by_epoch: bool,
    warmup_epochs: usize,
    warmup_ratio: f64,
    min_ratio: f64,
    points: Vec<(usize, f64)>,
}

#[test]
fn the_learning_rate_follows_the_same_curve() {
    for fixture in fixtures() {
        let about = fixture.json(FILE)["learning_rate"].clone();
        let mut deviations = Deviations::of(&fixture.name(), FILE);
        let cases: Vec<RecordedSchedule> = serde_json::from_value(about["cases"].clone()).unwrap();
        for case in cases {
            let progress = if case.by_epoch {
                Progress::ByEpoch
            } else {
                Progress::PerIteration
            };
            let schedule = Schedule {
                base: case.base,
                minimum_ratio: case.min_ratio,
                epochs: case.epochs,
                iterations_per_epoch: integer(&about["epoch_len"]),
                warmup_epochs: case.warmup_epochs as f64,
                warmup_start_ratio: case.warmup_ratio,
                progress,
            };
            for (iteration, recorded) in case.points {
                let name = format!("{} at {iteration}", case.name);
                // Where almost all cancels, the published sum in doubles keeps ten digits.
                deviations.number(&name, schedule.learning_rate(iteration), recorded, 1e-9);
            }
        }
        deviations.finish();
    }
}
