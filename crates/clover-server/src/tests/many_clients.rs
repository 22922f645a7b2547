//! Many clients at once.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

fn embed(address: SocketAddr, text: &str) -> Request<Body> {
    Request::post("/api/v1/embed")
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(Body::from(json!({ "texts": [text] }).to_string()))
        .unwrap()
}

async fn answer(router: Router, request: Request<Body>) -> (u16, Value) {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn numbers(answer: &Value) -> Vec<f64> {
    let row = answer["embeddings"][0].as_array().unwrap();
    row.iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn a_thousand_clients_have_an_answer_or_are_told_to_come_back() {
    let videos = Videos::new();
    let server = videos.open(&here());
    let texts = ["red", "a blue circle", "circle", "a"];

    let answers = runtime().block_on(async {
        let clients = (0..1_000).map(|client| {
            let request = embed(server.address(), texts[client % 4]);
            tokio::spawn(answer(server.router(), request))
        });
        let clients: Vec<_> = clients.collect();
        let mut answers = Vec::new();
        for client in clients {
            answers.push(client.await.unwrap());
        }
        answers
    });

    let alone: Vec<Vec<f64>> = texts
        .iter()
        .map(|text| {
            let (status, found) =
                runtime().block_on(answer(server.router(), embed(server.address(), text)));
            assert_eq!(status, 200);
            numbers(&found)
        })
        .collect();
    let mut answered = 0;
    for (client, (status, found)) in answers.iter().enumerate() {
        match status {
            200 => answered += 1,
            429 => continue,
            other => panic!("{other}: {found}"),
        }
        let pairs = numbers(found).into_iter().zip(&alone[client % 4]);
        let difference = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(
            difference < 1e-4,
            "a batch is not what its requests are alone: {difference}"
        );
    }
    assert!(answered >= 64, "{answered}");
}

#[test]
fn clients_over_connections_are_all_answered() {
    let videos = Videos::new();
    let server = videos.serve();

    let clients = thread::scope(|scope| {
        let ask = || {
            let found = server.post("/api/v1/search", &json!({ "text": "a red circle" }));
            (found.status, found.header("retry-after").is_some())
        };
        let clients: Vec<_> = (0..200).map(|_| scope.spawn(ask)).collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect::<Vec<_>>()
    });

    assert!(
        clients
            .iter()
            .all(|client| [(200, false), (429, true)].contains(client)),
        "{clients:?}"
    );
}

#[test]
fn clients_that_leave_leave_nothing_behind() {
    let videos = Videos::new();
    let server = videos.serve();
    let body = json!({ "text": "red" }).to_string();
    let request = format!(
        "POST /api/v1/search HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    for client in 0..300 {
        let mut stream = TcpStream::connect(server.address).unwrap();
        // Some before all is said.
        let said = request.len() - client % 3 * 10;
        stream.write_all(&request.as_bytes()[..said]).unwrap();
    }

    let status = eventually(|| {
        let status = server.get("/api/v1/status").json();
        (status["queue"]["waiting"] == 0).then_some(status)
    });

    assert_eq!(status["queue"]["capacity"], 256);
}

#[test]
fn a_server_that_is_stopped_finishes_what_runs() {
    let videos = Videos::new();
    let mut server = videos.serve();
    let body = json!({ "question": "a", "choices": ["red", "blue"], "moments": 3 }).to_string();
    let request = format!(
        "POST /api/v1/ask HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    // The connection is served by the time another is.
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(server.get("/api/v1/health").status, 200);

    let begun = Instant::now();
    server.stop();

    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(Answer::of(&bytes).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert!(TcpStream::connect(server.address).is_err());
}
