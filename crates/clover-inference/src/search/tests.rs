use std::fs;

use burn_flex::Flex;

use super::*;
use crate::NeutralTexts;
use crate::index::tests::{animation, bundle, library, update};

struct Library {
    root: tempfile::TempDir,
}

impl Library {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        library(&root.path().join("videos"));
        let library = Self { root };
        library.update();
        library
    }

    fn videos(&self) -> PathBuf {
        self.root.path().join("videos")
    }

    fn index(&self) -> PathBuf {
        self.root.path().join("index")
    }

    fn update(&self) {
        update(&self.index(), &self.videos());
    }

    fn searcher(&self) -> Searcher<Flex> {
        let device = Default::default();
        let index = VideoIndex::open(&self.index()).unwrap();
        Searcher::new(index, Bundle::read(bundle(), &device).unwrap(), device).unwrap()
    }
}

fn text(text: &str) -> SearchQuery {
    SearchQuery {
        text: Some(text.to_owned()),
        top: 10,
        ..SearchQuery::default()
    }
}

fn names(found: &SearchResult) -> Vec<String> {
    let names = found
        .moments
        .iter()
        .map(|moment| moment.path.file_name().unwrap());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_clip_is_found_once_by_its_best_row() {
    let library = Library::new();
    let searcher = library.searcher();

    let found = searcher.search(&text("a red circle")).unwrap();

    assert_eq!(found.moments.len(), 4);
    let scores: Vec<f32> = found.moments.iter().map(|moment| moment.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let query = searcher
        .embedder()
        .embed_texts(&["a red circle".to_owned()])
        .unwrap();
    let rows = searcher.index().each_row();
    let best = rows.map(|(_, row)| {
        row.iter()
            .zip(query.row(0))
            .map(|(a, b)| a * b)
            .sum::<f32>()
    });
    assert!((best.fold(f32::MIN, f32::max) - scores[0]).abs() < 1e-6);
    for moment in &found.moments {
        let is_footage = moment.path.ends_with("footage.gif");
        assert_eq!(moment.span.is_some(), is_footage, "{moment:?}");
    }
    assert_eq!((found.matches, found.cut), (None, false));
}

#[test]
fn a_clip_looks_most_like_itself_and_a_window_like_its_own() {
    let library = Library::new();
    let searcher = library.searcher();
    let like = |name: &str, span| SearchQuery {
        like: vec![(ClipSource::Path(library.videos().join(name)), span)],
        top: 1,
        ..SearchQuery::default()
    };

    let short = searcher.search(&like("b.gif", None)).unwrap();
    let window = Span::new(8_000, 16_000).ok();
    let footage = searcher.search(&like("more/footage.gif", window)).unwrap();

    assert_eq!(names(&short), ["b.gif"]);
    assert!((short.moments[0].score - 1.0).abs() < 1e-5);
    assert_eq!(names(&footage), ["footage.gif"]);
    let span = footage.moments[0].span.unwrap();
    assert!(span.start() <= 8_000 && span.end() >= 16_000, "{span:?}");
}

#[test]
fn a_folder_holds_back_all_others_and_copies_are_named() {
    let library = Library::new();
    fs::copy(
        library.videos().join("a.gif"),
        library.videos().join("more/copy.gif"),
    )
    .unwrap();
    library.update();
    let searcher = library.searcher();
    let within = |folder: PathBuf| SearchQuery {
        within: Some(folder),
        ..text("blue")
    };

    let mut found = names(
        &searcher
            .search(&within(library.videos().join("more")))
            .unwrap(),
    );
    found.sort();

    assert_eq!(found, ["copy.gif", "footage.gif", "image.png"]);
    let found = searcher
        .search(&within(library.videos().join("a.gif")))
        .unwrap();
    assert!(
        found.moments[0].copies[0].ends_with("more/copy.gif"),
        "{found:?}"
    );
    let nowhere = searcher.search(&within(PathBuf::from("/nowhere"))).unwrap();
    assert_eq!((nowhere.moments.len(), nowhere.matches), (0, None));
}

#[test]
fn what_is_not_wanted_moves_away() {
    let library = Library::new();
    let searcher = library.searcher();
    let plain = searcher.search(&text("a red circle")).unwrap();
    let last = plain.moments.last().unwrap().path.clone();

    let query = SearchQuery {
        not: vec!["a red circle".to_owned()],
        like: vec![(ClipSource::Path(last.clone()), None)],
        text: None,
        top: 1,
        ..SearchQuery::default()
    };

    assert_eq!(searcher.search(&query).unwrap().moments[0].path, last);
}

#[test]
fn queries_without_meaning_are_refused_by_name() {
    let library = Library::new();
    let searcher = library.searcher();
    let refused = |query: &SearchQuery| searcher.search(query).unwrap_err().to_string();

    assert!(refused(&text(" ")).contains("the query: is empty"));
    assert!(refused(&text(&"red ".repeat(10_000))).contains("10000 words"));
    assert!(refused(&SearchQuery::default()).contains("needs a text"));
    let gone = SearchQuery {
        like: vec![(ClipSource::Path("gone.mp4".into()), None)],
        top: 1,
        ..SearchQuery::default()
    };
    assert!(refused(&gone).contains("gone.mp4"));
    let example = SearchQuery {
        rerank: true,
        text: None,
        like: vec![(ClipSource::Path(library.videos().join("a.gif")), None)],
        top: 1,
        ..SearchQuery::default()
    };
    assert!(refused(&example).contains("rerank"));
}

#[test]
fn a_text_longer_than_the_model_reads_is_said_to_be_cut() {
    let library = Library::new();

    let found = library
        .searcher()
        .search(&text("red blue a circle red blue a circle"))
        .unwrap();

    assert!(found.cut);
}

#[test]
fn the_fusion_encoder_orders_the_same_clips_and_leaves_out_one_that_is_gone() {
    let library = Library::new();
    let searcher = library.searcher();
    let query = SearchQuery {
        rerank: true,
        ..text("a red circle")
    };
    let (mut plain, found) = (
        names(&searcher.search(&text("a red circle")).unwrap()),
        searcher.search(&query).unwrap(),
    );

    let mut ordered = names(&found);
    let sums = found.moments.iter().map(|one| {
        let combined = one.combined.unwrap();
        assert!((combined - one.score / 0.05 - one.fused.unwrap()).abs() < 1e-3);
        combined
    });
    assert!(
        sums.collect::<Vec<_>>().is_sorted_by(|a, b| a >= b),
        "{found:?}"
    );
    plain.sort();
    ordered.sort();
    assert_eq!(ordered, plain);
    fs::remove_file(library.videos().join("a.gif")).unwrap();
    assert_eq!(searcher.search(&query).unwrap().moments.len(), 3);
}

#[test]
fn a_library_that_was_measured_says_where_a_score_stands_until_it_grows() {
    let library = Library::new();
    let searcher = library.searcher();
    let neutral = NeutralTexts {
        texts: ["red", "blue", "a circle"].map(str::to_owned).to_vec(),
        own_scores: Vec::new(),
    };
    Calibration::measure(searcher.index(), searcher.embedder(), &neutral).unwrap();

    let found = library.searcher().search(&text("a circle")).unwrap();

    let places: Vec<f32> = found
        .moments
        .iter()
        .map(|moment| moment.place.unwrap())
        .collect();
    assert!(
        places.is_sorted_by(|a, b| a >= b) && places[0] <= 1.0,
        "{places:?}"
    );
    assert!(found.matches.is_some());
    animation(&library.videos().join("new.gif"), 1, 5);
    library.update();
    let found = library.searcher().search(&text("a circle")).unwrap();
    assert_eq!((found.matches, found.moments[0].place), (None, None));
}

#[test]
fn a_model_that_hardly_knows_its_own_clips_does_not_claim_a_match() {
    let library = Library::new();
    let searcher = library.searcher();
    let texts = ["red", "blue", "a circle"].map(str::to_owned).to_vec();
    let matches = |own: f32, of: &str| {
        let neutral = NeutralTexts {
            texts: texts.clone(),
            own_scores: vec![own; 3],
        };
        Calibration::measure(searcher.index(), searcher.embedder(), &neutral).unwrap();
        library.searcher().search(&text(of)).unwrap().matches
    };
    let best = |of: &str| searcher.search(&text(of)).unwrap().moments[0].score;
    let mut ordered = ["red", "blue", "a circle"];
    ordered.sort_by(|a, b| best(a).total_cmp(&best(b)));

    assert_eq!(matches(1.0, ordered[0]), Some(false));
    assert_eq!(matches(-1.0, ordered[2]), None);
}

#[test]
fn an_approximate_search_never_finds_what_is_gone_and_keeps_to_a_folder() {
    let library = Library::new();
    let mut searcher = library.searcher();
    let missing = searcher.search_approximately().unwrap_err().to_string();
    assert!(missing.contains("--approximate"), "{missing}");
    let neutral = searcher.embedder().embed_texts(&["red".to_owned()]);
    let index = searcher.index();
    index.build_inverted_file(&neutral.unwrap()).unwrap();
    let best = |searcher: &Searcher<Flex>, within| {
        let query = SearchQuery {
            top: 1,
            within,
            ..text("a red circle")
        };
        searcher.search(&query).unwrap().moments.remove(0)
    };
    let exact = best(&searcher, None);

    searcher.search_approximately().unwrap();

    assert_eq!(best(&searcher, None), exact);
    let folder = library.videos().join("b.gif");
    assert_eq!(best(&searcher, Some(folder.clone())).path, folder);
    fs::remove_file(&exact.path).unwrap();
    library.update();
    searcher.reload().unwrap();
    let next = best(&searcher, None);
    assert!(next.path != exact.path && next.score <= exact.score);
    assert_eq!(next, best(&library.searcher(), None));
}

#[test]
fn an_index_whose_bundle_was_changed_is_refused_by_name() {
    let library = Library::new();

    let error = Searcher::<Flex>::open(&library.index(), Default::default()).unwrap_err();

    // The tests' index names no bundle that is there.
    assert!(error.to_string().contains("bundle"), "{error}");
}

#[test]
fn queries_together_find_what_each_finds_alone() {
    let library = Library::new();
    let searcher = library.searcher();
    let mut queries: Vec<_> = ["a red video", "blue", ""].map(text).into();
    queries[1].not = vec!["red".to_owned(), "green".to_owned()];
    queries.push(SearchQuery {
        within: Some(library.videos().join("none")),
        ..text("red")
    });

    let together = searcher.search_many(&queries);

    assert!(together[2].is_err());
    for (query, together) in queries.iter().zip(&together) {
        let (Ok(alone), Ok(together)) = (searcher.search(query), together) else {
            continue;
        };
        assert_eq!(names(&alone), names(together));
        for (alone, together) in alone.moments.iter().zip(&together.moments) {
            assert!((alone.score - together.score).abs() < 1e-4);
        }
    }
    assert!(together[3].as_ref().unwrap().moments.is_empty());
}

#[test]
fn a_clip_of_the_index_is_most_like_itself() {
    let library = Library::new();
    let searcher = library.searcher();
    let index = searcher.index();
    for record in index.library().records() {
        let Some(embedding) = index.embedding(&record.key, None) else {
            continue;
        };
        let like = SearchQuery {
            like_embeddings: vec![embedding],
            top: 1,
            ..SearchQuery::default()
        };

        let found = searcher.search(&like).unwrap();

        assert!(found.moments[0].score > 0.99, "{:?}", record.key);
    }
    let short = SearchQuery {
        like_embeddings: vec![vec![1.0]],
        ..SearchQuery::default()
    };
    assert!(searcher.search(&short).is_err());
}
