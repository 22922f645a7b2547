use super::super::sample::Sample;
use super::super::{AnnotationFormat, Converted, convert};

/// What is there of each item: the clip, the span and the sentence.
fn moments(converted: &Converted) -> Vec<(String, String, String)> {
    let items = converted.retrieval().iter();
    items
        .map(|item| {
            let span = item.span.map(|span| span.to_string()).unwrap_or_default();
            let [caption] = &item.captions[..] else {
                panic!("{item:?}")
            };
            (item.clip.clone(), span, caption.text().to_owned())
        })
        .collect()
}

/// Converts the file as what it looks like; all but `skipped` rows are moments.
fn converted(name: &str, content: &str, format: AnnotationFormat) -> Converted {
    let converted = Sample::new(name, content).convert();
    assert_eq!(converted.format, format);
    converted
}

fn of<const N: usize>(wanted: [[&str; 3]; N]) -> Vec<(String, String, String)> {
    wanted
        .map(|[clip, span, text]| (clip.to_owned(), span.to_owned(), text.to_owned()))
        .to_vec()
}

/// Each reason has the words that belong to it.
fn assert_skipped(converted: &Converted, wanted: &[(&str, &str)]) {
    assert_eq!(converted.skipped.len(), wanted.len(), "{converted:?}");
    for (skipped, (row, reason)) in converted.skipped.iter().zip(wanted) {
        assert!(skipped.name.ends_with(row), "{skipped:?}: {row}");
        assert!(skipped.reason.contains(reason), "{skipped:?}: {reason}");
    }
}

#[test]
fn activitynet_has_lists_of_times_and_sentences() {
    let content = r#"{"v_QOlSCBRmfWY": {"duration": 82.73, "timestamps": [[0.83, 19.86],
        [17.37, 60.81]], "sentences": ["A young woman is seen standing.", " She dances."]},
        "v_b": {"sentences": ["a cat"], "timestamps": [[0, 5]], "duration": 5}}"#;

    let converted = converted("train.json", content, AnnotationFormat::ActivitynetCaptions);

    let wanted = [
        [
            "v_QOlSCBRmfWY.mp4",
            "0.83..19.86",
            "A young woman is seen standing.",
        ],
        ["v_QOlSCBRmfWY.mp4", "17.37..60.81", "She dances."],
        ["v_b.mp4", "0..5", "a cat"],
    ];
    assert_eq!(moments(&converted), of(wanted));
    assert_eq!(converted.skipped, []);
}

#[test]
fn a_span_that_is_none_costs_its_moment_by_name() {
    let times = [
        "[3,1]",
        "[-1,1]",
        "[NaN,1]",
        "[NaN,NaN]",
        "[0,Infinity]",
        "[\"a\",1]",
        "[1]",
        "7",
        "[[0],1]",
        "[0,1]",
    ]
    .join(",");
    let sentences = ["\"a cat\""; 10].join(",");
    let content = format!(
        r#"{{"v_a":{{"timestamps":[{times}],"sentences":[{sentences}]}},
            "v_b":{{"timestamps":[[0,1],[0,1]],"sentences":["a"]}},"v_c":[[0,1]],"v_d":{{}},
            "v_e":{{"timestamps":[[0,1],[0,1],[0,1]],"sentences":["a dog","",1]}},
            "v_f":{{"timestamps":7,"sentences":[]}},
            "{long}":{{"timestamps":[[0,1]],"sentences":["a"]}}}}"#,
        long = "v".repeat(256)
    );

    let converted = converted(
        "val_1.json",
        &content,
        AnnotationFormat::ActivitynetCaptions,
    );

    let wanted = [["v_a.mp4", "0..1", "a cat"], ["v_e.mp4", "0..1", "a dog"]];
    assert_eq!(moments(&converted), of(wanted));
    let reasons = [
        (
            "entry 1",
            "its moment 1, of \"v_a\": its start and end are no span: the span 3..1",
        ),
        (
            "entry 1",
            "moment 2, of \"v_a\": its start and end are no span: -1 s",
        ),
        ("entry 1", "moment 3, of \"v_a\": it has no start"),
        ("entry 1", "moment 4, of \"v_a\": it has no start and end"),
        ("entry 1", "moment 5, of \"v_a\": it has no end"),
        (
            "entry 1",
            "moment 6, of \"v_a\": its start and end are no span: \"a\"",
        ),
        (
            "entry 1",
            "moment 7, of \"v_a\": its timestamps is not a start and an end",
        ),
        (
            "entry 1",
            "moment 8, of \"v_a\": its timestamps is not a start and an end",
        ),
        (
            "entry 1",
            "moment 9, of \"v_a\": its start and end are no span",
        ),
        (
            "entry 2",
            "its timestamps and its sentences are not equally many",
        ),
        ("entry 3", "it is not an object"),
        ("entry 4", "moment 2, of \"v_e\": it has no sentence"),
        (
            "entry 4",
            "moment 3, of \"v_e\": its sentence is not a text",
        ),
        ("entry 5", "its timestamps is not a list"),
        ("entry 6", "is too long"),
    ];
    assert_skipped(&converted, &reasons);
}

