//! Who may ask for what: hosts, origins, the token, and the headers that hold browsers back.
//!
//! A server on a loopback address is reached by every page that a browser has open. Such a page can have a
//! name of its own point here (DNS rebinding), so that only known names are answered; and it can send
//! requests here, so that those of other sites are refused, those that only compute among them. Nothing is
//! shared with other origins: no header ever allows it.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::http::header::{self, HeaderMap, HeaderName};
use axum::http::{HeaderValue, Request, StatusCode, Uri};
use subtle::ConstantTimeEq;

use crate::error::ServerError;
use crate::problem::Problem;

/// Shorter ones can be guessed.
const SHORTEST_TOKEN: usize = 16;
const LONGEST_TOKEN: usize = 4_096;
const COOKIE: &str = "clover_session";

/// What browsers are told with every answer.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// A secret word, which is never written anywhere.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(..)")
    }
}

impl Token {
    /// A token as a file has it, without whitespace around it.
    ///
    /// # Errors
    ///
    /// It has fewer than 16 or more than 4,096 characters, or others than the printable ones of ASCII, or a space.
    pub fn new(text: &str) -> Result<Self, ServerError> {
        let text = text.trim();
        let is_sound = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_sound || !(SHORTEST_TOKEN..=LONGEST_TOKEN).contains(&text.len()) {
            return Err(ServerError::Option {
                option: "--token-file",
                reason: format!(
                    "a token has {SHORTEST_TOKEN} to {LONGEST_TOKEN} ASCII characters and no space; \
                     `openssl rand -hex 32` makes one"
                ),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

/// What a server answers to.
#[derive(Debug)]
pub(crate) struct Access {
    /// In lower case, with their ports; those without one are good for all.
    hosts: HashSet<String>,
    /// Where every address of the machine is listened at: any of them may be named, with this port.
    any_address: Option<u16>,
    token: Option<Token>,
    /// What a browser gets in exchange for the token, which then need not lie in the page.
    session: Token,
}

impl Access {
    /// For a server at an address, that may also be called by other names.
    ///
    /// # Errors
    ///
    /// The address can be reached from other machines, and there is no token.
    pub(crate) fn new(
        listen: SocketAddr,
        names: &[String],
        token: Option<Token>,
    ) -> Result<Self, ServerError> {
        if token.is_none() && !listen.ip().is_loopback() {
            return Err(ServerError::Option {
                option: "--listen",
                reason: format!(
                    "{listen} can be reached from other machines: whoever asks must have a token \
                     (`--token-file`), or listen at 127.0.0.1"
                ),
            });
        }
        let port = listen.port();
        let mut hosts: HashSet<String> =
            names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let own = [
            listen.ip().to_string(),
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "[::1]".to_owned(),
        ];
        for name in own {
            let name = match name.contains(':') && !name.starts_with('[') {
                true => format!("[{name}]"),
                false => name,
            };
            // A browser leaves the port of HTTP away.
            if port == 80 {
                hosts.insert(name.clone());
            }
            hosts.insert(format!("{name}:{port}"));
        }
        Ok(Self {
            hosts,
            any_address: listen.ip().is_unspecified().then_some(port),
            token,
            session: Token(
                rand::random::<[u8; 32]>()
                    .map(|byte| format!("{byte:02x}"))
                    .concat(),
            ),
        })
    }

    /// Refuses a request to another host than this one.
    pub(crate) fn check_host<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let refused = |detail| Err(Problem::new(StatusCode::FORBIDDEN, detail));
        let mut named = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else {
            return refused("a request names one host");
        };
        let is_known = |host: &str| self.knows(&host.to_ascii_lowercase());
        let uri = request.uri().authority().map(|host| host.as_str());
        match host.to_str() {
            Ok(host) if is_known(host) && uri.is_none_or(is_known) => Ok(()),
            _ => refused("this host is not known here; `--allow-host` adds a name"),
        }
    }

    fn knows(&self, host: &str) -> bool {
        let without_port = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        if self.hosts.contains(host) || self.hosts.contains(without_port) {
            return true;
        }
        // A name could be made to point here; an address cannot.
        let address = without_port.trim_start_matches('[').trim_end_matches(']');
        let own_port = self
            .any_address
            .is_some_and(|port| host.ends_with(&format!(":{port}")));
        own_port && address.parse::<IpAddr>().is_ok()
    }

    /// Refuses what another site's page asks for.
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let refused = Problem::new(
            StatusCode::FORBIDDEN,
            "requests of other sites are not answered",
        );
        // Told by every browser of today, and out of a page's reach.
        if let Some(site) = headers.get("sec-fetch-site") {
            return match site.as_bytes() {
                b"same-origin" | b"none" => Ok(()),
                _ => Err(refused),
            };
        }
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Ok(());
        };
        let origin = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.parse::<Uri>().ok());
        let host = origin.as_ref().and_then(Uri::authority);
        match host.is_some_and(|host| self.knows(&host.as_str().to_ascii_lowercase())) {
            true => Ok(()),
            false => Err(refused),
        }
    }

    /// Refuses who does not know the token, where there is one.
    pub(crate) fn check_token(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        let bearer = bearer(headers).is_some_and(|given| is_same(given, token));
        let mut cookies = cookies(headers);
        match bearer || cookies.any(|given| is_same(given, &self.session)) {
            true => Ok(()),
            false => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "a token is needed: `Authorization: Bearer TOKEN`",
            )),
        }
    }

    /// The cookie of who sent the token.
    pub(crate) fn session_cookie(&self, headers: &HeaderMap) -> Result<String, Problem> {
        let Some(token) = &self.token else {
            return Err(Problem::not_found("this server asks for no token"));
        };
        match bearer(headers).is_some_and(|given| is_same(given, token)) {
            true => {
                let Token(session) = &self.session;
                Ok(format!(
                    "{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict"
                ))
            }
            false => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "this is not the token",
            )),
        }
    }

    /// The cookie that takes the place of any other, and says nothing.
    pub(crate) fn no_cookie() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let headers = headers.get_all(header::COOKIE).into_iter();
    let cookies = headers.flat_map(|header| header.to_str().unwrap_or_default().split(';'));
    cookies.filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// In a time that tells nothing but the length.
