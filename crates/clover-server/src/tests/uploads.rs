//! Files that are sent.

use super::*;

fn taking(videos: &Videos) -> Running {
    videos.serve_as(&ServerConfig {
        upload_dir: Some(videos.path("uploads")),
        max_upload: 100_000,
        ..here()
    })
}

fn files(videos: &Videos) -> usize {
    videos.path("uploads").read_dir().unwrap().count()
}

#[test]
fn a_video_that_is_sent_is_soon_found() {
    let videos = Videos::new();
    let server = taking(&videos);
    write_video(&videos.path("new.gif"), 3, 250);
    let bytes = fs::read(videos.path("new.gif")).unwrap();

    let taken = server.request(
        "POST /api/v1/uploads?name=..%2Fa%20new%20one.gif",
        "",
        &bytes,
    );
    let id = taken.json()["job"]["id"].as_str().unwrap().to_owned();
    let events = server.get(&format!("/api/v1/jobs/{id}/events"));

    assert_eq!(taken.status, 202);
    let text = String::from_utf8_lossy(&events.body);
    assert!(
        text.contains("event: job") && text.contains("\"state\":\"done\""),
        "{text}"
    );
    let job = server.get(&format!("/api/v1/jobs/{id}")).json();
    assert!(
        job["video"]["name"]
            .as_str()
            .unwrap()
            .starts_with("a new one-"),
        "{job}"
    );
    let similar = json!({ "video": job["video"]["id"], "top": 1 });
    assert_eq!(server.post("/api/v1/similar", &similar).status, 200);
    let found = server
        .post("/api/v1/search", &json!({ "text": "red" }))
        .json();
    assert_eq!(found["moments"].as_array().unwrap().len(), 4);
    assert_eq!(
        server.get("/api/v1/jobs").json()["jobs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_full_folder_takes_no_more_and_says_what_to_do() {
    let videos = Videos::new();
    let server = videos.serve_as(&ServerConfig {
        upload_dir: Some(videos.path("uploads")),
        max_upload_dir: 1_000,
        ..here()
    });
    fs::write(videos.path("uploads/earlier.mp4"), [0; 990]).unwrap();

    let refused = server.request("POST /api/v1/uploads?name=a.gif", "", b"GIF89a and more");
    fs::remove_file(videos.path("uploads/earlier.mp4")).unwrap();
    let taken = server.request("POST /api/v1/uploads?name=a.gif", "", b"GIF89a and more");

    let problem = refused.json();
    assert_eq!((refused.status, &problem["status"]), (507, &json!(507)));
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("990 of at most 1000 bytes") && detail.contains("--max-upload-dir"),
        "{detail}"
    );
    assert_eq!(taken.status, 202);
}

#[test]
fn what_lies_about_itself_is_refused_or_removed() {
    let videos = Videos::new();
    let server = taking(&videos);
    let send = |bytes: &[u8]| server.request("POST /api/v1/uploads?name=a.gif", "", bytes);
    let claims = |length: &str| {
        let head = format!(
            "POST /api/v1/uploads?name=a.gif HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\nGIF89a",
            server.address
        );
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::of(&bytes).status
    };

    assert_eq!(send(b"<html><script>alert(1)</script>").status, 415);
    assert_eq!(send(b"PK\x03\x04zip").status, 415);
    assert_eq!(send(b"").status, 415);
    assert_eq!(claims("99999999999"), 413);
    // Cut off: nobody is there any more to be told.
    assert!([0, 400].contains(&claims("50")));
    assert_eq!(
        server.request("POST /api/v1/uploads", "", b"GIF89a").status,
        400
    );
    eventually(|| (files(&videos) == 0).then_some(()));

    // An image of 60,000 pixels a side, in a few bytes.
    let bomb = b"GIF89a\x60\xea\x60\xea\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x60\xea\x60\xea\0\x02\x02D\x01\0;";
    let job = send(bomb).json()["job"]["id"].as_str().unwrap().to_owned();
    let failed = eventually(|| {
        let job = server.get(&format!("/api/v1/jobs/{job}")).json();
        (job["state"] == "failed").then_some(job)
    });
    assert!(
        failed["detail"].is_string() && files(&videos) == 0,
        "{failed}"
    );
    assert!(
        !failed
            .to_string()
            .contains(videos.root.path().to_str().unwrap()),
        "{failed}"
    );
}

#[test]
fn an_index_that_another_writes_to_is_waited_for() {
    let videos = Videos::new();
    let server = taking(&videos);
    let lock = clover_data::files::FolderLock::take(&videos.path("index")).unwrap();
    let bytes = fs::read(videos.path("videos/b.gif")).unwrap();
    let taken = server
        .request("POST /api/v1/uploads?name=b.gif", "", &bytes)
        .json();
    let path = format!("/api/v1/jobs/{}", taken["job"]["id"].as_str().unwrap());

    eventually(|| server.get(&path).json()["detail"].is_string().then_some(()));
    let waits = server.get(&path).json();
    drop(lock);

    assert_eq!(waits["state"], "waiting", "{waits}");
    eventually(|| (server.get(&path).json()["state"] == "done").then_some(()));
}

#[test]
fn without_a_folder_nothing_is_taken() {
    let videos = Videos::new();
    let server = videos.serve();

    assert_eq!(
        server
            .request("POST /api/v1/uploads?name=a.gif", "", b"GIF89a")
            .status,
        404
    );
    assert_eq!(server.get("/api/v1/jobs/0").status, 404);
    assert_eq!(server.get("/api/v1/status").json()["uploads"], Value::Null);
}