const YOUCOOK: &str = r#"{"database": {
    "GLd3aX16zBg": {"duration": 241.6, "subset": "training", "recipe_type": "113", "annotations": [
        {"segment": [90, 102], "id": 0, "sentence": "spread margarine on the bread"},
        {"segment": [114, 113], "id": 1, "sentence": "place cheese"}]},
    "xHr8X2Wpmno": {"subset": "validation", "annotations": [
        {"segment": [47, 60], "id": 0, "sentence": "pick the ends off"}]},
    "V53XmPeyjIU": {"subset": "testing", "annotations": [{"segment": [1, 2], "id": 0}]}}}"#;

#[test]
fn a_subset_of_youcook_is_chosen_by_any_of_its_names() {
    let sample = Sample::new("youcookii_annotations_trainval.json", YOUCOOK);
    let split = |split: &str| {
        let mut request = sample.request();
        request.split = Some(split.to_owned());
        convert(&request)
    };

    let message = convert(&sample.request()).unwrap_err().to_string();
    let [training, train] = ["training", "train"].map(|name| split(name).unwrap());
    let [validation, val] = ["validation", "val"].map(|name| split(name).unwrap());
    let testing = split("test").unwrap_err().to_string();
    let unknown = split("trian").unwrap_err().to_string();

    assert!(
        message.contains("--split testing|training|validation"),
        "{message}"
    );
    let wanted = [[
        "GLd3aX16zBg.mp4",
        "90..102",
        "spread margarine on the bread",
    ]];
    assert_eq!(moments(&train), of(wanted));
    assert_skipped(
        &train,
        &[(
            "entry 1",
            "moment 2, of \"GLd3aX16zBg\": its start and end are no span",
        )],
    );
    assert_eq!(
        (train.format, train.unlisted),
        (AnnotationFormat::Youcook2, 2)
    );
    let wanted = [["xHr8X2Wpmno.mp4", "47..60", "pick the ends off"]];
    assert_eq!(moments(&val), of(wanted));
    assert_eq!((training, validation), (train, val));
    assert!(testing.contains("it has no sentence"), "{testing}");
    assert!(
        unknown.contains("testing, training, validation"),
        "{unknown}"
    );
}

#[test]
fn youcook_with_one_subset_or_none_needs_no_choice() {
    for subset in [r#""subset":"training","#, ""] {
        let content = format!(
            r#"{{"database":{{"a":{{{subset}"annotations":[{{"segment":["00:01:30",102],
                "sentence":"stir"}},7]}},"b":5}}}}"#
        );

        let converted = converted("one.json", &content, AnnotationFormat::Youcook2);

        assert_eq!(moments(&converted), of([["a.mp4", "90..102", "stir"]]));
        let reasons = [
            ("entry 1", "moment 2, of \"a\": it is not an object"),
            ("entry 2", "it is not an object"),
        ];
        assert_skipped(&converted, &reasons);
    }
}