fn is_same(given: &str, Token(secret): &Token) -> bool {
    given.as_bytes().ct_eq(secret.as_bytes()).into()
}

/// Adds what holds browsers back.
pub(crate) fn harden(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123";

    fn access(listen: &str, names: &[&str]) -> Access {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let token = Token::new(SECRET).unwrap();
        Access::new(listen.parse().unwrap(), &names, Some(token)).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|&(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn host(access: &Access, hosts: &[&str]) -> bool {
        let mut request = Request::get("/");
        for host in hosts {
            request = request.header("host", *host);
        }
        access.check_host(&request.body(()).unwrap()).is_ok()
    }

    #[test]
    fn other_machines_need_a_token() {
        let open = |listen: &str| Access::new(listen.parse().unwrap(), &[], None);

        assert!(open("127.0.0.1:1").is_ok() && open("[::1]:1").is_ok());
        for listen in ["0.0.0.0:1", "[::]:1", "192.168.1.2:80"] {
            let error = open(listen).unwrap_err().to_string();
            assert!(error.contains("--token-file"), "{error}");
        }
        assert!(Token::new("short").is_err() && Token::new("0123456789 abcdefgh").is_err());
        assert!(!format!("{:?}", access("127.0.0.1:1", &[])).contains(SECRET));
    }

    #[test]
    fn only_known_hosts_are_answered() {
        let own = access("127.0.0.1:7878", &["Videos.example", "videos.example:8443"]);

        for known in [
            "localhost:7878",
            "LOCALHOST:7878",
            "127.0.0.1:7878",
            "[::1]:7878",
            "videos.example",
            "VIDEOS.example:80",
        ] {
            assert!(host(&own, &[known]), "{known}");
        }
        let others = [
            "",
            "localhost",
            "localhost:7879",
            "evil.example",
            "evil.example:7878",
            "localhost:7878.evil.example",
            "localhost.evil.example:7878",
            "127.0.0.1",
            "192.168.0.1:7878",
            "videos.example.evil",
            "videos.example:x",
            ":7878",
        ];
        for other in others {
            assert!(!host(&own, &[other]), "{other}");
        }
        assert!(!host(&own, &[]) && !host(&own, &["localhost:7878", "evil.example"]));
    }

    #[test]
    fn a_server_at_all_addresses_is_called_by_any_of_them() {
        let own = access("0.0.0.0:7878", &[]);

        assert!(host(&own, &["192.168.0.1:7878"]) && host(&own, &["[fe80::1]:7878"]));
        assert!(!host(&own, &["evil.example:7878"]) && !host(&own, &["192.168.0.1:80"]));
    }

    #[test]
    fn requests_of_other_sites_are_refused() {
        let own = access("127.0.0.1:7878", &[]);
        let asks = |pairs: &[(&'static str, &str)]| own.check_origin(&headers(pairs)).is_ok();

        assert!(
            asks(&[])
                && asks(&[("sec-fetch-site", "same-origin")])
                && asks(&[("sec-fetch-site", "none")])
        );
        assert!(asks(&[("origin", "http://localhost:7878")]));
        for site in ["cross-site", "same-site", "", "same-origin, none"] {
            assert!(!asks(&[("sec-fetch-site", site)]), "{site}");
        }
        for origin in [
            "http://evil.example",
            "null",
            "http://localhost:7879",
            "file://",
            "http://localhost:7878@evil.example",
        ] {
            assert!(!asks(&[("origin", origin)]), "{origin}");
        }
    }

    #[test]
    fn a_token_or_the_cookie_it_was_exchanged_for_is_asked_for() {
        let own = access("0.0.0.0:7878", &[]);
        let bearer = format!("Bearer {SECRET}");
        let knows = |pairs: &[(&'static str, &str)]| own.check_token(&headers(pairs)).is_ok();

        let cookie = own
            .session_cookie(&headers(&[("authorization", &bearer)]))
            .unwrap();
        let pair = cookie.split(';').next().unwrap();

        assert!(
            cookie.contains("HttpOnly")
                && cookie.contains("SameSite=Strict")
                && !cookie.contains(SECRET)
        );
        assert!(
            knows(&[("authorization", &bearer)]) && knows(&[("cookie", &format!("a=b; {pair}"))])
        );
        let wrong = format!("{bearer}0");
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Basic abc",
            SECRET,
            &bearer[..bearer.len() - 1],
            &wrong,
        ] {
            assert!(!knows(&[("authorization", header)]), "{header}");
            assert!(
                own.session_cookie(&headers(&[("authorization", header)]))
                    .is_err()
            );
        }
        assert!(
            !knows(&[])
                && !knows(&[("cookie", &format!("{COOKIE}={SECRET}"))])
                && !knows(&[("cookie", &Access::no_cookie())])
        );
    }
}
