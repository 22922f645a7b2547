//! Requests that mean no good.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Uri};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use tower::ServiceExt;

use super::*;

#[test]
fn no_path_leads_out_of_the_index() {
    let videos = Videos::new();
    let server = videos.serve();
    let id = server.id("b.gif");
    let inside = "/api/v1/videos";
    for path in [
        format!("{inside}/../../../../etc/passwd"),
        format!("{inside}/..%2f..%2f..%2fetc%2fpasswd/stream"),
        format!("{inside}/%2e%2e/stream"),
        format!("{inside}//etc/passwd/stream"),
        format!("{inside}/{id}%00/stream"),
        format!("{inside}/{}/stream", id.to_uppercase()),
        format!("{inside}/{id}/stream/.."),
        format!("{inside}/%ff%fe/stream"),
        format!("/api/v1/thumbnails/{id}"),
        format!("/api/v1/thumbnails/{id}@-1"),
        format!("/api/v1/thumbnails/{id}@99999999999999999999999"),
        "/api/v1/thumbnails/..@0".to_owned(),
        format!("/api/v1/thumbnails/{id}@0/../.."),
        "/page/../Cargo.toml".to_owned(),
    ] {
        let answer = server.get(&path);
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{path}"
        );
    }
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "offset=-1",
        "state=lost",
        "more=1",
    ] {
        assert_eq!(
            server.get(&format!("{inside}?{query}")).status,
            400,
            "{query}"
        );
    }
    for part in ["from=5", "from=5&to=5", "from=9&to=2", "from=x&to=y"] {
        assert_eq!(
            server.get(&format!("{inside}/{id}/preview?{part}")).status,
            400,
            "{part}"
        );
    }
}

#[test]
fn bodies_that_are_wrong_are_refused_in_words() {
    let videos = Videos::new();
    let server = videos.serve();
    let send =
        |headers: &str, body: &[u8]| server.request("POST /api/v1/search", headers, body).status;
    let json = "Content-Type: application/json\r\n";
    let deep = format!("{{\"text\": {}{}}}", "[".repeat(100), "]".repeat(100));
    let deeper = "[".repeat(100_000);
    let large = format!("{{\"text\": \"{}\"}}", "a".repeat(300 << 10));

    assert_eq!(send("", b"{\"text\": \"a\"}"), 415);
    assert_eq!(
        send("Content-Type: text/plain\r\n", b"{\"text\": \"a\"}"),
        415
    );
    assert_eq!(send(json, large.as_bytes()), 413);
    for wrong in [
        &b""[..],
        b"{",
        b"[]",
        b"{\"text\": 5}",
        b"{\"text\": \"a\", \"other\": 1}",
        b"\xff\xfe",
        b"{\"text\": \"\"}",
        b"{\"text\": \"a\", \"top\": 0}",
        b"{\"text\": \"a\", \"top\": 99999}",
        b"{\"text\": \"a\", \"top\": -1}",
        deep.as_bytes(),
        deeper.as_bytes(),
    ] {
        assert_eq!(
            send(json, wrong),
            400,
            "{}",
            String::from_utf8_lossy(&wrong[..wrong.len().min(50)])
        );
    }
    let refused = server
        .post(
            "/api/v1/ask",
            &json!({ "question": "a", "choices": ["one"] }),
        )
        .status;
    assert_eq!(refused, 400);
    assert_eq!(
        server
            .post("/api/v1/search", &json!({ "text": "a", "folder": "../.." }))
            .status,
        404
    );
    assert_eq!(
        server
            .post("/api/v1/embed", &json!({ "texts": vec!["a"; 65] }))
            .status,
        400
    );
    for method in ["DELETE", "PUT", "PATCH", "TRACE", "BREW"] {
        let answer = server.request(&format!("{method} /api/v1/search"), "", b"");
        assert!(
            [400, 405].contains(&answer.status),
            "{method}: {}",
            answer.status
        );
    }
}

#[test]
fn what_trickles_or_swells_ends() {
    let videos = Videos::new();
    let server = videos.serve();
    let address = server.address;
    let header = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nX: {}\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let headers = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\n{}\r\n",
        "X: a\r\n".repeat(5_000)
    );

    // Refused; the rest is not read, so that the client may hear of a broken connection alone.
    for request in [header, headers] {
        assert!([0, 431].contains(&server.send(request.as_bytes()).status));
    }
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /api/v1/search HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let mut answer = Vec::new();
    while begun.elapsed() < Duration::from_secs(20) && !answer.ends_with(b"}") {
        let _ = stream.write_all(b"1\r\n \r\n");
        let mut bytes = [0; 4_096];
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => answer.extend(&bytes[..count]),
            Err(_) => {}
        }
    }
    assert_eq!(
        Answer::of(&answer).status,
        408,
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert_eq!(server.get("/api/v1/health").status, 200);
}

/// Pieces that requests are made of, for better and for worse.
struct Mischief {
    rng: StdRng,
    ids: Vec<String>,
    host: String,
}