#[test]
fn howto_is_a_table_an_object_of_videos_or_rows() {
    let format = AnnotationFormat::Howto100m;
    let csv =
        "video_id,start,end,text\nnVbIUDjzWY4,9.54,13.33,\"so, first\"\nQ.1,00:00:01,2.5,now\n";
    let tsv =
        "Video_ID\tEnd\tStart\tCaption\nnVbIUDjzWY4\t13.33\t9.54\tso, first\nQ.1\t2.5\t1\tnow\n";
    let sentence = csv.replace("text", "sentence");
    let json = r#"{"nVbIUDjzWY4":{"start":[9.54],"end":[13.33],"text":["so, first"]},
        "Q.1":{"text":["now"],"end":[2.5],"start":[1]}}"#;
    let lines = r#"{"video_id":"nVbIUDjzWY4","start":9.54,"end":13.33,"caption":"so, first"}
        {"video_id":"Q.1","start":1,"end":2.5,"caption":"now"}"#;

    for (name, content) in [
        ("howto.csv", csv),
        ("howto.tsv", tsv),
        ("howto.csv", &*sentence),
        ("caption.json", json),
        ("caption.jsonl", lines),
    ] {
        let converted = converted(name, content, format);

        let wanted = [
            ["nVbIUDjzWY4.mp4", "9.54..13.33", "so, first"],
            ["Q.1.mp4", "1..2.5", "now"],
        ];
        assert_eq!(moments(&converted), of(wanted), "{content}");
        assert_eq!(converted.skipped, [], "{content}");
    }
}

#[test]
fn rows_of_howto_without_a_span_are_named() {
    let csv = "video_id,start,end,text\na,,,no times\na,2,1,back\na,nan,1,none\na,0,x,word\n\
        ../a,0,1,out\na,0,1,right\n";
    let json = r#"{"a":{"start":[0,null],"end":[1,null],"text":["right","no times"]},
        "b":{"start":[0],"end":[1,2],"text":["a"]},"c":{"start":[0],"end":[1]}}"#;

    let csv = converted("howto.csv", csv, AnnotationFormat::Howto100m);
    let json = converted("howto.json", json, AnnotationFormat::Howto100m);

    assert_eq!(moments(&csv), of([["a.mp4", "0..1", "right"]]));
    assert_eq!(moments(&json), moments(&csv));
    let reasons = ["line 2", "line 6", "line 3", "line 4", "line 5"];
    for row in reasons {
        let named = csv
            .skipped
            .iter()
            .any(|skipped| skipped.name.ends_with(row));
        assert!(named, "{row}: {csv:?}");
    }
    let reasons = [
        ("entry 1", "moment 2, of \"a\": it has no start and end"),
        ("entry 2", "its start and its end are not equally many"),
        ("entry 3", "it has no text"),
    ];
    assert_skipped(&json, &reasons);
}

#[test]
fn clips_take_another_extension_or_pattern() {
    let sample = Sample::new("howto.csv", "video_id,start,end,text\na,0,1,now\n");
    let mut request = sample.request();
    request.extension = Some("webm".to_owned());
    assert_eq!(convert(&request).unwrap().retrieval()[0].clip, "a.webm");
    request.extension = None;
    request.clip_pattern = Some("{id}/{id}.mkv".to_owned());

    let converted = convert(&request).unwrap();

    assert_eq!(converted.retrieval()[0].clip, "a/a.mkv");
}

#[test]
fn internvid_has_clock_times() {
    let row = |start: &str, end: &str| {
        format!(
            r#"{{"YoutubeID":"6wIOJZXAo8g","Start_timestamp":{start},"End_timestamp":{end},"Caption":"a man"}}"#
        )
    };
    let content = [
        row("\"00:07:33.689\"", "\"00:07:51.085\""),
        row("\"00:07:51.085\"", "\"00:07:33.689\""),
        row("\"00:07:33.689\"", "null"),
        row("null", "null"),
        row("\"00:61:33\"", "\"02:00:00\""),
        row("0", "7.5"),
        "{\"YoutubeID\":".to_owned(),
        "7".to_owned(),
    ]
    .join("\n");

    let converted = converted("internvid.jsonl", &content, AnnotationFormat::Internvid);

    let wanted = [
        ["6wIOJZXAo8g.mp4", "453.689..471.085", "a man"],
        ["6wIOJZXAo8g.mp4", "0..7.5", "a man"],
    ];
    assert_eq!(moments(&converted), of(wanted));
    let reasons = [
        ("line 2", "does not end after it begins"),
        ("line 3", "it has no end"),
        ("line 4", "it has no start and end"),
        ("line 5", "\"00:61:33\" is no time"),
        ("line 7", "not the JSON"),
        ("line 8", "it is not an object"),
    ];
    assert_skipped(&converted, &reasons);
}

