//! What the service answers to those who ask properly.

use super::*;

#[test]
fn moments_are_found_shown_and_played_by_id() {
    let videos = Videos::new();
    let server = videos.serve();

    let found = server.post(
        "/api/v1/search",
        &json!({ "text": "a red circle", "not": ["blue"] }),
    );
    let moments = found.json()["moments"].as_array().unwrap().clone();

    assert_eq!((found.status, moments.len()), (200, 3));
    let scores: Vec<f64> = moments
        .iter()
        .map(|one| one["score"].as_f64().unwrap())
        .collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    assert!(!String::from_utf8_lossy(&found.body).contains(videos.root.path().to_str().unwrap()));
    let long = moments
        .iter()
        .find(|one| one["video"]["name"] == "long.gif")
        .unwrap();
    assert!(long["to_ms"].as_u64() > long["from_ms"].as_u64());
    for thumbnail in long["thumbnails"].as_array().unwrap() {
        let image = server.get(thumbnail.as_str().unwrap());
        assert_eq!(
            (image.status, image.header("content-type")),
            (200, Some("image/jpeg"))
        );
        assert!(image::load_from_memory(&image.body).is_ok());
    }
    let preview = server.get(long["preview"].as_str().unwrap());
    assert_eq!(
        (preview.status, preview.header("content-type")),
        (200, Some("image/webp"))
    );
    let bytes = server.get(long["video"]["stream"].as_str().unwrap());
    assert_eq!(
        bytes.body,
        fs::read(videos.path("videos/more/long.gif")).unwrap()
    );
    assert_eq!(bytes.header("content-type"), Some("image/gif"));
}

