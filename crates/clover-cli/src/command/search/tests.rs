use super::*;
use clover_inference::ClipKey;

fn moment(path: &str, span: Option<(u64, u64)>) -> FoundMoment {
    FoundMoment {
        path: path.into(),
        clip: ClipKey {
            source: 0,
            path: path.to_owned(),
            span_ms: span,
        },
        copies: Vec::new(),
        span: span.map(|(start, end)| Span::new(start, end).unwrap()),
        score: 0.3124,
        place: None,
        fused: None,
        combined: None,
    }
}

#[test]
fn moments_stand_in_numbered_columns_with_what_their_scores_mean() {
    let found = SearchResult {
        moments: vec![
            FoundMoment {
                copies: vec!["copy.mp4".into()],
                place: Some(0.997),
                ..moment("videos/a.mp4", Some((80_000, 88_000)))
            },
            FoundMoment {
                fused: Some(0.4),
                combined: Some(6.648),
                ..moment("b.png", None)
            },
        ],
        matches: Some(true),
        cut: false,
    };

    let lines = lines(&SearchQuery::default(), &found, &[]);

    let expected = [
        "1. videos/a.mp4  1:20 to 1:28  0.312                                   \
         better than 99.7 % of unrelated texts",
        "   the same as copy.mp4",
        "2. b.png         all of it     +6.65 (similarity 0.312, fusion +0.40)",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn paths_begin_below_the_source_and_whole_clips_say_nothing_of_time() {
    let list = |name: &str| LibrarySource::of(Path::new("/lists").join(name));
    let clip = |path: &str| FoundMoment {
        path: Path::new("/films").join(path),
        copies: vec!["/films/more/copy.png".into(), "/else/copy.png".into()],
        ..moment(path, None)
    };
    let found = SearchResult {
        moments: vec![clip("a/one.png"), clip("b.png")],
        matches: Some(true),
        cut: false,
    };
    let lines = |sources: &[LibrarySource]| lines(&SearchQuery::default(), &found, sources);

    let expected = [
        "1. a/one.png  0.312",
        "   the same as more/copy.png",
        "   the same as /else/copy.png",
        "2. b.png      0.312",
    ];
    assert_eq!(lines(&[list("one.csv")])[..4], expected);
    let several = lines(&[list("one.csv"), list("two.csv")]);
    assert_eq!(several[0], "1. one.csv/a/one.png  0.312");
}

#[test]
fn no_match_a_cut_text_and_an_empty_folder_are_said_plainly() {
    let mut found = SearchResult {
        moments: vec![moment("a.mp4", None)],
        matches: Some(false),
        cut: true,
    };
    let mut query = SearchQuery::default();

    assert_eq!(lines(&query, &found, &[])[..2], [CUT, NO_MATCH]);
    found.matches = None;
    assert_eq!(lines(&query, &found, &[]).len(), 2);
    found.moments[0].place = Some(0.9);
    assert_eq!(lines(&query, &found, &[])[1], CANNOT_TELL);
    found.moments.clear();
    found.cut = false;
    let empty = lines(&query, &found, &[]);
    assert_eq!(empty, ["there is no clip in this index"]);
    query.within = Some("a\nb".into());
    let expected = ["no clip of this index lies in a\\nb"];
    assert_eq!(lines(&query, &found, &[]), expected);
}

#[test]
fn times_are_told_as_on_a_clock() {
    let cases = [
        (0, "0:00"),
        (80_500, "1:20.5"),
        (3_600_000 + 62_001, "1:01:02.001"),
        (59_990, "0:59.99"),
    ];

    for (time, expected) in cases {
        assert_eq!(clock(time), expected);
    }
}

#[test]
fn no_file_name_breaks_a_line_or_commands_a_terminal() {
    let name = "a\nb\r\u{1b}[2Jc\u{202e}gpm.\u{2028}\u{e9}.mp4";
    let line = in_a_line(Path::new(name));
    assert_eq!(line, "a\\nb\\r\\u{1b}[2Jc\\u{202e}gpm.\\u{2028}\u{e9}.mp4");
    #[cfg(unix)]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let name = Path::new(OsStr::from_bytes(b"a\xff\xfeb.mp4"));
        assert_eq!(in_a_line(name), "a\\xff\\xfeb.mp4");
    }
}

/// Whole searches, in an index of three short clips.
#[cfg(feature = "flex")]
mod searches {
    use super::*;
    use std::ops::ControlFlow;

    use burn::backend::Autodiff;
    use burn_flex::Flex;
    use clover_data::dataset::ClipTable;
    use clover_data::video::ClipSource;
    use clover_inference::{
        Bundle, Embeddings, IndexSettings, IndexWriter, LibrarySource, NeutralTexts, RowPrecision,
        UpdateOptions, VideoIndex, WindowSettings, ready_index,
    };

    /// A folder with a bundle, clips, and their index.
    struct Library {
        folder: tempfile::TempDir,
        clips: Vec<PathBuf>,
        approximate: bool,
    }

    impl Library {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path().canonicalize().unwrap();
            let clips = super::super::super::bundle_folder::small::write(&root, None);
            let bundle = root.join("bundle");
            let device = Default::default();
            let embedder = Bundle::<Flex>::read(&bundle, &device)
                .unwrap()
                .into_embedder(device);
            let neutral = NeutralTexts {
                texts: ["a red circle", "a blue square"]
                    .map(str::to_owned)
                    .to_vec(),
                own_scores: Vec::new(),
            };
            let settings = IndexSettings {
                rows: RowPrecision::F32,
                windows: WindowSettings {
                    window_ms: 200,
                    stride_ms: 100,
                    shots: false,
                },
                ..IndexSettings::of_bundle(&bundle).unwrap()
            };
            let mut writer = IndexWriter::open(&root.join("index"), &settings).unwrap();
            let videos = clips[0].parent().unwrap();
            let clips_there = ClipTable::open(videos, None, &|_, _| ()).unwrap();
            let source = writer
                .source(LibrarySource::of(videos), clips_there)
                .unwrap();
            let options = UpdateOptions::new(1, &[]).unwrap();
            writer
                .update(&embedder, &[source], &options, &mut |_| {
                    ControlFlow::Continue(())
                })
                .unwrap();
            ready_index(&root.join("index"), &embedder, &neutral, false).unwrap();
            Self {
                folder,
                clips,
                approximate: false,
            }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// What is printed.
        fn search(
            &self,
            query: SearchQuery,
            form: Form,
            html: Option<&str>,
            input: &str,
        ) -> Result<String> {
            let mut output = Vec::new();
            let searching = Searching {
                index: self.path("index"),
                approximate: self.approximate,
                query: SearchQuery { top: 10, ..query },
                form,
                html: html.map(|name| self.path(name)),
                input: &mut input.as_bytes(),
                output: &mut output,
            };
            searching.run::<Autodiff<Flex>>(Default::default())?;
            Ok(String::from_utf8(output).unwrap())
        }
    }

    fn text(text: &str) -> SearchQuery {
        SearchQuery {
            text: Some(text.to_owned()),
            ..SearchQuery::default()
        }
    }

    #[test]
    fn an_approximate_search_needs_lists_and_finds_the_same_in_a_small_library() {
        let mut library = Library::new();
        let search = |library: &Library| library.search(text("red"), Form::Json, None, "");
        let exact = search(&library).unwrap();
        library.approximate = true;

        let error = search(&library).unwrap_err().to_string();
        assert!(error.contains("clover index --approximate"), "{error}");
        let index = VideoIndex::open(&library.path("index")).unwrap();
        index.build_inverted_file(&Embeddings::default()).unwrap();

        assert_eq!(search(&library).unwrap(), exact);
    }

    #[test]
    fn a_text_finds_moments_and_a_clip_finds_itself() {
        let library = Library::new();
        let like = SearchQuery {
            like: vec![(ClipSource::Path(library.clips[1].clone()), None)],
            ..SearchQuery::default()
        };
        let own = SearchQuery {
            within: Some(library.clips[2].clone()),
            rerank: true,
            ..text("a red circle")
        };

        let found = library
            .search(text("a red circle"), Form::Lines, None, "")
            .unwrap();
        let itself = library.search(like, Form::Json, None, "").unwrap();
        let own = library.search(own, Form::Json, None, "").unwrap();

        let numbered = found.lines().filter(|line| line.contains(". 0")).count();
        assert_eq!(numbered, 3, "{found}");
        assert!(
            found.contains(" to ") && found.contains("of unrelated texts"),
            "{found}"
        );
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (itself, own) = (json(&itself), json(&own));
        let path = |clip: usize| json!(library.clips[clip].canonicalize().unwrap());
        assert_eq!(itself["moments"][0]["path"], path(1));
        assert!(itself["moments"][0]["score"].as_f64().unwrap() > 0.999);
        assert_eq!(itself["like"][0]["clip"], json!(library.clips[1]));
        assert_eq!(own["moments"].as_array().unwrap().len(), 1);
        assert_eq!(own["moments"][0]["path"], path(2));
        assert!(own["moments"][0]["fused"].is_number(), "{own}");
    }

    #[test]
    fn texts_are_answered_a_line_each_and_a_wrong_one_does_not_end_it() {
        let library = Library::new();
        let endless = "word ".repeat(10_000);
        let input = format!("a red circle\n\n{endless}\na blue square");

        let json = library
            .search(SearchQuery::default(), Form::Json, None, &input)
            .unwrap();
        let lines = library
            .search(SearchQuery::default(), Form::Lines, None, &input)
            .unwrap();

        let answers: Vec<Value> = json
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(answers.len(), 4);
        assert_eq!(answers[0]["text"], "a red circle");
        assert_eq!(answers[3]["line"], 4);
        assert_eq!(answers[3]["moments"].as_array().unwrap().len(), 3);
        for (answer, expected) in [(1, "is empty"), (2, "line 3 has more than")] {
            let error = answers[answer]["error"].as_str().unwrap();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(lines.matches("1. ").count(), 2, "{lines}");
        assert_eq!(lines.matches("error: ").count(), 2, "{lines}");
    }

    #[test]
    fn empty_and_endless_texts_and_examples_that_are_gone_are_errors_by_name() {
        let library = Library::new();
        let error = |query| {
            let found = library.search(query, Form::Lines, None, "");
            format!("{:#}", found.unwrap_err())
        };
        let gone = SearchQuery {
            like: vec![(ClipSource::Path("gone.mp4".into()), None)],
            ..SearchQuery::default()
        };

        assert!(error(text(" ")).contains("the query: is empty"));
        assert!(error(text(&"word ".repeat(10_000))).contains("has 10000 words"));
        assert!(error(gone).contains("gone.mp4"));
    }

    #[test]
    fn the_page_shows_each_moment_and_says_which_clip_is_gone() {
        let library = Library::new();
        std::fs::remove_file(&library.clips[0]).unwrap();
        let query = text("a <b>red</b> circle");

        let printed = library
            .search(query, Form::Lines, Some("page.html"), "")
            .unwrap();
        let folder = library.search(text("blue"), Form::Lines, Some("index"), "");

        let page = std::fs::read_to_string(library.path("page.html")).unwrap();
        assert!(printed.contains("page.html"), "{printed}");
        assert!(page.contains("<h1>a &lt;b&gt;red&lt;/b&gt; circle</h1>"));
        let count = |part: &str| page.matches(part).count();
        assert_eq!(count("src=\"data:image/jpeg;base64,"), 2);
        assert_eq!(count("alt=\"frames: "), 2);
        assert_eq!(count("href=\"file:///"), 2);
        assert_eq!(count("#t="), 2);
        assert_eq!(count("No frames can be shown: "), 1);
        for outside in ["http", "url(", "<link", "<script", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(folder.is_err());
    }

    #[test]
    fn the_best_moments_are_asked_about() {
        let library = Library::new();

        let asked = super::super::super::ask::of_index(
            library.path("index"),
            "a circle that is",
            &["red", "blue"],
        );
        let (matches, found) = asked.unwrap();

        assert!(matches.is_some());
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|(_, answers)| answers.known == 2));
    }
}