#[test]
fn a_query_of_qvhighlights_is_an_item_a_window() {
    let row = |windows: &str| {
        format!(
            r#"{{"qid":8737,"query":"Chef makes pizza","duration":126,"vid":"bP5KfdFJzC4_660.0_810.0",
            "relevant_windows":{windows},"relevant_clip_ids":[0,1],"saliency_scores":[[4,1,1]]}}"#
        )
        .replace('\n', " ")
    };
    let many = format!("[{}[0,1]]", "[0,1],".repeat(1_000));
    let content = [
        &*row("[[0, 16], [20, 18], [96, 114]]"),
        &row("[]"),
        &row(&many),
    ]
    .join("\n")
        + "\n{\"qid\":9,\"query\":\"a\",\"vid\":\"b\"}\n{\"qid\":9,\"vid\":\"b\"}\n";

    let converted = converted(
        "highlight_train.jsonl",
        &content,
        AnnotationFormat::Qvhighlights,
    );

    let clip = "bP5KfdFJzC4_660.0_810.0.mp4";
    let wanted = [
        [clip, "0..16", "Chef makes pizza"],
        [clip, "96..114", "Chef makes pizza"],
    ];
    assert_eq!(moments(&converted), of(wanted));
    assert_eq!(converted.retrieval()[1].id.as_deref(), Some("8737_3"));
    let reasons = [
        ("line 1", "moment 2, of \"bP5KfdFJzC4_660.0_810.0\""),
        ("line 2", "it has 0 relevant_windows"),
        ("line 3", "it has 1001 relevant_windows"),
        ("line 4", "it has no relevant_windows"),
        ("line 5", "it has no relevant_windows"),
    ];
    assert_skipped(&converted, &reasons);
}

#[test]
fn charades_has_a_mark_before_the_sentence() {
    let content = "AO8RW 0.0 6.9##a person is putting a book on a shelf.\r\n\n\
        3MSZA 24.3 30.4##person turn ## a light on.\nAO8RW 6.9 0.0##back\nAO8RW 1##short\n\
        AO8RW 0 1 2##long\nAO8RW 0 nan##none\nno mark\nAO8RW 0 1##\n";

    let converted = converted(
        "charades_sta_train.txt",
        content,
        AnnotationFormat::CharadesSta,
    );

    let wanted = [
        [
            "AO8RW.mp4",
            "0..6.9",
            "a person is putting a book on a shelf.",
        ],
        ["3MSZA.mp4", "24.3..30.4", "person turn ## a light on."],
    ];
    assert_eq!(moments(&converted), of(wanted));
    let reasons = [
        ("line 4", "does not end after it begins"),
        ("line 5", "it has 2 columns, not 3 before ##"),
        ("line 6", "it has 4 columns"),
        ("line 7", "NaN s is no time"),
        ("line 8", "it has no ##"),
        ("line 9", "it has no sentence"),
    ];
    assert_skipped(&converted, &reasons);
}

#[test]
fn other_objects_of_videos_are_not_taken_for_moments() {
    let labels = r#"{"version":"1.3","database":{"a":{"subset":"training","annotations":[
        {"label":"Drinking coffee","segment":[1,2]}]}}}"#;
    for content in [
        labels,
        r#"{"a":{"start":1,"end":2}}"#,
        "{\"a\":{\"text\":[1]}}",
        "a ## b\n",
    ] {
        assert_eq!(
            super::super::detect(Sample::new("a.json", content).path()),
            None
        );
    }
}
