use super::*;
use crate::dataset::Caption;
use crate::synthetic::benchmark::question::answers;
use crate::synthetic::benchmark::words::benchmark_vocabulary;
use crate::text::WordPieceTokenizer;
use std::collections::HashSet;

fn benchmark(clips: usize) -> Benchmark {
    let config = BenchmarkConfig {
        clips,
        seed: 7,
        ..BenchmarkConfig::default()
    };
    Benchmark::plan(&config).unwrap()
}

fn clips(benchmark: &Benchmark, split: Split) -> impl Iterator<Item = BenchmarkClip> {
    let range = benchmark.range(split);
    range.map(|index| benchmark.clip(index).unwrap())
}

fn texts(clip: &BenchmarkClip) -> Vec<&str> {
    clip.annotations
        .retrieval
        .captions
        .iter()
        .map(Caption::text)
        .collect()
}

#[test]
fn held_out_combinations_are_never_trained_on() {
    let benchmark = benchmark(3_000);
    let shown = |split, all: bool| -> HashSet<_> {
        let seen = clips(&benchmark, split).map(|clip| clip.scene.seen());
        seen.flat_map(|story| {
            let shapes = if all { story.actors.len() } else { 1 };
            let shown = (0..shapes).flat_map(|actor| story.combinations(actor));
            shown.collect::<Vec<_>>()
        })
        .collect()
    };

    let (train, validation, test) = (
        shown(Split::Train, true),
        shown(Split::Validation, false),
        shown(Split::Test, false),
    );

    assert!(train.is_disjoint(&validation));
    assert!(train.is_disjoint(&test));
    assert!(validation.is_disjoint(&test));
    // All that are trained on, and most of the 48 that are held out.
    assert_eq!(train.len(), 288);
    assert!(validation.len() > 40 && test.len() > 40);
}

#[test]
fn a_companion_played_backwards_shows_the_frames_of_its_twin() {
    let benchmark = benchmark(1_000);
    let mut turned = 0;
    for clip in clips(&benchmark, Split::Test) {
        let Some(twin) = clip.twin.filter(|twin| twin.difference == Difference::Time) else {
            continue;
        };
        let twin = benchmark.clip(twin.clip).unwrap();

        let mut frames = clip.scene.render(16, 32);

        assert_ne!(frames, twin.scene.render(16, 32));
        frames.reverse();
        assert_eq!(frames, twin.scene.render(16, 32));
        assert!(texts(&clip).iter().all(|text| !texts(&twin).contains(text)));
        turned += 1;
    }
    // All of the twenty groups but the shapes that go there and back, one in twelve.
    assert!(turned >= 15, "{turned}");
}

#[test]
fn clips_to_train_on_come_in_groups_where_asked_for() {
    let config = BenchmarkConfig {
        train_twins: true,
        ..*benchmark(400).config()
    };
    let twins = Benchmark::plan(&config).unwrap();

    let clips: Vec<_> = clips(&twins, Split::Train).collect();

    for group in clips.chunks(MEMBERS) {
        assert_eq!(group[0].twin, None);
        for clip in &group[1..] {
            assert_eq!(
                clip.twin.map(|twin| twin.clip),
                Some(group[0].index),
                "{}",
                clip.index
            );
            assert_eq!(clip.split, Split::Train);
        }
    }
    let alone = benchmark(400);
    let mut alone = alone.range(Split::Train).map(|clip| alone.clip(clip));
    assert!(alone.all(|clip| clip.unwrap().twin.is_none()));
}

#[test]
fn companions_differ_from_their_twin_in_pictures_and_words() {
    let benchmark = benchmark(1_000);
    for clip in clips(&benchmark, Split::Validation) {
        let Some(twin) = clip.twin else { continue };
        let other = benchmark.clip(twin.clip).unwrap();

        assert_eq!((other.split, other.twin), (Split::Validation, None));
        assert_ne!(clip.scene.render(16, 32), other.scene.render(16, 32));
        assert!(
            texts(&clip)
                .iter()
                .all(|text| !texts(&other).contains(text))
        );
        let id = clip.annotations.retrieval.id.unwrap();
        assert!(id.ends_with(twin.difference.name()), "{id}");
    }
}

#[test]
fn every_answer_follows_from_the_scene_and_stands_in_the_list() {
    let closed = answers();
    let benchmark = benchmark(500);
    for index in 0..500 {
        let clip = benchmark.clip(index).unwrap();
        let seen = clip.scene.seen();

        assert_eq!(clip.annotations.open_ended.len(), 2);
        for (item, question) in clip
            .annotations
            .open_ended
            .iter()
            .zip(&clip.annotations.questions)
        {
            assert_eq!(item.answers, [question.answer(&seen).unwrap()]);
            assert!(closed.contains(&item.answers[0]));
        }
        for item in &clip.annotations.multiple_choice {
            assert_eq!(item.options.len(), MEMBERS);
            let asked = !item.question.is_empty();
            assert!(!asked || item.options.iter().all(|option| closed.contains(option)));
        }
    }
}

#[test]
fn every_word_is_one_piece_of_the_vocabulary() {
    let lines = benchmark_vocabulary();
    let lines = lines.iter().map(String::as_str);
    let tokenizer = WordPieceTokenizer::from_vocab_lines(lines, "vocab.txt").unwrap();
    let benchmark = benchmark(500);
    for index in 0..500 {
        let clip = benchmark.clip(index).unwrap();
        let choices = clip.annotations.multiple_choice.iter();
        let choices = choices.flat_map(|item| item.options.iter().chain([&item.question]));
        let questions = clip.annotations.open_ended.iter();
        let questions = questions.flat_map(|item| item.answers.iter().chain([&item.question]));
        let others = choices.chain(questions).map(String::as_str);
        for text in texts(&clip).into_iter().chain(others) {
            let encoding = tokenizer.encode(text, 64).unwrap();

            assert_eq!(
                encoding.words.len(),
                text.split_whitespace().count(),
                "{text}"
            );
            assert!(encoding.words.iter().all(|word| word.len() == 1), "{text}");
            assert!(
                !encoding.ids.contains(&tokenizer.special().unknown),
                "{text}"
            );
        }
    }
}

#[test]
fn captions_are_different_and_short_enough_to_read_whole() {
    let benchmark = benchmark(500);
    for index in 0..500 {
        let clip = benchmark.clip(index).unwrap();

        let different: HashSet<_> = texts(&clip).into_iter().collect();

        assert_eq!(different.len(), 3);
        let longest = different.iter().map(|text| text.split(' ').count()).max();
        assert!(longest.unwrap() <= 44, "{different:?}");
    }
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
    let message = benchmark.clip(1_000_000).unwrap_err().to_string();
    assert!(message.contains("999999"), "{message}");
}