#[test]
fn folders_and_examples_hold_a_search_back() {
    let videos = Videos::new();
    let server = videos.serve();
    let status = server.get("/api/v1/status").json();
    let folders = status["folders"].as_array().unwrap().clone();
    let more = folders
        .iter()
        .find(|folder| folder["name"] == "videos/more")
        .unwrap();

    let within = server
        .post(
            "/api/v1/search",
            &json!({ "text": "red", "folder": more["id"] }),
        )
        .json();
    let like = json!({ "video": server.id("b.gif"), "top": 2 });
    let like = server.post("/api/v1/similar", &like).json();
    let list = server.get("/api/v1/videos?state=broken").json();

    assert_eq!(status["index"]["videos"], 3);
    assert_eq!(status["examples"][0], "a red circle");
    let names = |found: &Value, key: &str| -> Vec<String> {
        let found = found[key].as_array().unwrap().iter();
        let video = |one: &Value| {
            if key == "videos" {
                one.clone()
            } else {
                one["video"].clone()
            }
        };
        found
            .map(|one| video(one)["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&within, "moments"), ["long.gif"]);
    assert_eq!(names(&like, "moments").len(), 2);
    assert!(!names(&like, "moments").contains(&"b.gif".to_owned()));
    assert_eq!(names(&list, "videos"), ["broken.gif"]);
    assert!(list["videos"][0]["fault"].is_string());
}

#[test]
fn lists_of_the_same_files_are_folders_of_their_own() {
    let videos = Videos::new();
    for (list, clip) in [("one.jsonl", "b.gif"), ("two.jsonl", "more/long.gif")] {
        let line = json!({ "clip": clip, "captions": ["red"] });
        let name = format!("videos/{list}");
        fs::write(videos.path(&name), line.to_string()).unwrap();
        videos.index_source(&name);
    }
    let server = videos.serve();

    let status = server.get("/api/v1/status").json();
    let folders = status["folders"].as_array().unwrap();
    let names: Vec<&str> = folders
        .iter()
        .map(|folder| folder["name"].as_str().unwrap())
        .collect();
    let expected = ["one.jsonl", "two.jsonl/more", "videos", "videos/more"];
    assert_eq!(names, expected);
    for (folder, name) in folders.iter().zip(["b.gif", "long.gif"]) {
        let id = folder["id"].as_str().unwrap();
        let query = json!({ "text": "red", "folder": id });
        let found = server.post("/api/v1/search", &query).json();
        let listed = server.get(&format!("/api/v1/videos?folder={id}")).json();

        assert_eq!(found["moments"].as_array().unwrap().len(), 1, "{found}");
        for video in [&found["moments"][0]["video"], &listed["videos"][0]] {
            assert_eq!(video["name"], name);
            assert_eq!(video["folder"], folder["name"]);
            assert_eq!(video["folder_id"], id);
        }
        assert_eq!(listed["total"], 1);
    }
}

#[test]
fn texts_are_embedded_and_questions_answered() {
    let videos = Videos::new();
    let server = videos.serve();

    let rows = server
        .post(
            "/api/v1/embed",
            &json!({ "texts": ["red", "a blue circle"] }),
        )
        .json();
    let choices =
        json!({ "question": "a circle", "choices": ["red", "blue"], "video": server.id("b.gif") });
    let about_one = server.post("/api/v1/ask", &choices).json();
    let about_all = json!({ "question": "what is it", "choices": ["red", "blue"], "moments": 2 });
    let about_all = server.post("/api/v1/ask", &about_all).json();
    let open = server.post(
        "/api/v1/ask",
        &json!({ "question": "what is it", "video": server.id("b.gif") }),
    );

    for row in rows["embeddings"].as_array().unwrap() {
        let length: f64 = row
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_f64().unwrap().powi(2))
            .sum();
        assert!((length - 1.0).abs() < 1e-4);
    }
    let ranked = about_one["found"][0]["answers"]["ranked"]
        .as_array()
        .unwrap()
        .clone();
    let sum: f64 = ranked
        .iter()
        .map(|one| one["probability"].as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-6, "{about_one}");
    assert_eq!(about_all["found"].as_array().unwrap().len(), 2);
    assert_eq!(open.status, 422);
    assert!(
        open.json()["detail"]
            .as_str()
            .unwrap()
            .contains("give choices")
    );
}

#[test]
fn ranges_are_those_of_rfc_9110() {
    let videos = Videos::new();
    let server = videos.serve();
    let path = format!("GET /api/v1/videos/{}/stream", server.id("b.gif"));
    let whole = fs::read(videos.path("videos/b.gif")).unwrap();
    let length = whole.len();
    let range = |range: &str| server.request(&path, &format!("Range: {range}\r\n"), b"");

    let first = range("bytes=0-9");
    let last = range("bytes=-5");
    let beyond = range(&format!("bytes={}-{}", length - 3, length + 999));

    assert_eq!((first.status, first.body.as_slice()), (206, &whole[..10]));
    assert_eq!(
        first.header("content-range").unwrap(),
        format!("bytes 0-9/{length}")
    );
    assert_eq!(last.body, whole[length - 5..]);
    assert_eq!(beyond.body, whole[length - 3..]);
    for nothing in ["bytes=-0", &format!("bytes={length}-")] {
        let refused = range(nothing);
        assert_eq!(refused.status, 416, "{nothing}");
        assert_eq!(
            refused.header("content-range").unwrap(),
            format!("bytes */{length}")
        );
    }
    for all in ["bytes=0-1,1-3", "bytes=5-1", "lines=1-2"] {
        let answer = range(all);
        assert_eq!((answer.status, answer.body.len()), (200, length), "{all}");
    }
    let tag = first.header("etag").unwrap();
    let known = server.request(&path, &format!("If-None-Match: {tag}\r\n"), b"");
    assert_eq!(known.status, 304);
    let other = server.request(&path, "Range: bytes=0-9\r\nIf-Range: \"old\"\r\n", b"");
    assert_eq!(other.status, 200);
    let head = server.request(&path.replace("GET", "HEAD"), "", b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length").unwrap(), length.to_string());
}

#[test]
fn an_index_that_grew_is_read_again() {
    let videos = Videos::new();
    let server = videos.serve();
    write_video(&videos.path("videos/new.gif"), 2, 77);

    videos.index();

    let videos = || server.get("/api/v1/status").json()["index"]["videos"].clone();
    eventually(|| (videos() == 4).then_some(()));
    let found = server
        .post("/api/v1/search", &json!({ "text": "red" }))
        .json();
    assert_eq!(found["moments"].as_array().unwrap().len(), 4);
}

#[test]
fn what_vanishes_under_the_server_is_said_to_be_gone() {
    let videos = Videos::new();
    let server = videos.serve();
    let id = server.id("b.gif");
    fs::remove_file(videos.path("videos/b.gif")).unwrap();
    fs::rename(videos.path("index"), videos.path("elsewhere")).unwrap();

    for path in ["stream", "preview"] {
        let gone = server.get(&format!("/api/v1/videos/{id}/{path}"));
        assert_eq!(
            (gone.status, gone.header("content-type")),
            (404, Some("application/problem+json"))
        );
    }
    assert_eq!(
        server.get(&format!("/api/v1/thumbnails/{id}@0")).status,
        404
    );
    let found = server.post("/api/v1/search", &json!({ "text": "red" }));
    assert_eq!(found.json()["moments"].as_array().unwrap().len(), 3);
    let ask = json!({ "question": "a", "choices": ["red", "blue"], "video": id });
    assert_eq!(server.post("/api/v1/ask", &ask).status, 404);
}

#[test]
fn a_video_cut_short_while_it_streams_ends_the_connection() {
    let videos = Videos::new();
    let (path, length) = (videos.path("videos/broken.gif"), 64 << 20);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(length).unwrap();
    let server = videos.serve();
    let request = format!(
        "GET /api/v1/videos/{}/stream HTTP/1.1\r\nHost: {}\r\n\r\n",
        server.id("broken.gif"),
        server.address
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.read_exact(&mut [0; 1_000]).unwrap();

    fs::remove_file(&path).unwrap();
    file.set_len(9).unwrap();

    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!((rest.len() as u64) < length);
    assert_eq!(server.get("/api/v1/health").status, 200);
}

#[test]
fn every_route_is_described() {
    let videos = Videos::new();
    let server = videos.serve();

    let document = server.get("/openapi.json").json();
    let page = server.get("/docs");

    let paths: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    for path in [
        "/api/v1/ask",
        "/api/v1/embed",
        "/api/v1/health",
        "/api/v1/jobs",
        "/api/v1/jobs/{id}",
        "/api/v1/jobs/{id}/events",
        "/api/v1/search",
        "/api/v1/session",
        "/api/v1/similar",
        "/api/v1/status",
        "/api/v1/thumbnails/{name}",
        "/api/v1/uploads",
        "/api/v1/videos",
        "/api/v1/videos/{id}",
        "/api/v1/videos/{id}/preview",
        "/api/v1/videos/{id}/stream",
        "/metrics",
    ] {
        assert!(paths.iter().any(|known| *known == path), "{path}");
        assert!(String::from_utf8_lossy(&page.body).contains(path), "{path}");
    }
    assert_eq!(paths.len(), 17);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            assert!(route["summary"].is_string(), "{path}");
            let line = format!("{} {}", method.to_uppercase(), path.replace(['{', '}'], ""));
            let status = server.request(&line, "", b"").status;
            assert!(status != 405 && status != 0, "{line}: {status}");
        }
    }
    // Whatever is referred to is there.
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
    for path in ["/", "/page.css", "/page.js", "/favicon.ico"] {
        let answer = server.get(path);
        assert!(answer.status == 200 && !answer.body.is_empty(), "{path}");
    }
}

#[test]
fn what_was_done_is_counted() {
    let videos = Videos::new();
    let server = videos.serve();
    server.post("/api/v1/search", &json!({ "text": "red" }));

    let metrics = server.get("/metrics");

    let text = String::from_utf8_lossy(&metrics.body);
    assert!(
        text.contains("clover_requests_total{route=\"/api/v1/search\",status=\"200\"} 1"),
        "{text}"
    );
    assert!(
        text.contains("clover_batch_requests_count 1") && text.contains("clover_index_rows "),
        "{text}"
    );
}