const PATHS: &[&str] = &[
    "/",
    "/docs",
    "/metrics",
    "/openapi.json",
    "/api/v1/health",
    "/api/v1/status",
    "/api/v1/session",
    "/api/v1/search",
    "/api/v1/similar",
    "/api/v1/ask",
    "/api/v1/embed",
    "/api/v1/videos",
    "/api/v1/videos/ID",
    "/api/v1/videos/ID/stream",
    "/api/v1/videos/ID/preview",
    "/api/v1/thumbnails/ID@0",
    "/api/v1/thumbnails/ID@1500",
    "/api/v1/uploads",
    "/api/v1/jobs",
    "/api/v1/jobs/ID",
    "/api/v1/jobs/ID/events",
    "/api/v1/%2e%2e/%00",
    "/*",
    "/api/v1/videos/%ff/stream",
];
const QUERIES: &[&str] = &[
    "",
    "?",
    "?from=0&to=1000",
    "?from=9&to=1",
    "?limit=3&offset=99999999999",
    "?name=%00",
    "?name=a.gif",
    "?&&==&",
    "?folder=ID",
    "?state=gone",
    "?to=18446744073709551615",
];
const HEADERS: &[(&str, &str)] = &[
    ("range", "bytes=0-"),
    ("range", "bytes=-0"),
    ("range", "bytes=5-2,0-,-1"),
    ("range", "bytes=18446744073709551615-"),
    ("if-range", "\"x\""),
    ("if-none-match", "*"),
    ("content-type", "application/json"),
    ("content-type", "text/html"),
    ("origin", "null"),
    ("origin", "http://evil"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-origin"),
    ("authorization", "Bearer x"),
    ("cookie", "clover_session=; ;;="),
    ("content-length", "99999999999999"),
    ("expect", "100-continue"),
];
const BODIES: &[&str] = &[
    "",
    "{}",
    "[[[[",
    "{\"text\":\"a\"}",
    "{\"text\":\"red\",\"not\":[\"blue\"],\"top\":3}",
    "{\"texts\":[\"a\",\"\u{1f600}\"]}",
    "{\"texts\":[]}",
    "{\"video\":\"ID\"}",
    "{\"video\":\"ID\",\"from_ms\":0,\"to_ms\":900}",
    "{\"video\":\"ID\",\"to_ms\":1e99}",
    "{\"question\":\"a\",\"choices\":[\"red\",\"blue\"],\"video\":\"ID\"}",
    "{\"question\":\"\",\"choices\":[]}",
    "GIF89a",
    "{\"text\":\"\\u0000\\ud800\"}",
    "null",
    "\"",
];

impl Mischief {
    fn pick<'p>(&mut self, pieces: &[&'p str]) -> &'p str {
        pieces.choose(&mut self.rng).copied().unwrap_or_default()
    }

    /// With an id in its place, and now and then with other letters.
    fn twisted(&mut self, text: &str) -> Vec<u8> {
        let id = self.ids.choose(&mut self.rng).cloned().unwrap_or_default();
        let mut bytes = text.replace("ID", &id).into_bytes();
        while self.rng.random_bool(0.2) && !bytes.is_empty() {
            let place = self.rng.random_range(0..bytes.len());
            match self.rng.random_range(0..4) {
                0 => bytes[place] = self.rng.random(),
                1 => bytes.truncate(place),
                2 => bytes.insert(place, self.rng.random_range(32..127)),
                _ => bytes.extend_from_within(place..),
            }
        }
        bytes
    }

    /// None where it is no request at all.
    fn request(&mut self) -> Option<Request<Body>> {
        let target = [self.pick(PATHS), self.pick(QUERIES)].concat();
        let target = self.twisted(&target);
        let methods = [
            Method::GET,
            Method::POST,
            Method::HEAD,
            Method::DELETE,
            Method::PUT,
            Method::OPTIONS,
        ];
        let method = methods.choose(&mut self.rng)?.clone();
        let mut request = Request::builder()
            .method(method)
            .uri(Uri::try_from(target).ok()?);
        if self.rng.random_bool(0.95) {
            request = request.header("host", &self.host);
        }
        for _ in 0..self.rng.random_range(0..3) {
            let &(name, value) = HEADERS.choose(&mut self.rng)?;
            let value = self.twisted(value);
            request = request.header(name, HeaderValue::from_bytes(&value).ok()?);
        }
        if self.rng.random_bool(0.5) {
            request = request.header("content-type", "application/json");
        }
        let body = self.pick(BODIES);
        request.body(Body::from(self.twisted(body))).ok()
    }
}

#[test]
fn no_request_is_left_without_an_answer() {
    // More with CLOVER_FUZZ_REQUESTS=1000000.
    let requests = std::env::var("CLOVER_FUZZ_REQUESTS")
        .ok()
        .and_then(|count| count.parse().ok());
    let videos = Videos::new();
    let server = videos.open(&ServerConfig {
        upload_dir: Some(videos.path("uploads")),
        max_upload: 1_000,
        ..here()
    });
    let catalog = server.state.catalog();
    let mut ids: Vec<String> = catalog
        .list(&Default::default(), 0, 9)
        .0
        .iter()
        .map(|video| video.id().to_owned())
        .collect();
    ids.push("0".repeat(32));
    let mut mischief = Mischief {
        rng: StdRng::seed_from_u64(7),
        host: server.address().to_string(),
        ids,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut seen = std::collections::BTreeMap::new();
    for number in 0..requests.unwrap_or(100_000) {
        let Some(request) = mischief.request() else {
            continue;
        };
        let about = format!("{number}: {request:?}");
        let answer = server.router().oneshot(request);
        let bounded = async { tokio::time::timeout(Duration::from_secs(40), answer).await };
        let status = runtime
            .block_on(bounded)
            .expect(&about)
            .unwrap()
            .status()
            .as_u16();
        assert!(![0, 500, 503, 504].contains(&status), "{status} {about}");
        *seen.entry(status).or_insert(0) += 1;
    }
    assert!(
        seen.contains_key(&200)
            && seen.contains_key(&400)
            && seen.contains_key(&403)
            && seen.contains_key(&404),
        "{seen:?}"
    );
}
