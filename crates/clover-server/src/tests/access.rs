//! Who is answered.

use super::*;
use crate::Token;

const SECRET: &str = "0123456789abcdef0123";

#[test]
fn hosts_and_origins_that_are_not_known_are_refused() {
    let videos = Videos::new();
    let server = videos.serve();
    let port = server.address.port();
    let hosts = [
        "",
        "evil.example",
        &format!("evil.example:{port}"),
        "localhost:1",
        &format!("localhost:{port}@evil.example"),
        &format!("127.0.0.1:{port}, evil.example"),
        "\u{fc}",
    ];
    for host in hosts {
        let request =
            format!("GET /api/v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(server.send(request.as_bytes()).status, 403, "{host}");
    }
    let none = server.send(b"GET /api/v1/status HTTP/1.0\r\n\r\n");
    let two = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    );
    let absolute = format!(
        "GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(none.status, 403);
    assert_eq!(server.send(two.as_bytes()).status, 403);
    assert_eq!(server.send(absolute.as_bytes()).status, 403);
    for headers in [
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
    ] {
        for path in [
            "GET /api/v1/status",
            "GET /metrics",
            "POST /api/v1/search",
            "GET /openapi.json",
            "POST /",
        ] {
            assert_eq!(
                server.request(path, headers, b"").status,
                403,
                "{path} {headers}"
            );
        }
        // A link may lead to the page.
        assert_eq!(server.request("GET /", headers, b"").status, 200);
    }
}

#[test]
fn answers_tell_browsers_to_hold_back() {
    let videos = Videos::new();
    let server = videos.serve();

    for path in ["/", "/api/v1/status", "/nothing", "/docs"] {
        let answer = server.get(path);
        assert!(
            answer
                .header("content-security-policy")
                .unwrap()
                .contains("default-src 'none'")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("x-request-id").unwrap().len(), 16);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let asked = server.request(
        "OPTIONS /api/v1/search",
        "Access-Control-Request-Method: POST\r\n",
        b"",
    );
    assert_eq!(asked.header("access-control-allow-origin"), None);
    assert_eq!(asked.status, 405);
}

#[test]
fn without_the_token_there_is_the_page_alone() {
    let videos = Videos::new();
    let config = ServerConfig {
        token: Some(Token::new(SECRET).unwrap()),
        ..here()
    };
    let server = videos.serve_as(&config);
    let bearer = format!("Authorization: Bearer {SECRET}\r\n");

    for path in [
        "/api/v1/status",
        "/api/v1/videos",
        "/metrics",
        "/openapi.json",
        "/api/v1/videos/0/stream",
    ] {
        let refused = server.get(path);
        assert_eq!(
            (refused.status, refused.header("www-authenticate")),
            (401, Some("Bearer")),
            "{path}"
        );
    }
    for path in ["/", "/page.js", "/health", "/api/v1/health", "/docs"] {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    assert_eq!(
        server.request("GET /api/v1/status", &bearer, b"").status,
        200
    );
    assert_eq!(server.request("POST /api/v1/session", "", b"").status, 401);
    let session = server.request("POST /api/v1/session", &bearer, b"");
    let cookie = session
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let headers = format!("Cookie: {cookie}\r\n");
    assert_eq!(session.status, 204);
    assert_eq!(
        server.request("GET /api/v1/status", &headers, b"").status,
        200
    );
    // The cookie alone is not enough for another site.
    let cross = format!("{headers}Sec-Fetch-Site: cross-site\r\n");
    assert_eq!(
        server.request("GET /api/v1/status", &cross, b"").status,
        403
    );
}
