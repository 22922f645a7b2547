use super::*;
use crate::dataset::{ClipTable, MultipleChoiceItem, OpenEndedItem, RetrievalItem};
use crate::text::WordPieceTokenizer;
use crate::video::{DecodeLimits, decode_clip};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

const CONFIG: BenchmarkConfig = BenchmarkConfig {
    clips: 100,
    frames: 8,
    size: 32,
    seed: 5,
    shapes: 3,
    train_twins: false,
    captions_per_clip: 3,
    questions_per_clip: 2,
    validation_share: 0.1,
    test_share: 0.1,
};

fn write(config: &BenchmarkConfig, folder: &Path, threads: usize) -> BenchmarkFiles {
    write_on_threads(config, folder, threads, |_, _| ()).unwrap()
}

/// Every file below a folder, by its path.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                all.insert(name, fs::read(path).unwrap());
            }
        }
    }
    all
}

fn items<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

#[test]
fn the_same_seed_writes_the_same_bytes_on_one_thread_and_on_four() {
    let [one, four, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());

    write(&CONFIG, one.path(), 1);
    write(&CONFIG, four.path(), 4);
    write(&BenchmarkConfig { seed: 6, ..CONFIG }, other.path(), 4);

    let files = contents(one.path());
    // The clips, four files beside the splits, four and twice five in them.
    assert_eq!(files.len(), 100 + 4 + 4 + 10);
    assert!(files == contents(four.path()));
    assert!(files != contents(other.path()));
}

#[test]
fn every_clip_on_disk_decodes_to_the_frames_that_were_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(&CONFIG, folder.path(), 2);
    let benchmark = Benchmark::plan(&CONFIG).unwrap();
    for index in 0..100 {
        let clip = benchmark.clip(index).unwrap();
        let path = files.clips.join(&clip.file);

        let decoded = decode_clip(&path, &DecodeLimits::default(), |frames| {
            (0..frames).collect()
        });

        let drawn = clip.scene.render(8, 32);
        assert!(decoded.unwrap().pixels() == drawn.concat(), "{index}");
    }
}

#[test]
fn the_annotations_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(&CONFIG, folder.path(), 2);
    let record: Value = serde_json::from_slice(&fs::read(&files.record).unwrap()).unwrap();
    assert_eq!(record["complete"], true);
    for (split, clips) in Split::ALL.into_iter().zip([80, 10, 10]) {
        let paths = files.split(split);

        let retrieval: Vec<RetrievalItem> = items(&paths.retrieval);
        let choices: Vec<MultipleChoiceItem> = items(&paths.multiple_choice);
        let questions: Vec<OpenEndedItem> = items(&paths.open_ended);
        let pairs = ClipTable::open(&paths.pairs, None, &|_, _| ()).unwrap();

        assert_eq!(retrieval.len(), clips);
        assert!(
            retrieval
                .iter()
                .all(|item| files.clips.join(&item.clip).is_file())
        );
        // Three captions a clip.
        assert_eq!((pairs.len(), pairs.apart().len()), (clips, 3 * clips));
        assert!((0..clips).all(|row| Path::new(&pairs.name(row)).is_file()));
        assert!(choices.iter().all(|item| item.answer < item.options.len()));
        let counts = &record["counts"][split.name()];
        assert_eq!(counts["multiple_choice"], choices.len());
        assert_eq!(counts["open_ended"], questions.len());
        assert_eq!(counts["captions"], 3 * clips);
    }
    let negatives: Vec<Value> = items(files.test.negatives.as_deref().unwrap());
    assert_eq!(negatives.len(), 8);
    assert_eq!(negatives[0]["twin"], "000/000090.gif");
}

#[test]
fn the_vocabulary_and_the_answers_read_back() {
    let folder = tempfile::tempdir().unwrap();

    let files = write(&CONFIG, folder.path(), 2);

    WordPieceTokenizer::from_vocab_file(&files.vocabulary).unwrap();
    let lines = fs::read_to_string(&files.answers_text).unwrap();
    let numbers = fs::read(&files.answers_json).unwrap();
    let numbers: BTreeMap<String, usize> = serde_json::from_slice(&numbers).unwrap();
    assert_eq!(numbers.len(), lines.lines().count());
    assert!(
        lines
            .lines()
            .enumerate()
            .all(|(at, answer)| numbers[answer] == at)
    );
}

#[test]
fn an_interrupted_run_goes_on_and_draws_only_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let files = write(&CONFIG, folder.path(), 2);
    let whole = contents(folder.path());
    let [kept, lost, empty] =
        [3, 4, 5].map(|index| files.clips.join(format!("000/{index:06}.gif")));
    fs::write(&kept, "drawn before").unwrap();
    fs::remove_file(&lost).unwrap();
    fs::write(&empty, "").unwrap();
    fs::remove_file(&files.train.pairs).unwrap();

    write(&CONFIG, folder.path(), 2);

    assert_eq!(fs::read(&kept).unwrap(), b"drawn before");
    fs::write(&kept, &whole[Path::new("clips/000/000003.gif")]).unwrap();
    assert!(contents(folder.path()) == whole);
}

#[test]
fn progress_grows_to_the_number_of_clips() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Vec::new();

    write_on_threads(&CONFIG, folder.path(), 1, |done, all| {
        told.push((done, all));
    })
    .unwrap();

    assert!(told.is_sorted());
    assert_eq!(told.first(), Some(&(32, 100)));
    assert_eq!(told.last(), Some(&(100, 100)));
}

#[test]
fn a_folder_of_another_benchmark_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    write(&CONFIG, folder.path(), 2);
    let before = contents(folder.path());

    let other = BenchmarkConfig { seed: 6, ..CONFIG };
    let error = write_benchmark(&other, folder.path(), |_, _| ()).unwrap_err();

    assert!(matches!(error, DataError::OtherBenchmark { .. }));
    assert!(contents(folder.path()) == before);
}
